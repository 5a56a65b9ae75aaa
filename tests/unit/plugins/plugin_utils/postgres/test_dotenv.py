# SPDX-License-Identifier: GPL-3.0-or-later
"""Values in files with variables are changed alone: comments, quotes, order and line ends stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import RefusedEdit
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.interpolate import locate_env, parse_env
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.dotenv import set_values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DB_HOST=db\n", "DB_HOST=pool\n"),
        ("DB_HOST=db", "DB_HOST=pool"),
        ("# a\nDB_HOST = db   # the database\nX=1\n", "# a\nDB_HOST = pool   # the database\nX=1\n"),
        ("export DB_HOST=\"db\"\r\nX='a'\r\n", "export DB_HOST=\"pool\"\r\nX='a'\r\n"),
        ("DB_HOST: 'db'\n", "DB_HOST: 'pool'\n"),
        ("DB_HOST=one\nDB_HOST=two\n", "DB_HOST=one\nDB_HOST=pool\n"),
        ("\ufeffX=\nDB_HOST=db\n", "\ufeffX=\nDB_HOST=pool\n"),
        ('LONG="a\nDB_HOST=no\n"\nDB_HOST=db\n', 'LONG="a\nDB_HOST=no\n"\nDB_HOST=pool\n'),
        ("DB_HOST=${OTHER}\nOTHER=x\n", "DB_HOST=pool\nOTHER=x\n"),
    ],
)
def test_a_value_is_changed(text: str, expected: str) -> None:
    assert set_values(".env", text, {"DB_HOST": "pool"}) == expected


def test_several_values_are_changed() -> None:
    text = "A=1\nB=2\nC=3\n"
    assert set_values(".env", text, {"C": "33", "A": "11"}) == "A=11\nB=2\nC=33\n"


@pytest.mark.parametrize(
    ("text", "wanted", "reason"),
    [
        ("X=1\n", "pool", "DB_HOST is not set in it"),
        ("DB_HOST=db\nURL=http://${DB_HOST}/\n", "pool", "URL would change too"),
        ('DB_HOST="db"\n', 'a"b', "cannot be written in its quotes"),
        ("DB_HOST=db\n", "a\nX=2", "cannot be written in its quotes"),
        ("DB_HOST=db\n", "a #b", "cannot be written without quotes"),
        ("DB_HOST=db\n", "'a", "a quoted value is not closed"),
        ("A B=1\nDB_HOST=db\n", "pool", "contains a space"),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(text: str, wanted: str, reason: str) -> None:
    with pytest.raises(RefusedEdit, match=reason):
        set_values(".env", text, {"DB_HOST": wanted})


_NAME = st.sampled_from(["A", "B_1", "DB_HOST", "LONG_NAME"])
_VALUE = st.text("abc019 .:/@-_%#\"'$\\", max_size=8)


@given(st.lists(st.tuples(_NAME, _VALUE), max_size=5), _NAME, st.text("abc019.:/@-%", min_size=1, max_size=8))
def test_nothing_else_changes(lines: list[tuple[str, str]], name: str, new: str) -> None:
    text = "".join(f"{key}={value}\n" for key, value in lines)
    try:
        changed = set_values(".env", text, {name: new})
    except RefusedEdit:
        return
    before, after = parse_env(text), parse_env(changed)
    assert after == {**before, name: new}
    place = locate_env(text)[name]
    assert changed.startswith(text[: place.start])
    assert changed.endswith(text[place.end :])
