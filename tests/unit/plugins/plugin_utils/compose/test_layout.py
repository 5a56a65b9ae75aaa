# SPDX-License-Identifier: GPL-3.0-or-later
"""Splices of text, and when two values are the same."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.layout import Splice, splice
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.sharing import equal


@pytest.mark.parametrize(
    ("splices", "expected"),
    [
        ([], "abcdef"),
        ([Splice(2, 2, "X")], "abXcdef"),
        ([Splice(4, 5, ""), Splice(0, 1, "Z")], "Zbcdf"),
        ([Splice(2, 4, "Y"), Splice(2, 2, "X")], "abXYef"),
        ([Splice(2, 2, "1"), Splice(2, 2, "2")], "ab12cdef"),
        ([Splice(6, 6, "!")], "abcdef!"),
    ],
)
def test_splices(splices: list[Splice], expected: str) -> None:
    assert splice("abcdef", splices) == expected


def test_splices_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        splice("abcdef", [Splice(1, 4, ""), Splice(3, 5, "")])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": ["b"]}, {"a": ["b"]}, True),
        ({"a": ["b"]}, {"a": ["c"]}, False),
        ("1g", "2g", False),
        ({"a": "b"}, {"a": "b", "c": "d"}, False),
        (["a"], {"a": None}, False),
    ],
)
def test_equal(one: object, other: object, expected: bool) -> None:
    assert equal(one, other) is expected
