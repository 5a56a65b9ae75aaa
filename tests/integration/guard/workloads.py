# SPDX-License-Identifier: Apache-2.0
"""Workflows and activities that ask for all sorts of timeouts."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHistory
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from breakwater.guard.heartbeats import Beating

QUEUE = "guarded"
HOUR = timedelta(hours=1)


@activity.defn
async def step() -> str:
    return "done"


@activity.defn
async def stall() -> None:
    await asyncio.sleep(3600)


@activity.defn
def patient(seconds: float, at_most: float) -> None:
    with Beating(timedelta(seconds=at_most)):
        time.sleep(seconds)


@workflow.defn
class Plain:
    """Waits for a signal or an update."""

    def __init__(self) -> None:
        self.gone = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.gone)

    @workflow.signal
    def go(self) -> None:
        self.gone = True

    @workflow.update
    def leave(self) -> None:
        self.gone = True


@workflow.defn
class Bare:
    """Asks for nothing: activity, local activity and child have no timeouts at all."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(step)
        await workflow.execute_local_activity(step)
        await workflow.execute_child_workflow(Leaf.run, id=f"child-{workflow.info().workflow_id}")


@workflow.defn
class Greedy:
    """Asks for an hour of everything."""

    @workflow.run
    async def run(self) -> None:
        retry = RetryPolicy(maximum_attempts=1000)
        await workflow.execute_activity(
            step,
            start_to_close_timeout=HOUR,
            schedule_to_close_timeout=HOUR,
            heartbeat_timeout=HOUR,
            retry_policy=retry,
        )
        await workflow.execute_local_activity(step, start_to_close_timeout=HOUR)
        await workflow.execute_child_workflow(
            Leaf.run, id=f"child-{workflow.info().workflow_id}", execution_timeout=HOUR, retry_policy=retry
        )


@workflow.defn
class Leaf:
    @workflow.run
    async def run(self) -> None:
        return None


@workflow.defn
class Again:
    """Goes on as a new run once, with an hour for it."""

    @workflow.run
    async def run(self, last: bool) -> None:
        if not last:
            workflow.continue_as_new(True, run_timeout=HOUR)


@workflow.defn
class Stalls:
    """Runs an activity that falls silent."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            stall, start_to_close_timeout=HOUR, retry_policy=RetryPolicy(maximum_attempts=1)
        )


@workflow.defn
class Waits:
    """Runs an activity that blocks its thread for longer than it may be silent."""

    @workflow.run
    async def run(self, seconds: float, at_most: float) -> None:
        await workflow.execute_activity(
            patient,
            args=[seconds, at_most],
            start_to_close_timeout=HOUR,
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@workflow.defn
class Stages:
    """An activity without timeouts, an hour of another one, a signal, and the same again; refusals are survived."""

    def __init__(self) -> None:
        self.signals = 0
        self.over = 0

    @workflow.run
    async def run(self) -> list[str]:
        outcome: list[str] = []
        for stage in range(3):
            await workflow.wait_condition(lambda: self.signals >= self.over)
            outcome.append(await workflow.execute_activity(step, schedule_to_close_timeout=timedelta(minutes=1)))
            try:
                outcome.append(await workflow.execute_activity(step, start_to_close_timeout=HOUR))
            except ApplicationError as error:
                outcome.append(str(error.type))
                await workflow.sleep(timedelta(milliseconds=1))
            child = f"{workflow.info().workflow_id}-{stage}"
            try:
                await workflow.execute_child_workflow(Leaf.run, id=child, execution_timeout=HOUR)
                outcome.append("child")
            except ApplicationError as error:
                outcome.append(str(error.type))
            self.over += 1
            workflow.upsert_memo({"over": self.over})
        return outcome

    @workflow.signal
    def go(self) -> None:
        self.signals += 1


WORKFLOWS: list[type] = [Plain, Bare, Greedy, Leaf, Again, Stalls, Waits, Stages]


@asynccontextmanager
async def working(client: Client, **options: Any) -> AsyncIterator[str]:
    """Run a worker on a queue of its own and give the queue's name."""
    queue = f"{QUEUE}-{uuid.uuid4()}"
    with ThreadPoolExecutor(2) as threads:
        options |= {"activities": [step, stall, patient], "activity_executor": threads}
        async with Worker(client, task_queue=queue, workflows=WORKFLOWS, **options):
            yield queue


def new_id(name: str = "w") -> str:
    return f"{name}-{uuid.uuid4()}"


def attributes(history: WorkflowHistory, kind: str) -> list[Any]:
    """Give the attributes of all events of a kind, such as ``activity_task_scheduled``."""
    name = f"{kind}_event_attributes"
    return [getattr(event, name) for event in history.events if event.HasField(name)]  # type: ignore[arg-type] # a field by its name


def seconds(message: Any, field: str) -> float | None:
    """Give a duration of an event; None where the event has none."""
    if not message.HasField(field):
        return None
    return float(getattr(message, field).ToTimedelta().total_seconds())
