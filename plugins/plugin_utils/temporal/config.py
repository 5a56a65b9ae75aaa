# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dynamic configuration file as the server's loader sees it: keys with values, each value with its constraints."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..compose.document import Document, parse
from ..compose.errors import ComposeError
from ..compose.expand import Scalar, TaggedList, TaggedMap, resolve, tag_of
from ..compose.nodes import Builder
from .constraints import NAMES, TASK_TYPES

#: The fields of an entry; the YAML library of the server matches them exactly and passes over every other.
FIELDS = ("value", "constraints")


class Constraint(NamedTuple):
    """A constraint as written; `value` is plain Python data."""

    name: str
    value: Any
    line: int


class Value(NamedTuple):
    """A value of a key.

    Attributes:
        data: plain Python data; None when it is missing or null.
        line: where the value is written, or the entry that lacks one.
        constraints: in the order of the file.
        unknown: names of fields of the entry that the server passes over, with their lines.
        given: True when the entry has a field `value`.
        place: where it stands in the key's list, from 0.
    """

    data: Any
    line: int
    constraints: tuple[Constraint, ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()
    given: bool = True
    place: int = 0

    def where(self) -> dict[str, Any]:
        """The constraints that decide when the value holds: by their proper names, empty ones left out."""
        return {
            NAMES[constraint.name.lower()]: constraint.value
            for constraint in self.constraints
            if constraint.name.lower() in NAMES and constraint.value not in ("", 0)
        }

    def identity(self) -> str:
        """The same text for the same constraints, in whatever order and case they are written."""
        where = self.where()
        if isinstance(where.get("taskType"), str):
            where["taskType"] = TASK_TYPES.get(where["taskType"], where["taskType"])
        return repr(sorted(where.items(), key=lambda item: item[0]))


class Entry(NamedTuple):
    """A key with its values.

    Attributes:
        key: as written.
        line: of the key.
        values: those that could be read.
        broken: what the server cannot decode, as line and reason; it then refuses the whole file.
    """

    key: str
    line: int
    values: tuple[Value, ...]
    broken: tuple[tuple[int, str], ...] = ()


class DynamicConfig(NamedTuple):
    """A dynamic configuration file.

    Attributes:
        name: the file's name as shown to people.
        document: the text with its nodes, for edits.
        entries: its keys in the order of the file.
        later: line of a second YAML document, which the server does not read, or None.
    """

    name: str
    document: Document
    entries: tuple[Entry, ...]
    later: int | None = None


def read_config(text: str, name: str) -> DynamicConfig:
    """Read a dynamic configuration file.

    Args:
        text: the whole text; see :func:`..compose.document.decode` for bytes.
        name: the file's name as shown to people.

    Raises:
        ComposeError: not YAML, a root that is no mapping, duplicate keys, alias bombs, too large or too deep.
    """
    try:
        document = parse(text, name)
    except ComposeError as error:
        raise reworded(error) from None
    entries = tuple(_entry(document, key) for key in document.data or {})
    return DynamicConfig(name, document, entries, _later(document))


def reworded(error: ComposeError) -> ComposeError:
    """Say the same of a dynamic configuration file that the YAML reader says of a Compose file."""

    def said(text: str) -> str:
        return text.replace("Compose file", "dynamic configuration file").replace("Compose knows", "the server knows")

    return ComposeError(error.file, error.line, said(error.reason), said(error.hint))


def plain(data: Any) -> Any:
    """Return data of a document as plain Python values, scalars as the server's YAML library reads them."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [plain(item) for item in data]
    return resolve(data)


def _later(document: Document) -> int | None:
    """Find the second YAML document of a file."""
    if "\n---" not in document.text and "\n..." not in document.text:
        return None
    roots = Builder(document.name, document.text, document.line_at).build()
    return document.line_at(roots[1].start) if len(roots) > 1 else None


def _entry(document: Document, key: str) -> Entry:
    line = document.line_of((key,)) or 1
    data = document.data[key]
    if data is None:
        return Entry(key, line, ())
    if not isinstance(data, list) or isinstance(data, TaggedList):
        return Entry(key, line, (), ((line, f"{_kind(data)} stands where a list of values belongs"),))
    values: list[Value] = []
    broken: list[tuple[int, str]] = []
    for index, item in enumerate(data):
        place = document.line_of((key, index)) or line
        if item is None:
            continue  # the server's YAML library drops empty items of a list
        if not isinstance(item, dict) or isinstance(item, TaggedMap):
            broken.append((place, f"{_kind(item)} stands where a value with its constraints belongs"))
            continue
        constraints = item.get("constraints")
        if constraints is not None and not isinstance(constraints, dict):
            there = document.line_of((key, index, "constraints")) or place
            broken.append((there, f"{_kind(constraints)} stands where a mapping of constraints belongs"))
            continue
        values.append(_value(document, (key, index), item, place))
    return Entry(key, line, tuple(values), tuple(broken))


def _value(document: Document, path: tuple[str | int, ...], item: dict[str, Any], line: int) -> Value:
    """Read one item of a key's list."""

    def line_of(*steps: str) -> int:
        return document.line_of((*path, *steps)) or line

    constraints = tuple(
        Constraint(name, plain(value), line_of("constraints", name))
        for name, value in (item.get("constraints") or {}).items()
    )
    unknown = tuple((name, line_of(name)) for name in item if name not in FIELDS)
    return Value(plain(item.get("value")), line_of("value"), constraints, unknown, "value" in item, int(path[1]))


def _kind(data: Any) -> str:
    """Name what was found instead."""
    if tag_of(data) and not isinstance(data, Scalar):
        return f"something with the tag {tag_of(data)}"
    return "a mapping" if isinstance(data, dict) else "a list" if isinstance(data, list) else "a single value"
