# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of the policy: what goes into a plan and what comes out of it.

Only records and their small questions live here, so that every other part can import them without cost.
All sizes are bytes, all times are seconds, CPUs are whole or part cores.
"""

from __future__ import annotations

from ..lean_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edits import Edit

#: Kinds of services that the policy knows, in the order in which tables show them.
KINDS = ("temporal", "temporal-schema", "temporal-ui", "postgres", "redis", "pgbouncer", "worker", "other")

#: Kinds that keep data: recreating one of them is a restart of a data store.
DATA_STORES = frozenset({"postgres", "redis"})

#: What applying a change costs, from nothing to the most.
IMPACTS = ("none", "reload", "recreate", "datastore_restart")

#: Severities of findings, from the least to the most.
SEVERITIES = ("info", "low", "medium", "high", "critical")


class PolicyError(Exception):
    """A setting or a waiver that cannot be used.

    Args:
        source: file or inventory that holds the value, for people.
        key: the key within it (``limits.temporal.memory``).
        reason: what is wrong.
        hint: what to do about it.
    """

    def __init__(self, source: str, key: str, reason: str, hint: str = "") -> None:
        self.source = source
        self.key = key
        self.reason = reason
        self.hint = hint
        place = f"{source}: {key}" if key else source
        super().__init__(f"{place}: {reason}" + (f"; {hint}" if hint else ""))


class Control(NamedTuple):
    """One row of the table of controls.

    ``action`` is ``fix`` where a change is known to be safe on a running stack, else ``report``, and
    ``report_only_because`` then says why. A control with ``fix`` may still only report where the file leaves no
    safe way; the finding says so. ``cis`` is the number in the CIS Docker Benchmark 1.6, empty for none.
    """

    id: str
    title: str
    why: str
    severity: str
    kinds: frozenset[str]
    action: str
    impact: str
    link: str
    changes: str = ""
    report_only_because: str = ""
    cis: str = ""


class HostFacts(NamedTuple):
    """The machine that the stack runs on.

    Args:
        memory: physical memory.
        cpus: number of cores.
        others_memory: memory in use by containers and processes that are not the stack's.
        origin: where the facts come from, for people (``this machine``, ``--host-memory``, ``inventory``).
        log_driver: the engine's default log driver, empty when not known.
    """

    memory: int
    cpus: float
    others_memory: int = 0
    origin: str = "this machine"
    log_driver: str = ""


class Usage(NamedTuple):
    """What one running service uses; a service that does not run has none.

    Args:
        memory_now: working set now, as ``docker stats`` counts it (without inactive file cache).
        memory_peak: highest use that is recorded.
        cpus_now: cores in use now.
        pids: processes and threads now.
        file_cache: the part of ``memory_peak`` that is file cache, 0 when it is taken off already. The kernel takes
            it back under pressure: by the cgroup's own count a database has "used" all of a large host's memory.
    """

    memory_now: int
    memory_peak: int
    cpus_now: float
    pids: int
    file_cache: int = 0


class Limits(NamedTuple):
    """Limits of one service as the inventory states them; None where it says nothing."""

    memory: int | None = None
    reservation: int | None = None
    cpus: float | None = None
    pids: int | None = None
    shm_size: int | None = None


class Waiver(NamedTuple):
    """A control that somebody has decided not to follow for a time.

    ``service`` is empty when the waiver holds for every service; ``until`` is the last day (ISO) on which it holds.
    """

    control: str
    service: str
    owner: str
    reason: str
    until: str
    source: str

    def covers(self, control: str, service: str) -> bool:
        """Say whether the waiver speaks of this control on this service."""
        return self.control == control and self.service in ("", service)

    def expired(self, today: str) -> bool:
        """Say whether the waiver is past its last day; ISO dates compare as text."""
        return self.until < today


class Settings(NamedTuple):
    """What the user has decided; see :mod:`.settings` for how it is read.

    Args:
        select: control ids or their beginnings (``BW-LIM``); empty selects all.
        ignore: the same, left out; wins over ``select``.
        kinds: kind by service, where the image does not tell it.
        limits: explicit limits by service; they win over the budget and over the file.
        reserve: memory kept for kernel, engine and page cache, instead of the rule in :mod:`.budget`.
        headroom: part added to what is used to make a floor (0.2 is 20 %).
        max_impact: the most that a change may cost to be planned.
        severity: the least severity of a finding that is shown.
        waivers: exceptions with owner, reason and end.
        today: the day on which waivers are judged, ISO.
        source: where the settings come from, for people.
    """

    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    kinds: Mapping[str, str] = {}
    limits: Mapping[str, Limits] = {}
    reserve: int | None = None
    headroom: float = 0.2
    max_impact: str = "datastore_restart"
    severity: str = "info"
    waivers: tuple[Waiver, ...] = ()
    today: str = ""
    source: str = "defaults"

    def selects(self, control: str) -> bool:
        """Say whether a control takes part."""
        if any(control.startswith(prefix) for prefix in self.ignore):
            return False
        return not self.select or any(control.startswith(prefix) for prefix in self.select)


class Change(NamedTuple):
    """Edits of one file that satisfy one control on one service.

    Args:
        control: id of the control.
        service: name of the service.
        file: index of the file among the project's.
        edits: for :func:`compose.edit.apply_edits`.
        summary: what is written, short (``mem_limit: 512m``).
        reason: why this value, with the numbers.
        impact: one of :data:`IMPACTS`.
        seconds: estimate of how long the service is away when the change is deployed.
    """

    control: str
    service: str
    file: int
    edits: tuple[Edit, ...]
    summary: str
    reason: str
    impact: str
    seconds: float


class Finding(NamedTuple):
    """A place where the stack does not follow a control.

    Args:
        control: id of the control.
        service: name of the service; empty for the whole stack.
        file: index of the file among the project's.
        line: line in it, 1-based.
        severity: of the control, or raised by what was found.
        message: what was found, one sentence without secrets.
        fix: what would be written, None when it is only reported.
        waiver: the waiver that speaks of it, in force or expired.
        withheld: why ``fix`` is not part of the plan (waived, ``max_impact``), empty when it is.
    """

    control: str
    service: str
    file: int
    line: int | None
    severity: str
    message: str
    fix: Change | None = None
    waiver: Waiver | None = None
    withheld: str = ""

    @property
    def waived(self) -> bool:
        """True when a waiver in force covers the finding, so that it does not count."""
        return self.waiver is not None and self.withheld.startswith("waived")


class BudgetRow(NamedTuple):
    """One service in the host's budget.

    Args:
        service, kind: which one.
        replicas: containers of the service; each may use the limit.
        minimum, weight, maximum: how the kind takes part (maximum 0: none).
        floor: the least that what it uses, or what its own settings ask for, allows.
        floor_reason: where the floor comes from.
        limit: memory limit of one container after the plan; 0 when it gets none.
        stated: where the limit comes from: ``file``, ``inventory`` or ``budget``.
        cpus: CPU limit after the plan, 0.0 when it gets none.
    """

    service: str
    kind: str
    replicas: int
    minimum: int
    weight: float
    maximum: int
    floor: int
    floor_reason: str
    limit: int
    stated: str
    cpus: float


class Budget(NamedTuple):
    """How the host's memory is shared; ``arithmetic`` is the table that a person can check."""

    memory: int
    reserve: int
    available: int
    rows: tuple[BudgetRow, ...]
    arithmetic: tuple[str, ...]
    ok: bool
    refusal: str

    def row(self, service: str) -> BudgetRow | None:
        """Find the row of a service."""
        for row in self.rows:
            if row.service == service:
                return row
        return None


class Plan(NamedTuple):
    """What was found and what is to be done.

    ``changes`` are the fixes of the findings that are neither waived nor withheld. When ``errors`` is not empty the
    plan was refused and nothing may be written.
    """

    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    budget: Budget | None
    errors: tuple[str, ...]
