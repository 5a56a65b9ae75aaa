# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres import pool_record
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.pool_record import (
    PooledClient,
    PooledDatabase,
    Record,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.rollback import TakeBackRefused

BEFORE = "services:\n  app:\n    image: a\n    environment:\n      HOST: db\n    restart: always\n"
AFTER = "include:\n  - breakwater/pgbouncer.yml\n\n" + BEFORE.replace("HOST: db", "HOST: pgbouncer")
RECORD = Record(
    "pgbouncer",
    6432,
    "db",
    "postgres",
    (PooledDatabase("shop", ("b", "a"), 20), PooledDatabase("other", ("a",), 2)),
    (PooledClient("app", "application", "session"),),
    {"compose.yml": BEFORE},
    {"compose.yml": AFTER},
)


def reading(path: str, text: str | None) -> dict[str, Any]:
    content = None if text is None else base64.b64encode(text.encode()).decode()
    return {"project": {"own": [{"path": path, "content": content}]}}


def test_written_and_read() -> None:
    assert pool_record.read(pool_record.write(RECORD)) == RECORD
    assert pool_record.of_reading(reading(pool_record.PATH, pool_record.write(RECORD))) == RECORD
    assert RECORD.users == ("a", "b")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}', "null", '{"format": 1, "clients": 3}'])
def test_what_is_damaged_is_said(text: str) -> None:
    with pytest.raises(ComposeError, match="is damaged"):
        pool_record.read(text)


def test_other_versions_and_closed_files_are_refused() -> None:
    with pytest.raises(ComposeError, match="another version"):
        pool_record.read('{"format": 2}')
    with pytest.raises(ComposeError, match="run as root"):
        pool_record.of_reading(reading(pool_record.PATH, None))


def test_no_record_is_no_pool() -> None:
    assert pool_record.of_reading({"project": {}}) is None
    assert pool_record.of_reading(reading("breakwater/monitoring.yml", "x")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [('"breakwater_pool" "s3cret"\n', "s3cret"), ('"other" "x"\n', None), ("", None), (None, None), ("junk\n", None)],
)
def test_password_out_of_the_list_of_users(text: str | None, expected: str | None) -> None:
    assert pool_record.password_of(text, "breakwater_pool") == expected


def test_the_first_edit_keeps_the_text_before() -> None:
    assert pool_record.texts_before(None, {"compose.yml": BEFORE}, {"compose.yml": AFTER}) == {"compose.yml": BEFORE}


def test_a_repair_to_the_same_text_keeps_the_first_before() -> None:
    pointed_back = AFTER.replace("HOST: pgbouncer", "HOST: db")
    assert pool_record.texts_before(RECORD, {"compose.yml": pointed_back}, {"compose.yml": AFTER}) == RECORD.before


def test_a_further_edit_keeps_what_people_did_in_between() -> None:
    current = AFTER.replace("always", "on-failure")
    further = current.replace("image: a", "image: b")
    kept = pool_record.texts_before(RECORD, {"compose.yml": current}, {"compose.yml": further})
    assert kept == {"compose.yml": BEFORE.replace("always", "on-failure")}


def test_lines_that_people_took_back_count_as_theirs() -> None:
    current = AFTER.replace("HOST: pgbouncer", "HOST: elsewhere")
    kept = pool_record.texts_before(RECORD, {"compose.yml": current}, {"compose.yml": AFTER + "# more\n"})
    assert kept == {"compose.yml": BEFORE.replace("HOST: db", "HOST: elsewhere")}, "the pool's other lines are its own"


def test_without_the_pool_everything_else_stays() -> None:
    current = AFTER.replace("always", "on-failure") + "  extra:\n    image: c\n"
    found = pool_record.without_pool(RECORD, {"compose.yml": current})
    assert found == {"compose.yml": BEFORE.replace("always", "on-failure") + "  extra:\n    image: c\n"}
    with pytest.raises(TakeBackRefused, match="edited since"):
        pool_record.without_pool(RECORD, {"compose.yml": AFTER.replace("HOST: pgbouncer", "HOST: x")})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("pgbouncer.yml\n", "pgbouncer.yml\n  - mine.yml\n", "include:\n  - mine.yml\n\n"),
        ("  - break", "  - mine.yml   # first\n  - break", "include:\n  - mine.yml   # first\n\n"),
        ("pgbouncer.yml\n", "pgbouncer.yml\n  - {path: mine.yml}\n", "include:\n  - {path: mine.yml}\n\n"),
    ],
)
def test_files_that_people_include_since_stay_included(old: str, new: str, expected: str) -> None:
    current = AFTER.replace(old, new)
    assert pool_record.without_pool(RECORD, {"compose.yml": current}) == {"compose.yml": expected + BEFORE}


@pytest.mark.parametrize(
    ("old", "new"), [("breakwater/pgbouncer.yml", "mine.yml"), ("pgbouncer.yml\n", "pgbouncer.yml  # mine\n")]
)
def test_an_edit_of_the_pools_own_item_is_refused(old: str, new: str) -> None:
    with pytest.raises(TakeBackRefused, match="since"):
        pool_record.without_pool(RECORD, {"compose.yml": AFTER.replace(old, new)})


def test_temporal_moves_first() -> None:
    clients = [PooledClient("b", "application", "session"), PooledClient("t", "temporal", "transaction")]
    assert [client.service for client in pool_record.order(clients)] == ["t", "b"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("breakwater/pgbouncer.yml", True),
        ("breakwater/pgbouncer/userlist.txt", True),
        ("breakwater/pgbouncer.state.json", True),
        ("breakwater/.gitignore", True),
        ("breakwater/monitoring.yml", False),
        ("breakwater/pgbouncer2/x", False),
    ],
)
def test_which_files_are_the_pools(path: str, expected: bool) -> None:
    assert pool_record.is_pools(path) is expected
