# SPDX-License-Identifier: Apache-2.0
"""The policy inside workflows, where the same history must give the same commands under every policy.

Timeouts and retry policies are no part of what Temporal compares on replay, so that filling and capping them may follow
the policy of the day. Two things would show, and are handled: a refusal changes what the workflow does next, so it is
recorded as a patch marker and on replay only the marker counts; and an activity that was scheduled with a timeout from
the policy could not be scheduled again without one, so that on replay it always gets one.

This code runs in the workflow sandbox: no imports, files, clocks or random numbers below the top level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ContinueAsNewInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)

from breakwater.guard.counting import Recorder
from breakwater.guard.decisions import Plan, plan_activity, plan_fairness, plan_next_run, plan_workflow, texts
from breakwater.guard.policy import ENFORCE, Policy

#: Stands in on replay where the policy of the day has none; its value is of no consequence there.
_ON_REPLAY = timedelta(minutes=5)


class GuardedCalls(WorkflowOutboundInterceptor):
    """Everything that a workflow starts.

    Args:
        following: the next interceptor.
        policy: gives the policy in force.
        recorder: counts the decisions that are taken for the first time.
    """

    def __init__(
        self, following: WorkflowOutboundInterceptor, policy: Callable[[], Policy], recorder: Recorder
    ) -> None:
        super().__init__(following)
        self._policy = policy
        self._recorder = recorder
        self._calls: Counter[tuple[str, str]] = Counter()

    def start_activity(self, call: StartActivityInput) -> workflow.ActivityHandle[Any]:
        """Apply the policy to an activity."""
        section = self._policy().activities
        plan = plan_activity(
            section.rule_for(call.activity),
            call.start_to_close_timeout,
            call.schedule_to_close_timeout,
            call.heartbeat_timeout,
            call.retry_policy,
        )
        self._apply("activities", section.mode, call.activity, plan, call)
        self._fairness(call.activity, call, workflow.info().workflow_id, call.task_queue)
        _keep_possible(call)
        return super().start_activity(call)

    def start_local_activity(self, call: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        """Apply the policy to a local activity."""
        section = self._policy().activities
        plan = plan_activity(
            section.rule_for(call.activity),
            call.start_to_close_timeout,
            call.schedule_to_close_timeout,
            None,
            call.retry_policy,
            local=True,
        )
        self._apply("activities", section.mode, call.activity, plan, call)
        _keep_possible(call)
        return super().start_local_activity(call)

    async def start_child_workflow(self, call: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        """Apply the policy to a child workflow."""
        section = self._policy().workflows
        plan = plan_workflow(
            section.rule_for(call.workflow, call.id),
            call.execution_timeout,
            call.run_timeout,
            call.task_timeout,
            call.retry_policy,
            cron=bool(call.cron_schedule),
        )
        self._apply("workflows", section.mode, call.workflow, plan, call)
        self._fairness(call.workflow, call, call.id, call.task_queue, call.search_attributes)
        return await super().start_child_workflow(call)

    def continue_as_new(self, call: ContinueAsNewInput) -> NoReturn:
        """Apply the policy to the next run."""
        section = self._policy().workflows
        info = workflow.info()
        name = call.workflow or info.workflow_type
        plan = plan_next_run(
            section.rule_for(name, info.workflow_id),
            call.run_timeout,
            call.task_timeout,
            call.retry_policy,
            inherits=bool(info.run_timeout),
        )
        self._apply("workflows", section.mode, name, plan, call)
        super().continue_as_new(call)

    def _fairness(self, name: str, call: Any, workflow_id: str, task_queue: str | None, attributes: Any = None) -> None:
        """Give a key to what would inherit none: the workflow was started past the guard."""
        info = workflow.info()
        if info.priority.fairness_key:
            return
        section = self._policy().workspaces
        workspace = section.find(
            namespace=info.namespace,
            task_queue=task_queue or info.task_queue,
            workflow_id=workflow_id,
            search_attributes=texts(attributes or info.typed_search_attributes),
        )
        self._apply("workspaces", section.mode, name, plan_fairness(call.priority, workspace), call)

    def _apply(self, section: str, mode: str, name: str, plan: Plan, target: object) -> None:
        """Change the call as planned, or raise the refusal.

        The number of a call among those to the same type is the same on every replay, so it names the marker.
        """
        self._calls[section, name] += 1
        replaying = workflow.unsafe.is_replaying()
        refusal = plan.refusal() if mode == ENFORCE else ""
        if refusal or replaying:
            marker = f"breakwater-guard-refused-{section}-{name}-{self._calls[section, name]}"
            if workflow.patched(marker):
                if not replaying:
                    self._recorder.decided(section, name, mode, plan.decisions)
                raise ApplicationError(
                    f"refused by policy: {name}: {refusal or 'recorded earlier'}",
                    type="PolicyRefusal",
                    non_retryable=True,
                )
        if mode == ENFORCE:
            for setting, value in plan.values.items():
                setattr(target, setting, value)
        if not replaying:
            self._recorder.decided(section, name, mode, plan.decisions)


def _keep_possible(call: StartActivityInput | StartLocalActivityInput) -> None:
    """Let an activity of the past be scheduled again: with neither timeout the SDK would raise an error."""
    neither = not call.start_to_close_timeout and not call.schedule_to_close_timeout
    if neither and workflow.unsafe.is_replaying():
        call.start_to_close_timeout = _ON_REPLAY


def interceptor_class(policy: Callable[[], Policy], recorder: Recorder) -> type[WorkflowInboundInterceptor]:
    """Make the class that a worker creates for each run of a workflow.

    Args:
        policy: gives the policy in force.
        recorder: counts the decisions.
    """

    class GuardedWorkflow(WorkflowInboundInterceptor):
        """Puts the policy between a workflow and what it starts."""

        def init(self, outbound: WorkflowOutboundInterceptor) -> None:
            super().init(outbound if _guarded(outbound) else GuardedCalls(outbound, policy, recorder))

    return GuardedWorkflow


def _guarded(outbound: WorkflowOutboundInterceptor | None) -> bool:
    """Say whether a guard is there already: one given to client and worker would count the calls apart."""
    while outbound is not None:
        if isinstance(outbound, GuardedCalls):
            return True
        outbound = getattr(outbound, "next", None)
    return False
