# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain text: one block per finding, ``file:line`` first, so that editors and ``grep`` find their way."""

from __future__ import annotations

from ansible_collections.breakwater.stack.plugins.module_utils._printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from breakwater.report import Item, Report

SEVERITIES = ("critical", "high", "medium", "low", "info")


def render(report: Report) -> str:
    """Write the report as plain text."""
    lines: list[str] = []
    for item, rows in explained(report):
        lines.append(f"{place(item)}: {headline(item)}")
        lines.extend(f"    {label}: {text}" for label, text in rows)
    lines.extend(f"note: {printable(note)}" for note in report.notes)
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def explained(report: Report) -> Iterator[tuple[Item, list[tuple[str, str]]]]:
    """Give each finding with the lines under it; what is the same for each finding of a control is said once."""
    said: set[tuple[str, str]] = set()
    for item in report.items:
        rows = []
        for label, text in details(item):
            general = label in ("why", "reported only")
            if not general or (label, text) not in said:
                rows.append((label, text))
            if general:
                said.add((label, text))
        yield item, rows


def place(item: Item) -> str:
    """``file:line``, or the file alone where no line is to blame."""
    file = printable(item.file)
    return file if item.finding.line is None else f"{file}:{item.finding.line}"


def headline(item: Item) -> str:
    """Severity, control, service and what was found."""
    finding = item.finding
    service = f" {finding.service}:" if finding.service else ""
    waived = "waived, " if finding.waived else ""
    return printable(f"{waived}{finding.severity} {finding.control}{service} {finding.message}")


def details(item: Item) -> list[tuple[str, str]]:
    """The lines under a headline: why, what fix would write, what holds it back, the waiver."""
    finding = item.finding
    rows: list[tuple[str, str]] = []
    if not finding.waived:
        rows.append(("why", item.control.why))
        if finding.fix is not None:
            rows.append(("fix", printable(f"{finding.fix.summary} ({finding.fix.reason}; {cost(item)})")))
        elif item.control.report_only_because:
            rows.append(("reported only", item.control.report_only_because))
        if finding.withheld:
            rows.append(("withheld", printable(finding.withheld)))
    if finding.waiver is not None:
        waiver = finding.waiver
        state = "until" if finding.waived else "expired on"
        text = f"{waiver.owner}: {waiver.reason} ({state} {waiver.until}, {waiver.source})"
        rows.append(("waiver", printable(text)))
    return rows


def cost(item: Item) -> str:
    """What applying the fix costs the running service."""
    fix = item.finding.fix
    if fix is None or fix.impact == "none":
        return "no restart"
    return f"{fix.impact.replace('_', ' ')}, about {fix.seconds:g} s"


def summary(report: Report) -> str:
    """What was examined and what came of it, in one line."""
    found = report.open_items()
    levels = [item.finding.severity for item in found]
    counts = [(level, levels.count(level)) for level in SEVERITIES]
    parts = ", ".join(f"{count} {level}" for level, count in counts if count)
    fixable = sum(1 for item in found if item.finding.fix is not None and not item.finding.withheld)
    text = f"examined {plural(len(report.files), 'file')}, {plural(report.services, report.noun)}: "
    text += f"{plural(len(found), 'finding')} ({parts})" if found else "no findings"
    if found and report.noun == "service":
        text += f", {fixable} of them fixable"
    waived = len(report.waived_items())
    if waived:
        text += f", {waived} waived"
    if report.problems:
        text += f"; {plural(len(report.problems), 'file')} could not be judged"
    return text


def plural(count: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
