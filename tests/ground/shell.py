# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of the ground share: the cache folder, running commands, saying what is done."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

GROUND = Path(__file__).resolve().parent
CHECKOUT = GROUND.parent.parent
CACHE = Path(os.environ.get("BREAKWATER_CACHE", CHECKOUT / ".cache")) / "ground"


class GroundError(Exception):
    """Something that the ground cannot do; `code` is the exit code (3: there can be no engine here)."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """Print one line of progress at once, also into a pipe."""
    print(f"ground: {text}", flush=True)


def run(command: list[str], *, env: dict[str, str] | None = None) -> str:
    """Run a command and return its standard output.

    Raises:
        GroundError: it failed; the text carries the end of what it printed.
    """
    result = subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
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
