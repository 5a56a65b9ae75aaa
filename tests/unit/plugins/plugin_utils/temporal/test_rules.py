# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import SEVERITIES
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.profiles import PROFILES
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.rules import RULES

PAGE = Path(__file__).parents[5] / "docs/temporal-lint.md"


def test_the_page_has_every_rule_as_it_is() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| TL")]
    assert rows == [f"| {rule.id} | {rule.severity} | {rule.title} | {rule.why} |" for rule in RULES.values()]


def test_rules_are_fit_for_every_format() -> None:
    for rule in RULES.values():
        assert rule.severity in SEVERITIES
        assert rule.link.startswith("https://")
        assert rule.why.endswith(".")


def test_the_page_has_every_value_of_the_profiles() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, rows in PROFILES.items():
        for wanted, _source, fresh in rows:
            row = f"| {name}{' *' if fresh else ''} | `{wanted.key}: {json.dumps(wanted.value)}`"
            assert any(line.startswith(row) and wanted.reason in line for line in text.splitlines()), row
