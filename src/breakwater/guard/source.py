# SPDX-License-Identifier: Apache-2.0
"""A policy file that may change while it is in use."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable

from breakwater.guard.errors import PolicyError
from breakwater.guard.loading import load_file
from breakwater.guard.policy import Policy

Stamp = tuple[int, int, int] | None


class PolicySource:
    """The policy in force: the last one that could be read.

    Args:
        path: the file.
        told: called after each attempt to read it again, with what is wrong or ''.

    Raises:
        PolicyError: there is no usable policy to begin with.
    """

    def __init__(self, path: str | os.PathLike[str], told: Callable[[str], None]) -> None:
        self._path = path
        self._told = told
        self._lock = threading.Lock()
        self._stamp = _stamp(path)
        self.policy: Policy = load_file(path)

    def reload(self) -> bool:
        """Read the file now, and keep the old policy where that fails. True if the new one is in force."""
        with self._lock:
            self._stamp = _stamp(self._path)
            try:
                self.policy = load_file(self._path)
            except PolicyError as error:
                self._told(str(error))
                return False
        self._told("")
        return True

    def reload_if_changed(self) -> bool:
        """Read the file again if it is not the one that was read last. True if a new policy is in force."""
        return _stamp(self._path) != self._stamp and self.reload()

    def watch(self, seconds: float) -> None:
        """Look after the file from a thread of its own, until this object is gone.

        Args:
            seconds: between two looks.
        """
        # The thread holds no reference of its own between looks, so that an unused guard can go.
        threading.Thread(
            target=_look_after, args=(weakref.ref(self), seconds), name="breakwater-guard-policy", daemon=True
        ).start()


def _look_after(reference: weakref.ref[PolicySource], seconds: float) -> None:
    while True:
        time.sleep(seconds)
        source = reference()
        if source is None:
            return
        source.reload_if_changed()
        del source


def _stamp(path: str | os.PathLike[str]) -> Stamp:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
