# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL and those who connect to it (BW-CPL-009, BW-PG-*)."""

from __future__ import annotations

from . import datastores
from .context import Context, Stack
from .coupled import postgres_flags
from .model import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..postgres.records import Client, Clients

#: Defaults of superuser_reserved_connections and, since PostgreSQL 16, reserved_connections.
_RESERVED = {"superuser_reserved_connections": "3", "reserved_connections": "0"}
_POOL_MODES = ("POOL_MODE", "PGBOUNCER_POOL_MODE")
_SHARED_MODES = ("transaction", "statement")
#: Parameters of a URL that state the size of a pool.
_STATED = ("connection_limit=", "pool_max_conns=")


def clients_of(stack: Stack) -> Clients | None:
    """Return the clients of the stack's databases; None where none states how many connections it opens."""
    if stack.clients is None and _worth_looking(stack):
        # Here and not above: few stacks need it, and a scan is mostly start-up.
        from ..postgres.clients import find_clients

        stack.clients = find_clients(stack.project, stack.roles)
    return stack.clients


def _worth_looking(stack: Stack) -> bool:
    """Say whether a client can be found that states its connections."""
    kinds = {role.kind for role in stack.roles.values()}
    if "postgres" not in kinds:
        return False
    stated = any(
        value is not None and any(word in value for word in _STATED)
        for environment in stack.environments.values()
        for value in environment.values()
    )
    return "temporal" in kinds or stated


def check_connections(context: Context) -> Finding | None:
    """BW-CPL-009: what the clients may open fits what PostgreSQL allows.

    A client that goes through a pooler counts with it; one of which nothing says how many it opens is left out, and
    so is a job.
    """
    found = clients_of(context.stack)
    room = _room(context)
    if found is None or room is None:
        return None
    total, parts = 0, []
    for client in found.of(context.name):
        count = client.maximum
        if client.through or count is None or context.stack.roles[client.service].lifetime == "job":
            continue
        total += count
        parts.append(f"{client.service} {_sum(client)} = {count}")
    if total <= room[0]:
        return None
    message = f"clients may open {total} connections ({', '.join(parts)}), {room[1]}"
    return context.finding("BW-CPL-009", message, ("command",))


def _sum(client: Client) -> str:
    """Return how a client's connections add up, without the names of its databases."""
    return " + ".join(use.arithmetic for use in client.uses)


def _room(context: Context) -> tuple[int, str] | None:
    """Return the connections that ordinary roles may have, and the numbers; None when the file hides them."""
    flags = postgres_flags(context)
    server = datastores.postgres(flags.values)
    if server is None or (not flags.complete and "max_connections" not in flags.values):
        return None
    texts = [flags.values.get(name, default) for name, default in _RESERVED.items()]
    if not all(text.isdigit() for text in texts):
        return None
    reserved = sum(map(int, texts))
    return (
        server.max_connections - reserved,
        f"max_connections is {server.max_connections}, {reserved} of them reserved",
    )


def check_trust(context: Context) -> Finding | None:
    """BW-PG-001: nobody gets in without a password."""
    if context.kind != "postgres" or not context.role.daemon:
        return None
    for name, value in (("POSTGRES_HOST_AUTH_METHOD", "trust"), ("ALLOW_EMPTY_PASSWORD", "yes")):
        if (context.environment.get(name) or "").lower() == value:
            message = f"lets everybody who reaches it in without a password ({name}: {value})"
            return context.finding("BW-PG-001", message, ("environment", name))
    return None


def check_driver(context: Context) -> Finding | None:
    """BW-PG-002: Temporal's driver works behind the pooler that it goes through."""
    if context.kind != "temporal" or context.environment.get("DB") != "postgres12":
        return None
    found = clients_of(context.stack)
    poolers = {c.through for c in found.clients if c.service == context.name and c.through} if found else set()
    for pooler in sorted(poolers):
        mode = _mode(context.stack, pooler)
        if mode in _SHARED_MODES:
            message = f"goes through {pooler}, which pools by {mode}, with the driver postgres12: use postgres12_pgx"
            return context.finding("BW-PG-002", message, ("environment", "DB"))
    return None


def _mode(stack: Stack, pooler: str) -> str:
    """Return how a pooler shares its connections, empty when the file does not tell."""
    # Breakwater's own pools every store of Temporal by transaction.
    if stack.project.services[pooler].labels.get("breakwater.pool.server"):
        return "transaction"
    environment = stack.environments[pooler]
    return next((value.lower() for name in _POOL_MODES if (value := environment.get(name))), "")
