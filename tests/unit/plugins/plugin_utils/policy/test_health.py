# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks: the lies that are found, the least change that makes them true, and what is left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.health import TIMINGS
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Finding, Plan

NEW = "temporalio/server:1.31.2"
OLD = "temporalio/auto-setup:1.28.1"
ASKS_THE_DATABASE = "api/v1/namespaces/temporal-system"


def checked(hardened: Callable[..., str], service: str) -> dict[str, Any]:
    text = hardened(f"services:\n  a: {{{service}}}\n", select=["BW-HLT"])
    found = yaml.safe_load(text)["services"]["a"].get("healthcheck") or {}
    assert isinstance(found, dict)
    return found


def finding(plan_of: Callable[..., Plan], service: str) -> Finding | None:
    plan = plan_of(f"services:\n  a: {{{service}}}\n", select=["BW-HLT"])
    return plan.findings[0] if plan.findings else None


@pytest.mark.parametrize(
    ("service", "test"),
    [
        (
            f"image: '{NEW}', environment: {{BIND_ON_IP: 0.0.0.0}}",
            ["CMD", "wget", "-q", "-T", "4", "-O", "/dev/null", f"http://127.0.0.1:7243/{ASKS_THE_DATABASE}"],
        ),
        (
            f"image: '{NEW}'",
            ["CMD-SHELL", f"wget -q -T 4 -O /dev/null http://$$(hostname):7243/{ASKS_THE_DATABASE}"],
        ),
        (
            f"image: '{NEW}', environment: [BIND_ON_IP=0.0.0.0, FRONTEND_HTTP_PORT=8243]",
            ["CMD", "wget", "-q", "-T", "4", "-O", "/dev/null", f"http://127.0.0.1:8243/{ASKS_THE_DATABASE}"],
        ),
        (
            f"image: '{OLD}'",
            ["CMD-SHELL", "temporal operator namespace describe --address $$(hostname):7233 temporal-system"],
        ),
        (
            "image: 'postgres:17', environment: {POSTGRES_USER: app, POSTGRES_DB: tasks}",
            ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", "app", "-d", "tasks"],
        ),
        (
            "image: 'postgres:17', environment: ['POSTGRES_USER=${DB_USER}']",
            ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", "${DB_USER}", "-d", "${DB_USER}"],
        ),
        ("image: 'postgres:17'", ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres", "-d", "postgres"]),
        ("image: 'redis:8'", ["CMD-SHELL", "redis-cli ping | grep -q PONG"]),
        ("image: 'valkey/valkey:8'", ["CMD-SHELL", "valkey-cli ping | grep -q PONG"]),
        (
            "image: bitnami/redis, environment: {REDIS_PASSWORD: x}",
            ["CMD-SHELL", 'REDISCLI_AUTH="$$REDIS_PASSWORD" redis-cli ping | grep -q PONG'],
        ),
        (
            "image: temporalio/ui, environment: {TEMPORAL_UI_PORT: 9000}",
            ["CMD", "wget", "-q", "-T", "4", "-O", "/dev/null", "http://127.0.0.1:9000/healthz"],
        ),
    ],
)
def test_the_check_that_is_added(hardened: Callable[..., str], service: str, test: list[str]) -> None:
    found = checked(hardened, service)
    assert found["test"] == test
    assert set(found) == {"test", "interval", "timeout", "retries", "start_period"}


@pytest.mark.parametrize(
    ("service", "because"),
    [
        (f"image: '{NEW}', environment: {{TEMPORAL_TLS_SERVER_CERT: /c.pem}}", "TLS or authorisation is on"),
        (f"image: '{NEW}', environment: {{TEMPORAL_SERVICES: history}}", "it runs only history"),
        ("image: 'temporalio/auto-setup:1.17.0'", "older than the command"),
        ("image: 'redis:8', command: redis-server --requirepass x", "it may ask for a password"),
        ("image: edoburu/pgbouncer", "differs from maker to maker"),
        ("image: acme/api, restart: always", "only who wrote the program knows"),
    ],
)
def test_where_no_check_is_known_it_says_why(plan_of: Callable[..., Plan], service: str, because: str) -> None:
    found = finding(plan_of, service)
    assert found is not None
    assert found.fix is None
    assert because in found.message


@pytest.mark.parametrize(
    ("image", "before", "after"),
    [
        ("postgres:17", '["CMD-SHELL", "pg_isready -U app"]', ["CMD-SHELL", "pg_isready -h 127.0.0.1 -U app"]),
        ("postgres:17", '["CMD", "pg_isready", "-U", "app"]', ["CMD", "pg_isready", "-h", "127.0.0.1", "-U", "app"]),
        ("postgres:17", "'pg_isready -U ${DB_USER}'", "pg_isready -h 127.0.0.1 -U ${DB_USER}"),
        ("redis:8", '["CMD", "redis-cli", "ping"]', ["CMD-SHELL", "redis-cli ping | grep -q PONG"]),
        ("redis:8", "redis-cli ping", "redis-cli ping | grep -q PONG"),
        ("redis:8", '["CMD-SHELL", "redis-cli -p 7000 ping"]', ["CMD-SHELL", "redis-cli -p 7000 ping | grep -q PONG"]),
        (
            "redis:8",
            '["CMD", "redis-cli", "--raw", "incr", "ping"]',
            ["CMD-SHELL", "redis-cli --raw ping | grep -q PONG"],
        ),
    ],
)
def test_the_least_change_that_makes_it_true(hardened: Callable[..., str], image: str, before: str, after: Any) -> None:
    found = checked(hardened, f"image: '{image}', healthcheck: {{test: {before}, interval: 7s, start_period: 3s}}")
    assert found == {"test": after, "interval": "7s", "start_period": "3s"}


@pytest.mark.parametrize(
    ("image", "test", "lie"),
    [
        (NEW, '["CMD", "nc", "-z", "localhost", "7233"]', "an open port"),
        (NEW, "nc -z localhost 7233 || exit 0", "it never fails"),
        (NEW, "curl -f http://localhost:7243/ || true", "it never fails"),
        (NEW, "exit 0", "asks nothing"),
        (NEW, '["CMD", "true"]', "asks nothing"),
        (NEW, "pgrep temporal-server", "a process that exists"),
        (NEW, '["CMD", "tctl", "cluster", "health"]', "the image has no tctl inside"),
        (NEW, "temporal operator cluster health", "the image has no temporal inside"),
        (NEW, "wget -qO- http://localhost:7243/api/v1/system-info", "green when the database is gone"),
        (OLD, "nc -z localhost 7233", "an open port"),
        ("postgres:17", "pg_isready || exit 0", "it never fails"),
        ("redis:8", "nc -z localhost 6379", "an open port"),
        ("temporalio/ui:2.40.0", "nc -z localhost 8080", "an open port"),
    ],
)
def test_lies_are_replaced_and_their_timing_kept(
    hardened: Callable[..., str], plan_of: Callable[..., Plan], image: str, test: str, lie: str
) -> None:
    service = f"image: '{image}', healthcheck: {{test: {test if test[0] == '[' else json.dumps(test)}, interval: 7s}}"
    found = finding(plan_of, service)
    assert found is not None
    assert (found.control, found.severity) == ("BW-HLT-002", "high")
    assert lie in found.message
    after = checked(hardened, service)
    assert after["interval"] == "7s"
    assert "start_period" in after
    assert finding(plan_of, f"image: '{image}', healthcheck: {after}") is None


@pytest.mark.parametrize(
    ("image", "test"),
    [
        (NEW, f"wget -qO- http://localhost:7243/{ASKS_THE_DATABASE}"),
        (OLD, "temporal operator cluster health | grep -q SERVING"),
        (OLD, "tctl --address temporal:7233 cluster health"),
        ("postgres:17", "pg_isready -h localhost -U app"),
        ("postgres:17", "psql -U app -c 'select 1'"),
        ("redis:8", "redis-cli ping | grep PONG"),
        ("acme/api", "nc -z localhost 80"),
        ("acme/api", "curl -f http://localhost/health"),
    ],
)
def test_what_is_not_known_to_lie_is_left_alone(plan_of: Callable[..., Plan], image: str, test: str) -> None:
    assert (
        finding(plan_of, f"image: '{image}', ports: ['1'], healthcheck: {{test: {test!r}}}".replace("'\\'", "'"))
        is None
    )


def test_a_tool_that_is_mounted_is_there(plan_of: Callable[..., Plan]) -> None:
    probe = (
        "volumes: ['./grpc_health_probe:/bin/grpc_health_probe'], healthcheck: {test: grpc_health_probe -addr=:7233}"
    )
    assert finding(plan_of, f"image: '{NEW}', {probe}") is None


@pytest.mark.parametrize("stated", ["{disable: true}", "{test: [NONE]}"])
def test_a_check_that_is_switched_off_is_reported(plan_of: Callable[..., Plan], stated: str) -> None:
    found = finding(plan_of, f"image: 'redis:8', healthcheck: {stated}")
    assert found is not None
    assert found.fix is None
    assert "switched off" in found.message


def test_jobs_have_no_health(plan_of: Callable[..., Plan]) -> None:
    assert finding(plan_of, "image: temporalio/admin-tools, command: /setup.sh, restart: on-failure") is None


def test_faults_show_within_two_minutes_and_probes_end_before_the_next() -> None:
    for timing in TIMINGS.values():
        assert timing.timeout < timing.interval
        assert timing.retries * (timing.interval + timing.timeout) <= 120


@pytest.mark.parametrize(
    ("timing", "slow"),
    [
        ("interval: 5s, retries: 60", "shows a fault after 300 s only (60 x 5 s)"),
        ("interval: 5m", "shows a fault after 900 s only (3 x 300 s)"),
        ("interval: 10s, retries: 12", None),
        ("timeout: 5s", None),
    ],
)
def test_slow_checks_are_reported(plan_of: Callable[..., Plan], timing: str, slow: str | None) -> None:
    text = f"services: {{a: {{image: 'postgres:17', healthcheck: {{test: pg_isready -h db, {timing}}}}}}}"
    found = plan_of(text, select=["BW-HLT-003"]).findings
    assert [(f.message, f.fix) for f in found] == ([(slow, None)] if slow else [])


@pytest.mark.parametrize(
    ("server", "before", "after"),
    [
        ("command: redis-server --requirepass x", "redis-cli ping", None),
        ("command: --requirepass x", "redis-cli ping", None),
        ("command: redis-server /etc/redis.conf", "redis-cli ping", None),
        ("environment: {REDIS_ARGS: --requirepass x}", "redis-cli ping", None),
        ("command: redis-server --requirepass x", "redis-cli -a x ping", "redis-cli -a x ping | grep -q PONG"),
        (
            "command: redis-server --requirepass x, environment: {REDIS_PASSWORD: x}",
            "redis-cli ping",
            'REDISCLI_AUTH="$$REDIS_PASSWORD" redis-cli ping | grep -q PONG',
        ),
        (
            "command: redis-server --requirepass x, environment: {REDISCLI_AUTH: x}",
            "redis-cli ping",
            "redis-cli ping | grep -q PONG",
        ),
    ],
)
def test_a_probe_without_the_password_is_never_made_strict(
    hardened: Callable[..., str], plan_of: Callable[..., Plan], server: str, before: str, after: str | None
) -> None:
    service = f"image: 'redis:8', {server}, healthcheck: {{test: {before}}}"
    assert checked(hardened, service)["test"] == (after or before)
    found = finding(plan_of, service)
    assert found is not None
    assert (found.fix is None) == (after is None)


def test_a_server_without_tcp_on_loopback_is_not_asked_there(plan_of: Callable[..., Plan]) -> None:
    command = "command: postgres -c listen_addresses=10.0.0.5"
    for check in ("", ", healthcheck: {test: pg_isready}"):
        found = finding(plan_of, f"image: 'postgres:17', {command}{check}")
        assert found is not None
        assert found.fix is None
        assert "does not listen on 127.0.0.1" in found.message
