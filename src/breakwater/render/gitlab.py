# SPDX-License-Identifier: GPL-3.0-or-later
"""GitLab's code quality report (https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format)."""

from __future__ import annotations

import json

from breakwater.render.fingerprint import Fingerprints, repository_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from breakwater.report import Report

SEVERITIES = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor", "info": "info"}


def render(report: Report) -> str:
    """Write the findings, and the files that could not be judged, as a list of issues."""
    fingerprints = Fingerprints()
    issues = [
        {
            "description": f"{item.finding.service}: {item.finding.message}"
            if item.finding.service
            else item.finding.message,
            "check_name": item.finding.control,
            "fingerprint": fingerprints.of(item),
            "severity": SEVERITIES[item.finding.severity],
            "location": {"path": repository_path(item.file), "lines": {"begin": item.finding.line or 1}},
        }
        for item in report.open_items()
    ]
    for index, problem in enumerate(report.problems):
        issues.append(
            {
                "description": f"not judged: {problem.reason}; {problem.hint}",
                "check_name": "not-judged",
                "fingerprint": f"not-judged-{index}-{repository_path(problem.file)}",
                "severity": "blocker",
                "location": {"path": repository_path(problem.file), "lines": {"begin": problem.line or 1}},
            }
        )
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"
