# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory, CPU and process limits (BW-LIM-*)."""

from __future__ import annotations

import re

from ...module_utils._units import format_cpus, format_size
from ..compose.edits import Edit
from . import coupled
from .budget import MIB, SHARES, Demand, round_cpus, round_up
from .context import Context
from .model import Budget, BudgetRow, Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The place of each resource in the short and in the deploy form, and its name in the settings.
_SHORT = {"memory": "mem_limit", "memory_reservation": "mem_reservation", "cpus": "cpus", "pids": "pids_limit"}
_DEPLOY = {
    "memory": ("limits", "memory"),
    "memory_reservation": ("reservations", "memory"),
    "cpus": ("limits", "cpus"),
    "pids": ("limits", "pids"),
}

# Images that need more than an unknown service's minimum to start at all, by the defaults of their makers: heap of
# 1 GiB and as much beside it (Elasticsearch, OpenSearch, Kafka), a quarter of the host (Cassandra), 400 MB of
# performance schema and buffer pool (MySQL).
_HUNGRY = {
    "elasticsearch": 2048,
    "opensearch": 2048,
    "kafka": 1536,
    "cp-kafka": 1536,
    "cassandra": 2048,
    "mysql": 768,
    "mariadb": 512,
    "clickhouse-server": 2048,
    "clickhouse": 2048,
    "mongo": 1024,
    "neo4j": 2048,
}
_HEAP = r"-Xmx(\d+)([kKmMgG])"


def usage_floor(context: Context) -> tuple[int, str]:
    """Return the least memory limit that the use of a service allows, and the numbers behind it.

    The file cache is taken off the peak: the kernel gives it back under pressure.
    """
    usage = context.usage
    if usage is None:
        return 0, ""
    headroom = context.stack.settings.headroom
    peak = max(usage.memory_now, usage.memory_peak - usage.file_cache)
    text = f"{_mib(usage.memory_now)} now, {_mib(peak)} at its peak, + {round(headroom * 100)} %"
    return int(peak * (1 + headroom)), text


def _mib(size: int) -> str:
    return f"{-(-size // MIB)}m"


def _image_need(context: Context) -> tuple[int, str]:
    """Return what an image that the policy does not know is known to need."""
    texts = [str(value) for value in context.environment.values() if value]
    heaps = [int(m[1]) << {"k": 10, "m": 20, "g": 30}[m[2].lower()] for m in re.finditer(_HEAP, " ".join(texts))]
    if heaps:
        heap = max(heaps)
        return round_up(heap * 3 // 2 + 256 * MIB), f"Java heap {_mib(heap)} + half of it + 256m"
    name = context.role.image.name if context.role.image else ""
    return _HUNGRY.get(name, 0) * MIB, f"{name} needs it to start" if name in _HUNGRY else ""


def is_stated(context: Context, resource: str) -> bool:
    """Say whether the file states a resource, be it as unlimited or by a variable that has no value here."""
    if resource == "cpus" and context.service.get(("cpu_quota",)) is not None:
        return True
    return context.service.resource_place(resource) is not None


def gets_limit(context: Context) -> bool:
    """Say whether the budget may choose a limit for a service.

    An unknown job may need any amount for a moment, and a migration killed half-way is worse than one without limit;
    a service of a profile that is off takes nothing from the host.
    """
    if context.kind == "other" and context.role.lifetime in ("job", "shell"):
        return False
    return not (context.service.profiles and context.usage is None)


def demand(context: Context) -> Demand | None:
    """Return what a service brings to the budget, None when it takes no part."""
    stated, by = None, "budget"
    if context.stated is not None and context.stated.memory is not None:
        stated, by = context.stated.memory, "inventory"
    elif is_stated(context, "memory"):
        stated, by = context.service.memory_limit, "file"
        if stated is None:
            return None
    elif not gets_limit(context):
        return None
    floor, why = usage_floor(context)
    need, need_why = coupled.memory_need(context) if context.kind in ("postgres", "redis") else _image_need(context)
    cpus: float | None = None
    if context.stated is not None and context.stated.cpus is not None:
        cpus = context.stated.cpus
    elif is_stated(context, "cpus"):
        cpus = context.service.cpus or 0.0
    elif not context.role.daemon and context.role.lifetime != "unknown":
        cpus = 0.0
    used = context.usage.cpus_now if context.usage else 0.0
    return Demand(
        context.name, context.kind, context.service.replicas, stated, by, floor, why, need, need_why, cpus, used
    )


def refusals(context: Context) -> list[str]:
    """Return why limits that are stated cannot be put in force, each with both numbers."""
    errors = _memory_refusals(context)
    stated = context.stated.cpus if context.stated is not None else None
    errors += _cpu_refusals(context, stated)
    pids = context.stated.pids if context.stated is not None else None
    need, why = coupled.pids_need(context)
    now = context.usage.pids if context.usage is not None else 0
    if pids is not None and pids != context.service.pids_limit and pids < max(need, now):
        reason = f"the {need} that it may need ({why})" if need >= now else f"the {now} that it has now"
        errors.append(
            f"{context.name}: the process limit {pids} ({context.stack.settings.source}) is below {reason}; "
            f"set limits.{context.name}.pids to {-(-max(need, now) // 64) * 64}"
        )
    return errors


def _memory_refusals(context: Context) -> list[str]:
    """Compare a stated memory limit with what is used; one that is in force already cannot be too low."""
    usage = context.usage
    if usage is None:
        return []
    wanted = context.stated.memory if context.stated is not None else None
    current = context.service.memory_limit
    floor, why = usage_floor(context)
    enough = format_size(round_up(floor))
    if wanted is not None and wanted != current and wanted < floor:
        return [
            (
                f"{context.name}: the memory limit {format_size(wanted)} ({context.stack.settings.source}) is below "
                f"what it uses ({why} = {_mib(floor)}); set limits.{context.name}.memory to {enough}"
            )
        ]
    if wanted is None and current is not None and current < usage.memory_now:
        return [
            (
                f"{context.name}: the memory limit {format_size(current)} of the file is below what it uses now, "
                f"{_mib(usage.memory_now)}, and would kill it; raise it to {enough}"
            )
        ]
    return []


def _cpu_refusals(context: Context, stated: float | None) -> list[str]:
    """Compare a stated CPU limit with what is used and with the host; a measure may exceed one in force by a tick."""
    used = context.usage.cpus_now if context.usage is not None else 0.0
    current, host = context.service.cpus, context.stack.host
    if stated is None:
        if current is None or current * 1.25 + 0.05 >= used:
            return []
        return [
            (
                f"{context.name}: the CPU limit {format_cpus(current)} of the file is below the {used:.2f} CPUs that "
                "it uses now, and would throttle it; raise it"
            )
        ]
    written = f"{context.name}: the CPU limit {format_cpus(stated)} ({context.stack.settings.source})"
    if host is not None and stated > host.cpus:
        return [f"{written} is more than the {format_cpus(host.cpus)} cores of the host, which the engine refuses"]
    if stated != current and stated < used:
        return [
            (
                f"{written} is below the {used:.2f} CPUs that it uses now, and would throttle it; "
                f"set limits.{context.name}.cpus to {format_cpus(round_cpus(used))}"
            )
        ]
    return []


def place(context: Context, resource: str) -> tuple[str, ...]:
    """Return where a resource is written: where it stands, else as the service writes others, else as the file does."""
    standing = context.service.resource_place(resource)
    if standing is not None:
        return standing
    deploy = ("deploy", "resources", *_DEPLOY[resource])
    if isinstance(context.service.get(("deploy", "resources")), dict):
        return deploy
    short = _short_key(context)
    return deploy if not short and context.stack.style("resources") == "deploy" else (_SHORT[resource],)


def write(context: Context, resource: str, value: Any) -> tuple[int, tuple[str, ...], tuple[Edit, ...], str]:
    """Return file, place, edits and summary for a resource; the deploy form wants CPUs as text."""
    path = place(context, resource)
    file = context.file_for(_neighbour(context, path))
    written = format_cpus(value) if resource == "cpus" and path[0] == "deploy" else value
    return file, path, (context.set(written, *path),), f"{'.'.join(path[-2:] if len(path) > 1 else path)}: {value}"


def _short_key(context: Context) -> str | None:
    """Return the first key of the short form that the service has."""
    return next((key for key in _SHORT.values() if context.service.config.get(key) is not None), None)


def _neighbour(context: Context, path: tuple[str, ...]) -> tuple[str, ...]:
    """Return a value near which a new one belongs, so that it goes into the same file; a value that stands itself."""
    if context.service.get(path) is not None:
        return path
    if path[0] == "deploy":
        return ("deploy", "resources")
    short = _short_key(context)
    return path if short is None else (short,)


def check_memory(context: Context, row: BudgetRow | None) -> Finding | None:
    """BW-LIM-001: the service has a memory limit, the one that the inventory states if it states one."""
    current = context.service.memory_limit
    wanted = context.stated.memory if context.stated is not None else None
    if wanted is None and is_stated(context, "memory"):
        if current is None and not context.service.is_unknown(context.service.resource_place("memory") or ()):
            return context.finding("BW-LIM-001", "its memory limit is stated as unlimited", place(context, "memory"))
        return None
    if wanted is not None and wanted == current:
        return None
    value = wanted if wanted is not None else (row.limit if row is not None else None)
    message = f"has the memory limit {format_size(current)}" if current else "has no memory limit"
    if value is None:
        return context.finding("BW-LIM-001", f"{message}; {_no_value(context)}")
    if wanted is not None:
        reason = f"stated by {context.stack.settings.source}"
        reason += f"; it uses {usage_floor(context)[1]}" if context.usage else ""
    else:
        least = f"; at least {_mib(row.floor)} ({row.floor_reason})" if row and row.floor_reason else ""
        reason = f"its share of the host's memory as {context.kind}{least}"
    file, path, edits, summary = write(context, "memory", format_size(value))
    fix = context.change("BW-LIM-001", file, edits, summary, reason)
    return context.finding("BW-LIM-001", message, path, fix)


def _no_value(context: Context) -> str:
    """Say why no value can be chosen."""
    if context.kind == "other" and context.role.lifetime in ("job", "shell"):
        return "nothing is known of what the job needs, and one killed half-way is worse: state it under limits"
    if context.service.profiles and context.usage is None:
        return "its profile is off, so that it takes no part in the budget: state it under limits"
    return "the host's memory is not known"


def check_reservation(context: Context) -> Finding | None:
    """BW-LIM-002: the service has a reservation, below its limit."""
    limit, current = context.limit, context.service.memory_reservation
    wanted = context.stated.reservation if context.stated is not None else None
    if limit is None or context.role.lifetime in ("job", "shell"):
        return None
    too_high = current is not None and current > limit
    satisfied = is_stated(context, "memory_reservation") if wanted is None else wanted == current
    if satisfied and not too_high:
        return None
    value = wanted if wanted is not None else max(limit // 2 // MIB, 1) * MIB
    value = min(value, limit)
    message = "has no memory reservation" if current is None else f"has the memory reservation {format_size(current)}"
    message += f", above its limit {format_size(limit)}: the engine refuses that" if too_high else ""
    file, path, edits, summary = write(context, "memory_reservation", format_size(value))
    reason = "stated" if wanted is not None else "half of the limit, kept for it when the host runs short"
    fix = context.change("BW-LIM-002", file, edits, summary, reason)
    return context.finding("BW-LIM-002", message, path, fix)


def check_cpus(context: Context, row: BudgetRow | None) -> Finding | None:
    """BW-LIM-003: the service has a CPU limit, the one that the inventory states if it states one."""
    current = context.service.cpus
    wanted = context.stated.cpus if context.stated is not None else None
    if context.role.lifetime in ("job", "shell") and wanted is None:
        return None
    if wanted == current if wanted is not None else is_stated(context, "cpus"):
        return None
    value = wanted if wanted is not None else (row.cpus if row is not None else 0.0)
    message = f"has the CPU limit {format_cpus(current)}" if current else "has no CPU limit"
    if not value:
        why = _no_value(context).replace("memory", "number of cores").replace("the budget", "the plan")
        return context.finding("BW-LIM-003", f"{message}; {why}")
    reason = f"stated by {context.stack.settings.source}"
    if wanted is None:
        part = SHARES[context.kind].cpu_part
        used = f", it uses {context.usage.cpus_now:.2f} now" if context.usage else ""
        reason = (
            f"at most {part:g} of the host's cores for one {context.kind}{used}; it may wait, but not starve others"
        )
    file, path, edits, _summary = write(context, "cpus", value)
    fix = context.change("BW-LIM-003", file, edits, f"cpus: {format_cpus(value)}", reason)
    return context.finding("BW-LIM-003", message, path, fix)


def pids_value(context: Context) -> tuple[int, str]:
    """Return the process limit of a service and its reason: above its connections and twice what it has now."""
    need, why = coupled.pids_need(context)
    base = SHARES[context.kind].pids
    value, reason = (
        (need, why) if need > base else (base, f"far above what a {context.kind} needs" + (f": {why}" if why else ""))
    )
    if context.usage is not None and context.usage.pids * 2 > value:
        value, reason = context.usage.pids * 2, f"twice the {context.usage.pids} that it has now"
    return -(-value // 64) * 64, reason


def check_pids(context: Context) -> Finding | None:
    """BW-LIM-004: the service has a process limit."""
    current = context.service.pids_limit
    wanted = context.stated.pids if context.stated is not None else None
    if context.role.lifetime in ("job", "shell") and wanted is None:
        return None
    if wanted == current if wanted is not None else is_stated(context, "pids"):
        return None
    value, reason = pids_value(context)
    if wanted is not None:
        value, reason = wanted, f"stated by {context.stack.settings.source}"
    file, path, edits, summary = write(context, "pids", value)
    fix = context.change("BW-LIM-004", file, edits, summary, reason)
    message = "has no process limit" if current is None else f"has the process limit {current}"
    return context.finding("BW-LIM-004", message, path, fix)


def check_budget(budget: Budget | None) -> list[Finding]:
    """BW-LIM-005: the limits fit the host."""
    if budget is None or budget.ok:
        return []
    return [Finding("BW-LIM-005", "", 0, None, "high", budget.refusal)]
