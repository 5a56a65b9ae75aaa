# SPDX-License-Identifier: GPL-3.0-or-later
"""The real program in a process of its own, with bounds that a user's machine would not forgive either."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
MEMORY = 512 * 2**20
SECONDS = 10
POWERLESS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
ENVIRONMENT["PYTHONPATH"] = os.pathsep.join((str(ROOT / "src"), str(ROOT / ".collections")))


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Program = Callable[..., Outcome]


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Run ``breakwater`` in a temporary folder and return exit code, output and errors.

    ``powerless`` takes root's right to read every file away from it.
    """

    def run(*arguments: str, stdin: bytes = b"", cwd: Path = tmp_path, powerless: bool = False) -> Outcome:
        done = subprocess.run(
            [*(POWERLESS if powerless else ()), sys.executable, "-m", "breakwater", *arguments],
            input=stdin,
            capture_output=True,
            cwd=cwd,
            env=ENVIRONMENT,
            timeout=3 * SECONDS,
            preexec_fn=_bound,
            check=False,
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def compose(tmp_path: Path) -> Callable[[bytes | str], Path]:
    """Write a Compose file into the temporary folder."""

    def write(content: bytes | str, name: str = "docker-compose.yml") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
