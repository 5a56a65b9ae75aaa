# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole example: Temporal and the worker move into the pool in the run that hardens them, and workflows run."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pooled import IMAGES, ROOT, Stack, until

EXAMPLE = ROOT / "examples/generic-corp"
PASSWORD = "hunt-me-temporal-3"


class Example(Stack):
    """A copy of the example with names and ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "stack"
        self.name = f"bw-pool-{uuid.uuid4().hex[:8]}"
        shutil.copytree(EXAMPLE, self.folder)
        self.file = self.folder / "docker-compose.yml"
        text = self.file.read_text().replace("generic-corp-", f"{self.name}-")
        text = text.replace("name: generic-corp\n", f"name: {self.name}\n")
        self.file.write_text(re.sub(r'"127.0.0.1:\d+:(\d+)"', r'"127.0.0.1::\1"', text))
        (self.folder / ".env").write_text(f"{IMAGES.read_text()}POSTGRES_PASSWORD={PASSWORD}\n")
        self.inventory = folder / "hosts.yml"
        applications = [{"service": "worker", "mode": "session"}]
        self.inventory_with(compose_limits_ignore=[], pgbouncer_applications=applications, breakwater_wait_timeout=120)

    def up(self) -> None:
        """Start it as its people do, and wait until workflows run."""
        self.docker("compose", "up", "--detach")
        assert until(lambda: self.workflow(check=False), seconds=180)

    def workflow(self, check: bool = True) -> bool:
        """Run one workflow to its end, from a container beside the server."""
        command = ["workflow", "execute", "--type", "Task", "--task-queue", "agents", "--input", '"ws"']
        tool = ["docker", "compose", "run", "--rm", "--no-deps", "--entrypoint", "temporal", "temporal-namespace"]
        workflow = ["--workflow-id", f"task-{uuid.uuid4()}", "--execution-timeout", "30s"]
        done = subprocess.run(
            [*tool, *command, *workflow], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        if done.returncode:
            time.sleep(2)
        return done.returncode == 0

    def inspect_name(self, service: str) -> str:
        """The name of a service's container."""
        return f"{self.name}-{service}"

    def backends(self, database: str) -> set[str]:
        """The addresses from which a database is used."""
        query = f"SELECT DISTINCT host(client_addr) FROM pg_stat_activity WHERE datname = '{database}'"
        command = (
            "exec",
            self.inspect_name("postgres"),
            "psql",
            "-XAt",
            "-U",
            "temporal",
            "-d",
            "postgres",
            "-c",
            query,
        )
        return set(self.docker(*command).split())


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The example, running and never hardened."""
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0 or not IMAGES.exists():
        pytest.skip("no Docker Engine answers, or `tests/ground/ground up` has not named its images")
    one = Example(tmp_path_factory.mktemp("example"))
    try:
        one.up()
        yield one
    finally:
        one.down()
        subprocess.run(["docker", "volume", "rm", f"{one.name}_postgres-data", f"{one.name}_redis-data"], check=False)


def only_from(example: Example, database: str, pooler: str) -> bool:
    """Say whether all connections of a database come from the pooler."""
    return example.backends(database) == {pooler}


def test_temporal_and_the_worker_go_through_the_pool(example: Example) -> None:
    before, services = example.files(), example.services()
    done = example.harden()
    for proof in ("temporal: works through the pool", "worker: works through the pool"):
        assert proof in done.text
    assert example.services()["postgres"] == services["postgres"], "PostgreSQL is not restarted"
    assert example.workflow()
    pooler = example.address("pgbouncer")
    for database in ("temporal", "temporal_visibility", "app"):
        assert until(partial(only_from, example, database, pooler)), database
    assert PASSWORD not in done.text
    assert example.harden().changed == 0
    example.inventory_with(compose_limits_ignore=[], pgbouncer_state="absent", breakwater_wait_timeout=120)
    example.harden()
    assert example.workflow()
    assert pooler not in example.backends("temporal")
    assert sorted(example.files()) == sorted(before)
    assert b"pgbouncer" not in example.files()["docker-compose.yml"]
    assert b"pgx" not in example.files()["docker-compose.yml"]
