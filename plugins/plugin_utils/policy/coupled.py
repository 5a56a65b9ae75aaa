# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that hang together with the limits (BW-CPL-*): they move in one plan and are refused together.

A stack that works keeps what it has: only what is missing or does not fit is set.
"""

from __future__ import annotations

import re

from ...module_utils._units import format_cpus, format_size
from . import datastores
from .budget import MIB, round_up
from .context import Context
from .flags import Flags, read_flags, write_flags
from .model import Change, Finding

_GO_LIMIT = r"(\d+)(B|KiB|MiB|GiB|TiB)?"
_GO_UNITS = {None: 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}

#: The part of the limit that GOMEMLIMIT gets, and the most that still leaves the room that the Go guide asks for.
GOMEMLIMIT_PART = 0.90
GOMEMLIMIT_MOST = 0.95
GOMEMLIMIT_LEAST = 0.50

#: The first Temporal server built with Go 1.25, which sets GOMAXPROCS by the CPU limit itself (go.mod of the release).
FIRST_WITH_GO_125 = (1, 29)


def postgres_flags(context: Context) -> Flags:
    """Return the settings that the file states for a PostgreSQL server."""
    return read_flags(context, datastores.parse_postgres)


def redis_flags(context: Context) -> Flags:
    """Return the settings that the file states for a Redis server."""
    return read_flags(context, datastores.parse_redis)


def memory_need(context: Context) -> tuple[int, str]:
    """Return the limit that a data store's own settings ask for, and the numbers; 0 when a file hides them."""
    if context.kind == "postgres":
        flags = postgres_flags(context)
        server = datastores.postgres(flags.values) if flags.complete else None
        return (server.need, _postgres_sum(server)) if server else (0, "")
    flags = redis_flags(context)
    store = datastores.redis(flags.values)
    if store is None:
        return 0, ""
    used = _used(context)
    held = max(store.maxmemory, used)
    if not held:
        return 0, ""
    what = f"maxmemory {_mib(store.maxmemory)}" if store.maxmemory >= used else f"{_mib(used)} of data with headroom"
    twice = f"2 x {what} for the fork + {_mib(datastores.REDIS_BASE)}" if store.persistent else f"{what} + a third"
    return datastores.redis_need(held, store.persistent), twice


def _postgres_sum(server: datastores.Postgres) -> str:
    """Write out what a PostgreSQL server's settings add up to."""
    return (
        f"shared_buffers {_mib(server.shared_buffers)} + {server.max_connections} connections x work_mem "
        f"{_mib(server.work_mem)} + {_mib(datastores.PG_BASE)}"
    )


def _used(context: Context) -> int:
    """Return what a service uses now, with headroom."""
    return int(context.usage.memory_now * (1 + context.stack.settings.headroom)) if context.usage else 0


def _mib(size: int) -> str:
    return f"{-(-size // MIB)}m"


def _mb(size: int) -> str:
    """Write a size for PostgreSQL."""
    return f"{size // MIB}MB"


def pids_need(context: Context) -> tuple[int, str]:
    """Return the processes that a service's own settings ask for, and why; 0 when nothing is known."""
    if context.kind == "postgres":
        flags = postgres_flags(context)
        server = datastores.postgres(flags.values)
        if server is None:
            return 0, ""
        return server.processes, f"{server.max_connections} connections are {server.max_connections} processes"
    if context.kind == "redis":
        return datastores.REDIS_THREADS, "threads, the fork of a snapshot and probes"
    return (128, "threads of the Go runtime") if context.kind == "temporal" else (0, "")


def _stated_limit(context: Context) -> bool:
    """Say whether the plan may move values to fit the limit: the inventory states it or the plan sets it."""
    return context.name in context.stack.planned or bool(context.stated and context.stated.memory)


def _flag_change(context: Context, control_id: str, pattern: str, wanted: dict[str, str], reason: str) -> Change | None:
    """Build the change that states settings, None when the file leaves no safe way."""
    written = write_flags(context, pattern, wanted)
    if written is None:
        return None
    file, edits, summary = written
    return context.change(control_id, file, edits, summary, reason)


def check_postgres(context: Context) -> tuple[list[Finding], list[str]]:
    """BW-CPL-001 and -002: shared_buffers and work_mem fit the limit. Returns findings and refusals.

    Both are written in one change, because both may stand in one command line.
    """
    limit = context.limit
    flags = postgres_flags(context)
    server = datastores.postgres(flags.values)
    if limit is None or server is None or (not flags.complete and "shared_buffers" not in flags.values):
        return [], []
    wanted: dict[str, str] = {}
    reasons: list[str] = []
    parts: list[tuple[str, str]] = []
    if server.shared_buffers > limit * datastores.PG_BUFFERS_MOST:
        message = f"shared_buffers {_mib(server.shared_buffers)} is more than 40 % of the limit {format_size(limit)}"
        server = server._replace(shared_buffers=datastores.shared_buffers_for(limit))
        wanted["shared_buffers"] = _mb(server.shared_buffers)
        reasons.append(f"shared_buffers: a quarter of the limit {format_size(limit)}")
        parts.append(("BW-CPL-001", message))
    if server.need > limit:
        message, error = _work_mem(context, server, limit, wanted, reasons)
        parts.append(("BW-CPL-002", message))
        if error:
            return [context.finding(name, text, ("command",)) for name, text in parts], [error]
    findings: list[Finding] = []
    for name, message in parts:
        fix, more = None, ""
        if findings:
            more = f"; moves together with {findings[0].control}" if findings[0].fix else ""
        elif wanted:
            fix = None if flags.closed else _flag_change(context, name, "-c {name}=", wanted, "; ".join(reasons))
            more = _closed(flags, fix)
        findings.append(context.finding(name, message + more, ("command",), fix))
    return findings, []


def _closed(flags: Flags, fix: Change | None) -> str:
    """Say why a setting is only reported."""
    if fix is not None:
        return ""
    return "; " + (flags.closed or "its command cannot be extended safely") + ", so set it there"


def _work_mem(
    context: Context, server: datastores.Postgres, limit: int, wanted: dict[str, str], reasons: list[str]
) -> tuple[str, str]:
    """Lower work_mem so that every connection fits, or refuse; a limit that the user wrote is only judged.

    Returns the message and the refusal, and adds to ``wanted`` and ``reasons`` what is to be written.
    """
    message = f"{_postgres_sum(server)} is more than the limit {format_size(limit)}"
    work_mem = datastores.work_mem_for(limit, server.shared_buffers, server.max_connections)
    if not _stated_limit(context):
        return f"{message}; raise the limit, or lower max_connections or work_mem: a limit that stands is not moved", ""
    if work_mem < MIB:
        least = round_up(server.shared_buffers + server.max_connections * MIB + datastores.PG_BASE)
        return message, (
            f"{context.name}: {message}, and work_mem cannot go below 1MB; "
            f"a limit of {format_size(least)} or fewer connections fit"
        )
    if "work_mem" in server.stated:
        return f"{message}; work_mem is stated, so that it is not lowered", ""
    wanted["work_mem"] = _mb(work_mem)
    reasons.append(
        f"work_mem: ({_mib(limit)} - shared_buffers {_mib(server.shared_buffers)} - {_mib(datastores.PG_BASE)}) / "
        f"{server.max_connections} connections"
    )
    return message, ""


def check_shm(context: Context) -> Finding | None:
    """BW-CPL-003: PostgreSQL has shared memory for parallel queries, within its limit."""
    service, limit = context.service, context.limit
    if service.text("ipc") == "host" or any(volume.target == "/dev/shm" for volume in service.volumes):
        return None
    if any(str(item).startswith("/dev/shm") for item in service.strings("tmpfs")):
        return None
    stated = context.stated.shm_size if context.stated is not None else None
    current = service.shm_size
    too_large = current is not None and limit is not None and current > limit
    if stated is None and not too_large and service.get(("shm_size",)) is not None:
        return None
    if stated is not None and stated == current:
        return None
    value = stated if stated is not None else datastores.shm_size_for(limit or 0)
    message = f"/dev/shm is {format_size(current)}" if current else "/dev/shm is 64m, the engine's default"
    reason = f"stated by {context.stack.settings.source}"
    if stated is None:
        reason = (
            "8 parallel workers x work_mem 4 MB x hash_mem_multiplier 2 fill 64m; used parts count against the limit"
        )
    file = context.file_for(("shm_size",))
    text = format_size(value)
    fix = context.change("BW-CPL-003", file, [context.set(text, "shm_size")], f"shm_size: {text}", reason)
    return context.finding("BW-CPL-003", message, ("shm_size",), fix)


def check_redis(context: Context) -> tuple[list[Finding], list[str]]:
    """BW-CPL-004 and -005: maxmemory below the limit with room for a fork, and no eviction."""
    flags = redis_flags(context)
    store = datastores.redis(flags.values)
    if store is None:
        return [], []
    findings = []
    if store.policy != "noeviction":
        message = f"maxmemory-policy {store.policy} drops keys when memory is full, a queue's too"
        findings.append(context.finding("BW-CPL-005", message, ("command",)))
    limit = context.limit
    if limit is None or (not flags.complete and not store.maxmemory):
        if limit is not None:
            message = f"maxmemory is not stated here{_closed(flags, None)} below the limit {format_size(limit)}"
            findings.append(context.finding("BW-CPL-004", message, ("command",), None, "medium"))
        return findings, []
    if store.maxmemory and datastores.redis_need(store.maxmemory, store.persistent) <= limit:
        return findings, []
    finding, errors = _maxmemory(context, flags, store, limit)
    return [*findings, finding], errors


def _maxmemory(context: Context, flags: Flags, store: datastores.Redis, limit: int) -> tuple[Finding, list[str]]:
    """State maxmemory so that it fits the limit; never below what Redis holds now."""
    value = datastores.maxmemory_for(limit, store.persistent)
    fork = "half of it, for the fork of a snapshot" if store.persistent else "a quarter of it free"
    if store.maxmemory:
        message = f"maxmemory {_mib(store.maxmemory)} leaves no room within the limit {format_size(limit)} ({fork})"
        if store.maxmemory < limit and not _stated_limit(context):
            advice = "; raise the limit, or lower maxmemory: values that stand below the limit are not moved"
            return context.finding("BW-CPL-004", message + advice, ("command",), None, "medium"), []
    else:
        message = f"has no maxmemory below the limit {format_size(limit)}"
    used = _used(context)
    if value < max(used, 8 * MIB):
        least = round_up(datastores.redis_need(max(used, 8 * MIB), store.persistent))
        refusal = (
            f"{context.name}: a limit of {format_size(limit)} leaves {_mib(value)} for data ({fork}), and it holds "
            f"{_mib(used)} with headroom; a limit of {format_size(least)} fits"
        )
        return context.finding("BW-CPL-004", message, ("command",)), [refusal]
    wanted = {"maxmemory": f"{value // MIB}mb"}
    if "maxmemory-policy" not in flags.values:
        wanted["maxmemory-policy"] = "noeviction"
    reason = (
        f"of {format_size(limit)}: {_mib(datastores.REDIS_BASE)} for buffers, {fork}"
        if store.persistent
        else f"of {format_size(limit)}: {fork}"
    )
    fix = None if flags.closed else _flag_change(context, "BW-CPL-004", "--{name} ", wanted, reason)
    return context.finding("BW-CPL-004", message + _closed(flags, fix), ("command",), fix), []


def go_limit(text: str) -> int | None:
    """Read GOMEMLIMIT (``460MiB``); None for ``off`` or what Go would refuse."""
    match = re.fullmatch(_GO_LIMIT, text.strip())
    return int(match[1]) * _GO_UNITS[match[2]] if match else None


def check_gomemlimit(context: Context) -> Finding | None:
    """BW-CPL-006: Go collects before the limit is reached."""
    limit = context.limit
    text = context.environment.get("GOMEMLIMIT")
    if limit is None or (text and "$" in text):
        return None
    current = go_limit(text) if text else None
    previous = context.service.memory_limit
    followed = current is not None and previous not in (None, limit) and current == _go_value(previous or 0)
    fits = current is not None and limit * GOMEMLIMIT_LEAST <= current <= limit * GOMEMLIMIT_MOST
    if fits and not followed:
        return None
    value = _go_value(limit) // MIB
    reason = f"90 % of the limit {format_size(limit)}; the rest is for what Go does not count"
    file, edits = context.set_environment("GOMEMLIMIT", f"{value}MiB")
    fix = context.change("BW-CPL-006", file, edits, f"GOMEMLIMIT: {value}MiB", reason)
    message = f"GOMEMLIMIT {text} does not fit" if text else "has no GOMEMLIMIT below"
    return context.finding(
        "BW-CPL-006", f"{message} the limit {format_size(limit)}", ("environment", "GOMEMLIMIT"), fix
    )


def _go_value(limit: int) -> int:
    """Return 90 % of a limit in whole mebibytes."""
    return int(limit * GOMEMLIMIT_PART) // MIB * MIB


def check_gomaxprocs(context: Context) -> Finding | None:
    """BW-CPL-007: Go runs as many threads as the CPU limit allows."""
    cpus = context.stack.cpus.get(context.name)
    text = context.environment.get("GOMAXPROCS")
    version = context.role.version
    if not cpus or (text and not text.isdigit()):
        return None
    value = -int(-cpus // 1)
    old = version is not None and len(version) > 1 and version[:2] < FIRST_WITH_GO_125
    if (int(text) <= value) if text else not old:
        return None
    reason = f"the CPU limit {format_cpus(cpus)}, rounded up"
    file, edits = context.set_environment("GOMAXPROCS", str(value))
    fix = context.change("BW-CPL-007", file, edits, f"GOMAXPROCS: {value}", reason)
    message = f"GOMAXPROCS {text} is above" if text else "has no GOMAXPROCS for"
    return context.finding(
        "BW-CPL-007", f"{message} the CPU limit {format_cpus(cpus)}", ("environment", "GOMAXPROCS"), fix
    )


def check_pids(context: Context, pids: int | None) -> Finding | None:
    """BW-CPL-008: the process limit that stands is above the connections."""
    need, why = pids_need(context)
    current = context.service.pids_limit
    if current is None or current >= need or pids != current:
        return None
    value = -(-need // 64) * 64
    path = context.service.resource_place("pids") or ("pids_limit",)
    edits = [context.set(value, *path)]
    fix = context.change("BW-CPL-008", context.file_for(path), edits, f"{path[-1]}: {value}", why)
    return context.finding(
        "BW-CPL-008", f"the process limit {current} is below the {need} that it may need ({why})", path, fix
    )
