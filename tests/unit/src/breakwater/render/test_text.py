# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from breakwater.render.text import plural, render, summary
from breakwater.report import Report


def test_each_finding_starts_with_its_place(report: Report) -> None:
    lines = render(report).splitlines()
    assert lines[0] == "stack dir/ü.yml:4: high BW-LIM-001 temporal: no memory limit"
    assert "    fix: mem_limit: 512m (share of 24g; recreate, about 6 s)" in lines
    assert "stack dir/ü.yml: medium BW-LIM-003 100 % of <everything>, & more: it's odd" in lines


def test_a_waived_finding_says_by_whom_and_until_when(report: Report) -> None:
    headline = "stack dir/ü.yml:4: waived, medium BW-LIM-003 temporal: no CPU limit"
    assert f"{headline}\n    waiver: ops: migrating (until 2027-01-31" in render(report)


def test_the_reason_of_a_control_is_said_once(report: Report) -> None:
    report.items *= 2
    assert render(report).count("    why: Without a limit") == 1
    assert render(report).count("    fix: mem_limit: 512m") == 2


def test_the_summary_counts_what_was_examined_and_what_was_not(report: Report) -> None:
    assert summary(report) == (
        "examined 2 files, 5 services: 2 findings (1 high, 1 medium), 1 of them fixable, 1 waived; "
        "2 files could not be judged"
    )


def test_nothing_found() -> None:
    empty = Report()
    empty.files, empty.services = ["a.yml"], 1
    assert render(empty) == "examined 1 file, 1 service: no findings\n"


@pytest.mark.parametrize(("count", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files")])
def test_plural(count: int, text: str) -> None:
    assert plural(count, "file") == text
