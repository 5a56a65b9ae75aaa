# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about PostgreSQL's clients: what is known to be wrong is said, what cannot be known is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Plan

DB = "services:\n  db: {image: 'postgres:17'%s}\n"
POOLER = "  pool: {image: 'edoburu/pgbouncer:v1.24.1-p1', environment: {DB_HOST: db, POOL_MODE: %s}}\n"


def messages(plan: Plan, control: str) -> list[str]:
    """Return what was found for a control."""
    return [finding.message for finding in plan.findings if finding.control == control]


def temporal(host: str = "db", extra: str = "") -> str:
    """Return a Temporal server as a service."""
    return (
        "  t: {image: 'temporalio/server:1.31.2', "
        f"environment: {{DB: postgres12, POSTGRES_SEEDS: {host}, POSTGRES_USER: t{extra}}}}}\n"
    )


def test_temporal_may_open_more_connections_than_there_are(plan_of: Callable[..., Plan]) -> None:
    found = messages(plan_of(DB % "" + temporal()), "BW-CPL-009")
    sums = "4 services x SQL_MAX_CONNS 20 + 4 services x SQL_VIS_MAX_CONNS 10 = 120"
    assert found == [f"clients may open 120 connections (t {sums}), max_connections is 100, 3 of them reserved"]


@pytest.mark.parametrize(
    ("server", "clients", "total"),
    [
        ("", temporal(extra=", SQL_MAX_CONNS: 10"), 0),
        (", command: postgres -c max_connections=123", temporal(), 0),
        (", command: postgres -c max_connections=122", temporal(), 120),
        (", command: postgres -c max_connections=123 -c superuser_reserved_connections=4", temporal(), 120),
        (", command: postgres -c config_file=/etc/pg.conf", temporal(), 0),
        ("", temporal(extra=", SQL_MAX_CONNS: '${N}'"), 0),
        ("", temporal(host="elsewhere"), 0),
        (
            "",
            temporal(extra=", SQL_MAX_CONNS: 10")
            + "  a: {image: x, scale: 2, environment: ['URL=postgres://u@db/a?connection_limit=20']}\n",
            120,
        ),
        ("", "  a: {image: x, environment: ['URL=postgres://u@db/a?pool_max_conns=99']}\n", 99),
        ("", "  a: {image: x, environment: ['URL=postgres://u@db/a']}\n", 0),
        ("", POOLER % "transaction" + temporal(host="pool"), 0),
    ],
)
def test_the_worst_case_is_what_is_known(server: str, clients: str, total: int, plan_of: Callable[..., Plan]) -> None:
    found = messages(plan_of(DB % server + clients), "BW-CPL-009")
    assert [text.split()[3] for text in found] == ([str(total)] if total else [])


@pytest.mark.parametrize(
    ("service", "found"),
    [
        ("image: 'postgres:17', environment: [POSTGRES_HOST_AUTH_METHOD=trust]", True),
        ("image: 'bitnami/postgresql:16', environment: {ALLOW_EMPTY_PASSWORD: 'yes'}", True),
        ("image: 'postgres:17', environment: {POSTGRES_HOST_AUTH_METHOD: scram-sha-256}", False),
        ("image: 'postgres:17', environment: {POSTGRES_PASSWORD: x}", False),
        ("image: 'bitnami/redis:7', environment: {ALLOW_EMPTY_PASSWORD: 'yes'}", False),
        ("image: 'postgres:17', command: psql -h db, environment: {POSTGRES_HOST_AUTH_METHOD: trust}", False),
    ],
)
def test_a_server_without_passwords_is_found(service: str, found: bool, plan_of: Callable[..., Plan]) -> None:
    assert bool(messages(plan_of(f"services:\n  a: {{{service}}}\n"), "BW-PG-001")) is found


@pytest.mark.parametrize(
    ("mode", "extra", "found"),
    [
        ("transaction", "", True),
        ("statement", "", True),
        ("session", "", False),
        ("''", "", False),
        ("transaction", "_pgx", False),
    ],
)
def test_the_driver_that_fails_behind_a_pooler_is_found(
    mode: str, extra: str, found: bool, plan_of: Callable[..., Plan]
) -> None:
    text = DB % "" + POOLER % mode + temporal(host="pool").replace("postgres12", "postgres12" + extra)
    assert bool(messages(plan_of(text), "BW-PG-002")) is found


def test_the_driver_is_no_matter_without_a_pooler(plan_of: Callable[..., Plan]) -> None:
    assert messages(plan_of(DB % "" + temporal()), "BW-PG-002") == []


def test_breakwaters_own_pooler_shares_by_transaction(plan_of: Callable[..., Plan]) -> None:
    own = "  pool: {image: 'x/pgbouncer:1.24.1', labels: {breakwater.pool.server: db}}\n"
    assert messages(plan_of(DB % "" + own + temporal(host="pool")), "BW-PG-002")
