# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakwater.guard.policy import (
    Activities,
    Bound,
    Override,
    Patterns,
    WorkflowRule,
    Workflows,
    Workspace,
    Workspaces,
)

NAMES = st.text("ab", max_size=6)


def limit(minutes: int) -> dict[str, Any]:
    return {"execution_timeout": Bound(timedelta(minutes=minutes))}


@given(st.sets(NAMES.filter(bool), max_size=8), st.sets(NAMES, max_size=4), NAMES)
def test_the_name_itself_then_the_longest_beginning(beginnings: set[str], names: set[str], name: str) -> None:
    found = Patterns({f"{b}*": f"{b}*" for b in beginnings} | {n: n for n in names}).find(name)
    matching = [b for b in beginnings if name.startswith(b)]
    assert found == (name if name in names else f"{max(matching, key=len)}*" if matching else None)


@pytest.mark.parametrize(
    ("name", "workflow_id", "minutes"),
    [
        ("Other", "other", 10),
        ("Import", "other", 20),
        ("ImportRows", "other", 30),
        ("Import", "task-1", 40),
        ("Other", "task-acme-1", 50),
    ],
)
def test_an_id_goes_before_a_type_before_the_section(name: str, workflow_id: str, minutes: int) -> None:
    section = Workflows(
        types=(Override("Import", limit(20)), Override("Import*", limit(30))),
        id_prefixes=(Override("task-", limit(40)), Override("task-acme-", limit(50))),
    )
    assert section.rule_for(name, workflow_id).execution_timeout == Bound(timedelta(minutes=minutes))


def test_settings_come_from_whoever_states_them() -> None:
    section = Workflows(types=(Override("A", {"beyond": "refuse"}),), id_prefixes=(Override("a-", limit(1)),))
    assert section.rule_for("A", "a-1") == WorkflowRule("refuse", **limit(1))
    assert section.rule_for("B", "b-1") == WorkflowRule()


def test_activities_by_type() -> None:
    section = Activities(types=(Override("import*", {"beyond": "refuse"}),))
    assert [section.rule_for(name).beyond for name in ("import_rows", "other")] == ["refuse", "cap"]


def test_what_is_closest_to_the_workflow_decides_about_its_workspace() -> None:
    named = tuple(Workspace(name) for name in ("attribute", "id", "queue", "namespace"))
    section = Workspaces(
        named=named,
        namespaces={"n": "namespace"},
        task_queues={"q*": "queue"},
        id_prefixes={"w-": "id"},
        search_attributes={("Team", "t"): "attribute"},
    )
    clues: dict[str, Any] = {"namespace": "n", "task_queue": "q1", "workflow_id": "w-1"}
    clues["search_attributes"] = {"X": "t", "Team": "t"}
    found = []
    for name in ("search_attributes", "workflow_id", "task_queue", "namespace"):
        found.append(section.find(**clues).name)
        del clues[name]
    assert found == ["attribute", "id", "queue", "namespace"]
    assert section.find() == Workspace()


@pytest.mark.parametrize(
    ("settings", "slots", "options"),
    [
        ({}, 100, {"max_concurrent_activities": 100}),
        ({"concurrency": 10}, 100, {"max_concurrent_activities": 10}),
        ({"concurrency": 10}, 5, {"max_concurrent_activities": 5}),
        ({"share": 0.25, "concurrency": 50}, 100, {"max_concurrent_activities": 25}),
        ({"share": 0.001}, 100, {"max_concurrent_activities": 1}),
        ({"rps": 20.0}, 7, {"max_concurrent_activities": 7, "max_task_queue_activities_per_second": 20.0}),
    ],
)
def test_limits_of_a_worker(settings: dict[str, Any], slots: int, options: dict[str, Any]) -> None:
    def section(mode: str) -> Workspaces:
        return Workspaces(mode, named=(Workspace("acme", **settings),), task_queues={"acme": "acme"})

    assert section("enforce").limits_for("acme", slots) == options
    assert section("observe").limits_for("acme", slots) == {"max_concurrent_activities": slots}
    assert section("enforce").limits_for("other", slots) == {"max_concurrent_activities": slots}
