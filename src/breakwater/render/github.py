# SPDX-License-Identifier: GPL-3.0-or-later
"""Annotations of GitHub Actions: workflow commands that a step prints (``::error file=...::message``)."""

from __future__ import annotations

from ansible_collections.breakwater.stack.plugins.module_utils._printable import printable
from breakwater.render.fingerprint import repository_path
from breakwater.render.text import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from breakwater.report import Report

LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice", "info": "notice"}


def render(report: Report) -> str:
    """Write one annotation per finding and per file that could not be judged, then the summary."""
    lines = []
    for item in report.open_items():
        finding = item.finding
        text = f"{finding.service}: {finding.message}" if finding.service else finding.message
        if finding.fix is not None:
            text += f"\nfix: {finding.fix.summary}"
        title = f"{finding.control} {item.control.title}"
        lines.append(annotation(LEVELS[finding.severity], item.file, finding.line, title, text))
    for problem in report.problems:
        text = f"{problem.reason}; {problem.hint}" if problem.hint else problem.reason
        lines.append(annotation("error", problem.file, problem.line, "not judged", text))
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def annotation(level: str, file: str, line: int | None, title: str, text: str) -> str:
    """Write a workflow command, with the characters escaped that would end a property or the command."""
    place = f"file={_property(repository_path(file))}" + (f",line={line}" if line is not None else "")
    return f"::{level} {place},title={_property(title)}::{_data(text)}"


def _data(text: str) -> str:
    return printable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
