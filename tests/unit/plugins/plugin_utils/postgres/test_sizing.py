# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool's sizes: what the table shows adds up, and no input gives more than PostgreSQL leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.records import (
    Client,
    Clients,
    PoolUser,
    ServerFacts,
    Sizes,
    Sizing,
    Sources,
    Use,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.sizing import (
    TEMPORAL_LEAST,
    direct_need,
    pool_users,
    size_pool,
    table,
)

ROOT = Path(__file__).resolve().parents[5]
SECRETS = Sources({".env": "POSTGRES_PASSWORD=secret\n"})
TEMPORAL = (
    PoolUser("temporal", "t", "transaction", 80, "default", ("temporal",), 4),
    PoolUser("temporal_visibility", "t", "transaction", 40, "visibility", ("temporal",), 4),
)


def sizes_of(sizing: Sizing) -> Sizes:
    """Return the sizes of a pool that fits."""
    assert sizing.sizes is not None, sizing.refusals
    return sizing.sizes


def test_the_example_of_the_documentation() -> None:
    sizes = sizes_of(size_pool(ServerFacts(), TEMPORAL))
    assert [(s.database, s.pool_size, s.reserve_pool_size, s.max_db_connections) for s in sizes.databases] == [
        ("temporal", 12, 2, 15),
        ("temporal_visibility", 4, 0, 5),
    ]
    assert sizes.backends == 20
    assert (sizes.query_wait_timeout, sizes.max_client_conn, sizes.nofile) == (4, 1000, 4096)
    assert sizes.memory == 128 * 2**20


def test_a_small_server_gives_each_its_least() -> None:
    least = sum(TEMPORAL_LEAST.values())
    # 3 for the superuser, 10 direct, 2 for the health check, 1 for the lookup
    sizes = sizes_of(size_pool(ServerFacts(max_connections=least + 16), TEMPORAL))
    assert [size.pool_size for size in sizes.databases] == [10, 4]
    assert size_pool(ServerFacts(max_connections=least + 15), TEMPORAL).sizes is None


def test_what_does_not_fit_is_refused_with_the_smallest_change_that_would_do() -> None:
    sizing = size_pool(ServerFacts(max_connections=28), TEMPORAL)
    assert sizing.sizes is None
    text = str(sizing.refusals[0])
    assert "2 more connections" in text
    assert "raise max_connections to 30" in text
    assert "8 MB" in text
    assert "SQL_MAX_CONNS of temporal to 2 (" in text
    assert size_pool(ServerFacts(max_connections=30), TEMPORAL).sizes is not None
    fewer = (TEMPORAL[0]._replace(clients=8), TEMPORAL[1])
    assert size_pool(ServerFacts(max_connections=28), fewer).sizes is not None
    assert "SQL_MAX_CONNS" not in str(size_pool(ServerFacts(max_connections=25), TEMPORAL).refusals[0])
    assert sizing.rows


def test_the_page_shows_what_is_worked_out_for_the_example(found: Callable[..., tuple[Project, Clients]]) -> None:
    _project, clients = found((ROOT / "examples/generic-corp/docker-compose.yml").read_text(encoding="utf-8"), SECRETS)
    pooled = [client for client in clients.clients if client.form == "temporal" and not client.direct]
    direct, words = direct_need([client for client in clients.clients if client not in pooled])
    lines = table(size_pool(ServerFacts(), pool_users(pooled, {}), direct, direct_words=words).rows)
    assert "\n".join(lines) in (ROOT / "docs/pool-sizing.md").read_text(encoding="utf-8")


def test_a_session_pool_has_one_connection_for_each_client() -> None:
    user = PoolUser("app", "u", "session", 30, "", ("app",))
    assert sizes_of(size_pool(ServerFacts(), [user])).databases[0].pool_size == 30
    refused = size_pool(ServerFacts(max_connections=40), [user])
    assert "let app open" in str(refused.refusals[0])


@pytest.mark.parametrize(
    ("users", "reason"),
    [
        ([PoolUser("app", "", "session", 5, "", ("api",))], "api: its user is not in its configuration"),
        ([PoolUser("", "u", "session", 5, "", ("api",))], "api: its database is not in its configuration"),
        ([], "no client is to go through it"),
        (
            [PoolUser("app", "u", "session", 5, "", ("a",)), PoolUser("app", "u", "transaction", 5, "", ("b",))],
            "used by a in session mode and b in transaction mode",
        ),
    ],
)
def test_users_without_a_pool_are_refused(users: list[PoolUser], reason: str) -> None:
    sizing = size_pool(ServerFacts(), users)
    assert sizing.sizes is None
    assert reason in " ".join(map(str, sizing.refusals))


def test_more_clients_than_the_host_has_descriptors_for_are_refused() -> None:
    many = (TEMPORAL[0]._replace(clients=8000), TEMPORAL[1])
    sizing = size_pool(ServerFacts(), many, descriptors=4096)
    assert sizing.sizes is None
    assert "file descriptors, the host has 4096" in str(sizing.refusals[0])
    assert "SQL_MAX_CONNS of temporal to " in str(sizing.refusals[0])
    assert sizes_of(size_pool(ServerFacts(), TEMPORAL, descriptors=512)).nofile == 512


def test_history_shards_ask_for_more_up_to_twice() -> None:
    by_shards = [
        sizes_of(size_pool(ServerFacts(), TEMPORAL, history_shards=shards)).databases[0].pool_size
        for shards in (4, 16, 512)
    ]
    assert by_shards == [12, 16, 24]


def test_users_are_put_together_from_clients() -> None:
    def client(service: str, form: str, *uses: Use) -> Client:
        return Client(service, "other", form, "db", "", "db", 5432, uses, ())

    clients = [
        client("temporal", "temporal", Use("temporal", "t", 80, "", "default", 4)),
        client("api", "url", Use("app", "u", 10, "")),
        client("jobs", "url", Use("app", "u", 5, "")),
        client("cron", "url", Use("app", "v", None, "")),
    ]
    assert pool_users(clients, {"cron": "transaction"}) == (
        PoolUser("temporal", "t", "transaction", 80, "default", ("temporal",), 4),
        PoolUser("app", "u", "session", 15, "", ("api", "jobs")),
        PoolUser("app", "v", "transaction", None, "", ("cron",)),
    )


def test_direct_clients_keep_their_connections() -> None:
    use = Use("app", "u", 7, "")
    known = Client("api", "other", "url", "db", "", "db", 5432, (use,), ())
    unknown = known._replace(service="web", uses=(use._replace(maximum=None),))
    job = known._replace(service="migrate", direct="a job")
    count, words = direct_need([known, unknown, job])
    assert count == 10 + 7 + 15
    assert words.endswith("+ 7 for api + 15 for web (not known)")


def test_the_table_lines_up() -> None:
    lines = table(size_pool(ServerFacts(), TEMPORAL).rows)
    ends = {line.index(f" {value}  ") + len(value) for line, value in zip(lines[:3], ("100", "3", "10"), strict=True)}
    assert len(ends) == 1
    assert lines[2].endswith("  10  kept for what does not go through the pool")
    assert table([]) == ()


_APPLICATION = st.builds(
    PoolUser,
    database=st.sampled_from(["a", "b", "c"]),
    user=st.sampled_from(["u", "v"]),
    mode=st.just("session"),
    clients=st.none() | st.integers(0, 40),
)
_USERS = st.lists(_APPLICATION, max_size=4).map(lambda users: [*TEMPORAL, *users]) | st.lists(
    _APPLICATION, min_size=1, max_size=4
)
_SERVER = st.builds(
    ServerFacts,
    max_connections=st.integers(1, 400),
    superuser_reserved=st.integers(0, 10),
    reserved=st.integers(0, 10),
    cores=st.floats(0.25, 64),
)


@given(_SERVER, _USERS, st.integers(0, 50), st.sampled_from([1, 4, 512]), st.none() | st.integers(64, 5000))
def test_the_pool_never_takes_more_than_there_is(
    server: ServerFacts, users: list[PoolUser], direct: int, shards: int, descriptors: int | None
) -> None:
    sizing = size_pool(server, users, direct, shards, descriptors=descriptors)
    assert (sizing.sizes is None) == bool(sizing.refusals)
    assert sizing.rows
    if sizing.sizes is None:
        return
    sizes = sizing.sizes
    left = server.max_connections - server.superuser_reserved - server.reserved - direct
    assert sizes.backends + 1 <= left
    assert sizes.max_client_conn >= sum(user.clients or 0 for user in users)
    assert sizes.nofile >= sizes.max_client_conn + sizes.backends
    assert descriptors is None or sizes.nofile <= descriptors
    for size in sizes.databases:
        assert 1 <= size.pool_size <= size.max_db_connections
        assert size.min_pool_size <= size.pool_size
    for user in TEMPORAL if TEMPORAL[0] in users else ():
        size = next(size for size in sizes.databases if size.database == user.database)
        assert size.pool_size >= TEMPORAL_LEAST[user.store]


@given(_SERVER, _USERS, st.integers(1, 20))
def test_more_connections_never_mean_less_for_a_pool(server: ServerFacts, users: list[PoolUser], more: int) -> None:
    before = size_pool(server, users).sizes
    after = size_pool(server._replace(max_connections=server.max_connections + more), users).sizes
    if before is None:
        return
    assert after is not None
    for one, other in zip(before.databases, after.databases, strict=True):
        assert one.pool_size <= other.pool_size
        assert one.max_db_connections <= other.max_db_connections


@given(_SERVER, _USERS)
def test_the_change_that_is_named_is_enough_and_the_smallest(server: ServerFacts, users: list[PoolUser]) -> None:
    refused = [refusal for refusal in size_pool(server, users).refusals if "raise max_connections" in refusal.way_out]
    if not refused:
        return
    need = int(refused[0].way_out.split()[3])
    assert size_pool(server._replace(max_connections=need), users).sizes is not None
    assert size_pool(server._replace(max_connections=need - 1), users).sizes is None


@pytest.mark.parametrize(
    ("clients", "admitted"),
    # 40 for visibility, and one for the health check of each database
    [(957, 1000), (958, 1000), (959, 1100), (1058, 1100), (1059, 1200)],
)
def test_clients_are_admitted_in_hundreds_with_the_health_check_on_top(clients: int, admitted: int) -> None:
    users = (TEMPORAL[0]._replace(clients=clients), TEMPORAL[1])
    assert sizes_of(size_pool(ServerFacts(), users)).max_client_conn == admitted


def test_no_change_is_named_that_nobody_can_work_out() -> None:
    hidden = tuple(user._replace(clients=None, pools=0) for user in TEMPORAL)
    assert "SQL_MAX_CONNS" not in str(size_pool(ServerFacts(max_connections=28), hidden).refusals[0])
