# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edits that point a client at the pool and change nothing else. Pure functions.

All clients are moved together first: what they share is then changed once. Where that would reach others (a variable
that several services read, an `env_file` of several), they are moved one by one, and a host, port or driver is stated
in the service's own `environment`; a URL, which holds the password, is then refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ..compose.document import Document
from ..compose.edits import Edit
from ..compose.errors import RefusedEdit
from ..compose.project import Project
from ..compose.short_forms import strings
from . import temporal
from .environment import Environment
from .records import Client, Clients, Move, Moves, Refusal, Sources, Target
from .rewriting import CannotMove, Made, State, Wanted, Wish, apply, changed_texts, prove
from .session_needs import unmet
from .urls import with_host

#: The first patch of each release in which Temporal's pgx driver closes workflows behind a pooler in transaction mode
#: (temporal#10514, fixed by #10529).
FIRST_POOLED = {(1, 29): 7, (1, 30): 5, (1, 31): 1}


def move_clients(
    project: Project, clients: Clients, targets: Mapping[str, Target], sources: Sources | None = None
) -> Moves:
    """Point clients at the pool; one that is there already gives no edit.

    A service with several connections moves with all of them or not at all.

    Args:
        project: the project as it is.
        clients: as found in it.
        targets: where each service that is to move goes, by its name.
        sources: the texts of the files with variables.
    """
    state = State(project, sources or Sources())
    found = [client for client in clients.clients if client.service in targets]
    refusals = [_unknown(clients, name) for name in targets if all(client.service != name for client in found)]
    for client in found:
        try:
            _wish(state, client, targets[client.service], clients)
        except CannotMove as refused:
            refusals.append(Refusal(client.service, refused.reason, refused.way_out))
    torn = {refusal.subject for refusal in refusals}
    movable = [client for client in found if client.service not in torn]
    wishes = [wish for client in movable if (wish := _wish(state, client, targets[client.service], clients))]
    try:
        new, made = apply(state, wishes, in_place=True)
        prove(state, new, wishes)
    except CannotMove:
        return _one_by_one(state, movable, targets, clients, refusals)
    moves = [Move(wish.service, wish.shown, *made[wish.service]) for wish in wishes]
    return Moves(tuple(moves), changed_texts(state, new), tuple(refusals))


def _one_by_one(
    start: State, movable: Sequence[Client], targets: Mapping[str, Target], clients: Clients, refusals: list[Refusal]
) -> Moves:
    """Move clients one after the other, each in the way that reaches nobody else."""
    state, moves = start, list[Move]()
    shared = {(client.service, value.name) for client in movable for value in client.values}
    more: list[Refusal] = []
    for client in movable:
        wish = _wish(state, client, targets[client.service], clients)
        if wish is None:
            continue
        try:
            new, made = _alone(state, wish, shared)
        except CannotMove as refused:
            more.append(Refusal(client.service, refused.reason, refused.way_out))
            continue
        moves.append(Move(wish.service, wish.shown, *made))
        state = new
    torn = {refusal.subject for refusal in more}
    if torn and moves:  # what moved may have taken along a value of one that is refused
        rest = [client for client in movable if client.service not in torn]
        return _one_by_one(start, rest, targets, clients, [*refusals, *more])
    return Moves(tuple(moves), changed_texts(start, state), (*refusals, *more))


def _alone(state: State, wish: Wish, shared: set[tuple[str, str]]) -> tuple[State, Made]:
    """Move one client where its values stand, else in its own `environment`."""
    first: CannotMove | None = None
    for in_place in (True, False):
        try:
            new, made = apply(state, [wish], in_place)
            prove(state, new, [wish], shared)
        except CannotMove as refused:
            first = first or refused
            continue
        return new, made[wish.service]
    raise first or CannotMove("there is no way to write it", "change it by hand")


def _wish(state: State, client: Client, target: Target, clients: Clients) -> Wish | None:
    """Return what a client is to have, None when it has it.

    Raises:
        CannotMove: it must not or cannot go through the pool.
    """
    environment = Environment(state.project, state.project.services[client.service], state.sources)
    wanted = [item for item in _wanted(client, target, environment) if environment.get(item.name) != item.value]
    if not wanted:
        return None
    _check(client, target, clients)
    needs = unmet(client, environment)
    if needs is not None:
        raise CannotMove(*needs)
    return Wish(client.service, tuple(wanted), environment)


def _unknown(clients: Clients, name: str) -> Refusal:
    """Refuse a service of which no connection was found, with what hides it."""
    reasons = [unclear.reason for unclear in clients.unclear if unclear.service == name]
    reason = reasons[0] if reasons else "no connection to a PostgreSQL service of the project was found in it"
    return Refusal(name, reason, "point it at the pool by hand, or leave it out")


def _check(client: Client, target: Target, clients: Clients) -> None:
    """Refuse clients that must not or cannot go through the pool."""
    if client.direct:
        raise CannotMove(client.direct, "leave it out")
    if client.form != "temporal":
        return
    hidden = [unclear.reason for unclear in clients.unclear if unclear.service == client.service]
    if hidden:
        raise CannotMove(hidden[0], "point that file at the pool by hand, with the driver postgres12_pgx")
    if client.flavour == "auto-setup":
        raise CannotMove(
            "this image sets up the schema, which needs the server itself, and serves in one container",
            "use a job with temporalio/admin-tools for the schema and temporalio/server to serve",
        )
    if not client.plugin:
        raise CannotMove("DB does not state its driver", "set DB: postgres12_pgx")
    version = target.version or client.version
    if target.mode == "transaction" and not pooled_version(version):
        shown = ".".join(map(str, version)) if version else "of a version that its tag does not tell"
        raise CannotMove(
            f"Temporal {shown} is not known to close workflows through a pool (temporal#10514)",
            "use 1.29.7, 1.30.5, 1.31.1 or later; where the tag does not tell, state the version",
        )


def pooled_version(version: Sequence[int] | None) -> bool:
    """Say whether a version of Temporal's server is known to work behind a pooler in transaction mode."""
    if not version or len(version) < 3:
        return False
    release = (version[0], version[1])
    if release in FIRST_POOLED:
        return version[2] >= FIRST_POOLED[release]
    return release > max(FIRST_POOLED)


def _wanted(client: Client, target: Target, environment: Environment) -> list[Wanted]:
    """Return the values that point a client at the pool.

    Raises:
        CannotMove: no variable states the port, and the pool listens on another one.
    """
    wanted: list[Wanted] = []
    has_port = False
    for value in client.values:
        current = environment.get(value.name)
        meaning = value.meaning.removeprefix("visibility-")
        if meaning == "url":
            has_port = True
            url = with_host(current, target.host, target.port)
            if url is None:
                raise CannotMove(f"{value.name} is a URL that is not understood", "change it by hand")
            wanted.append(Wanted(value.name, url, target))
        elif meaning == "host":
            has_port = has_port or ":" in current
            wanted.append(Wanted(value.name, target.host + (f":{target.port}" if ":" in current else "")))
        elif meaning == "port":
            has_port = True
            wanted.append(Wanted(value.name, str(target.port)))
        elif meaning == "plugin" and target.mode == "transaction":
            wanted.append(Wanted(value.name, temporal.POOLED_PLUGIN))
    if not has_port and client.port != target.port:
        wanted.append(Wanted(_port_variable(client), str(target.port)))
    return wanted


def _port_variable(client: Client) -> str:
    """Return the variable that states the port of a client that has none yet."""
    if client.form == "pg":
        return "PGPORT"
    if client.form == "temporal":
        stores = {value.meaning.startswith("visibility-") for value in client.values if value.meaning != "plugin"}
        return "VISIBILITY_DB_PORT" if stores == {True} else "DB_PORT"
    host = next((value.name for value in client.values if value.meaning == "host"), "the host")
    raise CannotMove(
        f"no variable beside {host} states the port, and which one its program reads is not known",
        f"add the variable with the port {client.port} first",
    )


def include_edits(document: Document, path: str) -> tuple[Edit, ...]:
    """Return the edits that add a file to a Compose file's ``include``; none when it is there already.

    Raises:
        RefusedEdit: `include` is not a list.
    """
    present = document.data.get("include") if isinstance(document.data, dict) else None
    if present is None:
        return (Edit("set", ("include",), [path]),)
    if not isinstance(present, list):
        line = document.line_of(("include",))
        raise RefusedEdit(document.name, line, "include is not a list", "write each file as an item")
    files = [file for item in present for file in strings(item.get("path") if isinstance(item, dict) else item)]
    if os.path.normpath(path) in map(os.path.normpath, files):
        return ()
    long = bool(present) and all(isinstance(item, dict) for item in present)
    return (Edit("append", ("include",), {"path": path} if long else path),)
