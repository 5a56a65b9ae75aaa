# SPDX-License-Identifier: GPL-3.0-or-later
"""A report with one of everything that a format must be able to say."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Change, Finding, Waiver
from breakwater.report import Item, Problem, Report


def finding(number: str, line: int | None, severity: str, message: str, **more: object) -> Finding:
    return Finding(number, str(more.pop("service", "temporal")), 0, line, severity, message, **more)  # type: ignore[arg-type] # the rest as given


@pytest.fixture
def report() -> Report:
    fix = Change("BW-LIM-001", "temporal", 0, (), "mem_limit: 512m", "share of 24g", "recreate", 6.0)
    waiver = Waiver("BW-LIM-003", "temporal", "ops", "migrating", "2027-01-31", "a.yml: line 4")
    rows = [
        finding("BW-LIM-001", 4, "high", "no memory limit", fix=fix),
        finding("BW-LIM-003", 4, "medium", "no CPU limit", waiver=waiver, withheld="waived by ops until 2027-01-31"),
        finding("BW-LIM-003", None, "medium", "100 % of <everything>, & more: it's odd", service=""),
    ]
    made = Report()
    made.items = [Item("stack dir/ü.yml", row) for row in rows]
    made.problems = [
        Problem("b.yml", 3, "tab used as indentation", "use spaces"),
        Problem("c.yml", None, "is a named pipe"),
    ]
    made.files = ["stack dir/ü.yml", "clean.yml"]
    made.services = 5
    made.notes = ["host: 24g of memory, 2 CPUs (--host-memory and --host-cpus)"]
    return made
