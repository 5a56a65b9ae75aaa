# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things stand in the text: ends of values, lines, comments that belong to them, and splices."""

from __future__ import annotations

import re
from typing import NamedTuple

from .document import Document
from .errors import RefusedEdit
from .nodes import BREAK, SCALAR, Node
from .style import line_start

_BLANK = re.compile("[ \t]*")
_INDICATOR = re.compile("[ \t\r\n\x85\u2028\u2029]+|#[^\r\n\x85\u2028\u2029]*")
_COMMENT_LINE = re.compile("([ \t]*)#([ \t]*)([^\r\n\x85\u2028\u2029]*)")
_BREAKS = "\n\r\x85\u2028\u2029"


class Splice(NamedTuple):
    """Replace text[start:end] by `text`."""

    start: int
    end: int
    text: str


class Layout:
    """Geometry of one document.

    Args:
        document: the document whose text the offsets count.
        eol: line break for new lines where none can be seen beside them.
    """

    def __init__(self, document: Document, eol: str) -> None:
        self.document = document
        self.text = document.text
        self.default_eol = eol
        self.open_end = not self.text.endswith(tuple(_BREAKS))
        # Where the last line has no break, lines are planned as if it had one: see splice().
        self.limit = len(self.text) + (len(self.eol_at(len(self.text))) if self.open_end else 0)

    def column(self, offset: int) -> int:
        """Return the column of an offset, in characters."""
        return offset - line_start(self.text, offset)

    def refuse(self, node: Node, reason: str, hint: str = "") -> RefusedEdit:
        """Return the refusal for a node."""
        return RefusedEdit(self.document.name, self.document.line_at(node.start), reason, hint)

    def eol_at(self, offset: int) -> str:
        """Return the line break to use for lines inserted at an offset: the one that ends the line before."""
        if offset > len(self.text):
            return self.eol_at(len(self.text))
        before = self.text[max(offset - 2, 0) : offset]
        if before == "\r\n":
            return before
        if before[-1:] in ("\n", "\r"):
            return before[-1:]
        start = line_start(self.text, offset)
        return self.eol_at(start) if 0 < start < offset else self.default_eol

    def line_end(self, offset: int) -> int:
        """Return where the line of an offset ends, its break not included."""
        match = BREAK.search(self.text, offset)
        return match.start() if match else len(self.text)

    def next_line(self, offset: int) -> int:
        """Return where the line after that of an offset begins, or `limit` past the last line."""
        match = BREAK.search(self.text, offset)
        return match.end() if match else self.limit

    def colon(self, key: Node) -> int:
        """Return the offset past the colon that follows a key."""
        offset = key.end
        while True:
            match = _INDICATOR.match(self.text, offset)
            if match is None:
                break
            offset = match.end()
        if self.text[offset : offset + 1] != ":":
            raise self.refuse(key, f"key {key.text!r} has no colon", "write it as key: value")
        return offset + 1

    def dash(self, sequence: Node, index: int) -> int:
        """Return the offset of the dash of an item of a block sequence."""
        if index == 0:
            return sequence.inner
        offset = self.content_end(sequence.items[index - 1])
        while True:
            match = _INDICATOR.match(self.text, offset)
            if match is None:
                break
            offset = match.end()
        if self.text[offset : offset + 1] != "-":
            raise self.refuse(sequence.items[index], "no dash found for this item")
        return offset

    def header_end(self, key: Node, value: Node) -> int:
        """Return the offset past the colon of a key and past the anchor and tag of its value."""
        if value.anchor is None and value.tag is None:
            return self.colon(key)
        if value.end in (value.start, value.inner):
            return value.end
        offset = value.inner
        while self.text[offset - 1] in " \t" + _BREAKS:
            offset -= 1
        if offset < value.start or "#" in self.text[value.start : offset]:
            raise self.refuse(value, "a comment stands between the anchor or tag and its value")
        return offset

    def content_end(self, node: Node) -> int:
        """Return where the text of a node ends; for a block scalar without its trailing blank lines and last break.

        A block scalar that keeps its trailing blank lines (`|+`) ends with them.
        """
        leaf = last_leaf(node)
        end = node.end if node.flow else leaf.end
        if leaf.style not in ("|", ">") or node.flow:
            return end
        if keeps(self.text, leaf):
            return end - 1 if end > leaf.inner and self.text[end - 1] in _BREAKS else end
        while end > leaf.inner and self.text[end - 1] in " \t" + _BREAKS:
            end -= 1
        return end

    def blocked(self, node: Node) -> bool:
        """Return True when nothing may follow a node: the text ends inside its block scalar without a line break.

        A line break added there would become part of the scalar's value.
        """
        leaf = last_leaf(node)
        return self.open_end and leaf.style in ("|", ">") and leaf.end >= len(self.text) and not strips(self.text, leaf)

    def after(self, node: Node, column: int, dashes: bool = False) -> int:
        """Return the offset at which lines that follow a node are inserted.

        Comment lines that stand directly below the node and are indented deeper than `column` belong to it.

        Args:
            node: a value in a block collection.
            column: column of the collection.
            dashes: also take comment lines at `column` that hold commented-out list items.
        """
        offset = self.next_line(self.content_end(node))
        while offset < len(self.text):
            match = _COMMENT_LINE.match(self.text, offset)
            if match is None or not self._belongs(match, column, dashes):
                break
            offset = self.next_line(match.end())
        return offset

    def _belongs(self, match: re.Match[str], column: int, dashes: bool) -> bool:
        indent = len(match[1])
        if indent == 0 and len(match[2]) > 1:
            # A whole line commented out at the margin: what counts is where its text stands.
            indent = len(match[2])
        if indent > column:
            return True
        return dashes and indent == column and match[3].startswith("- ")

    def insertion(self, offset: int, lines: list[str]) -> Splice:
        """Return the splice that inserts whole lines at the start of a line, or past the last one."""
        eol = self.eol_at(offset)
        return Splice(offset, offset, "".join(line + eol for line in lines))

    def first_on_line(self, offset: int) -> bool:
        """Return True when only blanks stand before an offset on its line."""
        return not self.text[line_start(self.text, offset) : offset].strip(" ")

    def whole_lines(self, start: int, end: int) -> tuple[int, int]:
        """Return the range of whole lines that a block entry takes, the comment on its last line included."""
        return line_start(self.text, start), self.next_line(end)

    def above(self, offset: int) -> int:
        """Return the start of the comment lines directly above a key of the root, unless they begin the file."""
        start = line_start(self.text, offset)
        if start != offset:
            return offset
        while start > 1:
            before = line_start(self.text, start - 1)
            line = self.text[before:start]
            if not line.lstrip(" ").startswith("#"):
                return offset if line.startswith(("---", "%")) else start
            start = before
        return offset

    def apply(self, splices: list[Splice]) -> list[str]:
        """Return the texts that the splices may give, the likeliest first.

        Where the last line had no break, the result has none either, or keeps it if a value depends on it.

        Raises:
            ValueError: two splices overlap.
        """
        if not self.open_end:
            return [splice(self.text, splices)]
        eol = self.eol_at(len(self.text))
        made = splice(self.text + eol, splices)
        return [made[: -len(eol)], made] if made.endswith(eol) else [made]


def last_leaf(node: Node) -> Node:
    """Return the node whose text ends a node's text; for a flow collection the collection."""
    while not node.flow and (node.entries or node.items):
        if node.items:
            node = node.items[-1]
        else:
            key, value = node.entries[-1]
            node = value if value.end >= key.end else key
    return node


def _header(text: str, leaf: Node) -> str:
    match = BREAK.search(text, leaf.inner)
    return text[leaf.inner : match.start() if match else len(text)].partition("#")[0]


def keeps(text: str, leaf: Node) -> bool:
    """Return True for a block scalar that keeps its trailing line breaks."""
    return "+" in _header(text, leaf)


def strips(text: str, leaf: Node) -> bool:
    """Return True for a block scalar that drops its trailing line breaks."""
    return "-" in _header(text, leaf)


def splice(text: str, splices: list[Splice]) -> str:
    """Return text with all splices made. At one offset, insertions come first, in the order of the list.

    Raises:
        ValueError: two splices overlap.
    """
    made: list[str] = []
    done = 0
    for start, end, new in sorted(splices, key=lambda item: (item.start, item.end != item.start)):
        if start < done:
            raise ValueError("overlapping splices")
        made.append(text[done:start])
        made.append(new)
        done = end
    made.append(text[done:])
    return "".join(made)


def is_block_scalar(node: Node) -> bool:
    """Return True for a literal or folded scalar."""
    return node.kind == SCALAR and node.style in ("|", ">")
