# SPDX-License-Identifier: GPL-3.0-or-later
"""Time whole processes, one after the other in turns, so that a busy moment of the machine meets all of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

#: Without compiled modules on disk every start would measure the compiler.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED")
}


#: Seconds after which a command is taken to hang.
LONGEST = 300


class Times(NamedTuple):
    """Wall-clock seconds of one command, one per round."""

    seconds: list[float]

    def median(self) -> float:
        """The median, in seconds."""
        return statistics.median(self.seconds)

    def ratio(self, other: Times) -> float:
        """The median, over the rounds, of how long this took against what the other took in the same round."""
        return statistics.median(mine / theirs for mine, theirs in zip(self.seconds, other.seconds, strict=True))


def take_turns(
    commands: Mapping[str, Sequence[str]], rounds: int, accepted: Sequence[int], cwd: Path | None = None
) -> dict[str, Times]:
    """Run commands in turns and time each.

    Args:
        commands: by name.
        rounds: how often each is timed; once more before, which does not count.
        accepted: exit codes that mean that the work was done.
        cwd: where they run.

    Raises:
        RuntimeError: a command ended with another code.
        subprocess.TimeoutExpired: a command hangs.
    """
    times: dict[str, Times] = {name: Times([]) for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            done = subprocess.run(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env=ENVIRONMENT,
                timeout=LONGEST,
                check=False,
            )
            seconds = time.perf_counter() - start
            if done.returncode not in accepted:
                raise RuntimeError(f"{name} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
            if number:
                times[name].seconds.append(seconds)
    return times
