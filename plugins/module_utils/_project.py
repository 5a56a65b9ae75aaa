# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files make up a Compose project, what they are called, and their bytes.

This module util is PRIVATE to the collection. No YAML is parsed here: targets have no library for it. The controller
parses; here only Compose's own way to find files and the project's name is followed
(github.com/compose-spec/compose-go, cli/options.go).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.breakwater.stack.plugins.module_utils import _atomic, _transport
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError
from ansible_collections.breakwater.stack.plugins.module_utils._generations import absolute

# In Compose's order of preference.
DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_FILES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
_VARIABLE = re.compile(rb"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_ASSIGNMENT = r"(?m)^[ \t]*(?:export[ \t]+)?{name}[ \t]*=[ \t]*(.*)$"
_NAME = re.compile(rb"(?m)^(?:name|\"name\"|'name')[ \t]*:[ \t]+(.*)$")
# A word that ends like a YAML file, or looks like a file with variables; a volume (`./a.yml:/etc/a.yml`) is none.
_WORD = rb"[^\s\"'\[\]{},#:]"
_REFERENCE = re.compile(
    rb"(?m)(?:^|[\s\[{,\"'])(" + _WORD + rb"+\.ya?ml|" + _WORD + rb"*\.env[\w.-]*)(?=$|[\s\"'\]},])"
)
_MAX_REFERENCES = 50
#: Folder in the project of the files that Breakwater adds to it.
OWN_FOLDER = "breakwater"
_OWN_DEPTH = 2
_MAX_OWN = 50


def env_value(text: str, name: str) -> str | None:
    """Find a plain variable of Compose's own in a ``.env`` file (COMPOSE_FILE and its like); the last one counts.

    The controller reads the whole file with its grammar; these few are paths and names.
    """
    found = re.findall(_ASSIGNMENT.format(name=re.escape(name)), text)
    if not found:
        return None
    value = str(found[-1]).strip()
    if value[:1] in ("'", '"') and value.find(value[0], 1) > 0:
        return value[1 : value.find(value[0], 1)]
    return value.split(" #", 1)[0].rstrip()


class Variables:
    """Compose's own variables for a project: the environment first, then its ``.env`` files (the last one first)."""

    def __init__(self, environment: Mapping[str, str], env_texts: Sequence[str]) -> None:
        self._environment = environment
        self._texts = env_texts

    def get(self, name: str) -> str | None:
        """Give the value of a variable; None where it is not set, or set to nothing."""
        if self._environment.get(name):
            return self._environment[name]
        for text in reversed(self._texts):
            value = env_value(text, name)
            if value is not None:
                return value or None
        return None


def discover(directory: str, files: Sequence[str], variables: Variables) -> list[str]:
    """List the Compose files of a project, as Compose would: those given, COMPOSE_FILE, or the default names.

    Raises:
        StackError: there is none.
    """
    if files:
        return list(files)
    stated = variables.get("COMPOSE_FILE")
    if stated:
        separator = variables.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        return [name for name in stated.split(separator) if name]
    for name in DEFAULT_FILES:
        if os.path.lexists(os.path.join(directory, name)):
            overrides = (other for other in OVERRIDE_FILES if os.path.lexists(os.path.join(directory, other)))
            return [name, *list(overrides)[:1]]
    raise StackError(
        f"{directory}: has no Compose file ({', '.join(DEFAULT_FILES)}); check project_dir, or state files"
    )


def read_entry(directory: str, path: str) -> dict[str, Any] | None:
    """Read a file as readings carry it; None where there is nothing."""
    state = _atomic.read_regular(absolute(directory, path))
    if state is None:
        return None
    return {
        "path": path,
        "sha256": state.sha256,
        "mode": state.mode,
        "uid": state.uid,
        "gid": state.gid,
        "content": _transport.encode(state.content),
    }


def text_of(entry: Mapping[str, Any]) -> str:
    """Give the text of a file that was read; bytes that are not UTF-8 are replaced."""
    return _transport.decode(str(entry["content"])).decode("utf-8", "replace")


def read_files(directory: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Read the Compose files of a project.

    Raises:
        StackError: one is missing or cannot be read.
    """
    entries = []
    for name in names:
        entry = read_entry(directory, name)
        if entry is None:
            raise StackError(
                f"{absolute(directory, name)}: does not exist; bring it back, or change files (or COMPOSE_FILE) "
                "to what the project consists of"
            )
        entries.append(entry)
    return entries


def referenced_files(directory: str, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Read the YAML files that Compose files may refer to by ``include`` or ``extends``, and theirs in turn.

    Found by their look, without a parser: rather one too many. What is missing or unreadable is left out; the
    controller names it when it really needs it.
    """
    known = {absolute(directory, str(entry["path"])) for entry in entries}
    queue = [(absolute(directory, str(entry["path"])), str(entry["content"])) for entry in entries]
    found: list[dict[str, Any]] = []
    while queue and len(found) < _MAX_REFERENCES:
        path, content = queue.pop(0)
        for reference in _REFERENCE.findall(_transport.decode(content)):
            for base in (os.path.dirname(path), directory):
                target = os.path.normpath(os.path.join(base, os.fsdecode(reference)))
                entry = None if target in known else _entry_or_none(directory, target)
                known.add(target)
                if entry is not None:
                    found.append(entry)
                    queue.append((target, str(entry["content"])))
    return found


def own_files(directory: str) -> list[dict[str, Any]]:
    """Read the files that Breakwater has added to a project, those with secrets too.

    What this user may not read has no hash and no content: only who plans on it has to refuse.
    """
    found: list[dict[str, Any]] = []
    top = os.path.join(directory, OWN_FOLDER)
    for folder, folders, names in os.walk(top):
        inside = os.path.relpath(folder, top)
        if inside.count(os.sep) + 1 >= _OWN_DEPTH and inside != os.curdir:
            folders.clear()
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), directory)
            if len(found) < _MAX_OWN:
                hidden = {"path": path, "sha256": None, "mode": None, "uid": None, "gid": None, "content": None}
                found.append(_entry_or_none(directory, os.path.join(folder, name)) or hidden)
    return found


def _entry_or_none(directory: str, target: str) -> dict[str, Any] | None:
    """Read a file that may not be one of the project."""
    shown = os.path.relpath(target, directory) if target.startswith(directory + os.sep) else target
    try:
        return read_entry(directory, shown)
    except StackError:
        return None


def used_environment(entries: Sequence[Mapping[str, Any]], environment: Mapping[str, str]) -> dict[str, str]:
    """Give those variables of the environment that the files use: Compose prefers them to ``.env``."""
    names = {
        os.fsdecode(name) for entry in entries for name in _VARIABLE.findall(_transport.decode(str(entry["content"])))
    }
    return {name: environment[name] for name in sorted(names) if name in environment}


def project_name(directory: str, stated: str | None, variables: Variables, entries: Sequence[Mapping[str, Any]]) -> str:
    """Give the name of a project as Compose finds it: stated, COMPOSE_PROJECT_NAME, ``name:`` (last file), folder."""
    name = stated or variables.get("COMPOSE_PROJECT_NAME")
    for entry in reversed(entries) if not name else ():
        match = _NAME.search(_transport.decode(str(entry["content"])))
        if match:
            name = _scalar(match.group(1).decode("utf-8", "replace"), variables)
            break
    return normalise_name(name or os.path.basename(directory))


def _scalar(text: str, variables: Variables) -> str:
    """Read the value behind ``name:``, with the simple forms of variables."""
    text = text.strip()
    if text[:1] in ("'", '"') and text.find(text[0], 1) > 0:
        text = text[1 : text.find(text[0], 1)]
    else:
        text = re.split(r"\s#", text, maxsplit=1)[0].rstrip()
    return re.sub(
        r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))",
        lambda match: variables.get(match.group(1) or match.group(3)) or match.group(2) or "",
        text,
    )


def normalise_name(name: str) -> str:
    """Give the form that Compose makes of a project name: lower case, only ``a-z0-9_-``, no ``_-`` at the start."""
    return re.sub(r"[^-_a-z0-9]", "", name.lower()).lstrip("_-")
