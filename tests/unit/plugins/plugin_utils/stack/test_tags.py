# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of choosing controls by tags."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.tags import chosen_by_tags, narrowed


@pytest.mark.parametrize(
    ("run", "skip", "expected"),
    [
        (["all"], [], ([], [])),
        (None, None, ([], [])),
        (["compose_limits"], [], ([], [])),
        (["BW-LIM-001", "bw-hlt"], [], (["BW-LIM-001", "BW-HLT"], [])),
        (["all"], ["BW-SEC", "other"], ([], ["BW-SEC"])),
        (["pgbouncer"], [], None),
        (["pgbouncer", "BW-LIM"], [], (["BW-LIM"], [])),
    ],
)
def test_chosen(run: list[str] | None, skip: list[str] | None, expected: tuple[list[str], list[str]] | None) -> None:
    assert chosen_by_tags(run, skip) == expected


def test_the_command_line_narrows_the_inventory() -> None:
    settings = {"select": ["BW-LIM"], "ignore": ["BW-OPS"], "reserve": None}
    assert narrowed(settings, ["BW-HLT"], ["BW-SEC"]) == {
        "select": ["BW-HLT"],
        "ignore": ["BW-OPS", "BW-SEC"],
        "reserve": None,
    }
    assert narrowed(settings, [], []) == settings
