# SPDX-License-Identifier: GPL-3.0-or-later
"""URLs are read as drivers read them, and changed in nothing but their host and port."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.urls import Url, is_url, read_url, with_host


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://u:p@db/app", Url("db", 5432, "u", "app", None, "")),
        ("postgresql://u:p@db:5433/app?sslmode=disable", Url("db", 5433, "u", "app", None, "")),
        ("postgresql+asyncpg://u@db/app", Url("db", 5432, "u", "app", None, "")),
        ("postgresql+psycopg2://u:p@db", Url("db", 5432, "u", "", None, "")),
        ("jdbc:postgresql://db:5432/app?user=u&password=p", Url("db", 5432, "u", "app", None, "")),
        ("r2dbc:postgresql://u:p@db:5432/app", Url("db", 5432, "u", "app", None, "")),
        (
            "postgresql://u:p@db/app?schema=public&connection_limit=7",
            Url("db", 5432, "u", "app", 7, "connection_limit"),
        ),
        ("postgres://u:p@db/app?pool_max_conns=12", Url("db", 5432, "u", "app", 12, "pool_max_conns")),
        ("postgres://we%20ird%40:p%40ss@db/my%2Ddb", Url("db", 5432, "we ird@", "my-db", None, "")),
        ("postgres://u:p@ss@db/app", Url("db", 5432, "u", "app", None, "")),
        ("postgres://db/app", Url("db", 5432, "", "app", None, "")),
        ("postgres://u:p@one,two/app", None),
        ("postgres://u:p@one:1,two:2/app", None),
        ("postgres://u:p@${HOST}/app", None),
        ("postgres:///app?host=/run/postgresql", None),
        ("mysql://u:p@db/app", None),
        ("host=db user=u password=p dbname=app port=5433 sslmode=disable", Url("db", 5433, "u", "app", None, "")),
        ("user=u  host = 'db' password='a b\\' host=x'\n", Url("db", 5432, "u", "", None, "")),
        ("host=db dbname=app pool_max_conns=7", Url("db", 5432, "", "app", 7, "pool_max_conns")),
        ("host=/run/postgresql dbname=app", None),
        ("host=one,two dbname=app", None),
        ("hostaddr=10.0.0.1 dbname=app", None),
        ("host=db dbname=app and more words", None),
        ("http://db/app", None),
        ("", None),
    ],
)
def test_a_url_is_read(text: str, expected: Url | None) -> None:
    assert read_url(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://u:p@db/app", "postgres://u:p@pool:6432/app"),
        ("postgres://u:p@db:5432/app?a=b#c", "postgres://u:p@pool:6432/app?a=b#c"),
        (
            "postgres://${USER}:${PASS:-a@b/c}@db:${PORT:-5432}/${NAME}",
            "postgres://${USER}:${PASS:-a@b/c}@pool:6432/${NAME}",
        ),
        ("postgres://u:$PASS@$DB_HOST:$DB_PORT/app", "postgres://u:$PASS@pool:6432/app"),
        ("jdbc:postgresql://db/app?user=u", "jdbc:postgresql://pool:6432/app?user=u"),
        ("postgres://u:p@db", "postgres://u:p@pool:6432"),
        ("postgres://u:p@one,two/app", None),
        ("${DATABASE_URL}", None),
        ("host=db user=u  port=5432 # ", None),
        ("host=db user=u  port=5432", "host=pool user=u  port=6432"),
        ("port='5432' password='x host=db' host='db' ", "port=6432 password='x host=db' host=pool "),
        ("user=u host=${HOST:-my db} dbname=${NAME}", "user=u host=pool port=6432 dbname=${NAME}"),
    ],
)
def test_a_url_gets_another_host(text: str, expected: str | None) -> None:
    assert with_host(text, "pool", 6432) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://a,b/c", True),
        ("postgresql:///x", True),
        ("redis://db", False),
        ("postgres", False),
        ("host=db a=b", True),
    ],
)
def test_a_url_is_known_by_its_scheme(text: str, expected: bool) -> None:
    assert is_url(text) is expected


def test_a_long_text_that_is_none_is_found_out_at_once() -> None:
    assert not is_url("host=db " + "a= b= " * 2000 + "'")


_WORD = st.text("abcXYZ019._-", min_size=1, max_size=8)


@given(
    scheme=st.sampled_from(["postgres", "postgresql", "postgresql+asyncpg", "jdbc:postgresql"]),
    user=_WORD,
    password=st.text("abc019%.~!*'()+=;:@$_-", max_size=10),
    host=_WORD,
    port=st.none() | st.integers(1, 65535),
    tail=st.sampled_from(["", "/app", "/app?sslmode=disable&x=@:/", "?host=x"]),
)
def test_another_host_changes_nothing_else(
    scheme: str, user: str, password: str, host: str, port: int | None, tail: str
) -> None:
    place = host if port is None else f"{host}:{port}"
    text = f"{scheme}://{user}:{password}@{place}{tail}"
    before = read_url(text)
    assert before is not None
    moved = with_host(text, "pool", 6432)
    assert moved == f"{scheme}://{user}:{password}@pool:6432{tail}"
    assert read_url(moved) == before._replace(host="pool", port=6432)
    assert with_host(moved, "pool", 6432) == moved
