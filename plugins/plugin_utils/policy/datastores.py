# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arithmetic of PostgreSQL and Redis: what their settings ask of memory. Numbers in, numbers out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..lean_typing import NamedTuple
from .budget import MIB

#: Default of autovacuum_max_workers.
PG_AUTOVACUUM_WORKERS = 3

#: Postmaster, WAL buffers, checkpointer, autovacuum and the private memory of idle backends.
PG_BASE = 64 * MIB

#: Processes beside connections and workers: postmaster, checkpointer, writers, launcher, and probes that come and go.
PG_AUXILIARY = 24

#: PostgreSQL's documentation: a quarter of memory is a good start, above 40 % is unlikely to help.
PG_BUFFERS_PART = 0.25
PG_BUFFERS_MOST = 0.40

#: Redis without data: buffers of clients, replication backlog, allocator.
REDIS_BASE = 32 * MIB
REDIS_THREADS = 32

_PG_UNITS = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_REDIS_UNITS = {"": 1, "b": 1, "k": 10**3, "kb": 2**10, "m": 10**6, "mb": 2**20, "g": 10**9, "gb": 2**30}
_SIZE = r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)"
_PG_SHORT = {"-N": "max_connections", "-B": "shared_buffers", "-S": "work_mem"}
_REDIS_FLAG = r"--([a-z][a-z-]*)(?:=(.*))?"


class Postgres(NamedTuple):
    """The settings of a server that matter for its memory, defaults filled in; ``stated`` names those not default."""

    shared_buffers: int
    work_mem: int
    max_connections: int
    workers: int
    stated: frozenset[str]

    @property
    def connections_memory(self) -> int:
        """Memory when every connection uses its work_mem once."""
        return self.max_connections * self.work_mem

    @property
    def need(self) -> int:
        """Memory when shared_buffers is full and every connection uses its work_mem once."""
        return self.shared_buffers + self.connections_memory + PG_BASE

    @property
    def processes(self) -> int:
        """Most processes that the server starts in health."""
        return self.max_connections + self.workers + PG_AUTOVACUUM_WORKERS + PG_AUXILIARY


class Redis(NamedTuple):
    """The settings of a server that matter for its memory; ``maxmemory`` 0 is none."""

    maxmemory: int
    policy: str
    persistent: bool


def parse_postgres(words: Sequence[str]) -> tuple[dict[str, str], bool]:
    """Read ``-c name=value``, ``--name=value`` and the short options; say whether a configuration file is named."""
    values: dict[str, str] = {}
    previous = ""
    for word in words:
        name, found, value = word.lstrip("-").removeprefix("c" if word.startswith("-c") else "").partition("=")
        if previous in _PG_SHORT:
            values[_PG_SHORT[previous]] = word
        elif found and (word.startswith("-") or previous == "-c"):
            values[name.strip().replace("-", "_").lower()] = value
        previous = word
    return values, "config_file" in values


def parse_redis(words: Sequence[str]) -> tuple[dict[str, str], bool]:
    """Read ``--name value ...``; say whether a configuration file is named."""
    values: dict[str, str] = {}
    name, file_named = "", False
    for word in words:
        match = re.fullmatch(_REDIS_FLAG, word)
        if match:
            name = match[1]
            values[name] = match[2] or ""
        elif name:
            values[name] = f"{values[name]} {word}".strip()
        elif word.endswith(".conf"):
            file_named = True
    return values, file_named


def pg_size(text: str, unit: int) -> int | None:
    """Read a size as PostgreSQL does; a bare number counts in ``unit``. None when it hangs on a variable."""
    match = re.fullmatch(_SIZE, text.strip().strip("'\""))
    if match is None:
        return None
    factor = _PG_UNITS.get(match[2].lower()) if match[2] else unit
    return int(float(match[1]) * factor) if factor else None


def redis_size(text: str) -> int | None:
    """Read a size as Redis does: ``100mb`` is 100 x 2^20, ``100m`` is 100 x 10^6. None when it hangs on a variable."""
    match = re.fullmatch(_SIZE, text.strip().strip("'\""))
    factor = _REDIS_UNITS.get(match[2].lower()) if match else None
    return int(float(match[1]) * factor) if match and factor else None


def postgres(values: Mapping[str, str]) -> Postgres | None:
    """Fill in the built-in defaults; None when a stated value cannot be read.

    Defaults: https://www.postgresql.org/docs/current/runtime-config-resource.html and runtime-config-connection.html
    """
    buffers = pg_size(values.get("shared_buffers", "128MB"), 8192)
    work_mem = pg_size(values.get("work_mem", "4MB"), 1024)
    connections = pg_size(values.get("max_connections", "100"), 1)
    workers = pg_size(values.get("max_worker_processes", "8"), 1)
    if buffers is None or work_mem is None or connections is None or workers is None:
        return None
    return Postgres(buffers, work_mem, connections, workers, frozenset(values))


def redis(values: Mapping[str, str]) -> Redis | None:
    """Fill in the defaults; None when maxmemory cannot be read.

    The image's default is snapshots (``save 3600 1 300 100 60 10000``), so persistence is on unless it is switched off.
    """
    maxmemory = redis_size(values.get("maxmemory", "0"))
    if maxmemory is None:
        return None
    snapshots = values.get("save", "default").strip("'\" ") != ""
    persistent = snapshots or values.get("appendonly", "no") == "yes"
    return Redis(maxmemory, values.get("maxmemory-policy", "noeviction"), persistent)


def shared_buffers_for(limit: int) -> int:
    """Return a quarter of the limit, in steps of 16 MiB."""
    step = 16 * MIB
    return max(int(limit * PG_BUFFERS_PART) // step, 1) * step


def work_mem_for(limit: int, shared_buffers: int, max_connections: int) -> int:
    """Return the work_mem with which every connection fits into the limit, in whole megabytes; 0 when none does."""
    return max(limit - shared_buffers - PG_BASE, 0) // max(max_connections, 1) // MIB * MIB


def shm_size_for(limit: int) -> int:
    """Return a quarter of the limit as a power of two, from 128 MiB to 1 GiB.

    /dev/shm counts against the limit only as far as it is used. 8 parallel workers x work_mem 4 MB x
    hash_mem_multiplier 2 is 64 MB, the engine's default: one hash join fills it.
    """
    size = 128 * MIB
    while size * 2 <= min(limit // 4, 1024 * MIB):
        size *= 2
    return size


def maxmemory_for(limit: int, persistent: bool) -> int:
    """Return how much data Redis may hold within a limit, in steps of 16 MiB (8 MiB when small); 0 when too little.

    Persistent: a fork may come to hold every page twice, so that half of what is left of the base is for data.
    Otherwise a quarter is left for buffers and fragmentation.
    """
    room = (limit - REDIS_BASE) // 2 if persistent else limit * 3 // 4
    step = 16 * MIB if room >= 64 * MIB else 8 * MIB
    return max(room // step, 0) * step


def redis_need(maxmemory: int, persistent: bool) -> int:
    """Return the limit that an amount of data asks for."""
    return 2 * maxmemory + REDIS_BASE if persistent else -(-maxmemory * 4 // 3)
