# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever goes wrong, the stack runs as before and the run names the cause."""

from __future__ import annotations

import subprocess
import time

import pytest

from stacks import LIMITS, ROOT, Stack

#: Shell code that is true where the container has no memory limit, on cgroup v1 and v2.
UNLIMITED = (
    "case $$(cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max) in "
    "max|?????????????*) true ;; *) false ;; esac"
)
#: Fills memory as soon as it is limited, as a program does that was never measured.
GREEDY = (
    f"""["sh", "-c", "{UNLIMITED} || {{ sleep 1; head -c 300000000 /dev/zero | tail; exit 9; }}; sleep infinity"]"""
)


def assert_as_before(stack: Stack, text: str) -> None:
    """The files are those of before, and containers without limits run."""
    assert stack.file.read_text() == text
    for service in ("cache", "app"):
        container = stack.inspect(service)
        assert container["State"]["Status"] == "running"
        assert container["HostConfig"]["Memory"] == 0


def test_a_container_that_never_gets_healthy_brings_everything_back(stack: Stack) -> None:
    check = f'    healthcheck:\n      test: ["CMD-SHELL", "{UNLIMITED}"]\n      interval: 1s\n      retries: 2\n'
    healthy = stack.file.read_text()
    stack.file.write_text(healthy.replace("    environment:\n", f"{check}    environment:\n"))
    stack.up()
    text = stack.file.read_text()
    stack.inventory_with(breakwater_wait_timeout=15)
    done = stack.harden()
    assert done.code == 2, done.text
    assert "deploying app (breakwater.test/redis" in done.text or "deploying app (redis" in done.text
    assert "its log ends with" in done.text
    assert_as_before(stack, text)
    stack.file.write_text(healthy)
    assert stack.harden().code == 0
    assert stack.harden().recap["changed"] == 0


def test_a_container_that_is_killed_at_its_limit_brings_everything_back(stack: Stack) -> None:
    stack.file.write_text(stack.file.read_text().replace('["sleep", "infinity"]', GREEDY))
    stack.up()
    text = stack.file.read_text()
    stack.inventory_with(breakwater_wait_timeout=10)
    done = stack.harden()
    assert done.code == 2, done.text
    assert "app" in done.text
    assert_as_before(stack, text)


def test_an_image_that_is_not_there_leaves_what_runs(stack: Stack) -> None:
    before = stack.ids()
    stack.file.write_text(stack.file.read_text().replace("image: ${REDIS_IMAGE}\n", "image: breakwater.test/no:such\n"))
    text = stack.file.read_text()
    done = stack.harden()
    assert done.code == 2, done.text
    assert "breakwater.test/no:such" in done.text
    assert stack.file.read_text() == text
    assert stack.ids()["app"] == before["app"]
    assert stack.inspect("app")["State"]["Status"] == "running"


def test_the_second_of_two_runs_says_who_works(stack: Stack) -> None:
    first = subprocess.Popen(stack.command("harden"), env=stack.environment(), stdout=subprocess.PIPE, text=True)
    lock = stack.folder / ".breakwater" / "lock.json"
    deadline = time.monotonic() + 30
    while not lock.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    second = stack.harden()
    assert first.communicate(timeout=120)[0]
    assert first.returncode == 0
    assert second.code == 2, second.text
    assert "process" in second.text
    assert "breakwater.stack.stack_unlock" in second.text
    stack.inventory_with(breakwater_lock_wait=60)
    assert stack.harden().recap["changed"] == 0


def test_a_file_that_changes_after_it_was_read_is_not_overwritten(stack: Stack) -> None:
    playbook = stack.folder.parent / "harden.yml"
    text = (ROOT / "playbooks" / "harden.yml").read_text()
    edit = """        - name: Edit as a colleague does
          ansible.builtin.lineinfile:
            path: "{{ breakwater_project_dir }}/docker-compose.yml"
            line: "# edited meanwhile"

        - name: Apply what was planned
"""
    playbook.write_text(text.replace("        - name: Apply what was planned\n", edit))
    command = [*stack.command("harden")]
    command[1] = str(playbook)
    done = subprocess.run(command, env=stack.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "docker-compose.yml" in done.stdout
    kept = stack.file.read_text()
    assert "# edited meanwhile" in kept
    assert "mem_limit" not in kept
    assert stack.inspect("cache")["HostConfig"]["Memory"] == 0


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"compose_limits_limts": {}}, "unknown variable; did you mean compose_limits_limits"),
        (
            {"compose_limits_limits": {"cahce": {"memory": "96m"}}},
            "the project has no service cahce; did you mean cache",
        ),
        ({"compose_limits_limits": {"cache": {"memory": "lots"}}}, "limits.cache.memory"),
        ({"compose_limits_limits": LIMITS | {"app": {"memory": "900g"}}}, "900g"),
        ({"compose_limits_limits": LIMITS | {"cache": {"memory": "6m"}}}, "nothing is written"),
        ({"compose_limits_max_impact": "everything"}, "datastore_restart"),
        ({"breakwater_project_dir": "/nowhere/at/all"}, "the project folder does not exist"),
    ],
)
def test_bad_inventories_change_nothing(stack: Stack, variables: dict[str, object], words: str) -> None:
    before = stack.state()
    stack.inventory_with(**variables)
    done = stack.harden()
    assert done.code == 2, done.text
    assert words in " ".join(done.text.split())
    assert "Traceback" not in done.text
    after = stack.state()
    assert after[:4] == before[:4]
