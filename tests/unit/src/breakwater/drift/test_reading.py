# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from breakwater import exits, version
from breakwater.drift import rendered
from breakwater.drift.model import DriftReport
from breakwater.drift.reading import WANTED, read

from .conftest import GOLDEN, ended, event, judged

CANARY = "c4n4ry-b1rd-7f3a"
STACK = "breakwater.stack"


@pytest.mark.parametrize("name", ["text", "json"])
def test_recorded_events_read_as_recorded(report: DriftReport, name: str) -> None:
    shown = rendered(report, name).replace(f'"version": "{version()}"', '"version": "VERSION"')
    assert shown == (GOLDEN / f"report.{name}").read_text()


def test_a_host_that_was_judged_and_of_which_nothing_was_found_is_in_sync() -> None:
    report = read(judged(), ended())
    (host,) = report.hosts
    assert (host.verdict, host.in_sync, host.services) == ("in sync", ("BW-LIM-001", "BW-LIM-002"), 1)
    assert (report.verdict, report.exit_code()) == ("in sync", exits.CLEAN)


@pytest.mark.parametrize("action", WANTED)
def test_a_comparison_that_did_not_run_is_never_clean(action: str) -> None:
    events = [one for one in judged() if one["event_data"]["resolved_action"] != action]
    report = read(events, ended())
    assert [entry.state for entry in report.entries] == ["unchecked"]
    assert report.exit_code(report_only=True) == exits.ERROR


@pytest.mark.parametrize(
    ("result", "state"),
    [
        ({"skip_reason": "Conditional result was False", "false_condition": "x"}, None),
        ({"msg": "skipped, running in check mode", "skipped": True}, "unchecked"),
        ({"msg": "remote module (x) does not support check mode", "skipped": True}, "unchecked"),
        ({"skipped": True}, "unchecked"),
    ],
)
def test_a_skip_is_harmless_only_by_condition(result: dict[str, Any], state: str | None) -> None:
    report = read([*judged(), event("runner_on_skipped", "h", **result)], ended())
    assert [entry.state for entry in report.entries] == ([state] if state else [])


@pytest.mark.parametrize(
    ("more", "code", "states"),
    [
        ([event("runner_on_ok", "h", changed=True, msg="x")], exits.FINDINGS, ["drifted"]),
        ([event("runner_on_ok", "h", changed=False)], exits.CLEAN, []),
        ([event("runner_on_ok", "h", censored="hidden", changed=True)], exits.ERROR, ["unchecked"]),
        ([event("runner_on_failed", "h", msg="broken")], exits.ERROR, ["failed"]),
        ([event("runner_on_unreachable", "g", msg="gone")], exits.ERROR, ["unreachable"]),
        ([event("playbook_on_no_hosts_matched")], exits.ERROR, []),
        (
            [event("runner_on_failed", "h", msg="the cause"), event("runner_on_failed", "h", msg="Plan: the cause")],
            exits.ERROR,
            ["failed"],
        ),
    ],
)
def test_what_a_task_says_decides_the_exit_code(more: list[dict[str, Any]], code: int, states: list[str]) -> None:
    report = read([*judged(), *more], ended())
    assert [entry.state for entry in report.entries] == states
    assert report.exit_code() == code


@pytest.mark.parametrize("ignored", [True, False])
def test_a_failure_that_the_playbook_ignores_leaves_something_unchecked(ignored: bool) -> None:
    failed = event("runner_on_failed", "h", msg="broken")
    failed["event_data"]["ignore_errors"] = ignored
    report = read([*judged(), failed], ended())
    assert [entry.state for entry in report.entries] == ["unchecked" if ignored else "failed"]


@pytest.mark.parametrize(
    ("ending", "problem", "code"),
    [
        (ended(1), "no such file", exits.ERROR),
        (ended(254, "timed out", 9), "after 9 s", exits.ERROR),
        (ended(254, "interrupted"), "interrupted", exits.INTERRUPTED),
    ],
)
@pytest.mark.parametrize("head", ["\x1b[0;31m[ERROR]:", "ERROR!", "ERROR:"])
def test_a_check_that_did_not_run_to_its_end_says_so(head: str, ending: Any, problem: str, code: int) -> None:
    error = {"event": "error", "stdout": f"{head} no such file\x1b[0m\r\n", "event_data": {}}
    report = read([*judged(), error], ending)
    assert problem in report.problems[0]
    assert report.exit_code(report_only=True) == code
    assert problem in rendered(report, "text")


def test_ansibles_error_is_told_with_the_lines_that_explain_it_before_what_follows_from_it() -> None:
    lines = [
        "[WARNING]: Unable to parse hosts.yml as an inventory source",
        "[ERROR]: Unable to retrieve file contents.",
        "Could not find or access 'vars.yml' on the Ansible Controller.",
        "",
        "something else",
    ]
    report = read([{"event": "verbose", "stdout": line, "event_data": {}} for line in lines], ended(1))
    assert report.problems == (
        "Unable to retrieve file contents.; Could not find or access 'vars.yml' on the Ansible Controller.",
        'the inventory "hosts.yml" cannot be read, or names no host',
    )


def test_no_event_at_all_is_not_clean() -> None:
    report = read([], ended())
    assert report.problems == ("no host was looked at; check the inventory and --limit",)
    assert report.exit_code(report_only=True) == exits.ERROR


def test_an_inventory_that_cannot_be_read_is_a_problem_also_beside_one_that_can() -> None:
    warning = "[WARNING]: Unable to parse /srv/stacks of ops/hosts.yml as an inventory source"
    report = read([{"event": "verbose", "stdout": warning, "event_data": {}}, *judged()], ended())
    assert report.problems == ('the inventory "/srv/stacks of ops/hosts.yml" cannot be read, or names no host',)
    assert report.exit_code(report_only=True) == exits.ERROR


def test_a_pattern_that_matches_no_host_is_a_problem() -> None:
    warning = "[WARNING]: Could not match supplied host pattern, ignoring: nobody\r\n"
    report = read([{"event": "warning", "stdout": warning, "event_data": {}}, *judged()], ended())
    assert report.problems == ('no host matches "nobody"; check --limit and the inventory',)


def test_an_engine_that_is_not_asked_leaves_the_containers_unchecked_unless_allowed() -> None:
    events = judged()
    del events[-1]["event_data"]["res"]["standing"]
    events[-1]["event_data"]["res"]["msg"] = ["nothing is deployed: breakwater_deploy is false"]
    report = read(events, ended())
    assert [(entry.state, entry.subject) for entry in report.entries] == [("unchecked", "container")]
    assert "breakwater_deploy is false" in report.entries[0].reason
    assert report.exit_code() == exits.ERROR
    assert read(events, ended(), ["containers"]).exit_code() == exits.CLEAN
    assert read(events, ended(), ["BW-LIM"]).exit_code() == exits.ERROR


@pytest.mark.parametrize(
    ("kind", "action", "severity", "words"),
    [
        ("changed", "update", "medium", "bring the limits back"),
        ("changed", "nothing", "medium", "max_impact"),
        ("stale", "recreate", "medium", "recreate the container"),
        ("gone", "nothing", "high", "is not started"),
        ("stopped", "nothing", "high", "is not started"),
        ("ill", "nothing", "high", "look at its log"),
        ("unknown", "nothing", "medium", "remove it"),
    ],
)
def test_each_way_in_which_a_container_stands_apart_is_drift(kind: str, action: str, severity: str, words: str) -> None:
    record = {"service": "a", "containers": ["shop-a-1"], "kind": kind, "differs": [], "action": action}
    report = read(judged(standing=[record]), ended())
    (found,) = report.entries
    assert (found.state, found.severity, found.container) == ("drifted", severity, "shop-a-1")
    assert words in found.action
    assert found.message
    assert report.exit_code() == exits.FINDINGS
    assert report.exit_code(report_only=True) == exits.CLEAN


def test_a_project_that_is_down_is_said_once() -> None:
    record = {"service": "a", "containers": [], "kind": "gone", "differs": [], "action": "nothing"}
    report = read(judged(standing=[record], down=True), ended())
    assert [entry.message for entry in report.entries] == ["nothing of the project runs"]


def test_a_file_that_no_control_speaks_of_is_drift_of_its_own() -> None:
    events = judged()
    events[2] = event("runner_on_ok", "h", f"{STACK}.stack_write", changed=True, files=["pool/pgbouncer.ini"])
    report = read(events, ended())
    assert [(entry.state, entry.file, entry.control) for entry in report.entries] == [
        ("drifted", "pool/pgbouncer.ini", "")
    ]


CHANGE = {"service": "app", "file": "docker-compose.yml", "summary": "DATABASE_URL: pool", "impact": "recreate"}


@pytest.mark.parametrize(
    ("result", "states"),
    [
        ({"changed": False, "changes": []}, []),
        ({"changed": False, "withheld": ["its removal recreates its clients"]}, ["withheld"]),
        ({"changed": False, "unchecked": ["postgres_allowed does not run"]}, ["unchecked"]),
        ({"changed": True, "changes": [CHANGE], "msg": ["app: DATABASE_URL: pool"]}, ["drifted"]),
        ({"changed": True, "differences": ["the role of the pool has another password"]}, ["drifted"]),
        ({"changed": True, "changes": [CHANGE], "differences": ["the role is missing"]}, ["drifted", "drifted"]),
        ({"changed": True, "changes": [CHANGE], "reported": ["app is a superuser"]}, ["drifted", "reported"]),
        ({"changed": True, "msg": ["pool/pgbouncer.ini: is not as it has to be"]}, ["drifted"]),
    ],
)
def test_what_the_plan_of_the_pool_says(result: dict[str, Any], states: list[str]) -> None:
    files = ["pool/pgbouncer.ini"] if "ini" in str(result) else []
    events = judged()
    events[2] = event("runner_on_ok", "h", f"{STACK}.stack_write", changed=bool(files), files=files)
    events.insert(2, event("runner_on_ok", "h", f"{STACK}.pgbouncer_pool", **result))
    assert [entry.state for entry in read(events, ended()).entries] == states


def test_a_run_that_was_killed_is_a_failure() -> None:
    last = {"id": "g1", "state": "open", "files": {}}
    events = judged()
    events[0]["event_data"]["res"]["last_run"] = last
    report = read(events, ended())
    assert [entry.state for entry in report.entries] == ["failed"]


def test_no_secret_passes() -> None:
    texts = [f"password: {CANARY}", f"postgres://app:{CANARY}@db/x", f"--requirepass {CANARY}"]
    diff = {"prepared": f"-  API_TOKEN: {CANARY}\n"}
    events = [
        *judged(),
        *(event("runner_on_ok", "h", changed=True, msg=text, diff=diff) for text in texts),
        *(event("runner_on_failed", "h", msg=text) for text in texts),
        event("runner_on_ok", "h", changed=True, diff={"before": CANARY, "after": ""}),
    ]
    report = read(events, ended())
    assert len(report.entries) == 7
    for name in ("text", "json", "junit", "sarif", "github", "markdown", "prometheus"):
        assert CANARY not in rendered(report, name)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(["runner_on_ok", "runner_on_failed", "runner_on_skipped", "runner_on_unreachable"]),
    st.dictionaries(st.sampled_from(["changed", "msg", "diff", "skip_reason", "censored"]), ANY),
)
@example("runner_on_ok", {"changed": True, "diff": True})
def test_results_of_any_shape_are_read(name: str, result: dict[str, Any]) -> None:
    report = read([*judged(), event(name, "h", **result)], ended())
    states = {entry.state for entry in report.entries}
    if name == "runner_on_failed":
        assert states == {"failed"}
    assert report.exit_code() in (exits.CLEAN, exits.ERROR, exits.FINDINGS)
    rendered(report, "text")
