# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers of the ground's images, each with its end."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
CACHE = Path(os.environ.get("BREAKWATER_CACHE") or ROOT / ".cache")


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command; its output is in the error when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 or not check, f"{command}: {done.stdout}{done.stderr}"
    return done


class Images:
    """The images that the ground provides, and containers of them on a network of their own."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names
        self.network = f"bw-images-{os.getpid()}"
        self.containers: list[str] = []

    def config(self, variable: str) -> dict[str, Any]:
        """Give the configuration of an image."""
        found: dict[str, Any] = json.loads(
            run("docker", "inspect", "-f", "{{json .Config}}", self.names[variable]).stdout
        )
        return found

    def create(self, variable: str, *arguments: str, options: tuple[str, ...] = (), alias: str = "") -> str:
        """Create a container and return its id."""
        named = ["--network-alias", alias] if alias else []
        command = ["docker", "create", "--network", self.network, *named, *options, self.names[variable], *arguments]
        self.containers.append(run(*command).stdout.strip())
        return self.containers[-1]

    def start(self, variable: str, *arguments: str, options: tuple[str, ...] = (), alias: str = "") -> str:
        """Start a container and return its id."""
        container = self.create(variable, *arguments, options=options, alias=alias)
        self.run(container)
        return container

    def run(self, container: str) -> None:
        """Start a container that was created or stopped."""
        run("docker", "start", container)

    def copy(self, file: Path, container: str, path: str) -> None:
        """Copy a file into a container."""
        run("docker", "cp", str(file), f"{container}:{path}")

    def ended(self, container: str) -> int:
        """Wait for the end of a container; gives its exit code."""
        return int(run("docker", "wait", container).stdout)

    def once(self, variable: str, *arguments: str, options: tuple[str, ...] = ()) -> str:
        """Run a container to its end and return its output."""
        container = self.start(variable, *arguments, options=options)
        code, output = self.ended(container), self.logs(container)
        assert code == 0, f"{arguments}: {code}: {output}"
        return output

    def logs(self, container: str) -> str:
        """Give what a container printed."""
        done = run("docker", "logs", container)
        return done.stdout + done.stderr

    def sh(self, container: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in a container."""
        return run("docker", "exec", container, *command, check=check)

    def until(self, container: str, *command: str) -> None:
        """Wait until a command succeeds in a container."""
        for _attempt in range(120):
            if self.sh(container, *command, check=False).returncode == 0:
                return
            time.sleep(0.25)
        pytest.fail(f"{command} never succeeded:\n{self.logs(container)}")

    def stopped(self, container: str) -> tuple[int, float]:
        """Stop a container as Docker does; gives its exit code and the seconds that it took."""
        begun = time.monotonic()
        run("docker", "stop", "--time", "20", container)
        taken = time.monotonic() - begun
        return int(run("docker", "inspect", "-f", "{{.State.ExitCode}}", container).stdout), taken

    def executables(self, variable: str, folder: Path) -> dict[str, str]:
        """List the executable files of an image by path; of links, what they point to."""
        archive = folder / f"{uuid.uuid4().hex}.tar"
        run("docker", "export", "-o", str(archive), self.create(variable))
        found = {}
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.issym() or (member.isfile() and member.mode & 0o111):
                    found[f"/{member.name}"] = member.linkname
        archive.unlink()
        return found


@pytest.fixture(scope="session")
def images() -> Iterator[Images]:
    """Give the images; what was started goes in the end."""
    listed = CACHE / "ground/images.env"
    if not listed.exists() or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs an engine with the ground's images: start the ground (make ground)")
    found = Images(dict(line.split("=", 1) for line in listed.read_text().splitlines()))
    run("docker", "network", "create", found.network)
    yield found
    run("docker", "rm", "--force", "--volumes", *found.containers, check=False)
    run("docker", "network", "rm", found.network, check=False)
