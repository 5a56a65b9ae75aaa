# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pool cannot give is refused before anything is moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.mover import move_clients
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.records import Target

TEMPORAL = "DB: postgres12, POSTGRES_SEEDS: db"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("URL: 'postgres://u:p@db/app?sslmode=require'", "sslmode in URL asks for TLS"),
        ("URL: 'postgres://u:p@db/app?a=b&sslmode=verify-full'", "sslmode in URL asks for TLS"),
        ("URL: 'jdbc:postgresql://db/app?user=u&ssl=true'", "ssl in URL asks for TLS"),
        ("URL: 'jdbc:postgresql://db/app?user=u&ssl'", "ssl in URL asks for TLS"),
        ("URL: 'postgres://u:p@db/app', PGSSLMODE: require", "PGSSLMODE asks for TLS"),
        ("DB_HOST: db, DB_PORT: 5432, DB_SSLMODE: verify-ca", "DB_SSLMODE asks for TLS"),
        ("PGHOST: db, PGOPTIONS: -c search_path=a", "PGOPTIONS sends settings"),
        ("URL: 'jdbc:postgresql://db/app?user=u&currentSchema=tenant'", "currentSchema in URL sends settings"),
        ("URL: 'postgres://u:p@db/app?search_path=tenant'", "search_path in URL sends settings"),
        ("URL: 'postgres://u:p@db/app?options=-c%20statement_timeout=5s'", "options in URL sends settings"),
        (f"{TEMPORAL}, SQL_TLS_ENABLED: 'true'", "SQL_TLS_ENABLED asks for TLS"),
        (f"{TEMPORAL}, SQL_TLS_ENABLED: 'false', PGOPTIONS: -c a=b", ""),
        ("URL: 'postgres://u:p@db/app?sslmode=prefer&ssl=false&schema=a'", ""),
        ("PGHOST: db, PGSSLMODE: disable, PGOPTIONS: ''", ""),
        ("URL: 'postgres://u:p@db/app'", ""),
    ],
)
def test_what_the_pool_cannot_give_is_refused(found: Callable[..., Any], environment: str, expected: str) -> None:
    app = f"{{image: 'temporalio/server:1.31.2', environment: {{{environment}}}}}"
    project, clients = found(f"services:\n  db: {{image: postgres:17}}\n  app: {app}\n")
    mode = "transaction" if environment.startswith("DB: ") else "session"
    moves = move_clients(project, clients, {"app": Target("pool", 6432, mode)})
    assert [refusal.reason.startswith(expected) for refusal in moves.refusals] == [True] * bool(expected)
    assert bool(moves.texts) is not bool(expected)
