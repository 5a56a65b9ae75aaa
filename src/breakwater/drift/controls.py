# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of a report about controls and the files that they speak of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from breakwater.drift.model import Entry
from breakwater.drift.words import one_line

_STATES = {
    "planned": "drifted",
    "expired": "drifted",
    "withheld": "withheld",
    "waived": "waived",
    "reported": "reported",
}
#: How a file that the last run wrote stands now, in words.
_ORIGINS = {
    "after": "the file is as the last run left it, so settings or controls have changed since",
    "before": "the file was put back as it was before generation {generation}",
    "changed": "the file was changed on the host since generation {generation}",
    "deleted": "the file was removed on the host since generation {generation}",
    "unreadable": "something else stands in the file's place since generation {generation}",
}


def origin_of(path: str, files: Mapping[str, str] | None, generation: str) -> str:
    """Say how a difference in a file came about.

    Args:
        path: the file, relative to the project folder.
        files: how each file of the last run stands now; None where no run has written anything.
        generation: id of what the last run wrote.
    """
    if files is None:
        return "no run has hardened this stack yet"
    return _ORIGINS.get(files.get(path, ""), "").format(generation=generation)


def entry_of(host: str, record: Mapping[str, Any], origin: str, today: date) -> Entry:
    """Make the entry of a finding.

    Args:
        host: its host.
        record: the finding as the plan's task gives it.
        origin: how it came about.
        today: the day on which the waiver is judged.
    """
    fix, waiver = record.get("fix") or {}, record.get("waiver") or {}
    state = _STATES.get(str(record.get("state")), "drifted")
    until = one_line(waiver.get("until", ""))
    held = one_line(record.get("withheld", ""))
    return Entry(
        state,
        host,
        "file",
        one_line(record.get("message", "")),
        control=one_line(record.get("control", "")),
        title=one_line(record.get("title", "")),
        severity=str(record.get("severity", "medium")),
        service=one_line(record.get("service", "")),
        file=one_line(record.get("file", "")),
        line=record.get("line"),
        origin="the waiver is over" if record.get("state") == "expired" else origin if state == "drifted" else "",
        action=one_line(fix.get("summary", "")),
        reason=one_line(waiver.get("reason", "")) if state == "waived" else held or one_line(fix.get("reason", "")),
        impact=one_line(fix.get("impact", "")),
        seconds=float(fix.get("seconds") or 0.0),
        owner=one_line(waiver.get("owner", "")),
        until=until,
        days_left=_days(until, today),
    )


def change_entry(host: str, record: Mapping[str, Any], files: Mapping[str, str] | None, generation: str) -> Entry:
    """Make the entry of a change that a plan holds without a finding behind it."""
    path = one_line(record.get("file", ""))
    return Entry(
        "drifted",
        host,
        "file",
        one_line(record.get("summary", "would change")),
        control=one_line(record.get("control", "")),
        service=one_line(record.get("service", "")),
        file=path,
        origin=origin_of(path, files, generation),
        action=one_line(record.get("summary", "")),
        reason=one_line(record.get("reason", "")),
        impact=one_line(record.get("impact", "")),
        seconds=float(record.get("seconds") or 0.0),
    )


def _days(until: str, today: date) -> int | None:
    """Return the days from today to the last day of a waiver."""
    try:
        return (date.fromisoformat(until) - today).days
    except ValueError:
        return None
