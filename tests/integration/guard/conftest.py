# SPDX-License-Identifier: Apache-2.0
"""A real Temporal server, the one inside its command line, and the guard's policies as files."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

ROOT = Path(__file__).resolve().parents[3]
# The sandbox imports workflows by the name of their module.
sys.path.append(str(ROOT))
IMAGES = Path(os.environ.get("BREAKWATER_CACHE", ROOT / ".cache")) / "ground" / "images.env"


def docker(*arguments: str) -> str:
    """Run a command of the engine and give what it prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def image(variable: str) -> str:
    """Give the name of one of the ground's images, by its variable."""
    if not IMAGES.exists():
        pytest.skip("needs an engine with Temporal's tools: start the ground (make ground)")
    names = dict(line.split("=", 1) for line in IMAGES.read_text(encoding="utf-8").splitlines() if "=" in line)
    return names[variable]


async def _serving(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            client = await Client.connect(address)
            await client.count_workflows()
            return
        except Exception:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.3)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a server that lives as long as the module's tests.

    BREAKWATER_TEST_TEMPORAL names one that runs already.
    """
    given = os.environ.get("BREAKWATER_TEST_TEMPORAL")
    if given:
        yield given
        return
    tools = image("TEMPORAL_ADMIN_TOOLS_IMAGE")
    server = ("server", "start-dev", "--headless", "--ip", "0.0.0.0", "--log-level", "error")
    container = docker("run", "--rm", "-d", "-p", "127.0.0.1::7233", "--entrypoint", "temporal", tools, *server)
    try:
        port = docker("port", container, "7233/tcp").splitlines()[0].rpartition(":")[2]
        asyncio.run(_serving(f"127.0.0.1:{port}"))
        yield f"127.0.0.1:{port}"
    finally:
        docker("rm", "-f", container)


@pytest.fixture
def policy_file(tmp_path: Path) -> Callable[[str], Path]:
    """Write a policy and return its file."""

    def write(text: str) -> Path:
        path = tmp_path / "breakwater-policy.yml"
        path.write_text(f"schema_version: 1\n{text}", encoding="utf-8")
        return path

    return write
