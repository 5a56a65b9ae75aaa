# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Compose file as text with nodes: the unit that scan reads and edit changes."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from .errors import ComposeError
from .expand import Expander, Scalar, TaggedList, TaggedMap, TaggedNull, merge_sources, resolve, scalar_data, tag_of
from .nodes import BOM, MAPPING, SCALAR, SEQUENCE, Builder, Node, is_merge_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_BYTES = 8 * 1024 * 1024
"""Files above this are refused before they are decoded; the largest Compose file of 1,204 public ones has 35 kB."""

_LINE_BREAK = re.compile("\r\n|\n|\r")
_COMMENT = re.compile("(?:^|[ \t])#([^\r\n]*)")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_KINDS = {SCALAR: "a single value", SEQUENCE: "a list", MAPPING: "a mapping"}


class Document:
    """A parsed Compose file. Made by parse(); never changed afterwards.

    Attributes:
        name: the file's name as shown to people.
        text: the whole text, a BOM included.
        root: the root node of the YAML document that holds the services, or None for a file without content.
        data: its expanded data (see expand): a dict, or None for a file without content.
        has_aliases: True when any alias occurs, so that an edit might reach further than its place.
    """

    __slots__ = ("_lines", "data", "has_aliases", "name", "root", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._lines: list[int] | None = None
        builder = Builder(name, text, self.line_at)
        self.root: Node | None = self._choose(builder, builder.build())
        self.has_aliases = builder.has_aliases
        self.data: Any = None if self.root is None else Expander(builder).expand(self.root)
        if self.data is None:
            self.root = None
        self._check_shape()

    def line_at(self, offset: int) -> int:
        """Return the 1-based line of a character offset."""
        if self._lines is None:
            self._lines = [0, *(match.end() for match in _LINE_BREAK.finditer(self.text))]
        return bisect_right(self._lines, offset)

    def line_of(self, path: Sequence[str | int]) -> int | None:
        """Return the 1-based line of a key or item, or None when the path is not in the file.

        A key that is inherited by a merge key or through an alias has the line where it is written.
        """
        node = self.key_node(path)
        return None if node is None else self.line_at(node.start)

    def key_node(self, path: Sequence[str | int]) -> Node | None:
        """Return the node of the last key (or list item) of a path, aliases and merge keys followed, or None."""
        here = self.root
        found = here
        for step in path:
            if here is None:
                return None
            entry = find_entry(here.resolved(), step)
            if entry is None:
                return None
            found, here = entry
        return found

    def value_node(self, path: Sequence[str | int]) -> Node | None:
        """Return the node of the value at a path, aliases and merge keys followed, or None."""
        here = self.root
        for step in path:
            entry = None if here is None else find_entry(here.resolved(), step)
            if entry is None:
                return None
            here = entry[1]
        return here

    def comment_on(self, path: Sequence[str | int]) -> str:
        """Return the comment on a key's line and the comment lines directly above it, joined by line breaks.

        The lines above come first. The mark `#` and one blank after it are left out. Empty when there is none.
        """
        key = self.key_node(path)
        if key is None:
            return ""
        found = self._comments_above(key.start)
        value = self.value_node(path)
        trailing = self._comment_after(key if value is None else value, key)
        return "\n".join([*found, trailing] if trailing is not None else found)

    def _comments_above(self, offset: int) -> list[str]:
        number = self.line_at(offset) - 1
        lines = self._lines or [0]
        found: list[str] = []
        while number > 0:
            above = self.text[lines[number - 1] : lines[number]].strip().lstrip(BOM)
            if not above.startswith("#"):
                break
            found.insert(0, above[1:].strip())
            number -= 1
        return found

    def _comment_after(self, value: Node, key: Node) -> str | None:
        """Return the comment that ends the line of a key, if any."""
        match = _LINE_BREAK.search(self.text, key.end)
        end = match.start() if match else len(self.text)
        start = max((stop for stop in _ends(value, end) if stop <= end), default=key.end)
        if value.kind == SCALAR and value.style not in ("|", ">") and value.inner < end < value.end:
            return None  # a scalar over several lines: a # on its first line is text
        comment = _COMMENT.search(self.text, max(start, key.end), end)
        return comment[1].strip() if comment else None

    def _choose(self, builder: Builder, roots: list[Node]) -> Node | None:
        if len(roots) <= 1:
            return roots[0] if roots else None
        holders = [root for root in roots if root.get("services") is not None]
        if len(holders) > 1:
            lines = " and ".join(str(self.line_at(root.start)) for root in holders[:2])
            raise builder.fail(
                holders[1].start,
                f"several YAML documents hold services (lines {lines})",
                "keep the services in one document",
            )
        return holders[0] if holders else roots[0]

    def _check_shape(self) -> None:
        if self.root is None:
            return
        self._require_mapping(self.root, "the file")
        entry = self.root.get("services")
        if entry is None or not isinstance(self.data["services"], (dict, list, Scalar)):
            return
        self._require_mapping(entry[1], "services")
        for key, value in entry[1].resolved().entries:
            if is_merge_key(key):
                continue
            self._require_mapping(value, f"service {key.resolved().text}", key)

    def _require_mapping(self, node: Node, what: str, key: Node | None = None) -> None:
        target = node.resolved()
        empty = key is not None and target.kind == SCALAR and not isinstance(scalar_data(target), Scalar)
        if target.kind == MAPPING or empty:
            return
        reason = f"{what} must be a mapping, found {_KINDS[target.kind]}"
        raise ComposeError(self.name, self.line_at((key or node).start), reason, "write key: value lines")


def _ends(value: Node, limit: int) -> list[int]:
    """Return where the values that begin before `limit` end, so that a # inside them is not taken as a comment."""
    ends: list[int] = []
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if node.start >= limit:
            continue
        ends.append(node.end if node.style not in ("|", ">") else node.inner)
        waiting.extend(node.items)
        for key, child in node.entries:
            waiting.extend((key, child))
    return ends


def find_entry(node: Node, step: str | int) -> tuple[Node, Node] | None:
    """Return key and value nodes of a step of a path; for a list item both are the item. Merge keys are followed."""
    if node.kind == SEQUENCE and isinstance(step, int):
        if -len(node.items) <= step < len(node.items):
            return node.items[step], node.items[step]
        return None
    if node.kind != MAPPING or not isinstance(step, str):
        return None
    waiting = [node]
    while waiting:
        here = waiting.pop()
        own = here.get(step)
        if own is not None:
            return own
        waiting.extend(reversed(merge_sources(here)))
    return None


def decode(raw: bytes, name: str) -> str:
    """Return the text of a file. Only UTF-8 is accepted; a BOM stays as the first character.

    Args:
        raw: content of the file.
        name: the file's name for errors.

    Raises:
        ComposeError: larger than MAX_BYTES, UTF-16, NUL bytes, not UTF-8.
    """
    if len(raw) > MAX_BYTES:
        raise ComposeError(
            name, None, f"the file has {len(raw)} bytes, more than {MAX_BYTES}", "this is not a Compose file"
        )
    if raw[:2] in _UTF16 or raw[:4] == b"\x00\x00\xfe\xff":
        raise ComposeError(name, 1, "the file is UTF-16 or UTF-32", "save it as UTF-8")
    nul = raw.find(b"\0")
    if nul >= 0:
        raise ComposeError(name, raw.count(b"\n", 0, nul) + 1, "the file contains NUL bytes", "save it as UTF-8 text")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ComposeError(
            name, line, f"byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8"
        ) from None


def parse(text: str, name: str) -> Document:
    """Parse the text of a Compose file.

    Args:
        text: the whole text, as decode() gives it.
        name: the file's name as shown to people.

    Raises:
        ComposeError: not YAML, duplicate keys, tabs as indentation, too deep or too large, recursion, alias bombs, a
            root, `services` or a service that is not a mapping. A file without content is no error: its data is None.
    """
    if len(text) > MAX_BYTES:
        raise ComposeError(
            name, None, f"the file has {len(text)} characters, more than {MAX_BYTES}", "this is not a Compose file"
        )
    return Document(name, text)


__all__ = [
    "MAX_BYTES",
    "ComposeError",
    "Document",
    "Node",
    "Scalar",
    "TaggedList",
    "TaggedMap",
    "TaggedNull",
    "decode",
    "find_entry",
    "parse",
    "resolve",
    "tag_of",
]
