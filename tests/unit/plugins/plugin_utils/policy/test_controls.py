# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of controls and its page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy import reference
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.controls import CONTROLS, control
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import IMPACTS, KINDS, SEVERITIES, Control

ROOT = Path(__file__).resolve().parents[5]


@pytest.mark.parametrize("row", CONTROLS, ids=lambda row: row.id)
def test_every_row_is_whole(row: Control) -> None:
    assert re.fullmatch(r"BW-(LIM|HLT|OPS|SEC|CPL|PG)-\d{3}", row.id)
    assert control(row.id) is row
    assert row.severity in SEVERITIES
    assert row.impact in IMPACTS
    assert row.kinds <= frozenset(KINDS)
    assert row.kinds
    assert re.fullmatch(r"https://\S+", row.link)
    assert row.why.endswith(".")
    assert row.title
    if row.action == "fix":
        assert row.changes
        assert not row.report_only_because
    else:
        assert row.action == "report"
        assert row.report_only_because
        assert row.impact == "none"


def test_ids_are_unique_and_grouped() -> None:
    ids = [row.id for row in CONTROLS]
    assert len(set(ids)) == len(ids)
    for group in {row.id.split("-")[1] for row in CONTROLS}:
        numbers = [int(name[-3:]) for name in ids if name.split("-")[1] == group]
        assert numbers == list(range(1, len(numbers) + 1))


def test_the_page_is_current() -> None:
    page = ROOT / "docs" / "controls.md"
    assert page.read_text() == reference.controls_page(), f"run: python -m {reference.__name__} > docs/controls.md"


def test_the_page_names_every_control() -> None:
    page = reference.controls_page()
    assert all(f"### {row.id} {row.title}" in page for row in CONTROLS)


def test_importing_the_policy_is_light() -> None:
    heavy = ["dataclasses", "pathlib", "json", "argparse", "inspect", "difflib", "ruamel", "ansible.module_utils"]
    compose = "ansible_collections.breakwater.stack.plugins.plugin_utils.compose"
    heavy += [f"{compose}.{module}" for module in ("change", "edit", "planner", "style", "writer")]
    code = (
        "import sys\n"
        "from ansible_collections.breakwater.stack.plugins.plugin_utils.policy import plan, settings\n"
        f"print([name for name in {heavy!r} if name in sys.modules])\n"
    )
    shown = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            "import sys; sys.path[:0] = " + repr([str(ROOT / ".collections"), *sys.path]) + "\n" + code,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == "[]"
