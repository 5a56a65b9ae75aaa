# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many connections the pool gets: the arithmetic, and the table with which a person can check it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .records import Client, PoolUser, ServerFacts, Sizing, SizingRow

#: Connections kept for what does not go through the pool: schema jobs, exporters, backups, administrators.
DIRECT_CONNECTIONS = 10


def pool_users(clients: Iterable[Client], modes: Mapping[str, str]) -> tuple[PoolUser, ...]:
    """Put together who uses which database of the pool.

    Args:
        clients: the clients that are to go through the pool.
        modes: mode by service, ``transaction`` or ``session``; Temporal's is always ``transaction``, others default to
            ``session``.
    """
    raise NotImplementedError


def size_pool(
    server: ServerFacts, users: Sequence[PoolUser], direct: int = DIRECT_CONNECTIONS, history_shards: int = 4
) -> Sizing:
    """Size the pool.

    Args:
        server: what PostgreSQL allows.
        users: who uses the pool.
        direct: connections that are kept for what does not go through the pool, clients that stay direct included.
        history_shards: Temporal's number of history shards.
    """
    raise NotImplementedError


def table(rows: Sequence[SizingRow]) -> tuple[str, ...]:
    """Write the rows as a table for people."""
    raise NotImplementedError
