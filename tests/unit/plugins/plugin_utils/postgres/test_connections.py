# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.connections import (
    LEVELS,
    Thresholds,
    age,
    report,
)

from .facts import SUBJECT, facts, idle, session, titles, waiting

SCHEMA = Path(__file__).parents[5] / "docs/schemas/connections-1.json"
HIDING = "(not shown to this role)"
WORST = {"fits": False, "total": 120, "complete": True, "available": 9, "clients": [], "unclear": []}
HIDDEN = {"hidden": True, "state": None, "address": None, "origin": None, "service": None, "state_seconds": None}


def judge(found: dict[str, Any], worst: dict[str, Any] | None = None) -> dict[str, Any]:
    return report(found, SUBJECT, worst)


def many(count: int) -> list[dict[str, Any]]:
    return [session(pid) for pid in range(1, count + 1)]


CASES: list[tuple[str, dict[str, Any], dict[str, Any] | None, list[tuple[str, str]]]] = [
    ("nobody", facts(), None, []),
    ("some", facts(many(7)), None, []),
    ("many", facts(many(8)), None, [("warning", "slots_used")]),
    ("all for applications", facts(many(9)), None, [("critical", "slots_used")]),
    ("all", facts(many(12)), None, [("critical", "slots_used")]),
    ("kept for roles", facts(many(7), reserved=2), None, [("critical", "slots_used")]),
    ("processes left", facts(many(1), process_limit=9), None, []),
    ("processes", facts(many(1), process_limit=8), None, [("warning", "process_limit")]),
    ("no processes", facts(many(1), process_limit=7), None, [("critical", "process_limit")]),
    ("a moment", facts([idle(1, 59)]), None, []),
    ("idle", facts([idle(1, 60), idle(2, 5)]), None, [("warning", "idle_in_transaction")]),
    (
        "idle long",
        facts([idle(1, 600)]),
        None,
        [("critical", "idle_in_transaction"), ("warning", "old_transaction")],
    ),
    ("a short wait", facts([idle(1, 4), waiting(2, 4, 1)]), None, []),
    ("a wait", facts([idle(1, 9), waiting(2, 5, 1)]), None, [("warning", "lock_wait")]),
    ("a long wait", facts([waiting(2, 60, 0)]), None, [("critical", "lock_wait")]),
    ("old", facts([session(1, state="active", transaction_seconds=3600)]), None, [("critical", "old_transaction")]),
    ("prepared", facts(prepared=(1, 700.0)), None, [("warning", "prepared_transaction")]),
    ("does not fit", facts(), WORST, [("warning", "worst_case")]),
    ("fits", facts(), {**WORST, "fits": True}, []),
    ("fit not known", facts(), {**WORST, "fits": None}, []),
    ("hidden", facts([session(1, **HIDDEN)], role="watcher"), None, [("warning", "hidden")]),
    ("titles", titles(many(2)), None, [("critical", "no_connection")]),
    ("titles, full", titles(many(12)), None, [("critical", "no_connection"), ("critical", "slots_used")]),
    ("titles, limit not known", titles(many(12), None), None, [("critical", "no_connection")]),
    (
        "titles, idle and waiting",
        titles([idle(1, None), waiting(2, None)]),
        None,
        [("critical", "no_connection"), ("warning", "idle_in_transaction"), ("warning", "lock_wait")],
    ),
]


@pytest.mark.parametrize(("found", "worst", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_verdict_and_reasons(
    found: dict[str, Any], worst: dict[str, Any] | None, expected: list[tuple[str, str]]
) -> None:
    made = judge(found, worst)
    assert [(reason["level"], reason["code"]) for reason in made["reasons"]] == expected
    assert made["verdict"] == (expected[0][0] if expected else "ok")


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def published(made: dict[str, Any]) -> dict[str, Any]:
    return {"schema_version": 1, "tool": {"name": "breakwater", "version": "1"}, **made}


@pytest.mark.parametrize(("found", "worst"), [case[1:3] for case in CASES], ids=[case[0] for case in CASES])
def test_every_report_follows_the_published_schema(
    validator: Any, found: dict[str, Any], worst: dict[str, Any] | None
) -> None:
    validator.validate(json.loads(json.dumps(published(judge(found, worst)))))


def test_the_schema_knows_every_key(validator: Any) -> None:
    made = published(judge(facts([idle(1, 9), waiting(2, 5, 1)]), WORST))
    known = validator.schema["properties"]
    assert set(made) == set(known)
    assert set(made["server"]) == set(known["server"]["properties"])
    assert set(made["slots"]) == set(known["slots"]["properties"])
    assert set(made["counts"]) == set(known["counts"]["properties"])
    of_session = set(validator.schema["$defs"]["session"]["properties"])
    for name in ("idle_in_transaction", "lock_waits"):
        assert set(made[name][0]) == of_session | set(known[name]["items"]["properties"])


@pytest.mark.parametrize("key", ["schema_version", "verdict", "slots", "attempts"])
def test_the_schema_refuses_a_report_without(validator: Any, key: str) -> None:
    made = published(judge(facts()))
    del made[key]
    with pytest.raises(ValidationError):
        validator.validate(made)


def test_slots_of_ordinary_roles_and_of_superusers() -> None:
    slots = judge(facts(many(8), reserved=2))["slots"]
    assert slots == {"used": 8, "available": 7, "free": 0, "free_for_superusers": 4}
    assert judge(titles(many(2)))["slots"] == {"used": 2, "available": None, "free": None, "free_for_superusers": 10}


def test_full_says_who_can_still_get_in() -> None:
    (reason,) = judge(facts(many(9)))["reasons"]
    assert reason["text"] == (
        "no connection is left for applications: 9 of max_connections 12 are used, the last 3 only for superusers or "
        "roles with reserved slots"
    )


def test_counts_are_ordered_and_what_is_hidden_is_called_so() -> None:
    sessions = [session(1), session(2), session(3, origin="ui", state="active", application=None), session(4, **HIDDEN)]
    counts = judge(facts(sessions))["counts"]
    assert counts["service"] == [
        {"name": "app", "count": 2, "states": [{"name": "idle", "count": 2}]},
        {"name": HIDING, "count": 1, "states": [{"name": HIDING, "count": 1}]},
        {"name": "ui", "count": 1, "states": [{"name": "active", "count": 1}]},
    ]
    assert counts["state"][0] == {"name": "idle", "count": 2}
    assert {item["name"] for item in counts["application"]} == {"worker", "(none)"}


def test_a_chain_of_waits_names_its_root() -> None:
    made = judge(facts([idle(1, 9, origin="psql"), waiting(2, 8, 1), waiting(3, 7, 2, 2)]))
    (reason,) = made["reasons"]
    assert reason["text"] == "2 sessions waiting for a lock, the longest 8 s; held up by pid 1, psql"
    assert [wait["pid"] for wait in made["lock_waits"]] == [2, 3]
    assert [item["pid"] for item in made["lock_waits"][1]["blocked_by"]] == [2]
    assert made["oldest_transaction"]["pid"] == 1


def test_what_is_no_client_holds_up_too() -> None:
    made = judge(facts([waiting(2, 9, 0, 77, 78)]))
    (wait,) = made["lock_waits"]
    kinds = [(item["pid"], item["kind"]) for item in wait["blocked_by"]]
    assert kinds == [(0, "prepared transaction"), (77, "autovacuum worker"), (78, None)]
    (reason,) = made["reasons"]
    assert reason["text"].endswith("held up by a prepared transaction, pid 77, autovacuum worker, pid 78")


def test_thresholds_move_the_verdict() -> None:
    found = facts([idle(1, 30)])
    assert report(found, SUBJECT, None, Thresholds(idle_warning=10))["verdict"] == "warning"
    assert report(found, SUBJECT, None, Thresholds(idle_warning=10, idle_critical=20))["verdict"] == "critical"


def test_superusers_from_the_network_are_noted() -> None:
    local = session(1, superuser=True, address=None)
    assert judge(facts([local]))["notes"] == []
    (note,) = judge(facts([local, session(2, superuser=True)]))["notes"]
    assert "temporal" in note


def test_an_answer_through_a_reserved_slot_says_so() -> None:
    note = "this answer came through a reserved slot"
    assert note in judge(facts(many(9)))["notes"]
    assert note not in judge(facts(many(8)))["notes"]
    assert note not in judge(titles(many(12)))["notes"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "?"), (0, "0 s"), (59.4, "59 s"), (60, "1 min"), (90, "1.5 min"), (3600, "1 h"), (86400 * 2.25, "2.2 d")],
)
def test_ages_for_people(seconds: float | None, text: str) -> None:
    assert age(seconds) == text


ages = st.floats(0, 1e6)
waits = st.none() | ages
states = st.sampled_from(["idle", "active", "idle in transaction", "idle in transaction (aborted)"])


@st.composite
def any_session(draw: st.DrawFn) -> dict[str, Any]:
    pid, seconds, wait = draw(st.integers(1, 50)), draw(ages), draw(waits)
    if draw(st.booleans()):
        return session(pid, **HIDDEN)
    return session(
        pid,
        state=draw(states),
        state_seconds=seconds,
        transaction_seconds=seconds,
        waits_for_lock=wait is not None,
        wait_seconds=wait,
        blocked_by=None if wait is None else [pid + 1],
    )


@given(st.lists(any_session(), max_size=20), st.integers(4, 30))
def test_any_sessions_give_a_report_that_follows_the_schema(sessions: list[dict[str, Any]], most: int) -> None:
    made = judge(facts(sessions, max_connections=most))
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(published(made))
    assert made["slots"]["free"] <= made["slots"]["free_for_superusers"]
    for items in made["counts"].values():
        assert sum(item["count"] for item in items) == len(sessions)
    levels = [reason["level"] for reason in made["reasons"]]
    assert levels == sorted(levels, key=LEVELS.index, reverse=True)


@given(st.lists(any_session(), max_size=20), any_session())
def test_one_more_session_never_makes_it_better(sessions: list[dict[str, Any]], more: dict[str, Any]) -> None:
    verdicts = [judge(facts(found, max_connections=30))["verdict"] for found in (sessions, [*sessions, more])]
    assert LEVELS.index(verdicts[0]) <= LEVELS.index(verdicts[1])
