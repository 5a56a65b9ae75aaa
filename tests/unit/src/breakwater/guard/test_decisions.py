# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.common import Priority, RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from breakwater.guard.decisions import Decision, plan_activity, plan_fairness, plan_next_run, plan_workflow, texts
from breakwater.guard.policy import ActivityRule, Bound, Heartbeat, Retry, WorkflowRule, Workspace

MINUTE = timedelta(minutes=1)
TIMES = st.integers(0, 100).map(lambda minutes: minutes * MINUTE) | st.none()
LIMITS = st.integers(1, 100).map(lambda minutes: minutes * MINUTE) | st.none()
BOUNDS = st.tuples(LIMITS, LIMITS).filter(lambda b: not (b[0] and b[1]) or b[0] <= b[1]).map(lambda b: Bound(*b))

RULE = WorkflowRule(execution_timeout=Bound(10 * MINUTE, 60 * MINUTE), run_timeout=Bound(None, 30 * MINUTE))


@pytest.mark.parametrize("beyond", ["cap", "refuse"])
@pytest.mark.parametrize(
    ("asked", "action", "held"),
    [
        (None, "filled", 10),
        (timedelta(), "filled", 10),
        (5 * MINUTE, "", 5),
        (60 * MINUTE, "", 60),
        (61 * MINUTE, "beyond", 60),
    ],
)
def test_one_timeout(asked: timedelta | None, action: str, held: int, beyond: str) -> None:
    plan = plan_workflow(RULE._replace(beyond=beyond), asked, None, None, None)
    expected = {"beyond": "refused" if beyond == "refuse" else "capped"}.get(action, action)
    assert [d.action for d in plan.decisions] == [expected] * bool(action)
    assert plan.values.get("execution_timeout", asked) == held * MINUTE
    assert plan.refusal() == ("execution_timeout 1h1m is beyond 1h" if expected == "refused" else "")


@given(TIMES, TIMES, TIMES, BOUNDS, BOUNDS, BOUNDS, st.sampled_from(["cap", "refuse"]))
def test_what_holds_is_within_the_bounds_and_stays_so(
    execution: Any, run: Any, task: Any, bound: Bound, run_bound: Bound, task_bound: Bound, beyond: str
) -> None:
    rule = WorkflowRule(beyond, bound, run_bound, task_bound)
    plan = plan_workflow(rule, execution, run, task, None)
    names = ("execution_timeout", "run_timeout", "task_timeout")
    held = [plan.values.get(name, asked) for name, asked in zip(names, (execution, run, task), strict=True)]
    for value, limits in zip(held, (bound, run_bound, task_bound), strict=True):
        assert not (value and limits.maximum) or value <= limits.maximum
        assert value or not limits.default
    assert plan_workflow(rule, held[0], held[1], held[2], None).decisions == []
    assert {d.setting for d in plan.decisions} == set(plan.values)


def test_a_cron_schedule_has_the_limit_on_each_run() -> None:
    assert plan_workflow(WorkflowRule(), None, None, None, None, cron=True).values == {"run_timeout": 10 * MINUTE}
    assert plan_workflow(RULE, None, 50 * MINUTE, None, None, cron=True).values == {"run_timeout": 30 * MINUTE}


@pytest.mark.parametrize(
    ("asked", "inherits", "values"),
    [
        (None, True, {}),
        (None, False, {"run_timeout": 5 * MINUTE}),
        (40 * MINUTE, True, {"run_timeout": 30 * MINUTE}),
        (20 * MINUTE, False, {}),
    ],
)
def test_the_next_run(asked: timedelta | None, inherits: bool, values: dict[str, Any]) -> None:
    rule = RULE._replace(run_timeout=Bound(5 * MINUTE, 30 * MINUTE), task_timeout=Bound(MINUTE / 6, MINUTE))
    assert plan_next_run(rule, asked, None, None, inherits=inherits).values == values


@pytest.mark.parametrize(
    ("heartbeat", "start_to_close", "asked", "held"),
    [
        (Heartbeat(MINUTE, True), 5 * MINUTE, None, MINUTE),
        (Heartbeat(MINUTE, True), MINUTE, None, None),
        (Heartbeat(MINUTE, True), 5 * MINUTE, 2 * MINUTE, MINUTE),
        (Heartbeat(MINUTE, False), 5 * MINUTE, None, None),
        (Heartbeat(MINUTE, False), 5 * MINUTE, 2 * MINUTE, MINUTE),
        (Heartbeat(), 5 * MINUTE, 2 * MINUTE, 2 * MINUTE),
    ],
)
def test_heartbeats(
    heartbeat: Heartbeat, start_to_close: timedelta, asked: timedelta | None, held: timedelta | None
) -> None:
    plan = plan_activity(ActivityRule(heartbeat=heartbeat), start_to_close, None, asked, None)
    assert plan.values.get("heartbeat_timeout", asked) == held
    local = plan_activity(ActivityRule(heartbeat=heartbeat), start_to_close, None, None, None, local=True)
    assert local.decisions == []


def test_an_attempt_is_not_filled_in_beyond_all_attempts() -> None:
    plan = plan_activity(ActivityRule(), None, 2 * MINUTE, None, None)
    assert plan.values == {"start_to_close_timeout": 2 * MINUTE}


def test_retries_of_activities() -> None:
    rule = ActivityRule(retry=Retry(MINUTE, 3.0, None, 5))

    def held(asked: RetryPolicy | None, beyond: str = "cap") -> tuple[Any, list[Decision]]:
        plan = plan_activity(rule._replace(beyond=beyond), MINUTE, None, None, asked)
        return plan.values.get("retry_policy", asked), plan.decisions

    mine = RetryPolicy(initial_interval=2 * MINUTE, non_retryable_error_types=["Mine"])
    filled = RetryPolicy(MINUTE, 3.0, None, 5)
    assert held(None) == (filled, [Decision("filled", "retry_policy", "", "5")])
    limited, decisions = held(mine, "refuse")
    assert limited == RetryPolicy(2 * MINUTE, maximum_attempts=5, non_retryable_error_types=["Mine"])
    assert [d.action for d in decisions] == ["filled"], "unlimited is the SDK's default and no wish"
    assert held(RetryPolicy(maximum_attempts=3))[1] == []
    assert [d.action for d in held(RetryPolicy(maximum_attempts=6))[1]] == ["capped"]
    assert [d.action for d in held(RetryPolicy(maximum_attempts=6), "refuse")[1]] == ["refused"]
    assert mine.maximum_attempts == 0, "the caller's own stays as it is"


def test_workflows_without_a_retry_policy_stay_without() -> None:
    assert plan_workflow(RULE._replace(retry=Retry(maximum_attempts=3)), MINUTE, None, None, None).decisions == []


@pytest.mark.parametrize(
    ("asked", "workspace", "key", "weight"),
    [
        (Priority(), Workspace("acme", 2.0), "acme", 2.0),
        (Priority(priority_key=1, fairness_weight=5.0), Workspace("acme", 2.0), "acme", 5.0),
        (Priority(fairness_key="mine"), Workspace("acme", 2.0), "mine", None),
        (Priority(), Workspace(), None, None),
    ],
)
def test_fairness(asked: Priority, workspace: Workspace, key: str | None, weight: float | None) -> None:
    plan = plan_fairness(asked, workspace)
    held = plan.values.get("priority", asked)
    assert (held.priority_key, held.fairness_key, held.fairness_weight) == (asked.priority_key, key, weight)
    assert bool(plan.decisions) == bool(plan.values)


def test_search_attributes_in_both_forms() -> None:
    typed = TypedSearchAttributes(
        [
            SearchAttributePair(SearchAttributeKey.for_keyword("WorkspaceId"), "acme"),
            SearchAttributePair(SearchAttributeKey.for_int("Size"), 3),
        ]
    )
    assert texts(typed) == texts({"WorkspaceId": ["acme"], "Size": [3], "None": []}) == {"WorkspaceId": "acme"}
    assert texts(None) == {}
