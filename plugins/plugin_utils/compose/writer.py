# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New data written into a text, as splices, in the style of what stands beside it."""

from __future__ import annotations

from typing import Any

from . import flow
from .document import Document
from .layout import Layout, Splice
from .nodes import BREAK, MAPPING, SCALAR, SEQUENCE, Node
from .placement import choose, sibling_keys
from .style import Style, common_quote

Path = tuple[str | int, ...]
_QUOTES = ("'", '"')


class Writer:
    """Plans splices of the text of one document.

    Args:
        document: the document as it is.
        root: its root node.

    Attributes:
        splices: what was planned so far.
    """

    def __init__(self, document: Document, root: Node) -> None:
        self.root = root
        self.style = Style(document.text, root)
        self.layout = Layout(document, self.style.eol)
        self.splices: list[Splice] = []

    def column(self, node: Node) -> int:
        """Return the column at which a collection begins."""
        return self.layout.column(node.inner)

    def _quote_beside(self, parent: Node, key: Node | None = None) -> str | None:
        """Return the quotes that all other single values of a mapping have, or None."""
        return common_quote([value for name, value in parent.entries if name is not key])

    # Values of keys

    def value(self, parent: Node, key: Node, node: Node, target: Any, nested: bool) -> None:
        """Plan a new value for a key.

        Args:
            parent: the mapping.
            key: node of the key.
            node: node of the old value.
            target: the new value.
            nested: True below the keys of a service, where the values of a mapping are of one kind and quoted alike.
        """
        if parent.flow:
            self._value_in_flow(parent, key, node, target)
        elif isinstance(target, dict) and self._converts(node, target):
            self._list_to_mapping(parent, node, target)
        else:
            name = key.resolved().text
            quote = node.style if node.style in _QUOTES else None
            if quote is None and nested and node.inner == node.end:
                quote = self._quote_beside(parent, key)
            widths = self.style.local(parent)
            self._replace(key, node, self.style.under("", name, target, self.column(parent), widths, quote))

    def merge(self, parent: Node, key: Node, node: Node, over: dict[str, Any]) -> None:
        """Plan a mapping in place of an alias that merges what the alias stood for and adds keys."""
        if parent.flow:
            flow.check(self.layout, parent)
            self.splices.append(Splice(node.start, node.end, f"{{<<: *{node.text}, {self.style.inline(over)[1:]}"))
            return
        column = self.column(parent)
        self._replace(key, node, ["", *self._merging(node.text, over, column, self.style.local(parent))])

    def _merging(self, anchor: str, over: dict[str, Any], column: int, widths: tuple[int, int]) -> list[str]:
        """Return the lines below a key at `column` that merge an anchor and add keys."""
        inner = column + widths[0]
        lines = [" " * inner + f"<<: *{anchor}"]
        for key, value in over.items():
            lines += self.style.entry(key, value, inner, widths)
        return lines

    def _value_in_flow(self, parent: Node, key: Node, node: Node, target: Any) -> None:
        flow.check(self.layout, parent)
        quote = node.style if node.style in _QUOTES else self._quote_beside(parent, key)
        text = self.style.inline(target, quote, flow.is_json(parent))
        if node.kind == SCALAR and node.inner == node.end and node.style == "":
            colon = "" if self.layout.text[node.end - 1 : node.end] == ":" else ":"
            self.splices.append(Splice(node.end, node.end, f"{colon} {text}"))
            return
        self.splices.append(Splice(node.inner, node.end, text))

    def _replace(self, key: Node, node: Node, lines: list[str]) -> None:
        """Plan what follows the colon of a key of a block mapping: the rest of its line, then the lines below it."""
        layout = self.layout
        first, rest = lines[0], lines[1:]
        header = layout.header_end(key, node)
        if node.kind in (MAPPING, SEQUENCE) and not node.flow:
            self._replace_block(key, node, header, lines)
            return
        end = len(layout.text) if layout.blocked(node) and rest else layout.content_end(node)
        if node.inner == end:
            self.splices.append(Splice(header, header, first))
        elif first:
            self.splices.append(Splice(node.inner, end, first[1:]))
        elif layout.text[header : node.inner].strip(" \t\r\n"):
            raise layout.refuse(key, f"a comment stands between {key.text} and its value", "move the comment")
        else:
            self.splices.append(Splice(header, end, ""))
        if rest:
            self.splices.append(layout.insertion(layout.next_line(end), rest))

    def _replace_block(self, key: Node, node: Node, header: int, lines: list[str]) -> None:
        layout = self.layout
        if not layout.first_on_line(node.inner):
            raise layout.refuse(
                key, f"the value of {key.text} begins on the line of its key", "move it to the next line"
            )
        start, stop = layout.whole_lines(node.inner, layout.content_end(node))
        if lines[0]:
            self.splices.append(Splice(header, header, lines[0]))
        eol = layout.eol_at(start)
        self.splices.append(Splice(start, stop, "".join(line + eol for line in lines[1:])))

    # Keys of mappings

    def add_keys(
        self,
        node: Node,
        path: Path,
        new: dict[str, Any],
        merged: dict[str, tuple[str, dict[str, Any]]],
        step: int | None,
    ) -> None:
        """Plan new keys of a mapping, each in its place.

        Args:
            node: the mapping.
            path: where it stands in the document.
            new: keys and values.
            merged: for some of them an anchor to merge, and the keys to add to it.
            step: indentation for what is below them where the mapping itself does not tell.
        """
        order: list[tuple[str, int | None]] = [
            (key.resolved().text, index) for index, (key, _other) in enumerate(node.entries)
        ]
        siblings = sibling_keys(self.root, path)
        for name in new:
            place = choose(name, [entry[0] for entry in order], siblings, top=not path)
            order.insert(place, (name, None))
        runs: dict[int, list[str]] = {}
        last = -1
        for name, index in order:
            if index is None:
                runs.setdefault(last, []).append(name)
            else:
                last = index
        quote = self._quote_beside(node) if len(path) > 2 else None
        if node.flow:
            self._add_in_flow(node, new, runs, quote)
            return
        widths = self.style.local(node, step)
        column = self.column(node)
        spaced = (not path or path == ("services",)) and self._spaced(node)
        for index, names in runs.items():
            lines: list[str] = []
            for name in names:
                if name in merged:
                    lines += [
                        " " * column + self.style.scalar(name) + ":",
                        *self._merging(*merged[name], column, widths),
                    ]
                else:
                    lines += self.style.entry(name, new[name], column, widths, quote)
            self._add_lines(node, index, lines, column, spaced)

    def _spaced(self, node: Node) -> bool:
        """Return True when blank lines separate most entries of a mapping."""
        gaps = 0
        for (_other, value), (following, _other) in zip(node.entries, node.entries[1:], strict=False):
            end = self.layout.next_line(self.layout.content_end(value))
            between = BREAK.split(self.layout.text[end : following.start])
            gaps += any(not line.strip() for line in between[:-1])
        return gaps * 2 > len(node.entries) - 1

    def _add_lines(self, node: Node, index: int, lines: list[str], column: int, spaced: bool) -> None:
        """Plan lines after the entry `index` of a block mapping, or before its first entry for -1."""
        while index >= 0 and self.layout.blocked(node.entries[index][1]):
            index -= 1
        if index >= 0:
            value = node.entries[index][1]
            dashes = value.kind == SEQUENCE and not value.flow and self.column(value) == column
            offset = self.layout.after(value, column, dashes)
            self.splices.append(self.layout.insertion(offset, ["", *lines] if spaced else lines))
            return
        offset = self.layout.above(node.inner) if node is self.root else node.inner
        eol = self.layout.eol_at(offset) if offset > 1 else self.style.eol
        text = eol.join([*lines, ""] if spaced or node is self.root else lines).lstrip(" ")
        self.splices.append(Splice(offset, offset, text + eol + " " * column))

    def _add_in_flow(self, node: Node, new: dict[str, Any], runs: dict[int, list[str]], quote: str | None) -> None:
        json = flow.is_json(node)
        for index, names in runs.items():
            keys = [self.style.scalar(name, '"' if json else None, flow=True) for name in names]
            parts = [
                f"{key}: {self.style.inline(new[name], quote, json)}" for key, name in zip(keys, names, strict=True)
            ]
            self.splices += flow.insert(self.layout, node, index + 1, parts)

    def remove_entries(self, node: Node, removed: list[int]) -> None:
        """Plan the removal of some entries of a mapping, never of all that it has."""
        if node.flow:
            self.splices += flow.remove(self.layout, node, removed)
            return
        layout = self.layout
        for index in removed:
            key, value = node.entries[index]
            if layout.first_on_line(key.start):
                start, end = layout.whole_lines(key.start, layout.content_end(value))
                self.splices.append(Splice(start, end, ""))
                continue
            following = node.entries[1][0].start if index == 0 and 1 not in removed and len(node.entries) > 1 else None
            if following is None or "#" in layout.text[layout.content_end(value) : following]:
                raise layout.refuse(key, f"{key.text} shares its line with what holds it", "remove it by hand")
            self.splices.append(Splice(key.start, following, ""))

    # Items of lists

    def _gap(self, node: Node) -> int:
        """Return the columns from the dash to the value in a block list."""
        first = node.items[0]
        width = first.start - node.inner
        return width if 2 <= width <= 8 and BREAK.search(self.layout.text, node.inner, first.start) is None else 2

    def item(self, node: Node, index: int, target: Any) -> None:
        """Plan another value for an item of a list."""
        item = node.items[index]
        layout = self.layout
        quote = item.style if item.style in _QUOTES else common_quote(node.items)
        if node.flow:
            self.splices.append(Splice(item.inner, item.end, self.style.inline(target, quote)))
            return
        if item.anchor is not None or item.tag is not None or item.inner == item.end:
            raise layout.refuse(item, f"item {index} of the list has an anchor, a tag or no value", "edit it by hand")
        gap = self._gap(node)
        start, end = layout.dash(node, index), layout.content_end(item)
        lines = self.style.item(target, self.column(node), self.style.local(node), quote, gap)
        if len(lines) == 1 and (item.flow or item.kind == SCALAR):
            start, lines = item.inner, [lines[0].lstrip(" ")[gap:]]
        self.splices.append(Splice(start, end, layout.eol_at(start).join(lines).lstrip(" ")))

    def add_items(self, node: Node, index: int, values: list[Any]) -> None:
        """Plan new items before the item `index` of a list, or after its last."""
        quote = common_quote(node.items)
        if node.flow:
            self.splices += flow.insert(self.layout, node, index, [self.style.inline(value, quote) for value in values])
            return
        column = self.column(node)
        lines: list[str] = []
        for value in values:
            lines += self.style.item(value, column, self.style.local(node), quote, self._gap(node))
        if index == 0:
            eol = self.layout.eol_at(node.inner)
            self.splices.append(Splice(node.inner, node.inner, eol.join(lines).lstrip(" ") + eol + " " * column))
            return
        before = node.items[index - 1]
        if self.layout.blocked(before):
            reason = "the file ends inside a block scalar without a line break"
            raise self.layout.refuse(before, reason, "end the file with one")
        offset = self.layout.after(before, column, dashes=index == len(node.items))
        self.splices.append(self.layout.insertion(offset, lines))

    def remove_items(self, node: Node, indexes: list[int]) -> None:
        """Plan the removal of some, not all, items of a list."""
        if node.flow:
            self.splices += flow.remove(self.layout, node, indexes)
            return
        for index in indexes:
            dash = self.layout.dash(node, index)
            if not self.layout.first_on_line(dash):
                raise self.layout.refuse(
                    node.items[index], "the item shares its line with what holds it", "remove it by hand"
                )
            start, end = self.layout.whole_lines(dash, self.layout.content_end(node.items[index]))
            self.splices.append(Splice(start, end, ""))

    def _converts(self, node: Node, target: dict[str, Any]) -> bool:
        """Return True for a block list of names that becomes a mapping with these names as its first keys."""
        if (
            node.kind != SEQUENCE
            or node.flow
            or any(item.kind != SCALAR or item.start != item.inner for item in node.items)
        ):
            return False
        names = [item.text for item in node.items]
        return list(target)[: len(names)] == names and len(set(names)) == len(names)

    def _list_to_mapping(self, parent: Node, node: Node, target: dict[str, Any]) -> None:
        """Plan a list of names that becomes a mapping, item by item, so that comments stay where they are."""
        layout = self.layout
        widths = self.style.local(parent)
        column = self.column(node) if self.column(node) > self.column(parent) else self.column(parent) + widths[0]
        for index, (name, value) in enumerate(target.items()):
            lines = self.style.entry(name, value, column, widths)
            if index >= len(node.items):
                self.splices.append(layout.insertion(layout.after(node.items[-1], column), lines))
                continue
            dash, end = layout.dash(node, index), layout.content_end(node.items[index])
            if not layout.first_on_line(dash):
                raise layout.refuse(node, "the list begins on the line of its key", "move it to the next line")
            self.splices.append(Splice(dash - layout.column(dash), end, lines[0]))
            if lines[1:]:
                self.splices.append(layout.insertion(layout.next_line(end), lines[1:]))
