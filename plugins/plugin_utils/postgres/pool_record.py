# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a project keeps about its pool: who goes through it, and how the user's files were before. Pure functions.

The record lies beside the pool's own files. It is what makes a removal exact: the texts before and after the pool's
edits are taken out of each other, whatever else people have edited since. These texts may hold secrets that people
wrote into their files, so the record is as closed as those with the pool's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from ...module_utils import _transport
from ..compose.document import parse
from ..compose.errors import ComposeError
from ..stack.rollback import TakeBackRefused, take_back, take_back_what_stands
from .pooler import COMPOSE_FILE, FOLDER

PATH = "breakwater/pgbouncer.state.json"
_FORMAT = 1
_IGNORE = "breakwater/.gitignore"


class PooledDatabase(NamedTuple):
    """A database of the pool: its name, its users, and the server connections that it may have at once."""

    name: str
    users: tuple[str, ...]
    backends: int


class PooledClient(NamedTuple):
    """A service that goes through the pool, its kind and the pool's mode for it."""

    service: str
    kind: str
    mode: str


class Record(NamedTuple):
    """The pool of a project.

    Attributes:
        service: the pooler's service.
        port: where it listens.
        server: PostgreSQL's service.
        superuser: the role as which Breakwater works in PostgreSQL's container.
        databases: what can be reached through it.
        clients: who goes through it, in the order in which they are moved.
        before, after: texts of the user's files by path, before the pool's edits and after them.
    """

    service: str
    port: int
    server: str
    superuser: str
    databases: tuple[PooledDatabase, ...]
    clients: tuple[PooledClient, ...]
    before: Mapping[str, str]
    after: Mapping[str, str]

    @property
    def users(self) -> tuple[str, ...]:
        """Every user once, sorted."""
        return tuple(sorted({user for database in self.databases for user in database.users}))


def write(record: Record) -> str:
    """Return the record as the text of its file."""
    values = record._asdict()
    values["databases"] = [item._asdict() for item in record.databases]
    values["clients"] = [item._asdict() for item in record.clients]
    return json.dumps({"format": _FORMAT, **values}, indent=1, sort_keys=True) + "\n"


def read(text: str) -> Record:
    """Return the record that a text holds.

    Raises:
        ComposeError: it is damaged, or of another version.
    """
    try:
        values = json.loads(text)
        if values.pop("format") != _FORMAT:
            raise ComposeError(PATH, None, "was written by another version of Breakwater", "use that version")
        values["databases"] = tuple(
            PooledDatabase(item["name"], tuple(item["users"]), item["backends"]) for item in values["databases"]
        )
        values["clients"] = tuple(PooledClient(**item) for item in values["clients"])
        return Record(**values)
    except (ValueError, KeyError, TypeError, AttributeError):
        way_out = "bring it back from the latest generation in .breakwater, or run rollback.yml"
        raise ComposeError(PATH, None, "is damaged", way_out) from None


def own_text(reading: Mapping[str, Any], path: str) -> str | None:
    """Return the text of one of Breakwater's own files of a reading; None where it is missing.

    Raises:
        ComposeError: this user may not read it.
    """
    for entry in reading["project"].get("own", ()):
        if entry["path"] == path:
            if entry["content"] is None:
                raise ComposeError(path, None, "cannot be read", "run as root (become: true)")
            return _transport.decode(entry["content"]).decode("utf-8", "replace")
    return None


def of_reading(reading: Mapping[str, Any]) -> Record | None:
    """Return the record of a project as it was read; None where it has no pool.

    Raises:
        ComposeError: it is damaged, or this user may not read it.
    """
    text = own_text(reading, PATH)
    return None if text is None else read(text)


def is_pools(path: str) -> bool:
    """Say whether a file is one of the pool's own."""
    return path in (PATH, f"{FOLDER}.yml", _IGNORE) or path.startswith(f"{FOLDER}/")


def password_of(userlist: str | None, role: str) -> str | None:
    """Return the password of a role out of the pooler's list of users; None where it has none."""
    for line in (userlist or "").splitlines():
        parts = line.split('"')
        if len(parts) == 5 and parts[1] == role:
            return parts[3]
    return None


def texts_before(record: Record | None, current: Mapping[str, str], planned: Mapping[str, str]) -> dict[str, str]:
    """Return what to keep as the texts before the pool's edits, when it is about to make further ones.

    Args:
        record: the pool as it was recorded, None for a new one.
        current: the user's files as they are, without what is planned now.
        planned: those that get further edits, with them.

    Returns:
        Text by path. Where people have changed the pool's own lines since, what they made of them counts as theirs.
    """
    found = dict(record.before) if record else {}
    for path, text in planned.items():
        if record is None or path not in record.after:
            found[path] = current[path]
        elif text != record.after[path]:
            try:
                found[path] = take_back(path, record.before[path], record.after[path], current[path])
            except TakeBackRefused:
                found[path] = take_back_what_stands(path, record.before[path], record.after[path], current[path])
    return found


def without_pool(record: Record, current: Mapping[str, str]) -> dict[str, str]:
    """Return the user's files without the pool's edits, everything else as it is.

    Args:
        record: the pool.
        current: the text by path of the files as they are.

    Raises:
        TakeBackRefused: lines of the pool were edited since.
    """
    return {
        path: _without(path, before, record.after[path], current[path])
        for path, before in record.before.items()
        if path in current
    }


def _without(path: str, before: str, after: str, current: str) -> str:
    """Take the pool's edits out of one file, also where its `include` holds files of others by now."""
    try:
        return take_back(path, before, after, current)
    except TakeBackRefused:
        kept = [line for line in current.split("\n") if not _includes_pooler(line)]
        if len(kept) != current.count("\n"):
            raise
        result = take_back(path, before, _without_include(before, after), "\n".join(kept))
        if parse(result, path).data.get("include"):
            return result
        raise


def _includes_pooler(line: str) -> bool:
    """Say whether a line is the item that joins the pooler's file to the project."""
    return line.strip().removeprefix("-").strip() == COMPOSE_FILE


def _without_include(before: str, after: str) -> str:
    """Take only that edit back which holds the item of the pooler's file."""
    old, new = before.split("\n"), after.split("\n")
    result: list[str] = []
    for _tag, start, end, first, last in SequenceMatcher(None, new, old, autojunk=False).get_opcodes():
        result += old[first:last] if any(map(_includes_pooler, new[start:end])) else new[start:end]
    return "\n".join(result)


def order(clients: Sequence[PooledClient]) -> tuple[PooledClient, ...]:
    """Order clients as they are moved: Temporal first, then the applications as they were named."""
    return tuple(sorted(clients, key=lambda client: client.kind != "temporal"))
