# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: what check mode says is what the run does, and a second run changes nothing."""

from __future__ import annotations

from stacks import Stack


def test_check_mode_touches_nothing_and_shows_what_the_run_does(stack: Stack) -> None:
    before = stack.state()
    checked = stack.harden("--check", "--diff")
    assert checked.code == 0, checked.text
    assert checked.recap["changed"] == 3
    assert stack.state() == before
    assert "+    mem_limit: 96m" in checked.diff

    done = stack.harden("--diff")
    assert done.code == 0, done.text
    assert done.diff == checked.diff
    cache = stack.inspect("cache")
    assert cache["HostConfig"]["Memory"] == 96 * 2**20
    assert cache["HostConfig"]["NanoCpus"] == 500_000_000
    assert cache["State"]["Health"]["Status"] == "healthy"
    assert stack.inspect("app")["HostConfig"]["Memory"] == 64 * 2**20

    settled = stack.state()
    again = stack.harden("--diff")
    assert again.recap["changed"] == 0, again.text
    assert again.diff == ""
    assert stack.state() == settled


def test_a_project_that_is_down_stays_down(stack: Stack) -> None:
    stack.docker("compose", "down")
    done = stack.harden()
    assert done.code == 0, done.text
    assert "mem_limit: 96m" in stack.file.read_text()
    assert stack.docker("compose", "ps", "-aq") == ""


def test_what_is_stopped_stays_stopped(stack: Stack) -> None:
    stack.docker("compose", "stop", "app")
    done = stack.harden()
    assert done.code == 0, done.text
    assert stack.inspect("app")["State"]["Status"] == "exited"
    assert stack.inspect("cache")["HostConfig"]["Memory"] == 96 * 2**20


def test_data_stores_are_left_alone_by_default(stack: Stack) -> None:
    stack.inventory_with(compose_limits_max_impact="recreate")
    before = stack.ids()
    done = stack.harden("--diff")
    assert done.code == 0, done.text
    assert "withheld: cache: mem_limit: 96m" in done.text
    assert "96m" not in stack.file.read_text()
    assert stack.ids()["cache"] == before["cache"]
    assert stack.inspect("app")["HostConfig"]["Memory"] == 64 * 2**20
    # A store whose file a person has changed is not restarted behind their back either.
    stack.file.write_text(stack.file.read_text().replace('--save ""', '--save "" --maxclients 100'))
    again = stack.harden()
    assert again.code == 0, again.text
    assert "cache: differs, and is held back" in again.text
    assert stack.ids()["cache"] == before["cache"]


def test_controls_are_chosen_by_tags(stack: Stack) -> None:
    done = stack.harden("--tags", "BW-LIM-001")
    assert done.code == 0, done.text
    text = stack.file.read_text()
    assert "mem_limit" in text
    assert "logging" not in text
    assert "cpus" not in text


def test_a_run_cannot_start_in_the_middle(stack: Stack) -> None:
    before = stack.state()
    done = stack.harden("--start-at-task", "Write what was planned")
    assert done.code == 2
    assert "leave --start-at-task out" in done.text
    assert stack.state() == before


def test_files_that_compose_file_names_are_the_project(stack: Stack) -> None:
    stack.file.rename(stack.folder / "base.yml")
    (stack.folder / "prod.yml").write_text("services:\n  app:\n    stop_grace_period: 5s\n")
    with (stack.folder / ".env").open("a") as env:
        env.write("COMPOSE_FILE=base.yml:prod.yml\n")
    stack.up()
    done = stack.harden()
    assert done.code == 0, done.text
    assert "mem_limit: 96m" in (stack.folder / "base.yml").read_text()
    assert stack.inspect("app")["Config"]["StopTimeout"] == 5
    assert stack.harden().recap["changed"] == 0


def test_what_is_replaced_gets_the_time_to_end_by_itself(stack: Stack) -> None:
    ends_slowly = """["sh", "-c", "trap 'sleep 12; touch /ended/well; exit' TERM; sleep 1h & wait"]"""
    text = stack.file.read_text().replace('["sleep", "infinity"]', ends_slowly)
    more = '    labels: ["breakwater.kind=worker"]\n    volumes: ["./ended:/ended"]\n'
    stack.file.write_text(text.replace("    environment:\n", f"{more}    environment:\n"))
    stack.up()
    assert stack.inspect("app")["Config"].get("StopTimeout") is None, "the engine would kill it after 10 s"
    done = stack.harden()
    assert done.code == 0, done.text
    assert stack.inspect("app")["Config"]["StopTimeout"] == 60
    assert (stack.folder / "ended" / "well").exists()
