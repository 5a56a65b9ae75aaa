# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values written into a dynamic configuration file that is somebody else's.

Keys, order, comments and layout of the file stay; only values that differ are written, each under a comment that says
why. The YAML editor of the Compose files makes the edit and proves it; the comments are proven by reading once more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..compose.change import difference
from ..compose.document import Document, parse
from ..compose.edit import Edit, apply_edits
from ..compose.errors import RefusedEdit, one_line
from ..compose.nodes import BOM
from ..policy.model import SEVERITIES
from .config import DynamicConfig, Entry, Value, read_config
from .keys import Keys
from .lint import lint
from .rules import Finding
from .values import seconds

#: How a comment of ours begins; one that stands there already is replaced.
MARK = "# breakwater: "


class Wanted(NamedTuple):
    """A value that a file is to hold.

    Attributes:
        key: the key, in any case.
        value: plain Python data.
        constraints: by their names; empty for everybody.
        reason: why, for the comment.
    """

    key: str
    value: Any
    constraints: Mapping[str, str | int] = {}
    reason: str = ""

    def item(self) -> dict[str, Any]:
        """The value as an item of the key's list."""
        return {"value": self.value, **({"constraints": dict(self.constraints)} if self.constraints else {})}


class Change(NamedTuple):
    """A value that is written: ``before`` is None where the file had none for these constraints."""

    wanted: Wanted
    before: Any


class Written(NamedTuple):
    """The text of a file with the wanted values, and what was changed for them."""

    text: str
    changes: tuple[Change, ...]


def merged(base: Sequence[Wanted], over: Sequence[Wanted]) -> list[Wanted]:
    """Put values over others; of two for the same key and constraints the later one counts, where the first stood."""
    found: dict[str, Wanted] = {}
    for one in (*base, *over):
        found[f"{one.key.lower()} {_sought(one).identity()}"] = one
    return list(found.values())


def problems(wanted: Sequence[Wanted], keys: Keys) -> list[Finding]:
    """Judge values before they are written: the findings above low, which must not come from us."""
    data: dict[str, list[dict[str, Any]]] = {}
    for one in wanted:
        data.setdefault(one.key, []).append(one.item())
    findings = lint(read_config(json.dumps(data), "wanted values"), keys)
    return [finding for finding in findings if SEVERITIES.index(finding.severity) > SEVERITIES.index("low")]


def set_values(config: DynamicConfig, wanted: Sequence[Wanted], keys: Keys) -> Written:
    """Write values into a file.

    Args:
        config: the file.
        wanted: the values; those that the file holds already change nothing.
        keys: the keys of the server's version, which tell durations from other text.

    Raises:
        RefusedEdit: the file cannot be edited so that it is provably right; nothing is changed then.
    """
    changes: list[Change] = []
    edits: list[Edit] = []
    new: dict[str, list[dict[str, Any]]] = {}
    for one in wanted:
        entry = _entry(config, one.key)
        setting = keys.get(one.key)
        if entry is None or not entry.values:
            changes.append(Change(one, None))
            name = entry.key if entry else setting.key if setting else one.key
            new.setdefault(name, []).append(one.item())
            continue
        there = _value(entry, one)
        if there is None:
            changes.append(Change(one, None))
            edits.append(Edit("append", (entry.key,), one.item()))
        elif not _same(there.data, one.value, setting is not None and setting.type == "duration"):
            changes.append(Change(one, there.data))
            edits.append(Edit("set", (entry.key, there.place, "value"), one.value))
    edits.extend(Edit("set", (name,), items) for name, items in new.items())
    if not edits:
        return Written(config.document.text, ())
    document = apply_edits(_begun(config.document, list(new)), edits)
    return Written(_commented(document, changes), tuple(changes))


def _entry(config: DynamicConfig, key: str) -> Entry | None:
    """Find the entry of a key.

    Raises:
        RefusedEdit: the server does not read it, or takes one of two by chance.
    """
    found = [entry for entry in config.entries if entry.key.lower() == key.lower()]
    if len(found) > 1:
        reason = f"{found[1].key} is the same key as {found[0].key} on line {found[0].line}"
        raise RefusedEdit(config.name, found[1].line, reason, "keep one of them")
    if found and found[0].broken:
        line, reason = found[0].broken[0]
        raise RefusedEdit(config.name, line, f"{found[0].key}: {reason}", "correct it first")
    return found[0] if found else None


def _value(entry: Entry, wanted: Wanted) -> Value | None:
    """Find the value that the server takes for the wanted constraints: the first one."""
    sought = _sought(wanted)
    return next((value for value in entry.values if value.identity() == sought.identity()), None)


def _sought(wanted: Wanted) -> Value:
    """Read a wanted value as it would stand in a file."""
    (value,) = read_config(json.dumps({"x": [wanted.item()]}), "wanted values").entries[0].values
    return value


def _same(found: Any, wanted: Any, duration: bool) -> bool:
    """Say whether a value means what is wanted."""
    if duration and seconds(wanted) is not None:
        return seconds(found) == seconds(wanted)
    return json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True)


def _begun(document: Document, new: list[str]) -> Document:
    """Give a file without content a first key, so that there is something to edit."""
    if document.data is not None:
        return document
    text = document.text
    if text.strip() and not text.endswith("\n"):
        text += "\n"
    return parse(f"{text}{new[0]}: []\n", document.name)


def _commented(document: Document, changes: Sequence[Change]) -> str:
    """Put the reason above each changed value, or above its key where the value has no line of its own.

    Raises:
        RefusedEdit: a comment would change what the file holds.
    """
    body = document.text.removeprefix(BOM)
    # As the document counts lines: other separators of Unicode end none.
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", body)
    comments: dict[int, str] = {}
    for wanted, _before in changes:
        if wanted.reason:
            comments.setdefault(_place(document, lines, wanted), one_line(wanted.reason))
    for number in sorted(comments, reverse=True):
        line = lines[number - 1]
        indent = line[: len(line) - len(line.lstrip(" "))]
        ending = "\r\n" if line.endswith("\r\n") else "\n"
        above = number - 2
        old = 1 if above >= 0 and lines[above].lstrip(" ").startswith(MARK) else 0
        lines[number - 1 - old : number - 1] = [f"{indent}{MARK}{comments[number]}{ending}"]
    text = document.text[: len(document.text) - len(body)] + "".join(lines)
    if difference(parse(text, document.name).data, document.data) is not None:
        raise RefusedEdit(
            document.name, min(comments), "no comment can be written here", "write a line per value first"
        )
    return text


def _place(document: Document, lines: Sequence[str], wanted: Wanted) -> int:
    """Find the line that a comment on a value stands above."""
    config = read_config(document.text, document.name)
    entry = _entry(config, wanted.key)
    value = _value(entry, wanted) if entry else None
    if entry is None or value is None:
        raise RefusedEdit(document.name, None, f"{wanted.key} is not there after the edit", "edit it by hand")
    line = document.line_of((entry.key, value.place)) or entry.line
    alone = len(entry.values) > 1 and re.match(r" *- ", lines[line - 1])
    return line if alone and line != entry.line else entry.line
