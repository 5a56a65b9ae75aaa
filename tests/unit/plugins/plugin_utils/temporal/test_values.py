# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.keys import Setting
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.values import (
    conversion_problem,
    seconds,
    unknown_fields,
)


def setting(kind: str, key: str = "a.b") -> Setting:
    return Setting(key, "global", kind, "1.25", "", "", False, "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("10s", 10),
        ("1h30m", 5400),
        ("1.5d", 129600),
        (".5s", 0.5),
        ("500ms", 0.5),
        ("-5s", -5),
        ("10", 10),
        ("0", 0),
        (2.5, 2.5),
        (True, None),
        ("", None),
        ("s", None),
        ("5 s", None),
        ("1w", None),
        ("-5", None),
        ([1], None),
    ],
)
def test_seconds(value: Any, expected: float | None) -> None:
    assert seconds(value) == expected


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("bool", [True, "true", "T", "0"], [1, "yes", "on", None, []]),
        ("int", [0, -3, 2**40], [1.0, "1", True, None]),
        ("float", [0, 1.5], ["1.5", False, None]),
        ("duration", ["10s", 10, 1.5, "7d"], ["ten", True, {}, None]),
        ("string", ["", "a"], [1, None, True]),
        ("map", [{}, {"a": 1}], [None, [], "a"]),
        ("struct", [None, {}, {"a": 1}], [[], 1, "a"]),
        ("list", [None, [], ["a"]], ["a", {}, [1], [None]]),
        ("gradual-bool", [None, True, "false", {"New": True}], [3, "x", []]),
        ("gradual-int", [None, 3, {"New": 3}], [True, "3", 3.0]),
        ("any", [None, 1, []], []),
    ],
)
def test_what_the_server_converts(kind: str, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if conversion_problem(setting(kind), value) is not None] == []
    assert [value for value in bad if conversion_problem(setting(kind), value) is None] == []


def test_fields_of_structures() -> None:
    retry = setting("struct", "history.defaultActivityRetryPolicy")
    assert conversion_problem(retry, {"maximumattempts": 5, "InitialIntervalInSeconds": "2s"}) is None
    assert conversion_problem(retry, {"MaximumAttempts": "5"}) is not None
    assert conversion_problem(retry, {"InitialIntervalInSeconds": "soon"}) is not None
    assert unknown_fields(retry, {"MaximumAttempts": 5, "MaxAttempts": 5}) == ["MaxAttempts"]
    back_off = setting("struct", "worker.persistenceDynamicRateLimitingParams")
    assert conversion_problem(back_off, {"Enabled": "true"}) is not None
    assert unknown_fields(setting("gradual-bool"), {"New": True, "Begin": 1}) == ["Begin"]
    assert unknown_fields(setting("struct", "other"), {"x": 1}) == []
