# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from breakwater.render.github import annotation, render
from breakwater.report import Report


def test_one_command_per_finding_and_problem(report: Report) -> None:
    lines = render(report).splitlines()
    assert lines[0] == (
        "::error file=stack dir/ü.yml,line=4,title=BW-LIM-001 Memory limit::"
        "temporal: no memory limit%0Afix: mem_limit: 512m"
    )
    assert lines[1].startswith("::warning file=stack dir/ü.yml,title=")
    assert lines[2] == "::error file=b.yml,line=3,title=not judged::tab used as indentation; use spaces"
    assert len(lines) == 5


def test_text_cannot_end_the_command_or_start_another() -> None:
    line = annotation("error", "a,b:c.yml", 1, "t", "100%\r\n::error::gotcha")
    assert line == "::error file=a%2Cb%3Ac.yml,line=1,title=t::100%25%0D%0A::error::gotcha"
