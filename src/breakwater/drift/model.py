# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drift check says, before any format is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from breakwater import exits

#: What may be said of a thing, the worst first; each host's verdict is the worst of its entries.
STATES = ("failed", "unreachable", "unchecked", "drifted", "withheld", "waived", "reported")

#: What makes a check incomplete, whatever else was found.
INCOMPLETE = frozenset({"failed", "unreachable", "unchecked"})

#: What makes a stack differ from its hardened state.
DIFFERENT = frozenset({"drifted", "withheld"})

IN_SYNC = "in sync"


class Entry(NamedTuple):
    """One thing that is not simply in sync.

    Attributes:
        state: one of STATES.
        host: name in the inventory.
        subject: what is meant: "file", "container", "task", "stack".
        control, title, severity: the control, empty where none is behind it.
        service: service of the Compose project, empty for none.
        file, line: place on the host, relative to the project folder; None where no line is to blame.
        container: names of containers, comma-separated.
        message: what differs, one sentence.
        origin: how it came about, where that can be told.
        action: what hardening would do about it.
        reason: why that, why it is withheld, waived or could not be checked.
        impact, seconds: what the action costs (one of the policy's impacts), and for how long.
        owner, until, days_left: of the waiver; days from today to its last day, negative when that is over.
    """

    state: str
    host: str
    subject: str
    message: str
    control: str = ""
    title: str = ""
    severity: str = "medium"
    service: str = ""
    file: str = ""
    line: int | None = None
    container: str = ""
    origin: str = ""
    action: str = ""
    reason: str = ""
    impact: str = ""
    seconds: float = 0.0
    owner: str = ""
    until: str = ""
    days_left: int | None = None


class Diff(NamedTuple):
    """What hardening would write on a host, as a unified diff without secrets."""

    host: str
    text: str


class Host(NamedTuple):
    """One host that was looked at.

    Attributes:
        name: in the inventory.
        verdict: the worst state of its entries that counts, or IN_SYNC.
        project: name of the Compose project, empty when it could not be read.
        services: how many services it has.
        in_sync: controls that were checked and hold.
    """

    name: str
    verdict: str
    project: str
    services: int
    in_sync: tuple[str, ...]


class DriftReport(NamedTuple):
    """The outcome of a drift check.

    Attributes:
        hosts: in the order in which they were met.
        entries: by host, worst first.
        diffs: what would be written.
        problems: what kept the check as a whole from being complete, a line each.
        ended: "" where the playbook ran to its end; else "interrupted" or "timed out".
        at: when the check began, seconds since 1970.
    """

    hosts: tuple[Host, ...]
    entries: tuple[Entry, ...]
    diffs: tuple[Diff, ...]
    problems: tuple[str, ...]
    ended: str = ""
    at: int = 0

    def of(self, *states: str) -> list[Entry]:
        """Return the entries with one of these states."""
        return [entry for entry in self.entries if entry.state in states]

    @property
    def complete(self) -> bool:
        """True when everything was checked."""
        return bool(self.hosts) and not (self.problems or self.ended or self.of(*INCOMPLETE))

    @property
    def verdict(self) -> str:
        """In a word: "in sync", "drifted", or "not fully checked"."""
        if not self.complete:
            return "not fully checked"
        return "drifted" if self.of(*DIFFERENT) else IN_SYNC

    def exit_code(self, report_only: bool = False) -> int:
        """Return the exit code.

        Args:
            report_only: drift is no failure; an incomplete check stays one.
        """
        if self.ended == "interrupted":
            return exits.INTERRUPTED
        if not self.complete:
            return exits.ERROR
        return exits.FINDINGS if self.of(*DIFFERENT) and not report_only else exits.CLEAN


def verdict_of(entries: Iterable[Entry]) -> str:
    """Return a host's verdict: the worst state of its entries; waived and reported ones leave it in sync."""
    states = {entry.state for entry in entries}
    return next((state for state in STATES if state in states and state in INCOMPLETE | DIFFERENT), IN_SYNC)


def in_order(hosts: Sequence[str], entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Sort entries by host, then the worst first; the order of what was met stays within that."""
    places = {name: number for number, name in enumerate(hosts)}
    return tuple(sorted(entries, key=lambda entry: (places[entry.host], STATES.index(entry.state))))
