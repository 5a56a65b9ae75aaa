# SPDX-License-Identifier: Apache-2.0
"""The example's worker with the example's policy: tasks end, agents live on."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.integration.guard.conftest import docker, image

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def worker(address: str) -> Iterator[str]:
    """The worker's container, beside the server on this host's network."""
    options = [
        *("--network", "host", "-e", f"TEMPORAL_ADDRESS={address}", "-e", "TEMPORAL_NAMESPACE=default"),
        *("-e", "REDIS_URL=redis://127.0.0.1:1", "-e", "DATABASE_URL=postgresql://127.0.0.1:1/none"),
        *("-v", f"{ROOT}/src/breakwater:/opt/guard/breakwater:ro", "-e", "PYTHONPATH=/opt/guard"),
        *("-v", f"{ROOT}/examples/generic-corp/breakwater-policy.yml:/etc/breakwater-policy.yml:ro"),
        *("-e", "BREAKWATER_POLICY=/etc/breakwater-policy.yml"),
    ]
    container = docker("run", "-d", *options, image("WORKER_IMAGE"))
    try:
        yield container
    finally:
        docker("rm", "-f", container)


async def limits_of_both_kinds(address: str) -> dict[str, float]:
    """Wait for a workflow of each kind and give their execution timeouts by type."""
    client = await Client.connect(address)
    found: dict[str, float] = {}
    deadline = time.monotonic() + 30
    while len(found) < 2 and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        async for each in client.list_workflows("ExecutionStatus = 'Running'"):
            found[each.workflow_type] = await execution_timeout(client, each.id)
    return found


def test_tasks_have_a_limit_and_agents_have_none(address: str, worker: str) -> None:
    with subprocess.Popen(["docker", "exec", worker, "python", "start.py", "1", "acme"]) as starter:
        try:
            limits = asyncio.run(limits_of_both_kinds(address))
        finally:
            starter.terminate()
    logs = subprocess.run(["docker", "logs", worker], capture_output=True, text=True, check=True)
    assert limits == {"Task": 600.0, "AgentLifecycle": 0.0}, logs.stdout + logs.stderr


async def execution_timeout(client: Client, workflow_id: str) -> float:
    """Give the execution timeout in seconds, 0 for none."""
    description = await client.get_workflow_handle(workflow_id).describe()
    config = description.raw_description.execution_config
    return float(config.workflow_execution_timeout.ToTimedelta().total_seconds())
