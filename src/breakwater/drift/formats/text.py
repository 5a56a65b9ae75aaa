# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain text: a block per host, a line per thing, what would be written below, the verdict last."""

from __future__ import annotations

from collections import Counter

from breakwater.drift.model import STATES, DriftReport, Entry, Host
from breakwater.render.text import plural

#: The words of the states for people.
WORDS = {
    "failed": "FAILED",
    "unreachable": "UNREACHABLE",
    "unchecked": "NOT CHECKED",
    "drifted": "DRIFTED",
    "withheld": "WITHHELD",
    "waived": "waived",
    "reported": "to look at",
}


def render(report: DriftReport) -> str:
    """Write the report as plain text."""
    lines: list[str] = []
    for host in report.hosts:
        lines.append(f"{host.name}: {headline(host)}")
        for entry in report.entries:
            if entry.host == host.name:
                lines.append(f"  {WORDS[entry.state]} {place(entry)}: {entry.message}")
                lines += [f"      {label}: {text}" for label, text in details(entry)]
        for diff in report.diffs:
            if diff.host == host.name:
                lines += ["", *(f"  {line}".rstrip() for line in diff.text.splitlines()), ""]
    lines += [f"not fully checked: {problem}" for problem in report.problems]
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def headline(host: Host) -> str:
    """Say how a host stands, in a line."""
    words = WORDS[host.verdict].lower() if host.verdict in WORDS else host.verdict
    project = f" ({host.project}, {plural(host.services, 'service')})" if host.project else ""
    controls = f"; {plural(len(host.in_sync), 'control')} in sync" if host.in_sync else ""
    return f"{words}{project}{controls}"


def place(entry: Entry) -> str:
    """Say what an entry is about: the control, the service, the file with its line."""
    file = f"{entry.file}:{entry.line}" if entry.file and entry.line is not None else entry.file
    parts = [entry.control, entry.service, file if entry.subject == "file" else entry.container]
    return " ".join(part for part in parts if part) or entry.subject


def details(entry: Entry) -> list[tuple[str, str]]:
    """Return the lines below an entry: how it came about, what hardening would do, why, the waiver."""
    rows = []
    if entry.origin:
        rows.append(("origin", entry.origin))
    if entry.action:
        cost = f" ({entry.impact.replace('_', ' ')}, about {entry.seconds:g} s)" if entry.seconds else ""
        rows.append(("harden would" if entry.state == "drifted" else "change", f"{entry.action}{cost}"))
    if entry.reason:
        rows.append(("why", entry.reason))
    if entry.owner:
        rows.append(("waiver", waiver(entry)))
    return rows


def waiver(entry: Entry) -> str:
    """Say who has waived a control, until when, and how long that still is."""
    if entry.days_left is None:
        return f"{entry.owner}, until {entry.until}"
    if entry.days_left < 0:
        return f"{entry.owner}, expired {entry.until}"
    return f"{entry.owner}, until {entry.until} ({plural(entry.days_left, 'day')} left)"


def summary(report: DriftReport) -> str:
    """Say what was examined and what came of it, in one line."""
    counts = Counter(entry.state for entry in report.entries)
    in_sync = sum(len(host.in_sync) for host in report.hosts)
    parts = [f"{counts[state]} {WORDS[state].lower()}" for state in STATES if counts[state]]
    found = ", ".join([*parts, f"{plural(in_sync, 'control')} in sync"])
    services = plural(sum(host.services for host in report.hosts), "service")
    return f"{report.verdict}: {plural(len(report.hosts), 'host')}, {services}: {found}"
