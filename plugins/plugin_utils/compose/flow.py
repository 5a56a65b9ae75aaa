# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits inside flow collections, `{a: 1, b: 2}` and `[1, 2]`, on one line or several."""

from __future__ import annotations

import re

from .layout import Layout, Splice
from .nodes import BREAK, Node

_SKIPPED = re.compile("(?:[ \t\r\n\x85\u2028\u2029]+|#[^\r\n\x85\u2028\u2029]*)*")
_REST_OF_LINE = re.compile("[ \t]*(?:#[^\r\n\x85\u2028\u2029]*)?")


def spans(node: Node) -> list[tuple[int, int]]:
    """Return start and end of each child of a flow collection."""
    if node.items:
        return [(item.start, item.end) for item in node.items]
    return [(key.start, max(key.end, value.end)) for key, value in node.entries]


def is_json(node: Node) -> bool:
    """Return True when all keys of a flow mapping are in double quotes, as in JSON."""
    return bool(node.entries) and all(key.style == '"' for key, _other in node.entries)


def check(layout: Layout, node: Node) -> None:
    """Refuse a mapping in a flow list that has no braces, `[a: 1]`, and entries with a question mark."""
    if layout.text[node.inner : node.inner + 1] not in ("{", "["):
        raise layout.refuse(node, "a mapping without braces inside a flow list", "write it with braces")
    if any(layout.text[: key.start].rstrip().endswith("?") for key, _other in node.entries):
        raise layout.refuse(node, "a flow mapping with explicit keys (?)", "write key: value")


def insert(layout: Layout, node: Node, index: int, parts: list[str]) -> list[Splice]:
    """Return the splices that put parts before the child `index` of a flow collection (len(children) for the end)."""
    check(layout, node)
    text = layout.text
    children = spans(node)
    joined = ", ".join(parts)
    if not children:
        return [Splice(node.inner + 1, node.inner + 1, joined)]
    if index < len(children):
        start = children[index][0]
        own_line = layout.first_on_line(start) and start > layout.line_end(node.inner)
        gap = "," + layout.eol_at(start) + " " * layout.column(start) if own_line else ", "
        return [Splice(start, start, "".join(part + gap for part in parts))]
    start, end = children[-1]
    skipped = _SKIPPED.match(text, end)
    comma = skipped.end() if skipped and text[skipped.end() : skipped.end() + 1] == "," else None
    if not (layout.first_on_line(start) and start > layout.line_end(node.inner)):
        if comma is None:
            return [Splice(end, end, ", " + joined)]
        return [Splice(comma + 1, comma + 1, f" {joined},")]
    gap = layout.eol_at(start) + " " * layout.column(start)
    here = end if comma is None else comma + 1
    rest = _REST_OF_LINE.match(text, here)
    stop = rest.end() if rest else here
    at_end = stop == layout.line_end(here) and BREAK.match(text, stop) is not None
    line = stop if at_end else here
    if comma is not None:
        return [Splice(line, line, "".join(f"{gap}{part}," for part in parts))]
    rows = ",".join(gap + part for part in parts)
    if line == end:
        return [Splice(end, end, "," + rows)]
    return [Splice(end, end, ","), Splice(line, line, rows)]


def remove(layout: Layout, node: Node, indexes: list[int]) -> list[Splice]:
    """Return the splices that remove some, not all, children of a flow collection."""
    check(layout, node)
    children = spans(node)
    made: list[Splice] = []
    leading = 0
    while leading in indexes:
        leading += 1
    if leading:
        made.append(Splice(children[0][0], children[leading][0], ""))
    made += [Splice(children[index - 1][1], children[index][1], "") for index in indexes if index >= leading]
    for start, end, _other in made:
        if BREAK.search(layout.text, start, end) and "#" in layout.text[start:end]:
            raise layout.refuse(node, "a comment stands among the values to remove", "remove them by hand")
    return made
