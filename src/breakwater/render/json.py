# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON with a version; ``docs/schemas/scan-1.json`` describes it. A change that breaks readers gets a new number."""

from __future__ import annotations

import json

from breakwater import version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from breakwater.report import Item, Report

SCHEMA_VERSION = 1


def render(report: Report) -> str:
    """Write the report as one JSON object."""
    return json.dumps(as_data(report), indent=2, ensure_ascii=False) + "\n"


def as_data(report: Report) -> dict[str, Any]:
    """Give the report the shape of the schema."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "breakwater", "version": version()},
        "examined": {"files": report.files, "services": report.services},
        "findings": [_finding(item) for item in report.items],
        "errors": [
            {"file": error.file, "line": error.line, "reason": error.reason, "hint": error.hint}
            for error in report.problems
        ],
        "notes": report.notes,
        "summary": {
            "findings": len(report.open_items()),
            "waived": len(report.waived_items()),
            "errors": len(report.problems),
        },
    }


def _finding(item: Item) -> dict[str, Any]:
    finding, fix, waiver = item.finding, item.finding.fix, item.finding.waiver
    return {
        "control": finding.control,
        "title": item.control.title,
        "severity": finding.severity,
        "file": item.file,
        "line": finding.line,
        "service": finding.service,
        "message": finding.message,
        "why": item.control.why,
        "link": item.control.link,
        "fix": None
        if fix is None
        else {"summary": fix.summary, "reason": fix.reason, "impact": fix.impact, "seconds": fix.seconds},
        "withheld": finding.withheld,
        "waived": finding.waived,
        "waiver": None
        if waiver is None
        else {"owner": waiver.owner, "reason": waiver.reason, "until": waiver.until, "source": waiver.source},
    }
