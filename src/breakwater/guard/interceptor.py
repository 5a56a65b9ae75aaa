# SPDX-License-Identifier: Apache-2.0
"""The guard: one object for clients and for the workers that are built from them."""

from __future__ import annotations

import copy
import inspect
import os
import signal
from typing import Any

import temporalio.client
import temporalio.worker
from temporalio.client import (
    CreateScheduleInput,
    OutboundInterceptor,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleUpdate,
    ScheduleUpdateInput,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    UpdateScheduleInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.runtime import Runtime
from temporalio.worker import WorkflowInboundInterceptor, WorkflowInterceptorClassInput

from breakwater.guard import workflow_calls
from breakwater.guard.counting import Counted, Recorder
from breakwater.guard.decisions import Plan, PolicyRefusal, plan_activity, plan_fairness, plan_workflow, texts
from breakwater.guard.policy import ENFORCE, Policy
from breakwater.guard.source import PolicySource


class Guard(temporalio.client.Interceptor, temporalio.worker.Interceptor):
    """Holds what clients and workflows start against a policy.

    Give it to ``Client.connect(..., interceptors=[guard])``; workers of that client have it too.

    Args:
        policy: what holds.
        runtime: the one given to ``Client.connect``, for the metrics; None for the SDK's default.
        namespace: the one given to ``Client.connect``, to recognise workspaces by.
    """

    def __init__(self, policy: Policy, *, runtime: Runtime | None = None, namespace: str = "default") -> None:
        self.namespace = namespace
        self._policy = policy
        self._source: PolicySource | None = None
        self._recorder = Recorder(runtime)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        runtime: Runtime | None = None,
        namespace: str = "default",
        reload_every: float | None = 5.0,
    ) -> Guard:
        """Make a guard whose policy follows a file.

        Args:
            path: the policy file.
            runtime: as for the class.
            namespace: as for the class.
            reload_every: seconds between two looks at the file; None: only :meth:`reload` reads it again.

        Raises:
            PolicyError: the file cannot be used. Later, a file that cannot be used leaves the policy as it was.
        """
        guard = cls(Policy(), runtime=runtime, namespace=namespace)
        guard._source = PolicySource(path, guard._recorder.reloaded)
        if reload_every is not None:
            guard._source.watch(reload_every)
        return guard

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._source.policy if self._source else self._policy

    def reload(self) -> bool:
        """Read the policy file again. True if it is in force; a guard without a file has nothing to read."""
        return self._source.reload() if self._source else False

    def reload_on_hangup(self) -> None:
        """Read the policy file again on SIGHUP. To be called from the main thread."""
        signal.signal(signal.SIGHUP, lambda _number, _frame: self.reload())

    def limits_for(self, task_queue: str, slots: int = 100) -> dict[str, Any]:
        """Return options for a worker on a workspace's own task queue: ``Worker(client, ..., **limits)``.

        They hold for as long as the worker runs, whatever becomes of the policy.

        Args:
            task_queue: its name.
            slots: how many activities the worker would run at the same time; 100 is the SDK's default.
        """
        return self.policy.workspaces.limits_for(task_queue, slots)

    def counts(self) -> dict[Counted, int]:
        """Return how often this guard took each decision."""
        return self._recorder.counts()

    def intercept_client(self, following: OutboundInterceptor) -> OutboundInterceptor:
        """Called by the SDK for each client."""
        return _GuardedClient(following, self, self._recorder)

    def workflow_interceptor_class(
        self, _input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """Called by the SDK for each worker."""
        return workflow_calls.interceptor_class(lambda: self.policy, self._recorder)


class _GuardedClient(OutboundInterceptor):
    """Everything that a client starts."""

    def __init__(self, following: OutboundInterceptor, guard: Guard, recorder: Recorder) -> None:
        super().__init__(following)
        self._guard = guard
        self._recorder = recorder

    async def start_workflow(self, call: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Apply the policy to a start, with or without a signal."""
        self._workflow(call, texts(call.search_attributes), cron=bool(call.cron_schedule))
        return await super().start_workflow(call)

    async def start_update_with_start_workflow(
        self, call: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        """Apply the policy to a start with an update."""
        start = call.start_workflow_input
        self._workflow(start, texts(start.search_attributes), cron=bool(start.cron_schedule))
        return await super().start_update_with_start_workflow(call)

    async def create_schedule(self, call: CreateScheduleInput) -> ScheduleHandle:
        """Apply the policy to what a schedule will start."""
        call.schedule = self._schedule(call.schedule)
        return await super().create_schedule(call)

    async def update_schedule(self, call: UpdateScheduleInput) -> None:
        """Apply the policy to what a changed schedule will start."""
        updater = call.updater

        async def guarded(current: ScheduleUpdateInput) -> ScheduleUpdate | None:
            outcome = updater(current)
            update = await outcome if inspect.isawaitable(outcome) else outcome
            if update:
                update.schedule = self._schedule(update.schedule)
            return update

        call.updater = guarded
        await super().update_schedule(call)

    async def start_activity(self, call: Any) -> Any:
        """Apply the policy to an activity without a workflow, which newer SDKs and servers have."""
        section = self._guard.policy.activities
        plan = plan_activity(
            section.rule_for(call.activity_type),
            call.start_to_close_timeout,
            call.schedule_to_close_timeout,
            call.heartbeat_timeout,
            call.retry_policy,
        )
        self._apply("activities", section.mode, call.activity_type, plan, call)
        self._fairness(call.activity_type, call, "", texts(call.search_attributes))
        return await super().start_activity(call)

    def _schedule(self, schedule: Schedule) -> Schedule:
        """Return a schedule within the policy; the caller's own stays as it is."""
        if not isinstance(schedule.action, ScheduleActionStartWorkflow):
            return schedule
        within = copy.copy(schedule)
        within.action = action = copy.copy(schedule.action)
        self._workflow(action, texts(action.typed_search_attributes))
        return within

    def _workflow(self, start: Any, attributes: dict[str, str], *, cron: bool = False) -> None:
        section = self._guard.policy.workflows
        plan = plan_workflow(
            section.rule_for(start.workflow, start.id),
            start.execution_timeout,
            start.run_timeout,
            start.task_timeout,
            start.retry_policy,
            cron=cron,
        )
        self._apply("workflows", section.mode, start.workflow, plan, start)
        self._fairness(start.workflow, start, start.id, attributes)

    def _fairness(self, name: str, start: Any, workflow_id: str, attributes: dict[str, str]) -> None:
        section = self._guard.policy.workspaces
        workspace = section.find(
            namespace=self._guard.namespace,
            task_queue=start.task_queue,
            workflow_id=workflow_id,
            search_attributes=attributes,
        )
        self._apply("workspaces", section.mode, name, plan_fairness(start.priority, workspace), start)

    def _apply(self, section: str, mode: str, name: str, plan: Plan, target: object) -> None:
        self._recorder.decided(section, name, mode, plan.decisions)
        if mode != ENFORCE:
            return
        refusal = plan.refusal()
        if refusal:
            raise PolicyRefusal(f"refused by policy: {name}: {refusal}")
        for setting, value in plan.values.items():
            setattr(target, setting, value)
