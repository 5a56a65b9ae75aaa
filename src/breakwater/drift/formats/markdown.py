# SPDX-License-Identifier: GPL-3.0-or-later
"""Markdown for the comment of a merge request or the summary of a job; never longer than a comment may be.

What comes from hosts stands inside ``<code>`` with every character of markup as an entity, so that it is neither
markup, nor a mention, nor a reference.
"""

from __future__ import annotations

import re

from breakwater.drift.formats.text import WORDS, details, headline, place, summary
from breakwater.drift.model import DriftReport, Entry

#: GitHub takes 65,536 characters in a comment; kept below in bytes, with room for what an action adds around it.
LONGEST = 60_000
_MARKUP = re.compile(r"[^\w .,:;/=+%-]|_", re.ASCII)
_ROOM = 200


def render(report: DriftReport) -> str:
    """Write the report: the verdict, a table, and the diffs as far as they fit."""
    parts = [f"### Drift: {report.verdict}\n", f"{_code(summary(report))}\n"]
    parts += [f"- not fully checked: {_code(problem)}" for problem in report.problems]
    parts += [f"- {_code(f'{host.name}: {headline(host)}')}" for host in report.hosts]
    rows = [_row(entry) for entry in report.entries]
    table = ["", "| Host | State | What | Difference | Hardening |", "| --- | --- | --- | --- | --- |"] if rows else []
    text = _fitting("\n".join([*parts, *table]) + "\n", rows)
    for diff in report.diffs:
        head = f"<details><summary>{_code(diff.host)}: what would be written</summary>"
        block = f"\n{head}\n\n{_fenced(diff.text)}</details>\n"
        if _size(text) + _size(block) > LONGEST - _ROOM:
            return f"{text}\nNot all diffs fit here; the JSON report has them.\n"
        text += block
    return text


def _fitting(text: str, rows: list[str]) -> str:
    """Add rows as long as they fit, and say how many do not."""
    size = _size(text)
    for number, row in enumerate(rows):
        size += _size(row) + 1
        if size > LONGEST - _ROOM:
            return f"{_cut(text)}\n{len(rows) - number} more do not fit here; the JSON report has them.\n"
        text += f"{row}\n"
    return _cut(text)


def _cut(text: str) -> str:
    """Cut a text at a line's end where it is too long."""
    while _size(text) > LONGEST - _ROOM:
        text = text[: len(text) * 9 // 10].rpartition("\n")[0] + "\n"
    return text


def _row(entry: Entry) -> str:
    """Write a row of the table."""
    notes = "; ".join(f"{label}: {words}" for label, words in details(entry))
    cells = [_code(entry.host), WORDS[entry.state], _code(place(entry)), _code(entry.message), _code(notes)]
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Return a text that is shown as it is, on one line."""
    if not text:
        return ""
    return f"<code>{_MARKUP.sub(lambda found: f'&#{ord(found[0])};', ' '.join(text.split()))}</code>"


def _fenced(text: str) -> str:
    """Return a block of code whose fence is longer than any in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}diff\n{text}{fence}\n\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
