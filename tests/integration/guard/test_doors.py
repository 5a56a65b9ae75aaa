# SPDX-License-Identifier: Apache-2.0
"""Every way to start something goes through the policy, as the server's history shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateStage,
)
from temporalio.common import RetryPolicy, WorkflowIDConflictPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeout

from breakwater.guard import Guard, PolicyRefusal
from tests.integration.guard.workloads import (
    HOUR,
    Again,
    Bare,
    Greedy,
    Plain,
    Stalls,
    Waits,
    attributes,
    new_id,
    seconds,
    working,
)

PolicyFile = Callable[[str], Path]

POLICY = """
workflows:
  execution_timeout: {default: 10m, maximum: 30m}
  run_timeout: {maximum: 20m}
  retry: {maximum_attempts: 5}
  id_prefixes:
    agent-lifecycle-: {execution_timeout: none, run_timeout: none, reason: lives as long as its agent}
activities:
  start_to_close_timeout: {default: 5m, maximum: 15m}
  schedule_to_close_timeout: {default: 30m, maximum: 40m}
  heartbeat: 1m
  retry: {maximum_attempts: 10}
"""
REFUSING = POLICY.replace("workflows:", "workflows:\n  beyond: refuse").replace(
    "activities:", "activities:\n  beyond: refuse"
)


async def started(client: Client, workflow_id: str) -> tuple[Any, list[Any]]:
    """Give the start event of a workflow and the events of the activities that it scheduled."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return attributes(history, "workflow_execution_started")[0], attributes(history, "activity_task_scheduled")


async def connect(address: str, path: Path) -> tuple[Client, Guard]:
    guard = Guard.from_file(path, reload_every=None)
    return await Client.connect(address, interceptors=[guard]), guard


def test_the_doors_of_the_client(address: str, policy_file: PolicyFile) -> None:
    async def go() -> None:
        client, guard = await connect(address, policy_file(POLICY))
        options: dict[str, Any] = {"task_queue": "nobody"}
        bare, within, beyond, signalled, updated, lifelong, cron = (
            *(new_id() for _ in range(5)),
            new_id("agent-lifecycle"),
            new_id(),
        )
        await client.start_workflow(Plain.run, id=bare, **options)
        await client.start_workflow(Plain.run, id=within, execution_timeout=timedelta(minutes=25), **options)
        await client.start_workflow(
            Plain.run, id=beyond, execution_timeout=HOUR, retry_policy=RetryPolicy(maximum_attempts=99), **options
        )
        await client.start_workflow(Plain.run, id=signalled, start_signal="go", **options)
        await client.start_workflow(Plain.run, id=lifelong, execution_timeout=24 * HOUR, **options)
        await client.start_workflow(Plain.run, id=cron, cron_schedule="0 0 1 1 *", **options)
        async with working(client) as queue:
            operation = WithStartWorkflowOperation(
                Plain.run, id=updated, task_queue=queue, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
            )
            await client.start_update_with_start_workflow(
                Plain.leave, start_workflow_operation=operation, wait_for_stage=WorkflowUpdateStage.ACCEPTED
            )
        expected = {bare: 600, within: 1500, beyond: 1800, signalled: 600, updated: 600}
        for workflow_id, limit in expected.items():
            event, _ = await started(client, workflow_id)
            assert seconds(event, "workflow_execution_timeout") == limit, workflow_id
        event, _ = await started(client, beyond)
        assert event.retry_policy.maximum_attempts == 5
        event, _ = await started(client, lifelong)
        assert seconds(event, "workflow_execution_timeout") == 24 * 3600
        event, _ = await started(client, cron)
        assert not seconds(event, "workflow_execution_timeout")
        assert seconds(event, "workflow_run_timeout") == 1200
        taken = {(c.action, c.setting): n for c, n in guard.counts().items()}
        assert taken[("filled", "execution_timeout")] == 3
        assert taken[("capped", "execution_timeout")] == 1
        assert taken[("capped", "maximum_attempts")] == 1

    asyncio.run(go())


def test_schedules(address: str, policy_file: PolicyFile) -> None:
    async def go() -> None:
        client, _ = await connect(address, policy_file(POLICY))
        action = ScheduleActionStartWorkflow(Plain.run, id=new_id(), task_queue="nobody")
        schedule = Schedule(action=action, spec=ScheduleSpec(), state=ScheduleState(paused=True))
        handle = await client.create_schedule(new_id("schedule"), schedule)
        assert action.execution_timeout is None, "the caller's own schedule stays as it is"
        made: Any = (await handle.describe()).schedule.action
        assert made.execution_timeout == timedelta(minutes=10)

        def longer(current: ScheduleUpdateInput) -> ScheduleUpdate:
            changed = current.description.schedule
            assert isinstance(changed.action, ScheduleActionStartWorkflow)
            changed.action.execution_timeout = HOUR
            return ScheduleUpdate(changed)

        async def retried(current: ScheduleUpdateInput) -> ScheduleUpdate:
            changed = current.description.schedule
            assert isinstance(changed.action, ScheduleActionStartWorkflow)
            changed.action.retry_policy = RetryPolicy()
            return ScheduleUpdate(changed)

        await handle.update(longer)
        await handle.update(retried)
        await handle.update(lambda _current: None)
        kept: Any = (await handle.describe()).schedule.action
        assert kept.execution_timeout == timedelta(minutes=30)
        assert kept.retry_policy.maximum_attempts == 5
        await handle.delete()

    asyncio.run(go())


@pytest.mark.parametrize("kind", [Bare, Greedy])
def test_the_doors_of_a_workflow(address: str, policy_file: PolicyFile, kind: Any) -> None:
    async def go() -> None:
        client, _ = await connect(address, policy_file(POLICY))
        # Without a limit of its own: the server cuts every activity down to the run's timeout.
        workflow_id = new_id("agent-lifecycle")
        async with working(client) as queue:
            await client.execute_workflow(kind.run, id=workflow_id, task_queue=queue)
        bare = kind is Bare
        _, activities = await started(client, workflow_id)
        assert seconds(activities[0], "start_to_close_timeout") == (300 if bare else 900)
        assert seconds(activities[0], "schedule_to_close_timeout") == (1800 if bare else 2400)
        assert seconds(activities[0], "heartbeat_timeout") == 60
        assert activities[0].retry_policy.maximum_attempts == 10
        child, _ = await started(client, f"child-{workflow_id}")
        assert seconds(child, "workflow_execution_timeout") == (600 if bare else 1800)
        assert child.retry_policy.maximum_attempts == (0 if bare else 5)

    asyncio.run(go())


def test_the_next_run(address: str, policy_file: PolicyFile) -> None:
    async def go() -> None:
        client, _ = await connect(address, policy_file(POLICY))
        workflow_id = new_id()
        async with working(client) as queue:
            await client.execute_workflow(
                Again.run, False, id=workflow_id, task_queue=queue, execution_timeout=timedelta(minutes=30)
            )
        event, _ = await started(client, workflow_id)
        assert event.continued_execution_run_id
        assert seconds(event, "workflow_execution_timeout") == 1800
        assert seconds(event, "workflow_run_timeout") == 1200

    asyncio.run(go())


def test_workspaces_have_their_turn(address: str, policy_file: PolicyFile) -> None:
    text = "workspaces: {named: {acme: {weight: 2, match: {id_prefixes: [acme-]}}}}"

    async def go() -> None:
        client, guard = await connect(address, policy_file(text))
        unguarded = await Client.connect(address)
        async with working(client) as queue:
            ids = {client: new_id("acme"), unguarded: new_id("acme")}
            for starter, workflow_id in ids.items():
                await starter.execute_workflow(Bare.run, id=workflow_id, task_queue=queue)
            await client.execute_workflow(Bare.run, id=new_id("other"), task_queue=queue)
        for starter, workflow_id in ids.items():
            event, activities = await started(client, workflow_id)
            assert event.priority.fairness_key == ("acme" if starter is client else "")
            # What a guarded start has is inherited, and what another one lacks comes from the guarded worker.
            assert activities[0].priority.fairness_key == ("" if starter is client else "acme")
            assert activities[0].priority.fairness_weight == (0 if starter is client else 2)
        child, _ = await started(client, f"child-{ids[client]}")
        assert child.priority.fairness_key == "acme"
        counted = [c for c in guard.counts() if c.section == "workspaces"]
        assert {(c.type, guard.counts()[c]) for c in counted} == {("Bare", 1), ("step", 1)}

    asyncio.run(go())


def test_refusals(address: str, policy_file: PolicyFile) -> None:
    async def go() -> None:
        client, guard = await connect(address, policy_file(REFUSING))
        workflow_id = new_id()
        with pytest.raises(PolicyRefusal, match=r"Plain: execution_timeout 1h is beyond 30m"):
            await client.start_workflow(Plain.run, id=workflow_id, task_queue="nobody", execution_timeout=HOUR)
        assert [w async for w in client.list_workflows(f"WorkflowId = '{workflow_id}'")] == []
        async with working(client) as queue:
            for kind in (Greedy, Again):
                arguments = [False] if kind is Again else []
                with pytest.raises(WorkflowFailureError) as failed:
                    await client.execute_workflow(kind.run, args=arguments, id=new_id(), task_queue=queue)
                cause = failed.value.cause
                assert isinstance(cause, ApplicationError)
                assert cause.type == "PolicyRefusal"
                assert cause.non_retryable
        assert {c.section for c in guard.counts() if c.action == "refused"} == {"workflows", "activities"}

    asyncio.run(go())


def test_observing_changes_nothing(address: str, policy_file: PolicyFile) -> None:
    async def go() -> None:
        client, guard = await connect(address, policy_file(f"mode: observe{REFUSING}"))
        workflow_id = new_id()
        async with working(client) as queue:
            await client.execute_workflow(Greedy.run, id=workflow_id, task_queue=queue, execution_timeout=2 * HOUR)
        event, activities = await started(client, workflow_id)
        assert seconds(event, "workflow_execution_timeout") == 7200
        assert seconds(activities[0], "start_to_close_timeout") == 3600
        assert seconds(activities[0], "heartbeat_timeout") == 3600
        assert {c.mode for c in guard.counts()} == {"observe"}
        assert {c.setting for c in guard.counts() if c.action == "refused"} >= {
            "execution_timeout",
            "start_to_close_timeout",
            "heartbeat_timeout",
            "maximum_attempts",
        }

    asyncio.run(go())


def test_an_activity_that_falls_silent_is_found(address: str, policy_file: PolicyFile) -> None:
    async def go() -> None:
        client, _ = await connect(address, policy_file("activities: {heartbeat: 1s}"))
        async with working(client) as queue:
            options: dict[str, Any] = {"task_queue": queue}
            beats = client.execute_workflow(Waits.run, args=[2.5, 60.0], id=new_id(), **options)
            silent = client.execute_workflow(Stalls.run, id=new_id(), **options)
            stops = client.execute_workflow(Waits.run, args=[2.5, 0.1], id=new_id(), **options)
            outcomes = await asyncio.gather(beats, silent, stops, return_exceptions=True)
        assert outcomes[0] is None
        for failure in outcomes[1:]:
            assert isinstance(failure, WorkflowFailureError)
            assert isinstance(failure.cause, ActivityError)
            assert isinstance(failure.cause.cause, TemporalTimeout)
            assert failure.cause.cause.type == TimeoutType.HEARTBEAT

    asyncio.run(go())
