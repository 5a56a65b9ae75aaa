# SPDX-License-Identifier: Apache-2.0
"""Timeouts, heartbeats and retry limits for Temporal clients and workers, from one policy file.

The policy is read without Temporal's SDK; :class:`Guard` needs it (the extra ``guard``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from breakwater.guard.errors import PolicyContradiction, PolicyError
from breakwater.guard.loading import load, load_file
from breakwater.guard.policy import Policy

if TYPE_CHECKING:
    from breakwater.guard.decisions import PolicyRefusal
    from breakwater.guard.interceptor import Guard

__all__ = ["Guard", "Policy", "PolicyContradiction", "PolicyError", "PolicyRefusal", "load", "load_file"]


def __getattr__(name: str) -> object:
    if name == "Guard":
        from breakwater.guard.interceptor import Guard

        return Guard
    if name == "PolicyRefusal":
        from breakwater.guard.decisions import PolicyRefusal

        return PolicyRefusal
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
