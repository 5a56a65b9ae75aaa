# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils._postgres_titles import parse, session_of

# Titles of PostgreSQL 17, with the blanks that it fills them up with.
SESSIONS: list[tuple[str, dict[str, Any]]] = [
    (
        "46 postgres: temporal app [local] SELECT waiting            ",
        {"pid": 46, "user": "temporal", "database": "app", "address": None, "state": "active", "waits_for_lock": True},
    ),
    (
        "114 postgres: temporal app 172.18.0.5(34567) idle in transaction",
        {"address": "172.18.0.5", "state": "idle in transaction", "waits_for_lock": False},
    ),
    ("1 postgres: a b fd00::3(1) idle in transaction (aborted)", {"state": "idle in transaction (aborted)"}),
    ("1 postgres: main: a b 10.0.0.1(1) idle", {"user": "a", "database": "b", "state": "idle"}),
    ("1 postgres: two words b 10.0.0.1(1) idle", {"user": "two words", "database": "b"}),
    ("1 postgres: a b host.example(1) COMMIT", {"address": "host.example", "state": "active"}),
    ("1 postgres: a b 10.0.0.1(1) authentication", {"state": "authentication"}),
    ("  9911    postgres: a b\x1b[2J 10.0.0.1(1) idle", {"pid": 9911, "database": r"b\x1b[2J"}),
]
NONE = [
    "64 postgres: checkpointer",
    "69 postgres: logical replication launcher",
    "70 postgres: walsender replicator 172.18.0.9(4000) streaming 0/3000148",
    "71 postgres: main: walsender replicator 172.18.0.9(4000) streaming 0/3000148",
    "72 postgres: autovacuum worker app",
    "73 postgres: parallel worker for PID 46",
    "1 postgres -c max_connections=12",
    "77 sh -c for f in postgres: a b [local] idle",
    "PID COMMAND",
    "",
]


@pytest.mark.parametrize(("line", "expected"), SESSIONS)
def test_sessions_of_clients_are_read(line: str, expected: dict[str, Any]) -> None:
    session = session_of(line)
    assert session is not None
    assert {key: session[key] for key in expected} == expected


@pytest.mark.parametrize("line", NONE)
def test_other_processes_are_no_sessions(line: str) -> None:
    assert session_of(line) is None


def test_the_setting_of_the_start_is_read() -> None:
    lines = [line for line, _ in SESSIONS] + NONE + ["max_connections setting:              12"]
    titles = parse(lines)
    assert (titles.server, len(titles.sessions), titles.max_connections) == (True, len(SESSIONS), 12)


def test_a_container_without_a_server_is_told_apart_from_one_without_clients() -> None:
    assert parse(["1 postgres -D data", "2 sh"]) == (False, [], None)
    assert parse(["2 postgres: checkpointer"]) == (True, [], None)
