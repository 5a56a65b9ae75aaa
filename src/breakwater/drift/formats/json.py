# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON with a version; ``docs/schemas/drift-1.json`` describes it. A change that breaks readers gets a new number."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from breakwater import version
from breakwater.drift.model import STATES, DriftReport, Entry

SCHEMA_VERSION = 1


def render(report: DriftReport) -> str:
    """Write the report as one JSON object."""
    return json.dumps(as_data(report), indent=2, ensure_ascii=False) + "\n"


def as_data(report: DriftReport) -> dict[str, Any]:
    """Give the report the shape of the schema."""
    counts = Counter(entry.state for entry in report.entries)
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "breakwater", "version": version()},
        "verdict": report.verdict,
        "complete": report.complete,
        "ended": report.ended,
        "at": datetime.fromtimestamp(report.at, UTC).isoformat(),
        "hosts": [
            {
                "name": host.name,
                "verdict": host.verdict,
                "project": host.project,
                "services": host.services,
                "in_sync": list(host.in_sync),
                "entries": [_entry(entry) for entry in report.entries if entry.host == host.name],
                "diffs": [diff.text for diff in report.diffs if diff.host == host.name],
            }
            for host in report.hosts
        ],
        "problems": list(report.problems),
        "summary": {state: counts[state] for state in STATES},
    }


def _entry(entry: Entry) -> dict[str, Any]:
    """Give an entry its shape; what the schema nests is nested here."""
    waiver = {"owner": entry.owner, "until": entry.until, "days_left": entry.days_left} if entry.owner else None
    plain = entry._asdict()
    for name in ("host", "owner", "until", "days_left"):
        del plain[name]
    return {**plain, "waiver": waiver}
