# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of PostgreSQL's clients and of the pool in front of them.

No record holds a password: what has one is read again from its file by whoever edits that file. Memory is in bytes,
times are in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..lean_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edits import Edit


class Sources(NamedTuple):
    """Where the variables of a project come from, beside its Compose files.

    Args:
        dotenv: text by path of the files with variables for substitution (``.env``), the weakest first.
        env_files: text by path of the files that services name in ``env_file``; one that is missing here was not read.
        shell: the variables that Compose's environment states: they win over ``dotenv``.
    """

    dotenv: Mapping[str, str] = {}
    env_files: Mapping[str, str] = {}
    shell: Mapping[str, str] = {}


class Place(NamedTuple):
    """Where a value stands.

    Args:
        file: path of the file as the project names it, empty where the value comes from Compose's environment.
        line: 1-based line, None when it is not known.
        holder: ``compose`` (the value stands in the Compose file), ``dotenv`` (the Compose file only passes a variable
            on that this file sets), ``env_file``, or ``shell``.
        variable: the variable of ``dotenv``, ``env_file`` or ``shell`` that holds it, empty for ``compose``.
    """

    file: str
    line: int | None
    holder: str
    variable: str = ""

    def __str__(self) -> str:
        where = self.file or "the environment of Compose"
        return where if self.line is None else f"{where}:{self.line}"


class Value(NamedTuple):
    """One variable of a client that says something about its connection.

    Args:
        name: the variable in the container.
        meaning: ``host``, ``port``, ``url``, ``plugin``, ``user``, ``password``, ``database`` or ``pool``; those of
            Temporal's second store begin with ``visibility-``.
        place: where the value stands, None where the variable is not set and its default holds.
    """

    name: str
    meaning: str
    place: Place | None


class Use(NamedTuple):
    """One database that a client connects to.

    Args:
        database: its name, empty when it is not known.
        user: the role, empty when it is not known.
        maximum: connections that all containers of the client may open to it at once, None when nothing says so.
        arithmetic: the sum in words (``4 services x SQL_MAX_CONNS 20``), or why it is not known.
        store: ``default`` or ``visibility`` for Temporal's stores, else empty.
        pools: how many pools of the client's own these connections are in, 0 when it is not known.
    """

    database: str
    user: str
    maximum: int | None
    arithmetic: str
    store: str = ""
    pools: int = 0


class Client(NamedTuple):
    """A service that connects to a PostgreSQL service. A service with two connections is two clients.

    Args:
        service, kind: which one; kinds are those of the policy.
        form: how it is configured: ``temporal``, ``url``, ``pg`` (libpq's ``PG*``) or ``parts`` (``DB_HOST``...).
        server: the PostgreSQL service that it leads to, through a pooler or not.
        through: the pooler's service when it goes through one, else empty.
        host, port: as configured.
        uses: its databases.
        values: the variables that configure it.
        plugin: Temporal's driver (``postgres12``, ``postgres12_pgx``), else empty.
        version: Temporal's version by the image tag, None when that does not tell.
        flavour: whose image it is, as in the policy (``auto-setup``).
        direct: why it has to stay on the server itself (schema jobs), empty when it has not.
    """

    service: str
    kind: str
    form: str
    server: str
    through: str
    host: str
    port: int
    uses: tuple[Use, ...]
    values: tuple[Value, ...]
    plugin: str = ""
    version: tuple[int, ...] | None = None
    flavour: str = ""
    direct: str = ""

    @property
    def maximum(self) -> int | None:
        """Connections that it may open at once; None when a part is not known."""
        known = [use.maximum for use in self.uses if use.maximum is not None]
        return sum(known) if len(known) == len(self.uses) and known else None

    @property
    def arithmetic(self) -> str:
        """The sum in words."""
        return "; ".join(f"{use.database or 'database not known'}: {use.arithmetic}" for use in self.uses)

    @property
    def users(self) -> tuple[str, ...]:
        """The roles that it uses, each once."""
        return tuple(dict.fromkeys(use.user for use in self.uses if use.user))


class Unclear(NamedTuple):
    """A service that may be a client, and why that cannot be said: the plan never counts on it.

    Args:
        service: which one.
        reason: what hides it, without secrets (``DATABASE_URL hangs on DB_HOST, which has no value``).
        place: where, None when it is no single one.
    """

    service: str
    reason: str
    place: Place | None = None


class Clients(NamedTuple):
    """What was found in a project.

    Args:
        servers: its PostgreSQL services, in the order of the files.
        poolers: server by pooler's service (kind ``pgbouncer``); empty text where it is not known what is behind it.
        clients: the clients, in the order of the files.
        unclear: the services about which nothing can be said.
    """

    servers: tuple[str, ...]
    poolers: Mapping[str, str]
    clients: tuple[Client, ...]
    unclear: tuple[Unclear, ...] = ()

    def of(self, server: str) -> tuple[Client, ...]:
        """Return the clients of one server."""
        return tuple(client for client in self.clients if client.server == server)


class ServerFacts(NamedTuple):
    """What a PostgreSQL server allows.

    Args:
        max_connections: its setting; 100 by default.
        superuser_reserved: ``superuser_reserved_connections``; 3 by default.
        reserved: ``reserved_connections``, since PostgreSQL 16; 0 by default.
        cores: cores that its container may use.
        origin: where the facts come from, for people (``the running server``, ``the Compose file``).
    """

    max_connections: int = 100
    superuser_reserved: int = 3
    reserved: int = 0
    cores: float = 2.0
    origin: str = "the running server"


class PoolUser(NamedTuple):
    """One user on one database of the pool: PgBouncer's unit of a pool.

    Args:
        database, user: which one.
        mode: ``transaction`` or ``session``.
        clients: connections that its clients may open at once (their maxima added up), None when not known.
        store: ``default`` or ``visibility`` for Temporal's stores, empty for applications.
        services: the clients behind it, for people.
        pools: pools of the clients' own that its connections are in, 0 when it is not known.
    """

    database: str
    user: str
    mode: str
    clients: int | None
    store: str = ""
    services: tuple[str, ...] = ()
    pools: int = 0


class PoolSize(NamedTuple):
    """What one database of the pool gets.

    Args:
        database: its name.
        users: the roles that may use it.
        mode: ``transaction`` or ``session``.
        pool_size: server connections for each of its users.
        max_db_connections: server connections for all of its users.
        min_pool_size: server connections that are kept open.
        reserve_pool_size: server connections on top when a client waits too long; they are part of
            ``max_db_connections``.
    """

    database: str
    users: tuple[str, ...]
    mode: str
    pool_size: int
    max_db_connections: int
    min_pool_size: int
    reserve_pool_size: int


class Sizes(NamedTuple):
    """The settings of a pool; names are PgBouncer's.

    Args:
        databases: what each database gets.
        default_pool_size: for a database that is not listed.
        max_client_conn: clients at once.
        query_wait_timeout: seconds that a query waits for a server connection before its client is cut off.
        server_lifetime, server_idle_timeout: seconds after which an unused server connection is closed.
        max_prepared_statements: prepared statements that the pooler follows for each client.
        nofile: file descriptors that the container needs.
        memory: memory limit of the container, bytes.
    """

    databases: tuple[PoolSize, ...]
    default_pool_size: int
    max_client_conn: int
    query_wait_timeout: int
    server_lifetime: int
    server_idle_timeout: int
    max_prepared_statements: int
    nofile: int
    memory: int

    @property
    def backends(self) -> int:
        """Server connections that the pool opens at most."""
        return sum(size.max_db_connections for size in self.databases)


class SizingRow(NamedTuple):
    """One line of the table that a person can check: what, how much, the sum in words, where a figure comes from."""

    what: str
    value: str
    arithmetic: str
    source: str


class Refusal(NamedTuple):
    """Something that is not done, why, and the smallest change that would help; without secrets."""

    subject: str
    reason: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}; {self.way_out}"


class Sizing(NamedTuple):
    """The answer of the arithmetic: ``sizes`` is None exactly when there are refusals; ``rows`` are always there."""

    sizes: Sizes | None
    rows: tuple[SizingRow, ...]
    refusals: tuple[Refusal, ...] = ()


class Pooler(NamedTuple):
    """The pooler as a service of the project.

    Args:
        service: its name.
        port: where it listens.
        image: its image, as the Compose file is to name it.
        server: the PostgreSQL service behind it.
        server_port: its port.
        networks: names of those networks of the server that its clients are in, as keys. Empty for the project's
            default network.
        uid, gid: the account in the image.
        method: how clients prove who they are: ``scram-sha-256``, or ``md5`` where roles of the server still have md5
            secrets (PgBouncer then takes either).
    """

    service: str = "pgbouncer"
    port: int = 6432
    image: str = ""
    server: str = "postgres"
    server_port: int = 5432
    networks: Mapping[str, Any] = {}
    uid: int = 101
    gid: int = 101
    method: str = "scram-sha-256"


class Target(NamedTuple):
    """Where a client is to go.

    Args:
        host, port: of the pooler.
        mode: the pool's mode for it, ``transaction`` or ``session``.
        version: Temporal's version where the image tag does not tell it.
    """

    host: str
    port: int
    mode: str
    version: tuple[int, ...] | None = None


class Move(NamedTuple):
    """What moves one client.

    Args:
        service: the client; its container is recreated.
        summary: what is written, for people, without secrets.
        edits: the edits by index of the Compose file; they are made already in :attr:`Moves.texts`.
        files: the files that change, files with variables included.
    """

    service: str
    summary: str
    edits: Mapping[int, tuple[Edit, ...]]
    files: tuple[str, ...]


class Moves(NamedTuple):
    """What moves the clients to the pool.

    Args:
        moves: one for each client that is not there yet.
        texts: the new text of every file that changes, by the name under which the project or `Sources` has it.
        refusals: clients that are not moved, and why.
    """

    moves: tuple[Move, ...]
    texts: Mapping[str, str]
    refusals: tuple[Refusal, ...] = ()


class File(NamedTuple):
    """A file of Breakwater's own.

    Args:
        path: relative to the project's folder.
        text: its content.
        secret: it holds a password: readable by the pooler's account only, and never shown.
    """

    path: str
    text: str
    secret: bool = False
