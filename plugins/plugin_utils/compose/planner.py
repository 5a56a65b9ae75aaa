# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the data that a file should hold to the splices of its text."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from . import flow
from .change import dotted, same
from .document import Document, find_entry
from .errors import RefusedEdit
from .expand import tag_of
from .layout import Layout, Splice
from .nodes import ALIAS, BREAK, MAPPING, SCALAR, SEQUENCE, Node, is_merge_key
from .placement import choose, sibling_keys
from .sharing import Sharing
from .style import Style, common_quote

Path = tuple[str | int, ...]


class Planner:
    """Walks the nodes of a document beside the data that it should hold, and collects splices where they differ.

    Args:
        document: the document as it is.
        sharing: the data that it should hold, and what its anchors will stand for.
        set_paths: paths whose whole value an edit sets.
    """

    def __init__(self, document: Document, sharing: Sharing, set_paths: Collection[Path] = ()) -> None:
        self.document = document
        self.target = sharing.target
        self.set_paths = set_paths
        self.sharing = sharing
        assert document.root is not None  # intend() refuses a file without content
        self.root = document.root
        self.style = Style(document.text, self.root)
        self.layout = Layout(document, self.style.eol)
        # With aliases, a part that no edit names may still have to change.
        self.everywhere = document.has_aliases
        self.splices: list[Splice] = []
        self.leaks: dict[tuple[str, str], list[str]] = {}

    def run(self) -> list[Splice]:
        """Return the splices.

        Raises:
            RefusedEdit: no right place for a change, or a change that would reach further than intended.
        """
        self.mapping(self.root, (), self.document.data, self.target, 2)
        for (anchor, name), users in self.leaks.items():
            line = self.sharing.line_of_anchor(anchor)
            raise RefusedEdit(
                self.document.name,
                line,
                f"{name} under anchor &{anchor} would also reach {', '.join(users)}",
                "change them in the same call, or give them a value of their own first",
            )
        return self.splices

    def leak(self, source: Node, name: str, path: Path) -> None:
        users = self.leaks.setdefault((source.anchor or "", name), [])
        users.append(dotted(path))

    def mapping(self, node: Node, path: Path, old: Any, target: dict[str, Any], hint: int) -> None:
        """Plan a mapping that stays one. `hint` is its own indentation relative to what holds it."""
        if old is target and not self.everywhere:
            return
        inherited = self.sharing.inherited(node)
        own = {key.resolved().text: (key, value) for key, value in node.entries if not is_merge_key(key)}
        removed: list[int] = []
        for index, (key, value) in enumerate(node.entries):
            name = key.resolved().text
            if is_merge_key(key):
                continue
            if name in target:
                self.value(node, key, value, (*path, name), old[name], target[name])
            elif name in inherited:
                raise self.layout.refuse(key, f"{dotted((*path, name))} would be inherited by a merge key once removed here")
            else:
                removed.append(index)
        for name, (source, _) in inherited.items():
            if name not in own and name not in target:
                if name in old and same(old[name], inherited[name][1]):
                    reason = f"{dotted((*path, name))} is inherited by a merge key and cannot be removed here"
                    raise self.layout.refuse(node, reason, "remove it where it is defined")
                self.leak(source, name, path)
        new = {
            name: value
            for name, value in target.items()
            if name not in own and not (name in inherited and same(inherited[name][1], value))
        }
        if removed:
            self.remove_entries(node, removed)
        if new:
            self.add_keys(node, path, new, hint)

    def value(self, parent: Node, key: Node, node: Node, path: Path, old: Any, target: Any) -> None:
        """Plan the value of one key."""
        if node.kind == ALIAS:
            self.alias(parent, key, node, path, old, target)
            return
        if old is target and not self.everywhere:
            return
        if tag_of(old) is not None and not same(old, target) and tag_of(target) != tag_of(old):
            raise self.layout.refuse(key, f"{dotted(path)} carries the tag {tag_of(old)}", "edit it by hand")
        merges = any(is_merge_key(name) for name, _ in node.entries)
        if tag_of(target) != tag_of(old):
            pass
        elif isinstance(target, dict) and node.entries and (target or merges):
            if self.stays(node, path, old, target):
                hint = self.layout.column(node.inner) - self.column(parent)
                self.mapping(node, path, old, target, hint if not node.flow and hint > 0 else self.style.step)
                return
        elif isinstance(target, list) and target and node.items:
            self.sequence(node, path, old, target)
            return
        if same(old, target):
            return
        if parent.flow:
            self.replace_in_flow(parent, key, node, target)
        elif isinstance(target, dict) and self.converts(node, target):
            self.list_to_mapping(parent, node, target)
        else:
            name = key.resolved().text
            quote: str | None = node.style
            if node.style not in ("'", '"'):
                quote = self.quote_beside(parent, key) if len(path) > 3 and node.inner == node.end else None
            self.replace(parent, key, node, self.style.under("", name, target, self.column(parent), self.widths(parent), quote))

    def stays(self, node: Node, path: Path, old: Any, target: dict[str, Any]) -> bool:
        """Return False when a mapping is best written anew: nothing of it stays, or it is set to lose inherited keys."""
        inherited = self.sharing.inherited(node)
        if any(name in old and name not in target for name in inherited) and self.is_set(path):
            return False
        return bool(inherited) or any(name in target for name in old)

    def is_set(self, path: Path) -> bool:
        """Return True when an edit sets the whole value at a path below a service, so that it may be written anew."""
        return any(len(whole) > 2 and path[: len(whole)] == whole for whole in self.set_paths)

    def column(self, node: Node) -> int:
        return self.layout.column(node.inner)

    def widths(self, node: Node, hint: int | None = None) -> tuple[int, int]:
        return self.style.local(node, hint)

    def quote_beside(self, parent: Node, key: Node | None = None) -> str | None:
        """Return the quotes that all other single values of a mapping have, or None."""
        return common_quote([value for name, value in parent.entries if name is not key])

    def alias(self, parent: Node, key: Node, node: Node, path: Path, old: Any, target: Any) -> None:
        """Plan a value that is an alias: kept, extended by a merge key, or written out."""
        source = node.resolved()
        base = self.sharing.after(source)
        if same(base, target):
            return
        lines = self.merged(parent, key.resolved().text, source, base, target)
        if isinstance(target, dict) and isinstance(base, dict):
            if lines is None and not (self.is_set(path) and any(name not in target and name in old for name in base)):
                for name in base:
                    if name in target:
                        continue
                    if name in old:
                        reason = f"{dotted((*path, name))} is inherited by the alias *{node.text} and cannot be removed here"
                        raise self.layout.refuse(node, reason, "remove it where it is defined")
                    self.leak(source, name, path)
                return
            if lines is not None and parent.flow:
                over = {name: value for name, value in target.items() if name not in base or not same(base[name], value)}
                text = self.style.inline(over)
                self.splices.append(Splice(node.start, node.end, f"{{<<: *{node.text}, {text[1:]}"))
                return
        if parent.flow:
            self.replace_in_flow(parent, key, node, target)
            return
        if lines is None:
            lines = self.style.under("", key.resolved().text, target, self.column(parent), self.widths(parent))
        self.replace(parent, key, node, lines)

    def merged(self, parent: Node, name: str, source: Node, base: Any, target: Any) -> list[str] | None:
        """Return the lines of a value that merges an anchor and overrides what differs, or None where that cannot be."""
        if not isinstance(target, dict) or not isinstance(base, dict) or any(key not in target for key in base):
            return None
        column = self.column(parent)
        widths = self.widths(parent)
        inner = column + widths[0]
        lines = ["", " " * inner + f"<<: *{source.anchor}"]
        for key, value in target.items():
            if key not in base or not same(base[key], value):
                lines += self.style.entry(key, value, inner, widths)
        return lines

    def add_keys(self, node: Node, path: Path, new: dict[str, Any], hint: int) -> None:
        """Plan new keys of a mapping, each in its place."""
        names: list[str] = [key.resolved().text for key, _ in node.entries]
        order: list[tuple[str, int | None]] = [(name, index) for index, name in enumerate(names)]
        siblings = sibling_keys(self.root, path)
        for name in new:
            place = choose(name, [entry[0] for entry in order], siblings, top=not path)
            order.insert(place, (name, None))
        if node.flow:
            self.add_in_flow(node, new, order)
            return
        widths = self.widths(node, hint)
        column = self.column(node)
        quote = self.quote_beside(node) if len(path) > 2 else None
        runs: dict[int, list[str]] = {}
        last = -1
        for name, index in order:
            if index is not None:
                last = index
                continue
            runs.setdefault(last, []).extend(self.new_key(node, name, new[name], column, widths, quote))
        spaced = len(path) < 2 and (not path or path[0] == "services") and self.spaced(node)
        for index, lines in runs.items():
            self.add_lines(node, index, lines, column, spaced)

    def new_key(self, node: Node, name: str, value: Any, column: int, widths: tuple[int, int], quote: str | None) -> list[str]:
        """Return the lines of a new key; one that overrides an inherited anchored mapping merges it."""
        entry = find_entry(node, name)
        source = None if entry is None else entry[1].resolved()
        if source is not None and source.kind == MAPPING and self.sharing.binds(source, node.inner):
            lines = self.merged(node, name, source, self.sharing.after(source), value)
            if lines is not None:
                return [" " * column + self.style.scalar(name) + ":", *lines[1:]]
        return self.style.entry(name, value, column, widths, quote)

    def spaced(self, node: Node) -> bool:
        """Return True when blank lines separate most entries of a mapping."""
        gaps = 0
        for index in range(len(node.entries) - 1):
            end = self.layout.next_line(self.layout.content_end(node.entries[index][1]))
            between = self.layout.text[end : node.entries[index + 1][0].start]
            gaps += any(not line.strip() for line in BREAK.split(between)[:-1])
        return gaps * 2 > len(node.entries) - 1

    def add_lines(self, node: Node, index: int, lines: list[str], column: int, spaced: bool) -> None:
        """Plan lines after the entry `index` of a block mapping, or before its first entry for -1."""
        while index >= 0 and self.layout.blocked(node.entries[index][1]):
            index -= 1
        if index >= 0:
            value = node.entries[index][1]
            dashes = value.kind == SEQUENCE and not value.flow and self.column(value) == column
            offset = self.layout.after(value, column, dashes)
            self.splices.append(self.layout.insertion(offset, ["", *lines] if spaced else lines))
            return
        offset = node.inner if node is not self.root else self.layout.above(node.inner)
        eol = self.layout.eol_at(offset) if offset > 1 else self.style.eol
        text = eol.join([*lines, ""] if spaced or node is self.root else lines).lstrip(" ")
        self.splices.append(Splice(offset, offset, text + eol + " " * column))

    def add_in_flow(self, node: Node, new: dict[str, Any], order: list[tuple[str, int | None]]) -> None:
        json = flow.is_json(node)
        quote = self.quote_beside(node)
        runs: dict[int, list[str]] = {}
        after = 0
        for name, index in order:
            if index is not None:
                after = index + 1
                continue
            key = self.style.scalar(name, '"' if json else None, flow=True)
            runs.setdefault(after, []).append(f"{key}: {self.style.inline(new[name], quote, json)}")
        for index, parts in runs.items():
            self.splices += flow.insert(self.layout, node, index, parts)

    def remove_entries(self, node: Node, removed: list[int]) -> None:
        """Plan the removal of some entries of a mapping, never of all that it has."""
        if node.flow:
            self.splices += flow.remove(self.layout, node, removed)
            return
        for index in removed:
            key, value = node.entries[index]
            if self.layout.first_on_line(key.start):
                start, end = self.layout.whole_lines(key.start, self.layout.content_end(value))
                self.splices.append(Splice(start, end, ""))
                continue
            following = node.entries[index + 1][0].start if index == 0 and 1 not in removed and len(node.entries) > 1 else None
            if following is None or "#" in self.layout.text[self.layout.content_end(value) : following]:
                raise self.layout.refuse(key, f"{key.text} shares its line with what holds it", "remove it by hand")
            self.splices.append(Splice(key.start, following, ""))

    def replace_in_flow(self, parent: Node, key: Node, node: Node, target: Any) -> None:
        flow.check(self.layout, parent)
        quote = node.style if node.style in ("'", '"') else self.quote_beside(parent, key)
        text = self.style.inline(target, quote, flow.is_json(parent))
        if node.kind == SCALAR and node.inner == node.end and node.style == "":
            colon = "" if self.layout.text[node.end - 1 : node.end] == ":" else ":"
            self.splices.append(Splice(node.end, node.end, f"{colon} {text}"))
            return
        self.splices.append(Splice(node.inner, node.end, text))

    def replace(self, parent: Node, key: Node, node: Node, lines: list[str]) -> None:
        """Plan a new value for a key of a block mapping.

        Args:
            lines: what follows the colon on the key's line, then the lines below it.
        """
        layout = self.layout
        header = layout.header_end(key, node)
        end = layout.content_end(node)
        first, rest = lines[0], lines[1:]
        if node.kind in (MAPPING, SEQUENCE) and not node.flow:
            if not layout.first_on_line(node.inner):
                raise layout.refuse(key, f"the value of {key.text} begins on the line of its key", "move it to the next line")
            start, stop = layout.whole_lines(node.inner, end)
            if first:
                self.splices.append(Splice(header, header, first))
            eol = layout.eol_at(start)
            self.splices.append(Splice(start, stop, "".join(line + eol for line in rest)))
            return
        if layout.blocked(node) and rest:
            end = len(layout.text)
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

    def sequence(self, node: Node, path: Path, old: list[Any], target: list[Any]) -> None:
        """Plan a list that stays one: what both have at its start and end is left alone."""
        shared = min(len(old), len(target))
        head = 0
        while head < shared and same(old[head], target[head]):
            head += 1
        tail = 0
        while tail < shared - head and same(old[-1 - tail], target[-1 - tail]):
            tail += 1
        pairs = shared - head - tail
        for index in range(head, head + pairs):
            if not same(old[index], target[index]):
                self.item(node, index, path, old[index], target[index])
        extra = target[head + pairs : len(target) - tail]
        surplus = list(range(head + pairs, len(old) - tail))
        if surplus:
            self.remove_items(node, surplus)
        if extra:
            self.add_items(node, head + pairs, extra)

    def item_quote(self, node: Node) -> str | None:
        return common_quote(node.items)

    def item(self, node: Node, index: int, path: Path, old: Any, target: Any) -> None:
        """Plan one item of a list that changes."""
        item = node.items[index]
        if isinstance(target, dict) and target and item.kind == MAPPING and any(name in target for name in old):
            self.mapping(item, (*path, index), old, target, 2)
        elif isinstance(target, list) and target and item.items:
            self.sequence(item, (*path, index), old, target)
        elif node.flow:
            self.splices.append(Splice(item.inner, item.end, self.style.inline(target, self.item_quote(node))))
        else:
            quote = item.style if item.style in ("'", '"') else self.item_quote(node)
            start = self.layout.dash(node, index)
            lines = self.style.item(target, self.column(node), self.widths(node), quote, self.gap(node))
            if item.anchor is not None or item.tag is not None or item.inner == item.end:
                raise self.layout.refuse(item, f"{dotted((*path, index))} has an anchor, a tag or no value", "edit it by hand")
            end = self.layout.content_end(item)
            if len(lines) == 1 and not item.entries and not item.items:
                start, lines = item.inner, [lines[0].lstrip(" ")[self.gap(node) :]]
            self.splices.append(Splice(start, end, self.layout.eol_at(start).join(lines).lstrip(" ")))

    def gap(self, node: Node) -> int:
        """Return the columns from the dash to the value in a block list."""
        first = node.items[0]
        width = first.start - node.inner
        return width if 2 <= width <= 8 and BREAK.search(self.layout.text, node.inner, first.start) is None else 2

    def add_items(self, node: Node, index: int, values: list[Any]) -> None:
        """Plan new items before the item `index` of a list, or after its last."""
        quote = self.item_quote(node)
        if node.flow:
            parts = [self.style.inline(value, quote) for value in values]
            self.splices += flow.insert(self.layout, node, index, parts)
            return
        column = self.column(node)
        lines: list[str] = []
        for value in values:
            lines += self.style.item(value, column, self.widths(node), quote, self.gap(node))
        if index == 0:
            eol = self.layout.eol_at(node.inner)
            self.splices.append(Splice(node.inner, node.inner, eol.join(lines).lstrip(" ") + eol + " " * column))
            return
        before = node.items[index - 1]
        if self.layout.blocked(before):
            raise self.layout.refuse(before, "the file ends inside a block scalar without a line break", "end the file with one")
        offset = self.layout.after(before, column, dashes=index == len(node.items))
        self.splices.append(self.layout.insertion(offset, lines))

    def remove_items(self, node: Node, indexes: list[int]) -> None:
        if node.flow:
            self.splices += flow.remove(self.layout, node, indexes)
            return
        for index in indexes:
            dash = self.layout.dash(node, index)
            if not self.layout.first_on_line(dash):
                raise self.layout.refuse(node.items[index], "the item shares its line with what holds it", "remove it by hand")
            start, end = self.layout.whole_lines(dash, self.layout.content_end(node.items[index]))
            self.splices.append(Splice(start, end, ""))

    def converts(self, node: Node, target: dict[str, Any]) -> bool:
        """Return True for a block list of names that becomes a mapping with these names as its first keys."""
        if node.kind != SEQUENCE or node.flow or any(item.kind != SCALAR or item.start != item.inner for item in node.items):
            return False
        names = [item.text for item in node.items]
        return list(target)[: len(names)] == names and len(set(names)) == len(names)

    def list_to_mapping(self, parent: Node, node: Node, target: dict[str, Any]) -> None:
        """Plan a list of names that becomes a mapping, item by item, so that comments stay where they are."""
        layout = self.layout
        widths = self.widths(parent)
        base = self.column(parent)
        column = self.column(node) if self.column(node) > base else base + widths[0]
        for index, (name, value) in enumerate(target.items()):
            lines = self.style.entry(name, value, column, widths)
            if index >= len(node.items):
                end = layout.after(node.items[-1], column)
                self.splices.append(layout.insertion(end, lines))
                continue
            dash, end = layout.dash(node, index), layout.content_end(node.items[index])
            if not layout.first_on_line(dash):
                raise layout.refuse(node, "the list begins on the line of its key", "move it to the next line")
            self.splices.append(Splice(dash - layout.column(dash), end, lines[0]))
            if lines[1:]:
                self.splices.append(layout.insertion(layout.next_line(end), lines[1:]))
