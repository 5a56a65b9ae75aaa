# SPDX-License-Identifier: GPL-3.0-or-later
"""Start tasks and one agent, wait for the tasks: `python start.py [TASKS] [WORKSPACE]`."""

from __future__ import annotations

import asyncio
import sys
import uuid

from worker import TASK_QUEUE, connect


async def main() -> None:
    """Start an agent and a number of tasks, print how many tasks finished."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    workspace = sys.argv[2] if len(sys.argv) > 2 else "acme"
    client = await connect()
    await client.start_workflow(
        "AgentLifecycle", workspace, id=f"agent-lifecycle-{uuid.uuid4()}", task_queue=TASK_QUEUE
    )
    tasks = [
        client.execute_workflow("Task", workspace, id=f"task-{uuid.uuid4()}", task_queue=TASK_QUEUE)
        for _number in range(count)
    ]
    done = await asyncio.gather(*tasks)
    print(f"{len(done)} of {count} tasks finished")


if __name__ == "__main__":
    asyncio.run(main())
