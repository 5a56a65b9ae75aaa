# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files and services come from whoever wrote them: none acts on a terminal or begins a line of its own."""

from __future__ import annotations

import pytest

from breakwater.render import github, terminal, text
from breakwater.report import Item, Problem, Report

from .conftest import finding

HOSTILE = "x\x1b]0;owned\x07\x1b[2J\n::error::owned\u202e\udcff"


@pytest.fixture
def hostile() -> Report:
    made = Report()
    made.items = [Item(f"{HOSTILE}.yml", finding("BW-LIM-001", 4, "high", HOSTILE, service=HOSTILE, withheld=HOSTILE))]
    made.problems = [Problem(HOSTILE, None, HOSTILE)]
    made.files = [HOSTILE]
    made.notes = [HOSTILE]
    return made


def test_lines_for_people_hold_nothing_that_acts(hostile: Report) -> None:
    for shown in (text.render(hostile), github.render(hostile), f"{hostile.problems[0]}\n"):
        assert [line for line in shown.splitlines() if not line.isprintable()] == []
        assert "\n::error::owned" not in shown
        assert "owned" in shown


def test_on_a_terminal_only_our_own_colours_act(hostile: Report) -> None:
    shown = terminal.render(hostile)
    acting = [part for part in ("\x1b]", "\x1b[2J", "\x07", "\u202e", "\udcff") if part in shown]
    assert acting == []
    assert "\n::error::owned" not in shown
