# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a run of Ansible as a power cut does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any


def kill_all(run: subprocess.Popen[Any]) -> None:
    """Kill a process and every one below it, and wait for its end."""
    for pid in [run.pid, *_descendants(run.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    run.wait()


def _descendants(pid: int) -> list[int]:
    """Every process below one, the deepest last: Ansible's workers have sessions of their own."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += below
    return found
