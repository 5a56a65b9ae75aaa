# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of PostgreSQL and Redis: what the file states, and how to state one the way the file does it.

A setting is stated on the command line, in a variable that the image turns into one (Bitnami, Redis Stack), or in a
mounted file, which is not ours to read or write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from ..compose.edits import Edit
from ..lean_typing import NamedTuple
from .context import Context

_SHELL = r"[;&|<>`\n]|\$\("
_PLAIN = r"[\w@%+=:,./${}-]+"

#: Variables that these images append to the server's command line.
FLAG_VARIABLES = {
    ("postgres", "bitnami"): "POSTGRESQL_EXTRA_FLAGS",
    ("redis", "bitnami"): "REDIS_EXTRA_FLAGS",
    ("redis", "redis-stack"): "REDIS_ARGS",
}


class Flags(NamedTuple):
    """The settings that a server is started with.

    Args:
        values: stated settings by name, as text.
        complete: False when a mounted file may state others.
        closed: why a setting cannot be written here, empty when it can.
    """

    values: Mapping[str, str]
    complete: bool
    closed: str


def program_of(context: Context) -> str:
    """Return the server that the image starts."""
    if context.kind == "postgres":
        return "postgres"
    return "valkey-server" if context.role.flavour == "valkey" else "redis-server"


def read_flags(context: Context, parse: Callable[[Sequence[str]], tuple[dict[str, str], bool]]) -> Flags:
    """Read the settings of a data store.

    Args:
        context: the service.
        parse: takes the words after the program; returns the settings and whether a file is named among them.
    """
    service, flavour = context.service, context.role.flavour
    closed = ""
    words = list(service.command or ())
    if service.entrypoint:
        words, closed = list(service.entrypoint) + words, "its entry point is replaced"
    variable = FLAG_VARIABLES.get((context.kind, flavour))
    if variable:
        words = words + str(context.environment.get(variable) or "").split()
    elif flavour in ("timescale", "supabase", "bitnami"):
        closed = closed or f"the {flavour} image writes a configuration of its own into the volume"
    if any(re.search(_SHELL, word) for word in words) or words[:1] in (["sh"], ["bash"], ["/bin/sh"], ["/bin/bash"]):
        return Flags({}, False, "its command is a shell script")
    values, file_named = parse(words)
    if file_named:
        closed = closed or "its settings are in a mounted file"
    return Flags(values, not closed, closed)


def write_flags(context: Context, name_pattern: str, wanted: Mapping[str, str]) -> tuple[int, list[Edit], str] | None:
    """Return the file, the edits and a summary that state settings, None when there is no safe way.

    Args:
        context: the service.
        name_pattern: how one setting looks, as a format with ``{name}``: ``-c {name}=`` or ``--{name} ``.
        wanted: values by name.
    """
    variable = FLAG_VARIABLES.get((context.kind, context.role.flavour))
    shown = ", ".join(f"{name} {value}" for name, value in wanted.items())
    if variable:
        file = context.file_for(("environment", variable))
        text = str(context.environment.get(variable) or "")
        if "$" in text or re.search(_SHELL, text):
            return None
        file, edits = context.set_environment(variable, _in_text(text, name_pattern, wanted))
        return file, edits, f"{variable}: {shown}"
    file = context.file_for(("command",))
    own = context.own(file, ("command",))
    program = program_of(context)
    if own is None and context.service.command is None:
        return file, [_new_command(context, program, name_pattern, wanted)], f"command: {shown}"
    if isinstance(own, list):
        edits = _in_list(context, [str(item) for item in own], name_pattern, wanted)
        return file, edits, f"command: {shown}"
    text = str(own or "").strip()
    if not text or re.search(_SHELL, text) or not re.match(rf"(\S*/)?{program}\b|-|docker-entrypoint\.sh\b", text):
        return None
    return file, [context.set(_in_text(text, name_pattern, wanted), "command")], f"command: {shown}"


def _words(name_pattern: str, name: str, value: str) -> list[str]:
    """Return one setting as words."""
    return (name_pattern.format(name=name) + value).split()


def _new_command(context: Context, program: str, name_pattern: str, wanted: Mapping[str, str]) -> Edit:
    """Return the edit for a service that has no command yet, in the form of the others' commands."""
    words = [program]
    for name, value in wanted.items():
        words += _words(name_pattern, name, value)
    return context.set(words if context.stack.style("command") == "list" else " ".join(words), "command")


def _pattern(name_pattern: str, name: str) -> re.Pattern[str]:
    """Return how a stated setting looks in a text; PostgreSQL takes ``--name=`` as well as ``-c name=``."""
    loose = re.sub("[-_]", "[-_]", re.escape(name).replace(r"\-", "-").replace(r"\_", "_"))
    if name_pattern.startswith("--"):
        return re.compile(rf"(^|(?<=\s))(--{loose}(?:\s+|=))(\S+)")
    return re.compile(rf"(^|(?<=\s))((?:--|-c\s*)?{loose}=)(\S+)")


def _replacement(value: str) -> Callable[[re.Match[str]], str]:
    """Return what replaces a stated setting: the same name with another value."""
    return lambda match: match[1] + match[2] + value


def _in_text(text: str, name_pattern: str, wanted: Mapping[str, str]) -> str:
    """State settings in a command line: in place where they stand, else at the end."""
    for name, value in wanted.items():
        text, count = _pattern(name_pattern, name).subn(_replacement(value), text)
        if not count:
            text = (text + " " + " ".join(_words(name_pattern, name, value))).strip()
    return text


def _in_list(context: Context, own: list[str], name_pattern: str, wanted: Mapping[str, str]) -> list[Edit]:
    """State settings in a list of words: in place where they stand, else at the end."""
    edits = []
    for name, value in wanted.items():
        pattern = _pattern(name_pattern, name)
        bare = f"--{name}"
        for index, item in enumerate(own):
            if item == bare and index + 1 < len(own):
                edits.append(context.set(value, "command", index + 1))
                break
            if pattern.match(item):
                edits.append(context.set(pattern.sub(_replacement(value), item), "command", index))
                break
        else:
            edits += [Edit("append", context.path("command"), word) for word in _words(name_pattern, name, value)]
    return edits


def is_plain(words: Sequence[str]) -> bool:
    """Say whether words need no quoting in a shell."""
    return all(re.fullmatch(_PLAIN, word) for word in words)
