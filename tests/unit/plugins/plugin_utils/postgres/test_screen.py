# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.connections import report
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.screen import lines

from .facts import SUBJECT, facts, idle, session, titles, waiting

WORST = {
    "fits": False,
    "total": 120,
    "complete": False,
    "available": 9,
    "clients": [
        {"service": "temporal", "maximum": 120, "arithmetic": "4 services x 30", "now": 2, "passing": False},
        {"service": "worker", "maximum": None, "arithmetic": "not stated", "now": 0, "passing": False},
        {"service": "schema", "maximum": 1, "arithmetic": "one", "now": 0, "passing": True},
    ],
    "unclear": [{"service": "etl", "reason": "its variables were not read"}],
}


def shown(found: dict[str, Any], worst: dict[str, Any] | None = None, width: int = 100) -> list[str]:
    return lines(report(found, SUBJECT, worst), width)


def test_one_screen_tells_it_all() -> None:
    sessions = [idle(1, 700, origin="worker"), waiting(2, 90, 1), session(3, superuser=True)]
    assert (
        "\n".join(shown(facts(sessions), WORST))
        == """\
CRITICAL: connections of corp, service postgres, PostgreSQL 17.6
  critical  1 session idle in transaction for 1 min or longer, the longest 11.7 min (pid 1, worker):
            locks are kept and vacuum is held up
  critical  1 session waiting for a lock, the longest 1.5 min; held up by pid 1, worker
  warning   the oldest transaction is open for 11.7 min (pid 1, worker)
  warning   by their configuration clients may open 120 connections, 9 are there for them
  note      clients connect over the network as superuser (temporal): they may use up the reserved
            slots too

connections  3 used of max_connections 12; applications may have 9, 6 left (3 kept for superusers)
by service       app 2 (1 active, 1 idle), worker 1 (1 idle in transaction)
by database      app 3
by user          temporal 3
by application   worker 3
by state         active 1, idle 1, idle in transaction 1

idle in transaction: 1
  pid 1       11.7 min (transaction 11.7 min)  temporal@app from worker [worker]
      last: select ?

waiting for a lock: 1
  pid 2        1.5 min  temporal@app from app [worker]
      wants: update t set a = ?
      held up by pid 1 temporal@app from worker [worker] (idle in transaction, transaction 11.7 m...

oldest transaction: 11.7 min, pid 1, idle in transaction, temporal@app from worker [worker]

clients may open by their configuration: at least 120 of 9, it does not fit
  temporal             120, now   2  4 services x 30
  worker                 ?, now   0  not stated
  schema                 1, now   0  one (for a moment)
  etl: its variables were not read

seen by  a connection as temporal: answered
to end one: docker exec corp-postgres-1 psql -U temporal -d postgres -c 'SELECT pg_terminate_backend(PID)'"""
    )


def test_a_server_without_sessions_needs_few_lines() -> None:
    assert shown(facts()) == [
        "OK: connections of corp, service postgres, PostgreSQL 17.6",
        "",
        "connections  0 used of max_connections 12; applications may have 9, 9 left (3 kept for superusers)",
        "",
        "seen by  a connection as temporal: answered",
    ]


def test_titles_show_what_they_know() -> None:
    text = "\n".join(shown(titles([idle(1, None), waiting(2, None)])))
    assert "connections  2 used of max_connections 12\n" in text
    assert "by application" not in text
    assert "pid 1              ? (transaction ?)" in text
    assert "to end one" not in text


def test_those_who_hold_up_others_and_are_no_clients_are_named() -> None:
    text = "\n".join(shown(facts([waiting(2, 9, 0, 77, 78)])))
    for line in ("a prepared transaction (pg_prepared_xacts)", "pid 77, autovacuum worker", "pid 78"):
        assert f"      held up by {line}\n" in text


def test_long_lists_are_cut_and_the_rest_is_counted() -> None:
    sessions = [idle(pid, 5, application=f"app-{pid}") for pid in range(1, 31)]
    text = "\n".join(shown(facts(sessions, max_connections=100)))
    assert "\n  and 25 more\n" in text
    assert "and 22 of 22 more" in " ".join(text.split())
    assert len(text.splitlines()) <= 30


@pytest.mark.parametrize("width", [1, 60, 80, 140])
def test_no_line_is_wider_than_the_screen_but_the_command(width: int) -> None:
    sessions = [idle(1, 700, application="a" * 70, origin="b" * 50), waiting(2, 90, 1, database="c" * 60)]
    rows = shown(facts(sessions), WORST, width)
    assert max(len(row) for row in rows if not row.startswith("to end one")) <= max(width, 60)


def test_a_role_is_quoted_for_the_shell() -> None:
    assert "psql -U 'a b; rm' -d" in "\n".join(shown(facts([idle(1, 5)], role="a b; rm")))
