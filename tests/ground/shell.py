# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of the ground share: the cache folder, running commands, saying what is done."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

GROUND = Path(__file__).resolve().parent
CHECKOUT = GROUND.parent.parent
CACHE = Path(os.environ.get("BREAKWATER_CACHE") or CHECKOUT / ".cache").resolve() / "ground"
#: Where things are made; what is there when a command starts was left by one that was killed.
WORKSHOP = CACHE / "unfinished"


class GroundError(Exception):
    """Something that the ground cannot do; `code` is the exit code (3: there can be no engine here)."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """Print one line of progress; standard output is left to what a command is asked for."""
    print(f"ground: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one command at a time work on the cache, and clear away what a killed one left."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another command works on the ground; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        shutil.rmtree(WORKSHOP, ignore_errors=True)
        yield


@contextlib.contextmanager
def workshop() -> Iterator[Path]:
    """Give a folder on the cache's file system; what is finished is moved out of it in one step."""
    WORKSHOP.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORKSHOP) as folder:
        yield Path(folder)


def run(command: list[str], *, env: dict[str, str] | None = None) -> str:
    """Run a command and return its standard output.

    Raises:
        GroundError: it failed; the text carries the end of what it printed.
    """
    try:
        result = subprocess.run(
            command,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as error:
        raise GroundError(f"{command[0]}: {error.strerror}") from None
    output = result.stdout.decode(errors="replace")
    if result.returncode != 0:
        raise GroundError(f"{' '.join(command[:4])} failed ({result.returncode}):\n{output[-2000:]}")
    return output


def answers(command: list[str], timeout: float = 20.0) -> bool:
    """Say whether a command ends well within `timeout` seconds."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
