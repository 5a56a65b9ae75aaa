# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.module_utils._postgres_text import (
    HIDDEN,
    QUERY_LENGTH,
    shown_query,
    strip_literals,
)

STRIPPED = [
    ("SELECT * FROM t WHERE id = 12 AND b < .5e-3", "SELECT * FROM t WHERE id = ? AND b < ?"),
    ("select 'it''s', t1.c2 from t1", "select ?, t1.c2 from t1"),
    (r"select E'a\'secret', 1", "select ?, ?"),
    (r"select 'C:\dir', 'x'", "select ?, ?"),
    (r"select 'a\'secret', 'b'", "select ?"),
    ("select U&'d\\0061t', B'0101', X'1F', N'x', e'\\n'", "select ?, ?, ?, ?, ?"),
    ("select $1, $2::int, $$a'b$$, $f$x$$y$f$ from u", "select $1, $2::int, ?, ? from u"),
    ('select "a""b", "User" from "T 1"', 'select "a""b", "User" from "T 1"'),
    ("select /* a /* nested */ 'x */ 1 -- secret\n, b", "select ? , b"),
    ("select a /* cut off", "select a"),
    ("INSERT INTO t VALUES ('cut off sec", "INSERT INTO t VALUES (?"),
    ("ALTER ROLE a PASSWORD 'secret'", "ALTER ROLE a PASSWORD ?"),
    ("SET app.token = secret", "SET app.token = ?"),
    ("BEGIN; set local app.token TO secret", "BEGIN; set local app.token TO ?"),
    ("ALTER SYSTEM SET x = secret", "ALTER SYSTEM SET x = ?"),
    ("UPDATE t SET a = b WHERE c = 0xFF", "UPDATE t SET a = b WHERE c = ?"),
    ("  select\n\t1  ", "select ?"),
    ("", ""),
]


@pytest.mark.parametrize(("query", "expected"), STRIPPED)
def test_literals_and_comments_go_and_the_rest_stays(query: str, expected: str) -> None:
    assert strip_literals(query) == expected


SECRET = st.text(string.ascii_uppercase, min_size=6, max_size=12).map(lambda text: "zq" + text)
PLAIN = st.sampled_from(["select a", ", b", " from t1", " where x = ", ";\n", ' "Name" ', " and ", "(", ")", " $1 "])


@st.composite
def literal(draw: st.DrawFn, secret: str) -> str:
    """One literal or comment around a secret, as PostgreSQL reads it."""
    noise = draw(st.text("ab' \"$-/*\\\n", max_size=6))
    doubled = noise.replace("'", "''").replace("\\", "")
    backslashed = noise.replace("\\", "\\\\").replace("'", "\\'")
    return draw(
        st.sampled_from(
            [
                f"'{doubled}{secret}{doubled}'",
                f"E'{backslashed}{secret}{backslashed}'",
                f"$tag${noise}{secret}{noise}$tag$",
                f"/* {noise.replace('*', '').replace('/', '')} {secret} */",
                f"-- {noise.replace(chr(10), ' ')} {secret}\n",
            ]
        )
    )


@given(data=st.data(), secret=SECRET)
def test_no_secret_survives_wherever_the_query_is_cut(data: st.DataObject, secret: str) -> None:
    parts = data.draw(st.lists(PLAIN | literal(secret), min_size=1, max_size=8))
    query = " ".join(parts)
    cut = data.draw(st.integers(0, len(query)))
    for text in (query, query[:cut]):
        assert secret not in strip_literals(text)
        assert secret not in (shown_query(text) or "")


@given(st.text())
def test_what_is_shown_is_one_printable_line(text: str) -> None:
    shown = shown_query(text) or ""
    assert shown.isprintable()
    assert len(shown) <= QUERY_LENGTH


@pytest.mark.parametrize("query", [None, "", HIDDEN])
def test_a_query_that_is_not_there_is_none(query: str | None) -> None:
    assert shown_query(query) is None
