# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a service, wherever they stand: `environment`, `env_file`, and through them ``.env``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ..compose.interpolate import EnvFileError, locate_env, parse_env
from ..compose.origins import Map, Origin, Seq
from ..compose.project import Project
from ..compose.service import Service
from ..compose.short_forms import text_of
from ..compose.values import is_unresolved
from ..lean_typing import NamedTuple
from .records import Place, Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PASSED_ON = r"\$(?:(\w+)|\{(\w+)(?::?[-?]((?:[^{}]|\{[^{}]*\})*))?\})"


class Variable(NamedTuple):
    """A variable of a service.

    Args:
        value: its value in the container; None when it hangs on a variable without value.
        raw: the text that stands at its place.
        place: where that is.
        file: index of the Compose file that states it, None for one of an `env_file`.
    """

    value: str | None
    raw: str
    place: Place
    file: int | None


class Environment:
    """The variables of one service.

    Attributes:
        variables: by name; `environment` wins over `env_file`.
        unread: the files of `env_file` that nobody has read, or that cannot be understood.
    """

    def __init__(self, project: Project, service: Service, sources: Sources) -> None:
        self.project = project
        self.sources = sources
        self.variables: dict[str, Variable] = {}
        self.unread: list[str] = []
        for name in env_file_names(project, service):
            self._read_file(name)
        section = service.get(("environment",))
        if isinstance(section, Map):
            for key, item in section.items():
                self._add(key, text_of(item), is_unresolved(item), section.origins[key])
        elif isinstance(section, Seq):
            for item, origin in zip(section, section.origins, strict=True):
                key, stated, text = (text_of(item) or "").partition("=")
                self._add(key, text if stated else None, is_unresolved(item), origin)

    def get(self, name: str) -> str:
        """Return the value of a variable, empty when it has none or is not known."""
        variable = self.variables.get(name)
        return "" if variable is None else variable.value or ""

    def _read_file(self, name: str) -> None:
        text = self.sources.env_files.get(name)
        if text is None:
            self.unread.append(name)
            return
        known = {**self.project.environment, **self.sources.shell}
        try:
            values, places = parse_env(text, known), locate_env(text, known)
        except EnvFileError:
            self.unread.append(name)
            return
        for key, value in values.items():
            span = places.get(key)
            raw = text[span.start : span.end] if span else value
            place = Place(name, span.line if span else None, "env_file" if span else "shell", key)
            self.variables[key] = Variable(value, raw, place, None)

    def _add(self, name: str, value: str | None, unresolved: bool, origin: Origin) -> None:
        """Take in a variable of `environment`."""
        document = self.project.files[origin.file]
        written = raw_text(document.data, origin.path)
        passed = name if written is None else _passed_on(written, self.project.environment)
        if written is None:
            value = self.project.environment.get(name)
            if value is None:
                return  # neither Compose nor the container has it
        raw, place = written or "", Place(document.name, document.line_of(origin.path), "compose")
        if passed and not unresolved:
            raw, place = self._held(passed, value or "")
        self.variables[name] = Variable(None if unresolved else value, raw, place, origin.file)

    def _held(self, variable: str, value: str) -> tuple[str, Place]:
        """Find the text of a variable that the Compose file passes on."""
        if variable not in self.sources.shell:
            for name, text in reversed(list(self.sources.dotenv.items())):
                try:
                    span = locate_env(text, self.sources.shell).get(variable)
                except EnvFileError:
                    continue
                if span is not None:
                    return text[span.start : span.end], Place(name, span.line, "dotenv", variable)
        return value, Place("", None, "shell", variable)


def env_file_names(project: Project, service: Service) -> list[str]:
    """Return the files of a service's `env_file`, by path from the project's folder."""
    first = service.defined_in[0]
    folder = os.path.dirname(project.files[first].name) if first >= project.given else ""
    return [os.path.normpath(os.path.join(folder, path)) for path in service.env_files]


def raw_text(data: Any, path: tuple[str | int, ...]) -> str | None:
    """Return what a file writes for a variable, in a mapping or as ``NAME=value``; None for a bare name."""
    for step in path:
        data = data[step]
    text = text_of(data)
    if not isinstance(path[-1], int):
        return text
    _name, stated, value = (text or "").partition("=")
    return value if stated else None


def _passed_on(written: str, known: Mapping[str, str]) -> str:
    """Return the variable whose value the text is, empty when the text has a part of its own or its default counts."""
    found = re.fullmatch(_PASSED_ON, written)
    if found is None:
        return ""
    name = found[1] or found[2]
    return name if found[3] is None or known.get(name) else ""
