# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

from breakwater.render.gitlab import render
from breakwater.report import Report


def test_has_what_gitlab_requires(report: Report) -> None:
    issues = json.loads(render(report))
    assert len(issues) == 4  # the waived finding is not one, the two problems are
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["lines"]["begin"] >= 1
    assert issues[0]["location"] == {"path": "stack dir/ü.yml", "lines": {"begin": 4}}


def test_fingerprints_differ_and_survive_moved_lines(report: Report) -> None:
    before = [issue["fingerprint"] for issue in json.loads(render(report))]
    assert len(set(before)) == len(before)
    report.items[0].finding = report.items[0].finding._replace(line=99)
    assert [issue["fingerprint"] for issue in json.loads(render(report))] == before
