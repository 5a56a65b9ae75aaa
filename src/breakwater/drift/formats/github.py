# SPDX-License-Identifier: GPL-3.0-or-later
"""Annotations of GitHub Actions, with ``HOST/FILE`` as their place."""

from __future__ import annotations

from breakwater.drift.formats.text import WORDS, details, place, summary
from breakwater.drift.model import DIFFERENT, INCOMPLETE, DriftReport, Entry
from breakwater.render.github import LEVELS, annotation


def render(report: DriftReport) -> str:
    """Write one annotation per thing that is not in sync, then the summary."""
    lines = [_annotation(entry) for entry in report.of(*DIFFERENT, *INCOMPLETE)]
    lines += [annotation("error", "inventory", None, "not fully checked", problem) for problem in report.problems]
    return "\n".join([*lines, summary(report)]) + "\n"


def _annotation(entry: Entry) -> str:
    level = "error" if entry.state in INCOMPLETE else LEVELS.get(entry.severity, "warning")
    text = "\n".join([entry.message, *(f"{label}: {words}" for label, words in details(entry))])
    title = f"{WORDS[entry.state].lower()} on {entry.host}: {place(entry)}"
    return annotation(level, f"{entry.host}/{entry.file or place(entry)}", entry.line, title, text)
