# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edits that point a client at the pool and change nothing else. Pure functions.

A value is changed where it stands. Where that would reach others (a variable that several services read, an `env_file`
of several), a host, port or driver is stated in the service's own `environment` instead; a URL, which holds the
password, is then refused. The project is loaded again with the new texts and compared with the old one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ..compose.document import Document, resolve
from ..compose.edit import apply_edits
from ..compose.edits import Edit
from ..compose.errors import ComposeError, RefusedEdit
from ..compose.interpolate import parse_env
from ..compose.project import Project, replace_document, replace_environment
from ..compose.service import Service
from ..compose.short_forms import strings
from . import temporal
from .dotenv import set_values, text_in_quotes
from .environment import Environment, Variable
from .records import Client, Clients, Move, Moves, Refusal, Sources, Target
from .urls import with_host

_DEFAULT = re.compile(r"(\$\{\w+:?-)([^{}]*)(\})")
_COMPARED = ("services", "include")
_BY_HAND = "change it by hand"

#: The first patch of each release in which Temporal's pgx driver closes workflows behind a pooler in transaction mode
#: (temporal#10514, fixed by #10529).
FIRST_POOLED = {(1, 29): 7, (1, 30): 5, (1, 31): 1}


class _State(NamedTuple):
    """A project and the files with variables beside it."""

    project: Project
    sources: Sources


class _Wanted(NamedTuple):
    """A variable with the value that it is to have in the container; with a target it is a URL, changed within."""

    name: str
    value: str
    target: Target | None = None

    @property
    def shown(self) -> str:
        """What is written, without the rest of a URL."""
        return (
            f"{self.name}: {self.value}"
            if self.target is None
            else f"{self.name}: {self.target.host}:{self.target.port}"
        )


class _Refused(Exception):
    """A client that is not moved."""

    def __init__(self, reason: str, way_out: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.way_out = way_out


def move_clients(
    project: Project, clients: Clients, targets: Mapping[str, Target], sources: Sources | None = None
) -> Moves:
    """Point clients at the pool; one that is there already gives no edit.

    Args:
        project: the project as it is.
        clients: as found in it.
        targets: where each service that is to move goes, by its name.
        sources: the texts of the files with variables.
    """
    state = _State(project, sources or Sources())
    moves: list[Move] = []
    refusals = [_unknown(clients, name) for name in targets if not any(c.service == name for c in clients.clients)]
    movable = {
        (client.service, value.name)
        for client in clients.clients
        if client.service in targets and _passes(client, targets[client.service], clients)
        for value in client.values
    }
    for client in clients.clients:
        target = targets.get(client.service)
        if target is None:
            continue
        try:
            state, move = _move(state, client, target, clients, movable)
        except _Refused as refused:
            refusals.append(Refusal(client.service, refused.reason, refused.way_out))
            continue
        moves += [move] if move else []
    torn = {refusal.subject for refusal in refusals} & {move.service for move in moves}
    if torn:  # one connection of a service moved and another refused: it stays as it is
        again = move_clients(project, clients, {k: v for k, v in targets.items() if k not in torn}, sources)
        return again._replace(refusals=(*refusals, *(r for r in again.refusals if r not in refusals)))
    return Moves(tuple(moves), _changed_texts(_State(project, sources or Sources()), state), tuple(refusals))


def _unknown(clients: Clients, name: str) -> Refusal:
    """Refuse a service of which no connection was found, with what hides it."""
    reasons = [unclear.reason for unclear in clients.unclear if unclear.service == name]
    reason = reasons[0] if reasons else "no connection to a PostgreSQL service of the project was found in it"
    return Refusal(name, reason, "point it at the pool by hand, or leave it out")


def _move(
    state: _State, client: Client, target: Target, clients: Clients, movable: set[tuple[str, str]]
) -> tuple[_State, Move | None]:
    """Move one client.

    Raises:
        _Refused: it is not moved.
    """
    environment = Environment(state.project, state.project.services[client.service], state.sources)
    wanted = _wanted(client, target, environment)
    wanted = [item for item in wanted if environment.get(item.name) != item.value]
    if not wanted:
        return state, None
    _check(client, target, clients)
    first: _Refused | None = None
    for in_place in (True, False):
        try:
            new, edits = _apply(state, client.service, environment, wanted, in_place)
            _prove(state, new, client.service, wanted, movable)
        except _Refused as refused:
            first = first or refused
            continue
        files = tuple(_changed_texts(state, new))
        return new, Move(client.service, ", ".join(item.shown for item in wanted), edits, files)
    raise first or _Refused("there is no way to write it", "change it by hand")


def _check(client: Client, target: Target, clients: Clients) -> None:
    """Refuse clients that must not or cannot go through the pool."""
    if client.direct:
        raise _Refused(client.direct, "leave it out")
    if client.form != "temporal":
        return
    hidden = [unclear.reason for unclear in clients.unclear if unclear.service == client.service]
    if hidden:
        raise _Refused(hidden[0], "point that file at the pool by hand, with the driver postgres12_pgx")
    if client.flavour == "auto-setup":
        raise _Refused(
            "this image sets up the schema, which needs the server itself, and serves in one container",
            "use a job with temporalio/admin-tools for the schema and temporalio/server to serve",
        )
    if not client.plugin:
        raise _Refused("DB does not state its driver", "set DB: postgres12_pgx")
    version = target.version or client.version
    if target.mode == "transaction" and not pooled_version(version):
        shown = ".".join(map(str, version)) if version else "of a version that its tag does not tell"
        raise _Refused(
            f"Temporal {shown} is not known to close workflows through a pool (temporal#10514)",
            "use 1.29.7, 1.30.5, 1.31.1 or later; where the tag does not tell, state the version",
        )


def _passes(client: Client, target: Target, clients: Clients) -> bool:
    """Say whether a client may go through the pool."""
    try:
        _check(client, target, clients)
    except _Refused:
        return False
    return True


def pooled_version(version: Sequence[int] | None) -> bool:
    """Say whether a version of Temporal's server is known to work behind a pooler in transaction mode."""
    if not version or len(version) < 3:
        return False
    release = (version[0], version[1])
    if release in FIRST_POOLED:
        return version[2] >= FIRST_POOLED[release]
    return release > max(FIRST_POOLED)


def _wanted(client: Client, target: Target, environment: Environment) -> list[_Wanted]:
    """Return the values that point a client at the pool.

    Raises:
        _Refused: no variable states the port, and the pool listens on another one.
    """
    wanted: list[_Wanted] = []
    has_port = False
    for value in client.values:
        current = environment.get(value.name)
        meaning = value.meaning.removeprefix("visibility-")
        if meaning == "url":
            has_port = True
            url = with_host(current, target.host, target.port)
            if url is None:
                raise _Refused(f"{value.name} is a URL that is not understood", "change it by hand")
            wanted.append(_Wanted(value.name, url, target))
        elif meaning == "host":
            has_port = has_port or ":" in current
            wanted.append(_Wanted(value.name, target.host + (f":{target.port}" if ":" in current else "")))
        elif meaning == "port":
            has_port = True
            wanted.append(_Wanted(value.name, str(target.port)))
        elif meaning == "plugin" and target.mode == "transaction":
            wanted.append(_Wanted(value.name, temporal.POOLED_PLUGIN))
    if not has_port and client.port != target.port:
        wanted.append(_Wanted(_port_variable(client), str(target.port)))
    return wanted


def _port_variable(client: Client) -> str:
    """Return the variable that states the port of a client that has none yet."""
    if client.form == "pg":
        return "PGPORT"
    if client.form == "temporal":
        stores = {value.meaning.startswith("visibility-") for value in client.values if value.meaning != "plugin"}
        return "VISIBILITY_DB_PORT" if stores == {True} else "DB_PORT"
    host = next((value.name for value in client.values if value.meaning == "host"), "the host")
    raise _Refused(
        f"no variable beside {host} states the port, and which one its program reads is not known",
        f"add the variable with the port {client.port} first",
    )


def _apply(
    state: _State, service: str, environment: Environment, wanted: Sequence[_Wanted], in_place: bool
) -> tuple[_State, dict[int, tuple[Edit, ...]]]:
    """Write the values: each where it stands, or all that stand elsewhere in the Compose file."""
    edits: dict[int, list[Edit]] = {}
    values: dict[str, dict[str, str]] = {}
    for item in wanted:
        variable = environment.variables.get(item.name)
        holder = variable.place.holder if variable else "compose"
        if variable is not None and in_place and holder in ("dotenv", "env_file"):
            new = _rewritten(text_in_quotes(variable.raw), item)
            values.setdefault(variable.place.file, {})[variable.place.variable] = new
        elif item.target is not None and holder != "compose" and variable is not None:
            raise _Refused(_elsewhere(item.name, variable), "give the service a variable of its own, and move it then")
        else:
            index, edit = _edit(state.project, service, variable, item)
            edits.setdefault(index, []).append(edit)
    return _written(state, edits, values), {index: tuple(found) for index, found in edits.items()}


def _elsewhere(name: str, variable: Variable) -> str:
    """Say why a URL cannot be changed where it stands."""
    where = str(variable.place)
    if variable.place.holder == "shell":
        return f"{name} comes from {where}, which is not a file"
    return f"{name} stands in {where} as {variable.place.variable}, which others use too"


def _rewritten(raw: str, item: _Wanted) -> str:
    """Return the new text of a value; the default of a variable is changed within it.

    Raises:
        _Refused: it cannot be told where the host is.
    """
    default = _DEFAULT.fullmatch(raw)
    head, inner, tail = (default[1], default[2], default[3]) if default else ("", raw, "")
    if item.target is None:
        return f"{head}{item.value}{tail}"
    new = with_host(inner, item.target.host, item.target.port)
    if new is None:
        raise _Refused(f"{item.name}: where its host stands cannot be told", "write the host into the URL itself")
    return f"{head}{new}{tail}"


def _edit(project: Project, service: str, variable: Variable | None, item: _Wanted) -> tuple[int, Edit]:
    """Return the edit of the service's own `environment`."""
    found = project.services[service]
    index = found.defined_in[0]
    if variable is not None and variable.file is not None and found.own(variable.file) is not None:
        index = variable.file
    if index >= project.given:
        name = project.files[index].name
        raise _Refused(f"it stands in {name}, which is not among the files given", "move it there by hand")
    new: str | int = item.value
    if variable is not None and variable.place.holder == "compose":
        new = _rewritten(variable.raw, item)
    own = (found.own(index) or {}).get("environment")
    plain = isinstance(own, dict) and (item.name not in own or isinstance(resolve(own[item.name]), int))
    if plain and str(new).isdigit():
        new = int(new)
    return index, Edit("set", ("services", service, "environment", item.name), new)


def _written(state: _State, edits: Mapping[int, Sequence[Edit]], values: Mapping[str, Mapping[str, str]]) -> _State:
    """Return the state with edits and values made.

    Raises:
        _Refused: one of them cannot be made.
    """
    project, sources = state
    known = {**project.environment, **sources.shell}
    try:
        for file, wanted in values.items():
            if file in sources.dotenv:
                dotenv = {**sources.dotenv, file: set_values(file, sources.dotenv[file], wanted, sources.shell)}
                sources = sources._replace(dotenv=dotenv)
                project = replace_environment(project, {**project.environment, **_substituted(sources, wanted)})
            else:
                text = set_values(file, sources.env_files[file], wanted, known)
                sources = sources._replace(env_files={**sources.env_files, file: text})
        for index, found in edits.items():
            project = replace_document(project, index, apply_edits(project.files[index], found))
    except RefusedEdit as error:
        raise _Refused(f"{error.file}:{error.line or 1}: {error.reason}", error.hint or "change it by hand") from None
    except ComposeError as error:
        raise _Refused(str(error), "change it by hand") from None
    return _State(project, sources)


def _substituted(sources: Sources, names: Mapping[str, str]) -> dict[str, str]:
    """Return the values of variables as the files with variables give them."""
    found: dict[str, str] = {}
    for text in sources.dotenv.values():
        found.update(parse_env(text, sources.shell))
    return {name: found[name] for name in names}


def _prove(
    old: _State, new: _State, service: str, wanted: Sequence[_Wanted], movable: Collection[tuple[str, str]]
) -> None:
    """Compare the project with the one before: what is wanted has changed, and nothing else.

    Raises:
        _Refused: something else would change, or a value would not be what is wanted.
    """
    allowed = {*movable, *((service, item.name) for item in wanted)}
    if {key: value for key, value in old.project.config.items() if key not in _COMPARED} != {
        key: value for key, value in new.project.config.items() if key not in _COMPARED
    }:
        raise _Refused("the change would reach beyond the services", _BY_HAND)
    for name, before in old.project.services.items():
        after = new.project.services[name]
        if {**before.config, "environment": None} != {**after.config, "environment": None}:
            raise _Refused(f"the change would reach other settings of {name}", _BY_HAND)
        one, other = _values(old, before), _values(new, after)
        for variable in {*one, *other}:
            if one.get(variable) != other.get(variable) and (name, variable) not in allowed:
                raise _Refused(f"the change would reach {variable} of {name}", _BY_HAND)
    values = _values(new, new.project.services[service])
    for item in wanted:
        if values.get(item.name) != item.value:
            raise _Refused(f"{item.name} would not have the value that is wanted", _BY_HAND)


def _values(state: _State, service: Service) -> dict[str, str | None]:
    """Return the variables of a service as its container gets them."""
    variables = Environment(state.project, service, state.sources).variables
    return {name: variable.value for name, variable in variables.items()}


def _changed_texts(old: _State, new: _State) -> dict[str, str]:
    """Return the texts that differ, by the name of their file."""
    texts = {
        document.name: document.text
        for before, document in zip(old.project.files, new.project.files, strict=True)
        if before.text != document.text
    }
    for before, after in ((old.sources.dotenv, new.sources.dotenv), (old.sources.env_files, new.sources.env_files)):
        texts.update({name: text for name, text in after.items() if before.get(name) != text})
    return texts


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
