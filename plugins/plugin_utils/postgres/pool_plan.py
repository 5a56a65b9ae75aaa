# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a project and what its server says to everything that a pool takes: files, edits, record, reasons. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..compose.document import parse
from ..compose.edit import apply_edits
from ..compose.project import Project
from ..policy.context import Stack
from ..policy.model import Settings
from . import pool_objects, pool_record, sizing
from .clients import find_clients
from .environment import Environment
from .mover import include_edits, move_clients
from .pool_record import PooledClient, PooledDatabase, Record
from .pooler import COMPOSE_FILE, FOLDER, pooler_files, pooler_for, unusable_names
from .records import Client, Clients, File, Moves, Pooler, Refusal, Sizes, Sources, Target

CONTROL = "pgbouncer"
DEFAULT_SHARDS = 4
# Seconds that a restart of a client takes, for people: Temporal was serving again 2 s after it was recreated.
_SECONDS = {"temporal": 5.0}
_OTHER_SECONDS = 3.0
_IGNORED = File(
    "breakwater/.gitignore",
    "# Managed by Breakwater: these hold secrets\npgbouncer.state.json\npgbouncer/pgpass\npgbouncer/userlist.txt\n",
)


class PoolRefused(Exception):
    """There can be no pool as it is asked for; the text says why and what would help."""


class Wanted(NamedTuple):
    """What the inventory asks for.

    Attributes:
        image: the pooler's image.
        server: PostgreSQL's service, "" for the only one.
        modes: mode by application that is to go through the pool.
        version: Temporal's version where its image does not tell, else None.
    """

    image: str
    server: str
    modes: Mapping[str, str]
    version: tuple[int, ...] | None


class Subject(NamedTuple):
    """Who is concerned: the server, its clients that go through the pool, and those that stay direct."""

    server: str
    superuser: str
    pooled: tuple[Client, ...]
    direct: tuple[Client, ...]
    found: Clients

    @property
    def users(self) -> tuple[str, ...]:
        """The roles that the pooled clients use."""
        return tuple(sorted({user for client in self.pooled for user in client.users}))

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases that the pooled clients use."""
        return tuple(dict.fromkeys(use.database for client in self.pooled for use in client.uses if use.database))


class Server(NamedTuple):
    """What the server says, and its machine.

    Attributes:
        row: see pool_objects.facts_query.
        cores: cores of the server.
        descriptors: the most that the engine lets a container have, None when it sets no bound.
    """

    row: Mapping[str, Any]
    cores: float
    descriptors: int | None


class PoolPlan(NamedTuple):
    """A pool, planned.

    Attributes:
        record: what is kept about it.
        files: Breakwater's own files.
        texts: new texts of the user's files by path.
        moves: what is said about the clients that are moved.
        refused: clients that are not moved, and why.
        table: the arithmetic, for people.
    """

    record: Record
    pooler: Pooler
    files: tuple[File, ...]
    texts: Mapping[str, str]
    moves: Moves
    table: tuple[str, ...]


def subject_of(project: Project, sources: Sources, wanted: Wanted, record: Record | None) -> Subject | None:
    """Find who is to go through a pool; None where nobody is.

    Args:
        project: the project as planned so far.
        sources: the texts of the files with variables.
        wanted: what the inventory asks for.
        record: the pool that there is, None for none: who goes through it stays.

    Raises:
        PoolRefused: what the inventory names is not there.
    """
    found = find_clients(project, Stack(project, None, {}, Settings()).roles, sources)
    server = _server(found, wanted, record)
    if server is None:
        return None
    known = {client.service for client in record.clients} if record else set()
    clients = [_versioned(client, wanted.version) for client in found.of(server)]
    pooled = [
        client
        for client in clients
        if not client.direct
        and (client.form == "temporal" or client.service in wanted.modes or client.service in known)
    ]
    _refuse_missing(found, [client.service for client in pooled], wanted)
    if not pooled:
        return None
    direct = [client for client in clients if client not in pooled]
    return Subject(server, _superuser(project, server), tuple(pooled), tuple(direct), found)


def _server(found: Clients, wanted: Wanted, record: Record | None) -> str | None:
    """Choose PostgreSQL's service; a pool that there is stays with its own."""
    if wanted.server and wanted.server not in found.servers:
        known = ", ".join(found.servers) or "none"
        raise PoolRefused(
            f"pgbouncer_server: {wanted.server} is no PostgreSQL service of the project; there is: {known}"
        )
    if record is not None and record.server in found.servers:
        if wanted.server not in ("", record.server):
            raise PoolRefused(
                f"pgbouncer_server: the pool is in front of {record.server}, and its clients with it; before one in "
                f"front of {wanted.server} can be made, take it away (pgbouncer_state: absent)"
            )
        return record.server
    if wanted.server or len(found.servers) <= 1:
        return wanted.server or next(iter(found.servers), None)
    if not any(client.form == "temporal" for client in found.clients) and not wanted.modes:
        return None
    raise PoolRefused(f"the project has several PostgreSQL services ({', '.join(found.servers)}): set pgbouncer_server")


def _versioned(client: Client, version: tuple[int, ...] | None) -> Client:
    """State Temporal's version where its image does not tell."""
    return client._replace(version=version) if client.form == "temporal" and version and not client.version else client


def _refuse_missing(found: Clients, pooled: Sequence[str], wanted: Wanted) -> None:
    """Refuse applications that are named and cannot be moved."""
    for name in wanted.modes:
        if name in pooled:
            continue
        why = next((unclear.reason for unclear in found.unclear if unclear.service == name), "")
        why = why or next((client.direct for client in found.clients if client.service == name), "")
        raise PoolRefused(
            f"pgbouncer_applications: {name}: {why or 'no connection to PostgreSQL is in its configuration'}; "
            "take it out of the list, or state its connection in the Compose file"
        )


def _superuser(project: Project, server: str) -> str:
    """Return the role as which Breakwater works in the server's container."""
    environment = project.services[server].environment
    if environment.get("POSTGRES_USER_FILE"):
        raise PoolRefused(f"{server}: its superuser stands in a file (POSTGRES_USER_FILE); state POSTGRES_USER instead")
    return environment.get("POSTGRES_USER") or "postgres"


def plan_pool(
    project: Project,
    sources: Sources,
    wanted: Wanted,
    subject: Subject,
    server: Server,
    password: str,
    record: Record | None,
) -> PoolPlan:
    """Plan the pool.

    Args:
        project, sources, wanted, record: as for :func:`subject_of`.
        subject: who is concerned.
        server: what PostgreSQL says.
        password: of the pool's own role.

    Raises:
        PoolRefused: it cannot be, with the arithmetic where that is why.
    """
    modes = {client.service: client.mode for client in record.clients} if record else {}
    modes |= wanted.modes
    names = [client.service for client in subject.pooled]
    pooler = pooler_for(project, subject.server, wanted.image, clients=names)
    if isinstance(pooler, Refusal):
        raise PoolRefused(str(pooler))
    _refuse(_other_ports(subject, pooler))
    _refuse(pool_objects.refusals(server.row, subject.users, subject.databases))
    pooler = pooler._replace(method=pool_objects.method(server.row))
    sizes, table = _sizes(project, subject, server, modes)
    _refuse(unusable_names(sizes))
    targets = {client.service: Target(pooler.service, pooler.port, _mode(client, modes)) for client in subject.pooled}
    moves = move_clients(project, subject.found._replace(clients=subject.pooled), targets, sources)
    _refuse(moves.refusals)
    texts = _with_include(project, moves.texts)
    current = {**sources.dotenv, **sources.env_files, **{document.name: document.text for document in project.files}}
    kept = _without_texts(subject, pooler, sizes, targets)._replace(
        before=pool_record.texts_before(record, current, texts), after={**(record.after if record else {}), **texts}
    )
    files = (
        *pooler_files(pooler, sizes, password),
        _IGNORED,
        File(pool_record.PATH, pool_record.write(kept), secret=True),
    )
    return PoolPlan(kept, pooler, files, texts, moves, table)


def _without_texts(subject: Subject, pooler: Pooler, sizes: Sizes, targets: Mapping[str, Target]) -> Record:
    """Describe the pool as it is kept beside the project, without the texts of the user's files.

    Args:
        subject, pooler, sizes: the pool.
        targets: what each client is led to, by service.
    """
    clients = [PooledClient(name, _kind(subject, name), target.mode) for name, target in targets.items()]
    databases = [PooledDatabase(size.database, tuple(sorted(size.users)), size.pool_size) for size in sizes.databases]
    return Record(
        pooler.service,
        pooler.port,
        subject.server,
        subject.superuser,
        tuple(databases),
        pool_record.order(clients),
        before={},
        after={},
    )


def _refuse(refusals: Sequence[Refusal]) -> None:
    """Turn refusals into one failure."""
    if refusals:
        raise PoolRefused(
            "\n".join(["there is no pool, and nothing was changed:", *(f"  {item}" for item in refusals)])
        )


def _other_ports(subject: Subject, pooler: Pooler) -> list[Refusal]:
    """Refuse clients that reach the server at a port at which the pooler does not look for it."""
    reason = f"it reaches {subject.server} at port {{port}}, and the pool knows {pooler.server_port} only"
    return [
        Refusal(client.service, reason.format(port=client.port), "let the server listen there, or leave it direct")
        for client in subject.pooled
        if not client.through and client.port not in (0, pooler.server_port)
    ]


def _mode(client: Client, modes: Mapping[str, str]) -> str:
    return "transaction" if client.form == "temporal" else modes.get(client.service, "session")


def _kind(subject: Subject, service: str) -> str:
    """Return the kind as the record has it: Temporal is the one that never is without connections."""
    return "temporal" if any(c.form == "temporal" for c in subject.pooled if c.service == service) else "application"


def _sizes(
    project: Project,
    subject: Subject,
    server: Server,
    modes: Mapping[str, str],
) -> tuple[Sizes, tuple[str, ...]]:
    """Do the arithmetic.

    Raises:
        PoolRefused: what cannot fit, with the table.
    """
    shards = DEFAULT_SHARDS
    for client in subject.pooled:
        stated = project.services[client.service].environment.get("NUM_HISTORY_SHARDS") or ""
        shards = int(stated) if client.form == "temporal" and stated.isdigit() else shards
    need, words = sizing.direct_need(subject.direct)
    users = sizing.pool_users(subject.pooled, modes)
    facts = pool_objects.server_facts(server.row, server.cores)
    answer = sizing.size_pool(facts, users, need, shards, words, server.descriptors)
    table = sizing.table(answer.rows)
    if answer.sizes is None:
        lines = ["the pool does not fit, and nothing was changed:", *(f"  {item}" for item in answer.refusals), *table]
        raise PoolRefused("\n".join(lines))
    return answer.sizes, table


def _with_include(project: Project, texts: Mapping[str, str]) -> dict[str, str]:
    """Add the line that joins the pooler's file to the first of the user's files."""
    name = project.files[0].name
    document = parse(texts.get(name, project.files[0].text), name)
    edits = include_edits(document, COMPOSE_FILE)
    return {**texts, name: apply_edits(document, list(edits)).text} if edits else dict(texts)


def changes(plan: PoolPlan, main: str, new: bool) -> list[dict[str, Any]]:
    """Return the planned changes as records for people and for the generation.

    Args:
        plan: the plan.
        main: the user's first file.
        new: the pooler is not there yet.
    """
    kinds = {client.service: client.kind for client in plan.record.clients}
    reason = "PostgreSQL keeps a process for each connection and has few; the pool shares them"
    found = []
    if new:
        names = ", ".join(f"{database.name} {database.backends}" for database in plan.record.databases)
        found.append(_change(plan.record.service, main, f"new service, connections: {names}", reason, 0.0))
    for move in plan.moves.moves:
        seconds = _SECONDS.get(kinds.get(move.service, ""), _OTHER_SECONDS)
        found.append(_change(move.service, main, move.summary, reason, seconds))
    return found


def refuse_left_behind(record: Record, now: tuple[Project, Sources], then: tuple[Project, Sources]) -> None:
    """Refuse a removal after which somebody would still look for the pooler, such as a service added by hand.

    Args:
        record: the pool.
        now, then: project and files with variables as they are, and without the pool.

    Raises:
        PoolRefused: names who would, and by what.
    """
    project, sources = now
    found = find_clients(project, Stack(project, None, {}, Settings()).roles, sources)
    left = []
    for client in found.clients:
        if client.through != record.service or client.service not in then[0].services:
            continue
        environments = [Environment(each, each.services[client.service], files) for each, files in (now, then)]
        for value in client.values:
            before, after = (environment.get(value.name) for environment in environments)
            if value.meaning.removeprefix("visibility-") in ("host", "port", "url") and before == after:
                where = f"{value.place}: " if value.place else ""
                reason = f"{where}{value.name} leads to {record.service}, and not by an edit of the pool's"
                left.append(Refusal(client.service, reason, f"point it at {record.server}"))
    if record.service in then[0].services:
        reason = f"its include of {COMPOSE_FILE} was edited"
        left.append(Refusal(then[0].files[0].name, reason, "take the item out by hand"))
    if left:
        raise PoolRefused("\n".join(["the pool stays, and nothing was changed:", *(f"  {item}" for item in left)]))


def removal_changes(record: Record, main: str) -> list[dict[str, Any]]:
    """Return the changes of a removal."""
    reason = "pgbouncer_state is absent"
    return [
        _change(
            client.service, main, f"direct to {record.server} again", reason, _SECONDS.get(client.kind, _OTHER_SECONDS)
        )
        for client in record.clients
    ]


def _change(service: str, file: str, summary: str, reason: str, seconds: float) -> dict[str, Any]:
    return {
        "control": CONTROL,
        "service": service,
        "file": file,
        "summary": summary,
        "reason": reason,
        "impact": "recreate",
        "seconds": seconds,
    }


def attributes(plan: PoolPlan) -> dict[str, tuple[int, int | None, int | None, bool]]:
    """Return mode, owner, group and secrecy of the pool's files: what holds a secret is the pooler's own."""
    found: dict[str, tuple[int, int | None, int | None, bool]] = {}
    for file in plan.files:
        pooler_reads = file.secret and file.path.startswith(f"{FOLDER}/")
        owner = (plan.pooler.uid, plan.pooler.gid) if pooler_reads else (None, None)
        found[file.path] = (0o600 if file.secret else 0o644, *owner, file.secret)
    return found
