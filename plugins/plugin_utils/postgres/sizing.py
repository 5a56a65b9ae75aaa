# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many connections the pool gets: the arithmetic, and the table with which a person can check it.

Every pool has the least with which it works before any of them has more, and none has more than does it good; what is
left stays free. Everything is counted against what PostgreSQL leaves to ordinary roles, so that the pool can be full
and PostgreSQL still answers those who do not go through it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .records import Client, PoolSize, PoolUser, Refusal, ServerFacts, Sizes, Sizing, SizingRow

#: Connections kept for what does not go through the pool: schema jobs, exporters, backups, administrators.
DIRECT_CONNECTIONS = 10

#: A direct client of which nothing says how many connections it opens counts as that many: above the pools that
#: libraries open by default (10 in HikariCP and node-postgres, 15 in SQLAlchemy, overflow included).
UNKNOWN_DIRECT = 15

#: Server connections below which Temporal's stores are not put behind a pool. Measured at server 1.31.2 on two cores:
#: 12 and 4 in transaction mode carry what direct connections carry; 12 in session mode starve it, because each of its
#: 80 clients wants one for itself. That 10 are enough is a judgement: the example works with it, no load was measured.
TEMPORAL_LEAST = {"default": 10, "visibility": 4}

#: A service of Temporal with a single connection waits for itself: fewer are not proposed.
SQL_MAX_CONNS_LEAST = 2

#: The same, by core of the server: the measured figures on two cores.
TEMPORAL_BY_CORE = {"default": 6, "visibility": 2}

#: Of an application: least, and what is useful, in transaction mode; and in session mode when its maximum is not known.
APPLICATION_LEAST = 2
APPLICATION_BY_CORE = 4
SESSION_LEAST = 5
SESSION_USEFUL = 20

#: Clients of which nothing says how many they are, and clients that the pool admits in any case.
UNKNOWN_CLIENTS = 100
CLIENTS_LEAST = 1000

#: Below the shortest deadline of Temporal's persistence (history.shardIOTimeout, 5 s), so that the pooler names the
#: cause before the server gives up without one. Without Temporal it is PgBouncer's default.
WAIT_TEMPORAL = 4
WAIT_DEFAULT = 120

SERVER_LIFETIME = 3600
SERVER_IDLE_TIMEOUT = 600

#: PgBouncer's default since 1.24.0. Behind 0, pgx's named statements collide in transaction mode and Temporal exits.
PREPARED_STATEMENTS = 200

#: Memory: PgBouncer's documentation of max_prepared_statements counts 5 kB for each query, kept once, and 4 x pkt_buf
#: (4 kB) for each client that uses them. Another pkt_buf is for the client's own buffer, and 128 bytes for each
#: statement that it has a name for. The base is the process with libraries, resolver and slabs.
_BASE_MEMORY = 32 * 2**20
_QUERY_MEMORY = 5 * 2**10
_CLIENT_MEMORY = 5 * 4 * 2**10
_NAME_MEMORY = 128
_MEMORY_STEP = 64 * 2**20

#: Descriptors beside connections: sockets to listen on, resolver, console, log.
_OTHER_DESCRIPTORS = 64
_DESCRIPTORS_STEP = 512
_DESCRIPTORS_LEAST = 4096  # what BW-OPS-007 asks for

_PGBOUNCER = "https://www.pgbouncer.org/config.html"
_POSTGRES = "https://www.postgresql.org/docs/current/runtime-config-connection.html"
_WORK_MEM = 4 * 2**20


class _Claim(NamedTuple):
    """What one pool needs at least, and what does it good."""

    user: PoolUser
    least: int
    useful: int
    words: str


def pool_users(clients: Iterable[Client], modes: Mapping[str, str]) -> tuple[PoolUser, ...]:
    """Put together who uses which database of the pool.

    Args:
        clients: the clients that are to go through the pool.
        modes: mode by service, ``transaction`` or ``session``; Temporal's is always ``transaction``, others default to
            ``session``.
    """
    found: dict[tuple[str, str, str, str], PoolUser] = {}
    for client in clients:
        mode = "transaction" if client.form == "temporal" else modes.get(client.service, "session")
        for use in client.uses:
            key = (use.database, use.user, mode, use.store)
            before = found.get(key, PoolUser(use.database, use.user, mode, 0, use.store))
            known = before.clients is not None and use.maximum is not None
            found[key] = before._replace(
                clients=(before.clients or 0) + (use.maximum or 0) if known else None,
                services=tuple(dict.fromkeys((*before.services, client.service))),
                pools=before.pools + use.pools,
            )
    return tuple(found.values())


def direct_need(clients: Iterable[Client]) -> tuple[int, str]:
    """Return the connections to keep for what stays on the server itself, and the sum in words.

    Args:
        clients: the clients that do not go through the pool; those that are direct by nature are in the base.
    """
    total, words = DIRECT_CONNECTIONS, [f"{DIRECT_CONNECTIONS} for schema jobs, exporters, backups and administrators"]
    for client in clients:
        if client.direct:
            continue
        count = UNKNOWN_DIRECT if client.maximum is None else client.maximum
        total += count
        words.append(f"{count} for {client.service}" + ("" if client.maximum is not None else " (not known)"))
    return total, " + ".join(words)


def size_pool(
    server: ServerFacts,
    users: Sequence[PoolUser],
    direct: int = DIRECT_CONNECTIONS,
    history_shards: int = 4,
    direct_words: str = "",
    descriptors: int | None = None,
) -> Sizing:
    """Size the pool.

    Args:
        server: what PostgreSQL allows.
        users: who uses the pool.
        direct: connections that are kept for what does not go through the pool, clients that stay direct included.
        history_shards: Temporal's number of history shards.
        direct_words: how ``direct`` adds up, see direct_need.
        descriptors: the most that the host lets a container have, None when it sets no bound.
    """
    refusals = _unusable(users)
    claims = [_claim(user, server.cores, history_shards) for user in users]
    databases = list(dict.fromkeys(user.database for user in users))
    # The health check holds one in each database, the lookup of secrets one in the database of its function.
    own = len(databases) + 1
    left = server.max_connections - server.superuser_reserved - server.reserved - direct
    rows = _room_rows(server, direct, direct_words, len(databases))
    least = sum(claim.least for claim in claims)
    if least + own > left:
        refusals.append(_no_room(server, claims, least + own - left))
    granted, reserves = _share_out(claims, databases, left - own)
    sizes = tuple(_pool_size(name, claims, granted, reserves[name]) for name in databases)
    rows += [_pool_row(claim, granted[index]) for index, claim in enumerate(claims)]
    backends = sum(size.max_db_connections for size in sizes)
    clients, clients_words = _clients(users, databases, backends, descriptors)
    if descriptors is not None and _descriptors(clients, backends) > descriptors:
        refusals.append(_too_many_clients(users, clients, backends, descriptors))
    result = _settings(sizes, claims, granted, clients, descriptors)
    rows += _setting_rows(result, backends, clients_words, any(user.store for user in users), left)
    return Sizing(None if refusals else result, tuple(rows), tuple(refusals))


def _unusable(users: Sequence[PoolUser]) -> list[Refusal]:
    """Refuse users that no pool can be made for."""
    refusals = []
    if not users:
        refusals.append(Refusal("pool", "no client is to go through it", "name an application, or leave it out"))
    for user in users:
        if not user.database or not user.user:
            missing = "user" if user.database else "database"
            who = ", ".join(user.services) or "a client"
            refusals.append(
                Refusal(who, f"its {missing} is not in its configuration", f"state the {missing}, or leave it direct")
            )
    modes: dict[str, dict[str, list[str]]] = {}
    for user in users:
        modes.setdefault(user.database, {}).setdefault(user.mode, []).extend(user.services)
    for database, by_mode in modes.items():
        if len(by_mode) > 1:
            parts = " and ".join(f"{', '.join(dict.fromkeys(names))} in {mode} mode" for mode, names in by_mode.items())
            hint = "state one mode for all of them, or leave some direct"
            refusals.append(Refusal(f"database {database}", f"it is used by {parts}", hint))
    return refusals


def _claim(user: PoolUser, cores: float, history_shards: int) -> _Claim:
    """Say what a pool needs and what does it good; never more than it has clients."""
    most = max(user.clients, 1) if user.clients is not None else None
    if user.mode == "session":
        if most is not None:
            return _Claim(user, most, most, f"session mode: one for each of its {most} clients")
        words = f"session mode, number of clients not known: {SESSION_LEAST} to {SESSION_USEFUL}"
        return _Claim(user, SESSION_LEAST, SESSION_USEFUL, words)
    if user.store:
        least, by_core = TEMPORAL_LEAST[user.store], TEMPORAL_BY_CORE[user.store]
        useful = max(least, math.ceil(by_core * cores))
        words = f"at least {least}; {by_core} x {cores:g} cores"
        if user.store == "default" and history_shards > useful:
            useful = min(history_shards, 2 * useful)
            words += f", more for {history_shards} history shards"
    else:
        least, useful = APPLICATION_LEAST, max(APPLICATION_LEAST, math.ceil(APPLICATION_BY_CORE * cores))
        words = f"at least {least}; {APPLICATION_BY_CORE} x {cores:g} cores"
    if most is not None and most < useful:
        words += f"; it has {most} clients"
    return _Claim(user, min(least, most or least), min(useful, most or useful), words)


def _share_out(claims: Sequence[_Claim], databases: Sequence[str], available: int) -> tuple[list[int], dict[str, int]]:
    """Give each pool its least, then one connection after the other to who lacks most, then the reserves.

    The order does not depend on how many there are, so that more room never means less for anybody.
    """
    granted = [claim.least for claim in claims]
    reserves = dict.fromkeys(databases, 0)
    left = available - sum(granted)
    while left > 0:
        hungry = [index for index, claim in enumerate(claims) if granted[index] < claim.useful]
        if not hungry:
            break
        granted[min(hungry, key=lambda index: (granted[index] / claims[index].useful, index))] += 1
        left -= 1
    for name in databases:
        useful = sum(claim.useful for claim in claims if claim.user.database == name)
        reserves[name] = max(min(left, useful // 5), 0)
        left -= reserves[name]
    return granted, reserves


def _pool_size(name: str, claims: Sequence[_Claim], granted: Sequence[int], reserve: int) -> PoolSize:
    """Put the users of a database together; its health check has one connection on top."""
    own = [(claim, granted[index]) for index, claim in enumerate(claims) if claim.user.database == name]
    size = max(count for _claim_, count in own)
    kept = 2 if any(claim.user.store == "default" for claim, _count in own) else 0
    return PoolSize(
        database=name,
        users=tuple(dict.fromkeys(claim.user.user for claim, _count in own)),
        mode=own[0][0].user.mode,
        pool_size=size,
        max_db_connections=sum(count for _claim_, count in own) + reserve + 1,
        min_pool_size=min(kept, size),
        reserve_pool_size=reserve,
    )


def _clients(
    users: Sequence[PoolUser], databases: Sequence[str], backends: int, descriptors: int | None
) -> tuple[int, str]:
    """Return how many clients the pool admits, and the sum in words."""
    wanted = sum(UNKNOWN_CLIENTS if user.clients is None else user.clients for user in users) + len(databases)
    parts = [f"{'100 (not known)' if u.clients is None else u.clients} for {u.database}" for u in users]
    words = " + ".join([*parts, f"{len(databases)} for the health check"])
    least = CLIENTS_LEAST
    if descriptors is not None:
        least = min(least, max(descriptors - backends - _OTHER_DESCRIPTORS, 0))
    return max(-(-wanted // 100) * 100 if wanted > least else least, wanted), f"{words}, at least {least}"


def _descriptors(clients: int, backends: int) -> int:
    """Return the descriptors that the pooler needs."""
    return clients + backends + _OTHER_DESCRIPTORS


def _settings(
    sizes: tuple[PoolSize, ...],
    claims: Sequence[_Claim],
    granted: Sequence[int],
    clients: int,
    descriptors: int | None,
) -> Sizes:
    """Put the settings together."""
    backends = sum(size.max_db_connections for size in sizes)
    nofile = -(-_descriptors(clients, backends) // _DESCRIPTORS_STEP) * _DESCRIPTORS_STEP
    nofile = max(nofile, _DESCRIPTORS_LEAST)
    memory = _BASE_MEMORY + PREPARED_STATEMENTS * _QUERY_MEMORY
    memory += clients * (_CLIENT_MEMORY + PREPARED_STATEMENTS * _NAME_MEMORY)
    return Sizes(
        databases=sizes,
        default_pool_size=min(granted, default=1),
        max_client_conn=clients,
        query_wait_timeout=WAIT_TEMPORAL if any(claim.user.store for claim in claims) else WAIT_DEFAULT,
        server_lifetime=SERVER_LIFETIME,
        server_idle_timeout=SERVER_IDLE_TIMEOUT,
        max_prepared_statements=PREPARED_STATEMENTS,
        nofile=nofile if descriptors is None else min(nofile, descriptors),
        memory=-(-memory // _MEMORY_STEP) * _MEMORY_STEP,
    )


def _no_room(server: ServerFacts, claims: Sequence[_Claim], missing: int) -> Refusal:
    """Say by how much it does not fit, and the smallest changes that would help."""
    need = server.max_connections + missing
    memory = missing * _WORK_MEM // 2**20
    raised = f"a restart of PostgreSQL, and {missing} x work_mem more memory: {memory} MB at its default of 4 MB"
    helps = [f"raise max_connections to {need} ({raised})"]
    for claim in claims:
        room = claim.least - missing
        each = room // claim.user.pools if claim.user.store == "default" and claim.user.pools else 0
        if each >= SQL_MAX_CONNS_LEAST:
            helps.append(
                f"set SQL_MAX_CONNS of {', '.join(claim.user.services)} to {each} "
                f"(below the {TEMPORAL_LEAST['default']} in all that are measured)"
            )
        elif claim.user.mode == "session" and claim.user.clients is not None and room >= 1:
            helps.append(f"let {', '.join(claim.user.services)} open {room} connections at most")
    reason = f"it needs {missing} more connections than PostgreSQL leaves (max_connections {server.max_connections})"
    return Refusal("pool", reason, ", or ".join(helps))


def _too_many_clients(users: Sequence[PoolUser], clients: int, backends: int, descriptors: int) -> Refusal:
    """Say that the host does not have the descriptors, and the smallest change that would help."""
    need = _descriptors(clients, backends)
    reason = (
        f"{clients} clients and {backends} server connections need {need} file descriptors, the host has {descriptors}"
    )
    store = next((user for user in users if user.store == "default" and user.pools and user.clients), None)
    room = (store.clients or 0) - (need - descriptors) if store else 0
    hint = f"allow containers {need} of them"
    if store is not None and room >= store.pools:
        hint += f", or set SQL_MAX_CONNS of {', '.join(store.services)} to {room // store.pools}"
    return Refusal("pool", reason, hint)


def _room_rows(server: ServerFacts, direct: int, direct_words: str, databases: int) -> list[SizingRow]:
    """Show what PostgreSQL leaves to the pool, and what the pool uses for itself."""
    reserved = server.superuser_reserved + server.reserved
    left = server.max_connections - reserved - direct
    own = f"{databases} for the health check of each database + 1 for the lookup of secrets"
    return [
        SizingRow("max_connections", str(server.max_connections), f"from {server.origin}", _POSTGRES),
        SizingRow(
            "less reserved",
            str(reserved),
            f"superuser_reserved_connections {server.superuser_reserved} + reserved_connections {server.reserved}",
            _POSTGRES,
        ),
        SizingRow("less direct", str(direct), direct_words or "kept for what does not go through the pool", ""),
        SizingRow("left for the pool", str(left), f"{server.max_connections} - {reserved} - {direct}", ""),
        SizingRow("the pool itself", str(databases + 1), own, ""),
    ]


def _pool_row(claim: _Claim, count: int) -> SizingRow:
    """Show one pool."""
    user = claim.user
    source = "measured, see docs/pool-sizing.md" if user.store else f"{_PGBOUNCER}#pool_size"
    return SizingRow(f"pool {user.database} of {user.user}", str(count), claim.words, source)


def _setting_rows(sizes: Sizes, backends: int, clients: str, temporal: bool, left: int) -> list[SizingRow]:
    """Show the settings that follow."""
    parts = " + ".join(f"{size.max_db_connections} {size.database}" for size in sizes.databases)
    reserves = sum(size.reserve_pool_size for size in sizes.databases)
    wait = "below Temporal's shardIOTimeout of 5 s" if temporal else "the default"
    per_client = (_CLIENT_MEMORY + PREPARED_STATEMENTS * _NAME_MEMORY) // 2**10
    memory = f"32 MB + {PREPARED_STATEMENTS} queries x 5 kB + {sizes.max_client_conn} clients x {per_client} kB"
    return [
        SizingRow(
            "reserves",
            str(reserves),
            "a fifth of each pool, as far as there is room",
            f"{_PGBOUNCER}#reserve_pool_size",
        ),
        SizingRow(
            "server connections",
            str(backends + 1),
            f"{parts} + 1 lookup, of {left}",
            f"{_PGBOUNCER}#max_db_connections",
        ),
        SizingRow("max_client_conn", str(sizes.max_client_conn), clients, f"{_PGBOUNCER}#max_client_conn"),
        SizingRow("query_wait_timeout", f"{sizes.query_wait_timeout} s", wait, f"{_PGBOUNCER}#query_wait_timeout"),
        SizingRow(
            "max_prepared_statements",
            str(sizes.max_prepared_statements),
            "the default",
            f"{_PGBOUNCER}#max_prepared_statements",
        ),
        SizingRow(
            "file descriptors",
            str(sizes.nofile),
            f"{sizes.max_client_conn} clients + {backends} server connections + {_OTHER_DESCRIPTORS}, "
            f"at least {_DESCRIPTORS_LEAST}",
            f"{_PGBOUNCER}#max_client_conn",
        ),
        SizingRow(
            "memory", f"{sizes.memory // 2**20} MB", memory + ", rounded up", f"{_PGBOUNCER}#max_prepared_statements"
        ),
    ]


def table(rows: Sequence[SizingRow]) -> tuple[str, ...]:
    """Write the rows as a table for people: what, how much, and how it comes about."""
    what = max((len(row.what) for row in rows), default=0)
    value = max((len(row.value) for row in rows), default=0)
    return tuple(f"{row.what:<{what}}  {row.value:>{value}}  {row.arithmetic}".rstrip() for row in rows)
