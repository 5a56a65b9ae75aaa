# SPDX-License-Identifier: GPL-3.0-or-later
"""Arithmetic of PostgreSQL and Redis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy import datastores
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.budget import GIB, MIB

limits = st.integers(min_value=64 * MIB, max_value=64 * GIB)


@pytest.mark.parametrize(
    ("words", "values", "named"),
    [
        (
            "postgres -c shared_buffers=256MB -c max_connections=200",
            {"shared_buffers": "256MB", "max_connections": "200"},
            False,
        ),
        ("postgres -cshared_buffers=1GB", {"shared_buffers": "1GB"}, False),
        ("postgres --shared-buffers=1GB --work_mem=8MB", {"shared_buffers": "1GB", "work_mem": "8MB"}, False),
        ("postgres -N 300 -B 16384", {"max_connections": "300", "shared_buffers": "16384"}, False),
        ("-c config_file=/etc/postgresql.conf", {"config_file": "/etc/postgresql.conf"}, True),
        ("postgres", {}, False),
    ],
)
def test_postgres_command_lines(words: str, values: dict[str, str], named: bool) -> None:
    assert datastores.parse_postgres(words.split()) == (values, named)


@pytest.mark.parametrize(
    ("words", "values", "named"),
    [
        (["redis-server", "--maxmemory", "256mb"], {"maxmemory": "256mb"}, False),
        (["redis-server", "--save", "60", "1", "--appendonly", "yes"], {"save": "60 1", "appendonly": "yes"}, False),
        (["redis-server", "--save", "", "--appendonly", "no"], {"save": "", "appendonly": "no"}, False),
        (["redis-server", "/etc/redis/redis.conf", "--port", "7000"], {"port": "7000"}, True),
        (["valkey-server", "--maxmemory-policy=allkeys-lru"], {"maxmemory-policy": "allkeys-lru"}, False),
    ],
)
def test_redis_command_lines(words: list[str], values: dict[str, str], named: bool) -> None:
    assert datastores.parse_redis(words) == (values, named)


@pytest.mark.parametrize(
    ("text", "unit", "size"),
    [
        ("128MB", 1, 128 * MIB),
        ("16384", 8192, 128 * MIB),
        ("4096", 1024, 4 * MIB),
        ("1GB", 1, GIB),
        ("${X}", 1, None),
        ("3 apples", 1, None),
    ],
)
def test_postgres_sizes(text: str, unit: int, size: int | None) -> None:
    assert datastores.pg_size(text, unit) == size


@pytest.mark.parametrize(
    ("text", "size"), [("100mb", 100 * MIB), ("100m", 100_000_000), ("1gb", GIB), ("0", 0), ("$X", None)]
)
def test_redis_sizes(text: str, size: int | None) -> None:
    assert datastores.redis_size(text) == size


def test_defaults_of_postgres() -> None:
    server = datastores.postgres({})
    assert server is not None
    assert (server.shared_buffers, server.work_mem, server.max_connections) == (128 * MIB, 4 * MIB, 100)
    assert server.need == (128 + 400 + 64) * MIB
    assert server.processes > 100 + 8
    assert datastores.postgres({"work_mem": "${W}"}) is None


@pytest.mark.parametrize(
    ("values", "persistent"),
    [
        ({}, True),
        ({"save": ""}, False),
        ({"save": '""'}, False),
        ({"save": "", "appendonly": "yes"}, True),
        ({"save": "60 1"}, True),
    ],
)
def test_redis_keeps_its_data_unless_it_is_told_not_to(values: dict[str, str], persistent: bool) -> None:
    store = datastores.redis(values)
    assert store is not None
    assert store.persistent is persistent


@given(limits, st.booleans())
def test_data_of_redis_fits_its_limit_with_room_for_the_fork(limit: int, persistent: bool) -> None:
    value = datastores.maxmemory_for(limit, persistent)
    assert value >= 0
    assert datastores.redis_need(value, persistent) <= limit
    if persistent:
        assert 2 * value + datastores.REDIS_BASE <= limit
    else:
        assert value < limit


@given(limits, st.integers(min_value=1, max_value=2000))
def test_connections_of_postgres_fit_the_limit(limit: int, connections: int) -> None:
    buffers = datastores.shared_buffers_for(limit)
    assert buffers <= limit * datastores.PG_BUFFERS_MOST
    work_mem = datastores.work_mem_for(limit, buffers, connections)
    assert buffers + connections * work_mem + datastores.PG_BASE <= limit or work_mem == 0


@given(limits)
def test_shared_memory_is_a_power_of_two_within_the_limit(limit: int) -> None:
    size = datastores.shm_size_for(limit)
    assert size & (size - 1) == 0
    assert 128 * MIB <= size <= GIB
    assert size <= max(limit // 4, 128 * MIB)
