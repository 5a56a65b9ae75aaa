# SPDX-License-Identifier: GPL-3.0-or-later
"""The host that limits are sized for: stated on the command line, or this machine."""

from __future__ import annotations

import os

from ansible_collections.breakwater.stack.plugins.module_utils._units import format_size, parse_cpus, parse_size
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import HostFacts
from breakwater.exits import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Number = TypeVar("Number", int, float)


def host_facts(memory: str | None, cpus: str | None) -> HostFacts:
    """Make the facts of the host.

    Args:
        memory, cpus: ``--host-memory`` and ``--host-cpus``; what is None is taken from this machine.

    Raises:
        UsageError: a value that is no size or no number of cores.
    """
    bytes_ = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cores = float(os.cpu_count() or 1)
    if memory is not None:
        bytes_ = _value("--host-memory", memory, parse_size)
    if cpus is not None:
        cores = _value("--host-cpus", cpus, parse_cpus)
    if bytes_ <= 0 or cores <= 0:
        raise UsageError("--host-memory and --host-cpus must be above zero")
    return HostFacts(memory=bytes_, cpus=cores, origin=_origin(memory, cpus))


def _value(option: str, text: str, parse: Callable[[str], Number]) -> Number:
    """Read the value of an option."""
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: {error}") from None


def _origin(memory: str | None, cpus: str | None) -> str:
    """Say where the facts come from."""
    if memory is None and cpus is None:
        return "this machine"
    return " and ".join(
        f"--host-{name}" if value is not None else f"{name} of this machine"
        for name, value in (("memory", memory), ("cpus", cpus))
    )


def describe(host: HostFacts) -> str:
    """State the facts in one line."""
    return f"host: {_readable(host.memory)} of memory, {host.cpus:g} CPUs ({host.origin})"


def _readable(size: int) -> str:
    """Write a size as it was stated, or with one decimal where this machine's is an odd number of bytes."""
    return format_size(size) if size % 2**20 == 0 else f"{size / 2**30:.1f}g"
