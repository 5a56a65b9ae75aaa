# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Compose project on a real engine, for what runs on targets."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _compose_cli, _reader

IMAGE = "breakwater.test/debian:trixie"


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a command; its output is in the error when it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Skip where the ground is not there."""
    found = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False)
    if found.returncode != 0:
        pytest.skip(f"needs an engine with {IMAGE}: start the ground (make ground)")


Up = Callable[[str], Path]
Read = Callable[..., dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A project folder named after this test run; its containers go in the end."""
    path = tmp_path / f"bw-target-{os.getpid()}"
    path.mkdir()
    yield path
    subprocess.run(
        ["docker", "compose", "--profile", "*", "down", "--timeout", "0", "--volumes", "--remove-orphans"],
        cwd=path,
        capture_output=True,
        check=False,
    )


@pytest.fixture
def up(folder: Path) -> Up:
    """Start a project from the text of its Compose file."""

    def start(text: str) -> Path:
        (folder / "compose.yml").write_text(text)
        run("docker", "compose", "up", "--detach", "--wait", cwd=folder)
        return folder

    return start


@pytest.fixture
def read() -> Read:
    """Read a project."""

    def reading(folder: Path, **options: Any) -> dict[str, Any]:
        request = _reader.Request(str(folder), [], None, [], [], None, True)._replace(**options)
        return _reader.read(request, _compose_cli.Docker())

    return reading


def service(reading: dict[str, Any], name: str) -> dict[str, Any]:
    """Give the one container of a service."""
    (found,) = [item for item in reading["containers"] if item["ours"] and item["service"] == name]
    return dict(found)
