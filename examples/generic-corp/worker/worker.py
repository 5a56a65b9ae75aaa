# SPDX-License-Identifier: GPL-3.0-or-later
"""The agents' worker: `task-<uuid>` workflows do one piece of work, `agent-lifecycle-<uuid>` workflows live long."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from datetime import timedelta

import psycopg
import redis.asyncio as redis
from temporalio import activity, workflow
from temporalio.client import Client, Interceptor
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

TASK_QUEUE = "agents"
REDIS_LIST = "agent-tasks"


@activity.defn
async def run_step(workspace: str) -> str:
    """Record one finished task and its event in the application's database."""
    async with await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"]) as connection:
        await connection.execute(
            "INSERT INTO tasks (id, workspace, status) VALUES (%s, %s, 'done')", (str(uuid.uuid4()), workspace)
        )
        await connection.execute("INSERT INTO events (workspace, kind) VALUES (%s, 'task.done')", (workspace,))
    return workspace


@workflow.defn(name="Task")
class Task:
    """One task of an agent: `task-<uuid>`."""

    @workflow.run
    async def run(self, workspace: str) -> str:
        """Do one step and return the workspace it was for."""
        return await workflow.execute_activity(run_step, workspace, start_to_close_timeout=timedelta(seconds=30))


@workflow.defn(name="AgentLifecycle")
class AgentLifecycle:
    """The life of an agent: `agent-lifecycle-<uuid>`; it ends by a signal."""

    def __init__(self) -> None:
        self.stopped = False

    @workflow.run
    async def run(self, _workspace: str) -> None:
        """Live until told to stop."""
        await workflow.wait_condition(lambda: self.stopped)

    @workflow.signal
    def stop(self) -> None:
        """End the agent."""
        self.stopped = True


def interceptors() -> list[Interceptor]:
    """Hold what is started against a policy, where the environment names one."""
    policy = os.environ.get("BREAKWATER_POLICY")
    if not policy:
        return []
    from breakwater.guard import Guard

    return [Guard.from_file(policy)]


async def connect() -> Client:
    """Connect to Temporal, with patience: the server may still be starting."""
    address, namespace = os.environ["TEMPORAL_ADDRESS"], os.environ["TEMPORAL_NAMESPACE"]
    guards = interceptors()
    for _attempt in range(60):
        try:
            return await Client.connect(address, namespace=namespace, interceptors=guards)
        except RuntimeError:
            await asyncio.sleep(2)
    raise SystemExit("Temporal did not answer within two minutes")


async def start_from_list(client: Client) -> None:
    """Turn each entry of the Redis list into a `task-<uuid>` workflow."""
    queue = redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    while True:
        try:
            entry = await queue.blpop([REDIS_LIST], timeout=5)
        except redis.RedisError:
            await asyncio.sleep(2)
            continue
        if entry:
            await client.start_workflow("Task", entry[1], id=f"task-{uuid.uuid4()}", task_queue=TASK_QUEUE)


async def main() -> None:
    """Run until SIGTERM, then let running activities finish."""
    client = await connect()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    starter = asyncio.create_task(start_from_list(client))
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Task, AgentLifecycle],
        activities=[run_step],
        max_concurrent_activities=int(os.environ.get("MAX_CONCURRENT_ACTIVITIES", "20")),
        graceful_shutdown_timeout=timedelta(seconds=10),
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        await stop.wait()
    starter.cancel()


if __name__ == "__main__":
    asyncio.run(main())
