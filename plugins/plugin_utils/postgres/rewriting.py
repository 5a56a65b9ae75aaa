# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other values for the variables of services: written where they stand, and proven to change nothing else.

A value is changed where it stands, or stated in the service's own `environment`. The project is then loaded again with
the new texts and compared with the old one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..compose.document import resolve
from ..compose.edit import apply_edits
from ..compose.edits import Edit
from ..compose.errors import ComposeError, RefusedEdit
from ..compose.interpolate import parse_env
from ..compose.project import Project, replace_document, replace_environment
from ..compose.service import Service
from .dotenv import set_values, text_in_quotes
from .environment import Environment, Variable
from .records import Sources, Target
from .urls import with_host

_DEFAULT = re.compile(r"(\$\{\w+:?-)([^{}]*)(\})")
#: Sections that are compared apart, or that only lead to other files.
_APART = ("services", "include")
BY_HAND = "change it by hand"


class State(NamedTuple):
    """A project and the files with variables beside it."""

    project: Project
    sources: Sources


class Wanted(NamedTuple):
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


class Wish(NamedTuple):
    """What one service is to have.

    Args:
        service: its name.
        wanted: its variables.
        environment: its variables as they are.
    """

    service: str
    wanted: tuple[Wanted, ...]
    environment: Environment

    @property
    def shown(self) -> str:
        """What is written, for people, without secrets."""
        return ", ".join(item.shown for item in self.wanted)


class CannotMove(Exception):
    """A client that is not moved."""

    def __init__(self, reason: str, way_out: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.way_out = way_out


class Made(NamedTuple):
    """What was written for one service: the edits by index of the Compose file, and the names of all files."""

    edits: Mapping[int, tuple[Edit, ...]]
    files: tuple[str, ...]


def apply(state: State, wishes: Iterable[Wish], in_place: bool) -> tuple[State, dict[str, Made]]:
    """Write the values: each where it stands, or those that stand in other files in the service's `environment`.

    Returns:
        The new state, and what was written by service.

    Raises:
        CannotMove: one of them cannot be written.
    """
    edits: dict[int, list[Edit]] = {}
    values: dict[str, dict[str, str]] = {}
    made: dict[str, Made] = {}
    for wish in wishes:
        for item in wish.wanted:
            own = made.get(wish.service, Made({}, ()))
            variable = wish.environment.variables.get(item.name)
            holder = variable.place.holder if variable else "compose"
            if variable is not None and in_place and holder in ("dotenv", "env_file"):
                new = _rewritten(text_in_quotes(variable.raw), item)
                values.setdefault(variable.place.file, {})[variable.place.variable] = new
                written, file = own.edits, variable.place.file
            elif item.target is not None and holder != "compose" and variable is not None:
                hint = "give the service a variable of its own, and move it then"
                raise CannotMove(_elsewhere(item.name, variable), hint)
            else:
                index, edit = _edit(state.project, wish.service, variable, item)
                edits.setdefault(index, []).append(edit)
                written = {**own.edits, index: (*own.edits.get(index, ()), edit)}
                file = state.project.files[index].name
            made[wish.service] = Made(written, tuple(dict.fromkeys((*own.files, file))))
    return _written(state, edits, values), made


def _elsewhere(name: str, variable: Variable) -> str:
    """Say why a URL cannot be changed where it stands."""
    where = str(variable.place)
    if variable.place.holder == "shell":
        return f"{name} comes from {where}, which is not a file"
    return f"{name} stands in {where} as {variable.place.variable}, which others use too"


def _rewritten(raw: str, item: Wanted) -> str:
    """Return the new text of a value; the default of a variable is changed within it.

    Raises:
        CannotMove: it cannot be told where the host is.
    """
    default = _DEFAULT.fullmatch(raw)
    head, inner, tail = (default[1], default[2], default[3]) if default else ("", raw, "")
    if item.target is None:
        return f"{head}{item.value}{tail}"
    new = with_host(inner, item.target.host, item.target.port)
    if new is None:
        raise CannotMove(f"{item.name}: where its host stands cannot be told", "write the host into the URL itself")
    return f"{head}{new}{tail}"


def _edit(project: Project, service: str, variable: Variable | None, item: Wanted) -> tuple[int, Edit]:
    """Return the edit of the service's own `environment`."""
    found = project.services[service]
    index = found.defined_in[0]
    if variable is not None and variable.file is not None and found.own(variable.file) is not None:
        index = variable.file
    if index >= project.given:
        name = project.files[index].name
        raise CannotMove(f"it stands in {name}, which is not among the files given", "move it there by hand")
    new: str | int = item.value
    if variable is not None and variable.place.holder == "compose":
        new = _rewritten(variable.raw, item)
    own = (found.own(index) or {}).get("environment")
    plain = isinstance(own, dict) and (item.name not in own or isinstance(resolve(own[item.name]), int))
    if plain and str(new).isdigit():
        new = int(new)
    return index, Edit("set", ("services", service, "environment", item.name), new)


def _written(state: State, edits: Mapping[int, Sequence[Edit]], values: Mapping[str, Mapping[str, str]]) -> State:
    """Return the state with edits and values made.

    Raises:
        CannotMove: one of them cannot be made.
    """
    project, sources = state
    known = {**project.environment, **sources.shell}
    try:
        for file, wanted in values.items():
            if file in sources.dotenv:
                text = set_values(file, sources.dotenv[file], wanted, sources.shell)
                sources = sources._replace(dotenv={**sources.dotenv, file: text})
                project = replace_environment(project, {**project.environment, **_substituted(sources, wanted)})
            else:
                text = set_values(file, sources.env_files[file], wanted, known)
            if file in sources.env_files:  # one file may be both
                sources = sources._replace(env_files={**sources.env_files, file: text})
        for index, found in edits.items():
            project = replace_document(project, index, apply_edits(project.files[index], found))
    except RefusedEdit as error:
        raise CannotMove(f"{error.file}:{error.line or 1}: {error.reason}", error.hint or BY_HAND) from None
    except ComposeError as error:
        raise CannotMove(str(error), BY_HAND) from None
    return State(project, sources)


def _substituted(sources: Sources, names: Mapping[str, str]) -> dict[str, str]:
    """Return the values of variables as the files with variables give them."""
    found: dict[str, str] = {}
    for text in sources.dotenv.values():
        found.update(parse_env(text, sources.shell))
    return {name: found[name] for name in names}


def prove(old: State, new: State, wishes: Sequence[Wish], movable: Collection[tuple[str, str]] = ()) -> None:
    """Compare the project with the one before: what is wanted has changed, and nothing else.

    Raises:
        CannotMove: something else would change, or a value would not be what is wanted.
    """
    allowed = {*movable, *((wish.service, item.name) for wish in wishes for item in wish.wanted)}
    if _beside(old.project) != _beside(new.project):
        raise CannotMove("the change would reach beyond the services", BY_HAND)
    for name, before in old.project.services.items():
        after = new.project.services[name]
        if {**before.config, "environment": None} != {**after.config, "environment": None}:
            raise CannotMove(f"the change would reach other settings of {name}", BY_HAND)
        one, other = _values(old, before), _values(new, after)
        for variable in {*one, *other}:
            if one.get(variable) != other.get(variable) and (name, variable) not in allowed:
                raise CannotMove(f"the change would reach {variable} of {name}", BY_HAND)
    for wish in wishes:
        values = _values(new, new.project.services[wish.service])
        for item in wish.wanted:
            if values.get(item.name) != item.value:
                raise CannotMove(f"{item.name} would not have the value that is wanted", BY_HAND)


def _beside(project: Project) -> dict[str, object]:
    """Return what a project has beside its services; Compose gives extensions no meaning."""
    return {key: value for key, value in project.config.items() if key not in _APART and not key.startswith("x-")}


def _values(state: State, service: Service) -> dict[str, str | None]:
    """Return the variables of a service as its container gets them."""
    variables = Environment(state.project, service, state.sources).variables
    return {name: variable.value for name, variable in variables.items()}


def changed_texts(old: State, new: State) -> dict[str, str]:
    """Return the texts that differ, by the name of their file."""
    texts = {
        document.name: document.text
        for before, document in zip(old.project.files, new.project.files, strict=True)
        if before.text != document.text
    }
    for before, after in ((old.sources.dotenv, new.sources.dotenv), (old.sources.env_files, new.sources.env_files)):
        texts.update({name: text for name, text in after.items() if before.get(name) != text})
    return texts
