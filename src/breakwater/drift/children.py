# SPDX-License-Identifier: GPL-3.0-or-later
"""End every process of a run.

Ansible's workers lead sessions of their own, so that no process group holds them all; a variable in their environment
does, as Linux shows it in ``/proc/PID/environ``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

_POLL_SECONDS = 0.05


def find(name: str, value: str) -> list[int]:
    """Return the ids of the processes that were started with a variable, but for this one."""
    wanted = f"{name}={value}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(folder.name) != os.getpid() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def end(name: str, value: str, grace: float) -> None:
    """End the processes that were started with a variable: asked first, then killed.

    Args:
        name, value: the variable.
        grace: seconds that they get to end in order.
    """
    for number in (signal.SIGINT, signal.SIGKILL):
        for process in find(name, value):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, number)
        deadline = time.monotonic() + grace
        while find(name, value) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if not find(name, value):
            return
