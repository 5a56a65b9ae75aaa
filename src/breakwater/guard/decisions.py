# SPDX-License-Identifier: Apache-2.0
"""What the policy makes of the timeouts that somebody asked for. Pure: nothing here talks, counts or waits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from temporalio.common import Priority, RetryPolicy, TypedSearchAttributes

from breakwater.guard import durations
from breakwater.guard.policy import REFUSE, ActivityRule, Bound, Heartbeat, Retry, WorkflowRule, Workspace

FILLED = "filled"
CAPPED = "capped"
REFUSED = "refused"


class PolicyRefusal(Exception):
    """A client asked for more than the policy allows, and the policy refuses rather than caps.

    Inside a workflow the same is an ``ApplicationError`` of the type ``PolicyRefusal`` that is not retried.
    """


class Decision(NamedTuple):
    """One value that is not left as it was.

    Attributes:
        action: FILLED, CAPPED or REFUSED.
        setting: the name of the value, such as ``run_timeout``.
        asked: what was asked for, as text; '' for nothing.
        allowed: what holds instead, or for a refusal the maximum.
    """

    action: str
    setting: str
    asked: str
    allowed: str


class Plan:
    """What changes for one call.

    Attributes:
        values: new values by the names that the SDK's inputs give them.
        decisions: why.
    """

    __slots__ = ("decisions", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.decisions: list[Decision] = []

    def refusal(self) -> str:
        """Say in words what is refused, '' when nothing is."""
        refused = [d for d in self.decisions if d.action == REFUSED]
        return ", ".join(f"{d.setting} {d.asked} is beyond {d.allowed}" for d in refused)

    def bound(self, setting: str, asked: timedelta | None, bound: Bound, beyond: str) -> timedelta | None:
        """Hold one timeout against its bound.

        Args:
            setting: its name.
            asked: its value; zero is none, as for the SDK.
            bound: from the rule.
            beyond: cap or refuse.

        Returns:
            The value that holds.
        """
        if not asked:
            if bound.default:
                self._set(FILLED, setting, asked, bound.default)
            return bound.default or asked
        if bound.maximum and asked > bound.maximum:
            self._set(REFUSED if beyond == REFUSE else CAPPED, setting, asked, bound.maximum)
            return bound.maximum
        return asked

    def _set(self, action: str, setting: str, asked: timedelta | None, allowed: timedelta) -> None:
        self.values[setting] = allowed
        before = durations.text(asked) if asked else ""
        self.decisions.append(Decision(action, setting, before, durations.text(allowed)))

    def retry(self, asked: RetryPolicy | None, rule: Retry, beyond: str, *, fill: bool) -> None:
        """Hold a retry policy against the rule.

        Args:
            asked: None where none was given.
            rule: of the section.
            beyond: cap or refuse.
            fill: without one Temporal retries for ever (activities); else it does not retry at all (workflows).
        """
        if asked is None:
            stated = {name: value for name, value in rule._asdict().items() if value is not None}
            if fill and stated:
                self.values["retry_policy"] = RetryPolicy(**stated)
                self.decisions.append(Decision(FILLED, "retry_policy", "", _attempts(rule.maximum_attempts or 0)))
            return
        limit, attempts = rule.maximum_attempts, asked.maximum_attempts
        if limit is None or 0 < attempts <= limit:
            return
        # Zero is the SDK's default, not a wish that could be refused.
        action = FILLED if not attempts else REFUSED if beyond == REFUSE else CAPPED
        self.values["retry_policy"] = dataclasses.replace(asked, maximum_attempts=limit)
        self.decisions.append(Decision(action, "maximum_attempts", _attempts(attempts) if attempts else "", str(limit)))


def _attempts(count: int) -> str:
    return str(count) if count else "unlimited"


def plan_workflow(
    rule: WorkflowRule,
    execution_timeout: timedelta | None,
    run_timeout: timedelta | None,
    task_timeout: timedelta | None,
    retry_policy: RetryPolicy | None,
    *,
    cron: bool = False,
) -> Plan:
    """Decide about the start of a workflow.

    Args:
        rule: what holds for it.
        execution_timeout: over all runs; None or zero where none was given, as with the others.
        run_timeout: of one run.
        task_timeout: of one workflow task.
        retry_policy: of the workflow.
        cron: it has a cron schedule. All its runs are one execution, so the limit holds for each run instead.
    """
    plan = Plan()
    run = rule.run_timeout
    if cron:
        run = run if run != Bound() else rule.execution_timeout
    else:
        plan.bound("execution_timeout", execution_timeout, rule.execution_timeout, rule.beyond)
    plan.bound("run_timeout", run_timeout, run, rule.beyond)
    plan.bound("task_timeout", task_timeout, rule.task_timeout, rule.beyond)
    plan.retry(retry_policy, rule.retry, rule.beyond, fill=False)
    return plan


def plan_next_run(
    rule: WorkflowRule,
    run_timeout: timedelta | None,
    task_timeout: timedelta | None,
    retry_policy: RetryPolicy | None,
    *,
    inherits: bool,
) -> Plan:
    """Decide about a continue-as-new. The execution timeout goes on from the first run.

    Args:
        rule: what holds for the workflow.
        run_timeout: None or zero to inherit it.
        task_timeout: None or zero to inherit it.
        retry_policy: None to inherit it.
        inherits: the current run has a run timeout.
    """
    plan = Plan()
    if run_timeout or not inherits:
        plan.bound("run_timeout", run_timeout, rule.run_timeout, rule.beyond)
    if task_timeout:
        plan.bound("task_timeout", task_timeout, rule.task_timeout, rule.beyond)
    plan.retry(retry_policy, rule.retry, rule.beyond, fill=False)
    return plan


def plan_activity(
    rule: ActivityRule,
    start_to_close_timeout: timedelta | None,
    schedule_to_close_timeout: timedelta | None,
    heartbeat_timeout: timedelta | None,
    retry_policy: RetryPolicy | None,
    *,
    local: bool = False,
) -> Plan:
    """Decide about an activity.

    Args:
        rule: what holds for it.
        start_to_close_timeout: of one attempt; None or zero where none was given, as with the others.
        schedule_to_close_timeout: over all attempts.
        heartbeat_timeout: the longest silence.
        retry_policy: None for Temporal's own, which has no limit.
        local: a local activity, which has no heartbeat.
    """
    plan = Plan()
    overall = plan.bound(
        "schedule_to_close_timeout", schedule_to_close_timeout, rule.schedule_to_close_timeout, rule.beyond
    )
    attempt_bound = rule.start_to_close_timeout
    if overall and attempt_bound.default and attempt_bound.default > overall:
        attempt_bound = attempt_bound._replace(default=overall)
    attempt = plan.bound("start_to_close_timeout", start_to_close_timeout, attempt_bound, rule.beyond)
    if not local:
        longest = attempt or overall
        plan.bound("heartbeat_timeout", heartbeat_timeout, _heartbeat_bound(rule.heartbeat, longest), rule.beyond)
    plan.retry(retry_policy, rule.retry, rule.beyond, fill=True)
    return plan


def _heartbeat_bound(heartbeat: Heartbeat, attempt: timedelta | None) -> Bound:
    """Turn the rule into a bound. An attempt that ends before the first silence is over needs no heartbeat."""
    needed = heartbeat.required and (not attempt or not heartbeat.timeout or attempt > heartbeat.timeout)
    return Bound(heartbeat.timeout if needed else None, heartbeat.timeout)


def plan_fairness(priority: Priority, workspace: Workspace) -> Plan:
    """Decide under which key something waits in a task queue.

    Args:
        priority: what was asked for; a key of its own stays.
        workspace: whose it is; without a name it gets no key.
    """
    plan = Plan()
    if workspace.name and not priority.fairness_key:
        weight = priority.fairness_weight or workspace.weight
        plan.values["priority"] = dataclasses.replace(priority, fairness_key=workspace.name, fairness_weight=weight)
        plan.decisions.append(Decision(FILLED, "fairness_key", "", f"{workspace.name} with weight {weight:g}"))
    return plan


def texts(attributes: TypedSearchAttributes | Mapping[str, Any] | None) -> dict[str, str]:
    """Return the search attributes that are single texts, by name.

    Args:
        attributes: typed, or lists of values by name as the SDK had them before.
    """
    if isinstance(attributes, TypedSearchAttributes):
        return {pair.key.name: pair.value for pair in attributes if isinstance(pair.value, str)}
    lists = (attributes or {}).items()
    return {name: values[0] for name, values in lists if values and isinstance(values[0], str)}
