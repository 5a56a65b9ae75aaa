# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that hang together with the limits move in one plan, or are refused together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy import datastores
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.coupled import go_limit
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Plan, Usage

MIB = 2**20


def one(service: str) -> str:
    return f"services:\n  a: {{{service}}}\n"


def command(text: str) -> Any:
    return yaml.safe_load(text)["services"]["a"].get("command")


def changed(plan: Plan, prefix: str = "BW-CPL") -> list[str]:
    return [change.control for change in plan.changes if change.control.startswith(prefix)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "redis-server --maxmemory 240mb --maxmemory-policy noeviction"),
        (
            ", command: redis-server --appendonly yes",
            "redis-server --appendonly yes --maxmemory 240mb --maxmemory-policy noeviction",
        ),
        (
            ", command: [redis-server, --appendonly, 'yes']",
            ["redis-server", "--appendonly", "yes", "--maxmemory", "240mb", "--maxmemory-policy", "noeviction"],
        ),
        (
            ", command: [redis-server, --maxmemory, 1gb]",
            ["redis-server", "--maxmemory", "240mb", "--maxmemory-policy", "noeviction"],
        ),
        (
            ", command: redis-server --maxmemory 1gb --port 7000",
            "redis-server --maxmemory 240mb --port 7000 --maxmemory-policy noeviction",
        ),
        (", command: redis-server --save ''", "redis-server --save '' --maxmemory 384mb --maxmemory-policy noeviction"),
        (", command: redis-server --maxmemory 100mb", "redis-server --maxmemory 100mb"),
        (", command: redis-server /etc/redis.conf", "redis-server /etc/redis.conf"),
        (", command: sh -c 'exec redis-server'", "sh -c 'exec redis-server'"),
        (
            ", command: 'redis-server --requirepass ${PASSWORD}'",
            "redis-server --requirepass ${PASSWORD} --maxmemory 240mb --maxmemory-policy noeviction",
        ),
    ],
)
def test_redis_is_told_the_way_the_file_does_it(hardened: Callable[..., str], before: str, after: Any) -> None:
    text = hardened(one(f"image: 'redis:8'{before}"), limits={"a": {"memory": "512m"}}, select=["BW-LIM-001", "BW-CPL"])
    assert command(text) == after


def test_valkey_and_the_variables_of_other_images(hardened: Callable[..., str]) -> None:
    def value(service: str, key: str) -> Any:
        return yaml.safe_load(hardened(one(service), select=["BW-LIM-001", "BW-CPL"]))["services"]["a"].get(key)

    flags = "--maxmemory 240mb --maxmemory-policy noeviction"
    assert value("image: 'valkey/valkey:8'", "command") == f"valkey-server {flags}"
    assert value("image: bitnami/redis, environment: [ALLOW_EMPTY_PASSWORD=yes]", "environment") == [
        "ALLOW_EMPTY_PASSWORD=yes",
        f"REDIS_EXTRA_FLAGS={flags}",
    ]
    assert value("image: redis/redis-stack-server, environment: {REDIS_ARGS: --save 60 1}", "environment") == {
        "REDIS_ARGS": f"--save 60 1 {flags}"
    }


def test_an_eviction_policy_is_reported_and_never_changed(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(one("image: 'redis:8', command: redis-server --maxmemory 100mb --maxmemory-policy allkeys-lru"))
    assert changed(plan) == []
    assert any(f.control == "BW-CPL-005" and "allkeys-lru drops keys" in f.message for f in plan.findings)


def test_redis_with_more_data_than_fits_is_refused(plan_of: Callable[..., Plan]) -> None:
    usage = {"a": Usage(150 * MIB, 150 * MIB, 0.1, 5)}
    plan = plan_of(one("image: 'redis:8'"), usage=usage, limits={"a": {"memory": "256m"}})
    assert len(plan.errors) == 1
    assert "leaves 112m for data" in plan.errors[0]
    assert "it holds 180m with headroom; a limit of 448m fits" in plan.errors[0]
    assert plan_of(one("image: 'redis:8'"), usage=usage, limits={"a": {"memory": "448m"}}).errors == ()


@pytest.mark.parametrize(
    ("before", "limit", "after"),
    [
        ("", "1g", None),
        ("", "512m", "postgres -c work_mem=3MB"),
        ("", "256m", "postgres -c shared_buffers=64MB -c work_mem=1MB"),
        (", command: postgres -c shared_buffers=2GB", "2g", "postgres -c shared_buffers=512MB"),
        (
            ", command: [postgres, -c, shared_buffers=2GB, -c, fsync=on]",
            "2g",
            ["postgres", "-c", "shared_buffers=512MB", "-c", "fsync=on"],
        ),
        (", command: --max-connections=50", "512m", "--max-connections=50"),
        (", command: ['-c', 'max_connections=100']", "512m", ["-c", "max_connections=100", "-c", "work_mem=3MB"]),
        (", command: postgres -c config_file=/etc/pg.conf", "512m", "postgres -c config_file=/etc/pg.conf"),
    ],
)
def test_postgres_fits_the_limit_that_is_stated(
    hardened: Callable[..., str], before: str, limit: str, after: Any
) -> None:
    text = hardened(
        one(f"image: 'postgres:17'{before}"), limits={"a": {"memory": limit}}, select=["BW-LIM-001", "BW-CPL"]
    )
    assert command(text) == after


def test_postgres_without_room_for_its_connections_is_refused(plan_of: Callable[..., Plan]) -> None:
    service = one("image: 'postgres:17', command: postgres -c max_connections=500")
    plan = plan_of(service, limits={"a": {"memory": "512m"}})
    assert len(plan.errors) == 1
    assert "500 connections x work_mem 4m + 64m is more than the limit 512m" in plan.errors[0]
    assert "a limit of 704m or fewer connections fit" in plan.errors[0]


def test_what_the_user_wrote_together_is_judged_and_not_moved(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(one("image: 'postgres:17', mem_limit: 512m"), select=["BW-CPL-001", "BW-CPL-002"])
    assert plan.changes == ()
    assert "a limit that stands is not moved" in plan.findings[0].message
    plan = plan_of(
        one("image: 'redis:8', mem_limit: 256m, command: redis-server --maxmemory 200mb"), select=["BW-CPL-004"]
    )
    assert plan.changes == ()
    assert "not moved" in plan.findings[0].message


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("image: 'postgres:17', mem_limit: 640m", "128m"),
        ("image: 'postgres:17', mem_limit: 2g", "512m"),
        ("image: 'postgres:17'", "1g"),
        ("image: 'postgres:17', shm_size: 2g", "2g"),
        ("image: 'postgres:17', mem_limit: 1g, shm_size: 2g", "256m"),
        ("image: 'postgres:17', ipc: host", None),
        ("image: 'postgres:17', tmpfs: [/dev/shm]", None),
        ("image: 'redis:8'", None),
    ],
)
def test_shared_memory(hardened: Callable[..., str], service: str, expected: str | None) -> None:
    assert yaml.safe_load(hardened(one(service)))["services"]["a"].get("shm_size") == expected


@pytest.mark.parametrize(
    ("stated", "limit", "after"),
    [
        (None, "512m", "460MiB"),
        (None, "2g", "1843MiB"),
        ("400MiB", "512m", "400MiB"),
        ("460MiB", "768m", "460MiB"),
        ("1GiB", "512m", "460MiB"),
        ("100MiB", "1g", "921MiB"),
        ("off", "512m", "460MiB"),
        ("${LIMIT}", "512m", "${LIMIT}"),
    ],
)
def test_gomemlimit(hardened: Callable[..., str], stated: str | None, limit: str, after: str) -> None:
    variables = f", environment: {{GOMEMLIMIT: '{stated}'}}" if stated else ""
    text = hardened(one(f"image: 'temporalio/server:1.31.2', mem_limit: {limit}{variables}"), select=["BW-CPL"])
    assert yaml.safe_load(text)["services"]["a"]["environment"]["GOMEMLIMIT"] == after


def test_gomemlimit_that_followed_the_old_limit_follows_the_new_one(hardened: Callable[..., str]) -> None:
    service = "image: 'temporalio/server:1.31.2', mem_limit: 512m, environment: [GOMEMLIMIT=460MiB, LOG_LEVEL=warn]"
    text = hardened(one(service), limits={"a": {"memory": "768m"}}, select=["BW-LIM-001", "BW-CPL"])
    assert yaml.safe_load(text)["services"]["a"]["environment"] == ["GOMEMLIMIT=691MiB", "LOG_LEVEL=warn"]


@pytest.mark.parametrize(
    ("text", "size"), [("460MiB", 460 * MIB), ("1GiB", 1024 * MIB), ("1000", 1000), ("off", None), ("460MB", None)]
)
def test_go_sizes(text: str, size: int | None) -> None:
    assert go_limit(text) == size


@pytest.mark.parametrize(
    ("tag", "stated", "cpus", "after"),
    [
        ("1.28.1", None, "1.5", "2"),
        ("1.28.1", None, "1.0", "1"),
        ("1.28.1", "8", "1.0", "1"),
        ("1.29.0", None, "1.5", None),
        ("1.31.2", None, "1.5", None),
        ("1.31.2", "8", "1.5", "2"),
        ("1.31.2", "1", "1.5", "1"),
        ("latest", None, "1.5", None),
    ],
)
def test_gomaxprocs(hardened: Callable[..., str], tag: str, stated: str | None, cpus: str, after: str | None) -> None:
    variables = f"GOMAXPROCS: '{stated}'" if stated else "LOG_LEVEL: warn"
    service = f"image: 'temporalio/server:{tag}', cpus: {cpus}, environment: {{{variables}}}"
    text = hardened(one(service), select=["BW-CPL-007"])
    assert yaml.safe_load(text)["services"]["a"]["environment"].get("GOMAXPROCS") == after


@pytest.mark.parametrize(
    ("service", "pids"),
    [
        ("image: 'postgres:17', pids_limit: 100", 192),
        ("image: 'postgres:17', pids_limit: 200", 200),
        ("image: 'postgres:17', pids_limit: 200, command: postgres -c max_connections=300", 384),
        ("image: 'temporalio/server:1.31.2', pids_limit: 20", 128),
        ("image: nginx, pids_limit: 20", 20),
    ],
)
def test_process_limits_are_above_connections(hardened: Callable[..., str], service: str, pids: int) -> None:
    assert yaml.safe_load(hardened(one(service)))["services"]["a"]["pids_limit"] == pids


def test_a_process_limit_of_the_inventory_below_the_connections_is_refused(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(one("image: 'postgres:17'"), limits={"a": {"pids": 100}})
    assert len(plan.errors) == 1
    assert "100 connections are 100 processes" in plan.errors[0]


@examples(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    limit=st.integers(min_value=64, max_value=8192),
    kind=st.sampled_from(("redis:8", "postgres:17")),
    used=st.integers(min_value=8, max_value=4096),
)
def test_a_plan_is_coherent_or_refused(
    hardened: Callable[..., str], plan_of: Callable[..., Plan], limit: int, kind: str, used: int
) -> None:
    usage = {"a": Usage(used * MIB, used * MIB, 0.1, 5)}
    stated = {"a": {"memory": f"{limit}m"}}
    plan = plan_of(one(f"image: '{kind}'"), usage=usage, limits=stated)
    if plan.errors:
        return
    service = yaml.safe_load(hardened(one(f"image: '{kind}'"), usage=usage, limits=stated))["services"]["a"]
    assert limit >= used * 1.2 - 1
    words = (service.get("command") or "").split()
    if kind.startswith("redis"):
        store = datastores.redis(datastores.parse_redis(words)[0])
        assert store is not None
        assert store.policy == "noeviction"
        assert 2 * store.maxmemory + datastores.REDIS_BASE <= limit * MIB
        assert store.maxmemory >= used * MIB
    else:
        server = datastores.postgres(datastores.parse_postgres(words)[0])
        assert server is not None
        assert server.need <= limit * MIB
        assert server.processes <= service["pids_limit"]
