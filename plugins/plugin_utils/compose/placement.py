# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a new key belongs among the keys that a mapping has."""

from __future__ import annotations

from collections.abc import Sequence

from .nodes import MAPPING, Node

# Keys that people keep together, in the order in which they write them.
RELATED: tuple[tuple[str, ...], ...] = (
    (
        "mem_limit", "mem_reservation", "memswap_limit", "mem_swappiness", "oom_score_adj", "cpus", "cpu_shares",
        "cpu_count", "cpu_quota", "cpu_period", "cpuset", "pids_limit", "shm_size", "ulimits",
    ),
    ("cpus", "memory", "pids"),
    ("image", "build", "platform", "pull_policy"),
    ("container_name", "hostname", "domainname"),
    ("entrypoint", "command"),
    ("env_file", "environment"),
    ("restart", "stop_signal", "stop_grace_period", "init"),
    ("user", "privileged", "read_only", "tmpfs", "security_opt", "cap_drop", "cap_add"),
    ("test", "interval", "timeout", "retries", "start_period", "start_interval"),
    ("driver", "options", "driver_opts"),
)  # fmt: skip
TOP_LEVEL = ("version", "name", "include", "services", "networks", "volumes", "configs", "secrets")


def choose(key: str, present: Sequence[str], siblings: Sequence[Sequence[str]], top: bool = False) -> int:
    """Return the index in `present` before which a new key goes.

    Args:
        key: the new key.
        present: keys of the mapping in their order, `<<` included.
        siblings: keys of the mappings with the same role (the other services), each in its order.
        top: True for the root of the file.
    """
    if top:
        return _top_level(key, present)
    for group in RELATED:
        if key in group:
            place = _beside(group.index(key), group, present)
            if place is not None:
                return place
    for sibling in siblings:
        if key in sibling:
            place = _like(sibling, key, present)
            if place is not None:
                return place
    return len(present)


def _beside(rank: int, group: Sequence[str], present: Sequence[str]) -> int | None:
    """Return the place after the nearest earlier member of a group, or before the nearest later one."""
    for earlier in reversed(group[:rank]):
        if earlier in present:
            return present.index(earlier) + 1
    for later in group[rank + 1 :]:
        if later in present:
            return present.index(later)
    return None


def _like(sibling: Sequence[str], key: str, present: Sequence[str]) -> int | None:
    """Return the place that a sibling suggests: at the end like there, or after the same key as there."""
    place = sibling.index(key)
    if place == len(sibling) - 1:
        return len(present)
    for earlier in reversed(sibling[:place]):
        if earlier in present:
            return present.index(earlier) + 1
    return None


def _top_level(key: str, present: Sequence[str]) -> int:
    if key in TOP_LEVEL and TOP_LEVEL.index(key) < TOP_LEVEL.index("services"):
        rank = TOP_LEVEL.index(key)
        places = [present.index(earlier) + 1 for earlier in TOP_LEVEL[:rank] if earlier in present]
        return max(places, default=0)
    return len(present)


def sibling_keys(root: Node | None, path: tuple[str | int, ...]) -> list[list[str]]:
    """Return the keys of the mappings that stand at the same place in the other services, in the order of the file."""
    services = None if root is None else root.get("services")
    if services is None or len(path) < 2 or path[0] != "services":
        return []
    found: list[list[str]] = []
    for name, service in services[1].resolved().entries:
        here: Node | None = service
        for step in path[2:]:
            entry = here.get(step) if here is not None and isinstance(step, str) and here.kind == MAPPING else None
            here = None if entry is None else entry[1]
        if here is not None and here.kind == MAPPING and name.text != path[1]:
            found.append([key.resolved().text for key, _other in here.entries])
    return found
