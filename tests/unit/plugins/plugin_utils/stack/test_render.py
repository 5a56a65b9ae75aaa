# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what people see of a plan."""

from __future__ import annotations

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack import render

OLD = """services:
  db:
    environment:
      DB_PASSWORD: |
        one
        two
        three
        four
    image: x
"""


def change(service: str, summary: str, impact: str, seconds: float) -> dict[str, object]:
    """A record of a change."""
    return {
        "service": service,
        "summary": summary,
        "control": "BW-LIM-001",
        "reason": "because",
        "impact": impact,
        "seconds": seconds,
    }


def test_a_hunk_in_the_middle_of_a_secret_shows_nothing_of_it() -> None:
    diff = render.masked_diff("f", OLD, OLD.replace("    image: x\n", "    image: x\n    mem_limit: 1g\n"))
    assert "+    mem_limit: 1g" in diff
    assert "four" not in diff
    assert "two" not in diff


def test_a_change_of_a_secret_alone_is_said() -> None:
    assert "not shown" in render.masked_diff("f", OLD, OLD.replace("two", "2"))


def test_no_change_no_diff() -> None:
    assert render.masked_diff("f", OLD, OLD) == ""


def test_an_absolute_path_is_named_as_patch_expects_it() -> None:
    assert render.masked_diff("/srv/x/f", "a: 1\n", "a: 2\n").startswith("--- a/srv/x/f\n+++ b/srv/x/f\n@@ ")


def test_a_missing_final_newline_is_said() -> None:
    assert "\\ No newline at end of file" in render.masked_diff("f", "a: 1", "a: 1\nb: 2")


def test_reasons_by_service_with_the_worst_cost() -> None:
    changes = [
        change("db", "mem_limit: 1g", "datastore_restart", 6.0),
        change("ui", "cpus: 1.0", "recreate", 2.0),
        change("db", "cpus: 1.0", "none", 0.0),
    ]
    text = render.reasons(changes)
    assert text.startswith("db: datastore restart, about 6 s\n  mem_limit: 1g\n")
    assert text.index("cpus: 1.0") < text.index("ui: recreate, about 2 s")


def test_no_restart() -> None:
    assert render.service_cost([change("job", "mem_limit: 1g", "none", 0.0)]) == "no restart"
