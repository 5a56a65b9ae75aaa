# SPDX-License-Identifier: GPL-3.0-or-later
"""The example, hardened by `breakwater fix` and started under a name of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
IMAGES = Path(os.environ.get("BREAKWATER_CACHE", ROOT / ".cache")) / "ground" / "images.env"
NAME = "bw-health"


class Example:
    """The hardened example.

    Args:
        folder: where its files lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def compose(self, *arguments: str) -> str:
        """Run Compose on the example."""
        command = ["docker", "compose", "-p", NAME, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def container(self, service: str) -> dict[str, Any]:
        """What the engine says of a service's container."""
        name = f"{NAME}-{service}-1"
        text = subprocess.run(["docker", "inspect", name], capture_output=True, text=True, check=True).stdout
        found: list[dict[str, Any]] = json.loads(text)
        return found[0]

    def health(self, service: str) -> str:
        """The verdict of a service's health check."""
        return str(self.container(service)["State"]["Health"]["Status"])

    def wait_for(self, service: str, verdict: str, seconds: float = 60.0) -> None:
        """Wait until a health check says what is expected."""
        deadline = time.monotonic() + seconds
        while (said := self.health(service)) != verdict:
            last = self.container(service)["State"]["Health"]["Log"][-1:]
            assert time.monotonic() < deadline, f"{service} is {said}, not {verdict}, after {seconds:g} s: {last}"
            time.sleep(0.3)

    def signal(self, service: str, name: str) -> None:
        """Send a signal to the main process of a service and all below it."""
        pid = self.container(service)["State"]["Pid"]
        processes = [str(pid)]
        for parent in processes:
            below = subprocess.run(["pgrep", "-P", parent], capture_output=True, text=True, check=False).stdout
            processes += below.split()
        subprocess.run(["kill", f"-{name}", *processes], check=True)


def write_example(folder: Path) -> None:
    """Copy the example without its container names and ports, and harden it as a user does."""
    shutil.copytree(ROOT / "examples" / "generic-corp", folder, dirs_exist_ok=True)
    file = folder / "docker-compose.yml"
    text = re.sub(r"^    container_name: .*\n", "", file.read_text(), flags=re.MULTILINE)
    text = re.sub(r'^    ports:\n(?:      - ".*"\n)+', "", text, flags=re.MULTILINE)
    file.write_text(text)
    (folder / ".env").write_text(IMAGES.read_text() + "POSTGRES_PASSWORD=health-check\n")
    program = str(Path(sys.executable).parent / "breakwater")
    subprocess.run([program, "fix", "--write", "--host-memory", "24g", "--host-cpus", "2", str(file)], check=True)
    # The same probes, asked more often, so that the verdict comes soon.
    quick = re.sub(r"^      interval: .*$", "      interval: 1s", file.read_text(), flags=re.MULTILINE)
    quick = re.sub(r"^      retries: 60$", "      retries: 3", quick, flags=re.MULTILINE)
    file.write_text(quick)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The hardened example, all of it healthy."""
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0 or not IMAGES.exists():
        pytest.skip("no Docker Engine answers, or `tests/ground/ground up` has not named its images")
    folder = tmp_path_factory.mktemp("example")
    write_example(folder)
    one = Example(folder)
    try:
        one.compose("up", "--detach")
        for service in ("postgres", "redis", "temporal", "temporal-ui"):
            one.wait_for(service, "healthy", 120)
        yield one
    finally:
        subprocess.run(
            ["docker", "compose", "-p", NAME, "down", "--volumes", "--timeout", "5"],
            cwd=folder,
            capture_output=True,
            check=False,
        )
