# SPDX-License-Identifier: Apache-2.0
"""What the guard costs: `bench/guard.py [TEMPORAL_CLI]`, with the ground's command line where none is named.

Prints the time that the guard takes for a start and for an activity, and without and with it the workflows per second
and the CPU time per workflow of the process that starts and runs them. The latter says more on a machine that is busy
otherwise. The comparison alternates in the order of ABBA, so that a machine that slows down favours neither.
"""

from __future__ import annotations

import asyncio
import copy
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from temporalio import activity, workflow
from temporalio.client import Client, OutboundInterceptor, StartWorkflowInput
from temporalio.common import Priority
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import StartActivityInput, UnsandboxedWorkflowRunner, Worker, WorkflowOutboundInterceptor

from breakwater.guard import Guard, load
from breakwater.guard.counting import Recorder
from breakwater.guard.workflow_calls import GuardedCalls

CALLS = 2000
WORKFLOWS = 200
AT_ONCE = 50
ROUNDS = ("without", "with", "with", "without", "without", "with", "with", "without")

#: Larger than people write: fifty types, prefixes and workspaces.
POLICY = "schema_version: 1\n" + "\n".join(
    [
        "workflows:",
        "  id_prefixes:",
        *(f"    tenant-{n}-: {{execution_timeout: 20m}}" for n in range(50)),
        "activities:",
        "  heartbeat: 1m",
        "  retry: {maximum_attempts: 10}",
        "  types:",
        *(f"    step{n}_*: {{start_to_close_timeout: 4m}}" for n in range(50)),
        "workspaces:",
        "  named:",
        *(f"    w{n}: {{match: {{id_prefixes: [tenant-{n}-]}}}}" for n in range(50)),
    ]
)


@activity.defn
async def step() -> None:
    """Do nothing."""


@workflow.defn
class OneStep:
    """One activity."""

    @workflow.run
    async def run(self) -> None:
        """Run it."""
        await workflow.execute_activity(step, start_to_close_timeout=timedelta(minutes=1))


class NoWorkflowCalls(WorkflowOutboundInterceptor):
    """The end of the chain: schedules nothing."""

    def __init__(self) -> None:
        """There is no next one."""

    def start_activity(self, call: StartActivityInput) -> Any:
        """Do nothing."""


class NoClientCalls(OutboundInterceptor):
    """The end of the chain: starts nothing."""

    def __init__(self) -> None:
        """There is no next one."""

    async def start_workflow(self, call: StartWorkflowInput) -> Any:
        """Do nothing."""


@workflow.defn
class TimedCalls:
    """Times the guard where it works; runs outside the sandbox, for the clock."""

    @workflow.run
    async def run(self) -> float:
        """Return the seconds that the guard takes for an activity."""
        policy = load(POLICY.encode())
        call = empty(StartActivityInput, activity="step49_x", start_to_close_timeout=timedelta(minutes=1))
        guarded = GuardedCalls(NoWorkflowCalls(), lambda: policy, Recorder())
        times = []
        for _ in range(CALLS):
            one = copy.copy(call)
            start = time.perf_counter()
            guarded.start_activity(one)
            times.append(time.perf_counter() - start)
        return median(times)


def empty(kind: Any, **values: Any) -> Any:
    """Make an input of the SDK with nothing in it but some values."""
    return kind(**{**dict.fromkeys(kind.__dataclass_fields__), "priority": Priority.default, **values})


async def timed_starts() -> float:
    """Return the seconds that the guard takes for the start of a workflow."""
    guarded = Guard(load(POLICY.encode())).intercept_client(NoClientCalls())
    start = empty(StartWorkflowInput, workflow="Task", id="tenant-49-1", task_queue="q", cron_schedule="")
    times = []
    for _ in range(CALLS):
        one = copy.copy(start)
        begin = time.perf_counter()
        await guarded.start_workflow(one)
        times.append(time.perf_counter() - begin)
    return median(times)


class Round(NamedTuple):
    """What one round took: workflows per second, and seconds of CPU time per workflow."""

    rate: float
    cpu: float


async def run_round(client: Client) -> Round:
    """Run workflows of one activity each, some at the same time."""
    queue = f"bench-{uuid.uuid4()}"
    places = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with places:
            await client.execute_workflow(OneStep.run, id=f"tenant-7-{uuid.uuid4()}", task_queue=queue)

    async with Worker(client, task_queue=queue, workflows=[OneStep], activities=[step]):
        begin, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one() for _ in range(WORKFLOWS)))
        return Round(WORKFLOWS / (time.perf_counter() - begin), (time.process_time() - used) / WORKFLOWS)


async def measure(cli: Path) -> None:
    """Measure everything on a server of its own and print it."""
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=str(cli)) as environment:
        plain = environment.client
        guard = Guard(load(POLICY.encode()))
        clients = {
            "without": plain,
            "with": await Client.connect(plain.service_client.config.target_host, interceptors=[guard]),
        }
        runner = UnsandboxedWorkflowRunner()
        async with Worker(plain, task_queue="calls", workflows=[TimedCalls], workflow_runner=runner, debug_mode=True):
            call = await plain.execute_workflow(TimedCalls.run, id=f"calls-{uuid.uuid4()}", task_queue="calls")
        print(f"the start of a workflow: {await timed_starts() * 1e6:.0f} us, an activity: {call * 1e6:.0f} us")
        await run_round(plain)
        rounds: dict[str, list[Round]] = {"without": [], "with": []}
        for name in ROUNDS:
            rounds[name].append(await run_round(clients[name]))
            print(
                f"{name}: {rounds[name][-1].rate:.1f} workflows/s, {rounds[name][-1].cpu * 1000:.2f} ms CPU", flush=True
            )
        for number, what in enumerate(Round._fields):
            ratio = median(r[number] for r in rounds["with"]) / median(r[number] for r in rounds["without"])
            print(f"{what}, with / without: {ratio:.3f}")


if __name__ == "__main__":
    named = [Path(name) for name in sys.argv[1:]]
    found = named or sorted(Path(__file__).parents[1].glob(".cache/ground/bin/temporal-[0-9]*"))
    if not found:
        raise SystemExit("bench/guard.py: name the file of Temporal's command line, or start the ground (make ground)")
    asyncio.run(measure(found[-1]))
