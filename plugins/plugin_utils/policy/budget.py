# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a host's memory and CPUs are shared among the services of a stack.

Memory is a budget: it is shared out once and the sum fits. CPU is not: a container above its CPU limit is slowed
down and not killed, and services are rarely all busy at once, so that CPU limits may add up to more than the host has.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...module_utils._units import format_cpus, format_size
from ..lean_typing import NamedTuple
from .model import Budget, BudgetRow, HostFacts, Settings

MIB = 2**20
GIB = 2**30

#: Free growth for what runs beside the stack, so that a small change there does not turn a fitting budget down.
OTHERS_GROWTH = 0.25


_CPU_OVERCOMMIT = (
    "more than there are, on purpose: above its limit a container is slowed down and not killed, "
    "and they are not all busy at once"
)


class Share(NamedTuple):
    """How a kind takes part in the budget.

    Args:
        minimum: memory below which it does not work well.
        weight: its part of what is left when everybody has the minimum.
        maximum: memory above which more does nothing for it, 0 for none.
        cpu_part: part of the host's cores that one container may take.
        cpu_minimum, cpu_maximum: bounds of that, in cores; a maximum of 0 for none.
        pids: processes and threads that it never reaches in health.
    """

    minimum: int
    weight: float
    maximum: int
    cpu_part: float
    cpu_minimum: float
    cpu_maximum: float
    pids: int


# Temporal: 222 MB in the incident, its caches grow with open workflows. PostgreSQL: its own settings ask for more than
# the minimum (see coupled.py). UI and pooler: 12 MB and a few kilobytes for each connection. Redis, the UI's Go server
# and PgBouncer use one core at most for their work. Unknown services get a fence, not a ration.
SHARES = {
    "temporal": Share(512 * MIB, 3, 2 * GIB, 0.5, 1.0, 0, 512),
    "temporal-schema": Share(128 * MIB, 0.5, 256 * MIB, 0, 0, 0, 0),
    "temporal-ui": Share(64 * MIB, 0.25, 128 * MIB, 0.125, 0.25, 0.5, 128),
    "postgres": Share(256 * MIB, 4, 4 * GIB, 0.5, 1.0, 0, 256),
    "redis": Share(128 * MIB, 1, 512 * MIB, 0.25, 0.5, 1.0, 128),
    "pgbouncer": Share(64 * MIB, 0.25, 128 * MIB, 0.25, 0.5, 1.0, 128),
    "worker": Share(256 * MIB, 2, 2 * GIB, 0.5, 0.5, 0, 1024),
    "other": Share(256 * MIB, 2, 4 * GIB, 0.5, 0.5, 0, 1024),
}


class Demand(NamedTuple):
    """What one service brings to the budget.

    Args:
        service, kind, replicas: which one, and how many containers of it run.
        stated: memory limit of one container that stands already, None when the budget chooses.
        stated_by: ``inventory`` or ``file``.
        floor: least that its use allows, 0 when it is not known.
        floor_reason: the numbers behind ``floor``.
        need: least that its own settings ask for, 0 for none.
        need_reason: the numbers behind ``need``.
        cpus: CPU limit that stands already, None when the budget chooses, 0.0 when it is to have none.
        cpus_used: cores in use now, 0.0 when not known.
    """

    service: str
    kind: str
    replicas: int = 1
    stated: int | None = None
    stated_by: str = "budget"
    floor: int = 0
    floor_reason: str = ""
    need: int = 0
    need_reason: str = ""
    cpus: float | None = None
    cpus_used: float = 0.0


def step_of(size: int) -> int:
    """Return the step in which people write sizes of this order: 64 MiB, from 1 GiB on 256 MiB, from 4 GiB 512 MiB."""
    if size >= 4 * GIB:
        return 512 * MIB
    return 256 * MIB if size >= GIB else 64 * MIB


def round_down(size: int) -> int:
    """Round to a number that people write, down."""
    return size // step_of(size) * step_of(size)


def round_up(size: int) -> int:
    """Round to a number that people write, up."""
    step = step_of(size)
    return -(-size // step) * step


def round_cpus(cpus: float) -> float:
    """Round cores up to a quarter."""
    return -(-cpus // 0.25) * 0.25


def system_reserve(memory: int) -> int:
    """Return what kernel, engine and page cache need: 10 % of the host, at least 512 MiB and at most 4 GiB.

    The engine and containerd use 100 to 200 MiB, sshd, journald and the kernel's own memory as much again; below
    half a gibibyte a host swaps its own daemons out. Above 40 GiB more would be idle. Not rounded, so that more memory
    never means less for the stack.
    """
    return min(max(memory // 10, 512 * MIB), 4 * GIB)


def _base(demand: Demand) -> int:
    """Return the least limit that the budget may choose for a service."""
    return round_up(max(SHARES[demand.kind].minimum, demand.floor, demand.need))


def cpu_limit(demand: Demand, host_cpus: float, headroom: float) -> float:
    """Choose the CPU limit of one container.

    A part of the host by kind, never below what is used now with headroom, never above what the host has.
    """
    share = SHARES[demand.kind]
    if not share.cpu_part:
        return 0.0
    wanted = max(int(share.cpu_part * host_cpus / 0.25) * 0.25, share.cpu_minimum)
    if share.cpu_maximum:
        wanted = min(wanted, share.cpu_maximum)
    wanted = max(wanted, round_cpus(demand.cpus_used * (1 + headroom)))
    whole = int(host_cpus / 0.25) * 0.25 or host_cpus
    return min(wanted, whole)


def _fill(demands: Sequence[Demand], available: int) -> dict[str, int]:
    """Share memory by weight: everybody has the base, what is left goes by weight up to each maximum.

    Raising one level for all until memory is used up keeps the result monotone: more memory never means less for one.
    """
    limits = {d.service: d.stated if d.stated is not None else _base(d) for d in demands}
    open_ = [d for d in demands if d.stated is None]
    left = available - sum(limits[d.service] * d.replicas for d in demands)
    caps = {d.service: max(SHARES[d.kind].maximum, limits[d.service]) for d in open_}
    level_of = {d.service: limits[d.service] / SHARES[d.kind].weight for d in open_}

    spans = [(SHARES[d.kind].weight, limits[d.service], caps[d.service], d.replicas) for d in open_]

    def cost(level: float) -> float:
        total = 0.0
        for weight, base, cap, replicas in spans:
            wanted = min(level * weight, cap)
            if wanted > base:
                total += (wanted - base) * replicas
        return total

    if left <= 0 or not open_:
        return limits
    low, high = min(level_of.values()), max(caps[d.service] / SHARES[d.kind].weight for d in open_)
    if cost(high) > left:
        for _step in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if cost(middle) <= left else (low, middle)
        high = low
    for d in open_:
        wanted = int(min(high * SHARES[d.kind].weight, caps[d.service]))
        limits[d.service] = max(limits[d.service], round_down(wanted))
    return limits


def share_out(host: HostFacts, settings: Settings, demands: Sequence[Demand]) -> Budget:
    """Share a host's memory and CPUs among services.

    Limits that stand already count and are kept; the rest is shared by kind. When even the least does not fit,
    ``ok`` is False and ``refusal`` says by how much and what would help.

    Args:
        host: the machine.
        settings: reserve and headroom.
        demands: the services that get a limit or have one.
    """
    system = settings.reserve if settings.reserve is not None else system_reserve(host.memory)
    reserve = system + host.others_memory
    available = host.memory - reserve
    growth = round_up(int(host.others_memory * (1 + OTHERS_GROWTH))) - host.others_memory if host.others_memory else 0
    limits = _fill(demands, available - growth)
    rows = []
    for d in demands:
        share = SHARES[d.kind]
        cpus = d.cpus if d.cpus is not None else cpu_limit(d, host.cpus, settings.headroom)
        floor, why = (d.floor, d.floor_reason) if d.floor >= d.need else (d.need, d.need_reason)
        rows.append(
            BudgetRow(
                d.service,
                d.kind,
                d.replicas,
                share.minimum,
                share.weight,
                share.maximum,
                floor,
                why,
                limits[d.service],
                d.stated_by,
                cpus,
            )
        )
    total = sum(row.limit * row.replicas for row in rows)
    ok = total <= available or not rows
    lines = arithmetic(host, system, available, rows)
    refusal = "" if ok else _refusal(host, reserve, available, total, rows)
    return Budget(host.memory, reserve, available, tuple(rows), lines, ok, refusal)


def _mib(size: int) -> str:
    """Write a size in MiB, for columns that add up."""
    return f"{-(-size // MIB)}m" if size >= 0 else f"-{-size // MIB}m"


def arithmetic(host: HostFacts, system: int, available: int, rows: Sequence[BudgetRow]) -> tuple[str, ...]:
    """Write the budget as a table that a person can check with a pencil."""
    total = sum(row.limit * row.replicas for row in rows)
    head = [
        (f"memory of the host ({host.origin})", _mib(host.memory)),
        ("less kernel, engine and page cache", _mib(system)),
        ("less other containers and processes", _mib(host.others_memory)),
        ("for the stack", _mib(available)),
    ]
    lines = [f"{text:<44}{value:>10}" for text, value in head]
    width = max([len(row.service) for row in rows] + [7])
    lines.append(f"{'service':<{width}}  {'kind':<15} {'at least':>9} {'limit':>9} {'cpus':>5}  from")
    for row in rows:
        least = _mib(max(row.floor, row.minimum if row.stated == "budget" else 0)) if row.limit else "-"
        times = f" x {row.replicas}" if row.replicas != 1 else ""
        why = f" ({row.floor_reason})" if row.floor_reason else ""
        cpus = format_cpus(row.cpus) if row.cpus else "-"
        columns = f"{row.service:<{width}}  {row.kind:<15} {least:>9} {_mib(row.limit):>9} {cpus:>5}"
        lines.append(f"{columns}  {row.stated}{times}{why}")
    lines.append(f"{'sum of memory limits':<44}{_mib(total):>10}")
    lines.append(f"{'left' if total <= available else 'missing':<44}{_mib(abs(available - total)):>10}")
    cpus_sum = sum(row.cpus * row.replicas for row in rows)
    lines.append(f"CPU limits add up to {format_cpus(cpus_sum)} of {format_cpus(host.cpus)} cores")
    if cpus_sum > host.cpus:
        lines.append(_CPU_OVERCOMMIT)
    return tuple(lines)


def _refusal(host: HostFacts, reserve: int, available: int, total: int, rows: Sequence[BudgetRow]) -> str:
    """Say by how much it does not fit, and the smallest change that would help."""
    missing = total - available
    need = round_up(total + reserve)
    best: tuple[int, str] | None = None
    for row in rows:
        if row.stated == "budget":
            continue
        lowered = round_down(row.limit - -(-missing // max(row.replicas, 1)))
        if lowered >= max(row.floor, 64 * MIB) and (best is None or row.limit - lowered < best[0]):
            least = f", at least {format_size(round_up(row.floor))} for what it uses" if row.floor else ""
            text = f"lower the limit of {row.service} from {format_size(row.limit)} to {format_size(lowered)}{least}"
            best = (row.limit - lowered, text)
    helps = f"{best[1]}, or use" if best else "no single stated limit can be lowered that far: use"
    return (
        f"the memory limits add up to {_mib(total)}, {_mib(missing)} more than the {_mib(max(available, 0))} that the "
        f"host ({host.origin}, {_mib(host.memory)}) has for the stack; {helps} a host with {format_size(need)}"
    )
