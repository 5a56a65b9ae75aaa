# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore writes: people's edits are kept in their files, and Breakwater's own come back as they were."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.taking_back import replacements, restored_diff


def entry(path: str, status: str, before: str | None, after: str | None, current: str | None) -> dict[str, Any]:
    texts = {"before": before, "after": after, "current": current}
    contents = {
        f"{key}_content": None if text is None else base64.b64encode(text.encode()).decode()
        for key, text in texts.items()
    }
    return {"path": path, "status": status, "current_sha256": current and "hash", **contents}


OWN = "breakwater/pgbouncer/pgbouncer.ini"


@pytest.mark.parametrize(
    ("status", "before", "current", "wanted"),
    [
        ("changed", "a = 1", "a = 3", "a = 1"),
        ("changed", None, "a = 3", None),
        ("deleted", "a = 1", None, "a = 1"),
    ],
)
def test_own_files_come_back_whatever_stands_there(
    status: str, before: str | None, current: str | None, wanted: str | None
) -> None:
    found = replacements({"files": [entry(OWN, status, before, "a = 2", current)]})
    assert [item.wanted for item in found] == [wanted]
    argument = found[0].argument()
    assert argument.get("remove", False) is (wanted is None)
    assert argument["expected_sha256"] == (None if current is None else "hash")


def test_what_is_untouched_needs_no_replacement() -> None:
    assert (
        replacements({"files": [entry(OWN, "after", None, "x", "x"), entry("c.yml", "before", "a: 1", "a: 2", "a: 1")]})
        == []
    )


def test_files_with_variables_keep_peoples_lines() -> None:
    files = [entry(".env", "changed", "A=db\nB=1\n", "A=pool\nB=1\n", "A=pool\nB=2\nC=3\n")]
    assert [item.wanted for item in replacements({"files": files})] == ["A=db\nB=2\nC=3\n"]


def test_the_diff_shows_nothing_of_own_files() -> None:
    generation = {
        "files": [
            entry(OWN, "after", None, "secret-1", "secret-1"),
            entry("c.yml", "after", "a: 1\n", "a: 2\n", "a: 2\n"),
        ]
    }
    shown = restored_diff(generation, [])
    assert "secret-1" not in shown
    assert OWN in shown
    assert "+a: 1" in shown
