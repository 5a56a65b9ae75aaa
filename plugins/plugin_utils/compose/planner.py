# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the data that a file should hold to the splices of its text."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .change import dotted, same
from .document import Document, find_entry
from .errors import RefusedEdit
from .expand import tag_of
from .nodes import ALIAS, MAPPING, Node, is_merge_key
from .sharing import Sharing
from .writer import Writer

Path = tuple[str | int, ...]


class Planner:
    """Walks the nodes of a document beside the data that it should hold, and writes where they differ.

    Args:
        document: the document as it is, with content.
        root: its root node.
        sharing: the data that it should hold, and what its anchors will stand for.
        set_paths: paths whose whole value an edit sets.
    """

    def __init__(self, document: Document, root: Node, sharing: Sharing, set_paths: Collection[Path]) -> None:
        self.document = document
        self.root = root
        self.sharing = sharing
        self.set_paths = set_paths
        self.write = Writer(document, root)
        self._leaks: dict[tuple[str, str], list[str]] = {}

    def run(self) -> list[str]:
        """Return the texts that the splices may give, the likeliest first.

        Raises:
            RefusedEdit: no right place for a change, or a change that would reach further than intended.
            ValueError: two changes touch the same text.
        """
        self._mapping(self.root, (), self.document.data, self.sharing.target)
        for (anchor, name), users in self._leaks.items():
            raise RefusedEdit(
                self.document.name,
                self.sharing.line_of_anchor(anchor),
                f"{name} under anchor &{anchor} would also reach {', '.join(users)}",
                "change them in the same call, or give them a value of their own first",
            )
        return self.write.layout.apply(self.write.splices)

    def _untouched(self, old: Any, target: Any) -> bool:
        """Return True when nothing here can differ. With aliases, a part that no edit names may have to change."""
        return old is target and not self.document.has_aliases

    def _mapping(self, node: Node, path: Path, old: Any, target: dict[str, Any], step: int | None = None) -> None:
        """Plan a mapping that stays one. `step` is its own indentation relative to what holds it."""
        if self._untouched(old, target):
            return
        inherited = self.sharing.inherited(node)
        removed: list[int] = []
        for index, (key, value) in enumerate(node.entries):
            name = key.resolved().text
            if is_merge_key(key):
                continue
            if name in target:
                self._value(node, key, value, (*path, name), old[name], target[name])
            elif name in inherited:
                reason = f"{dotted((*path, name))} would be inherited by a merge key once removed here"
                raise self.write.layout.refuse(key, reason, "remove it where it is defined too")
            else:
                removed.append(index)
        if removed:
            self.write.remove_entries(node, removed)
        new = self._missing(node, path, old, target, inherited)
        if new:
            self._add_keys(node, path, new, step)

    def _missing(
        self, node: Node, path: Path, old: Any, target: dict[str, Any], inherited: dict[str, tuple[Node, Any]]
    ) -> dict[str, Any]:
        """Return what a mapping lacks of its target beside own and inherited keys; note what it inherits too much."""
        own = {key.resolved().text for key, _other in node.entries if not is_merge_key(key)}
        for name, (source, value) in inherited.items():
            if name in own or name in target:
                continue
            if name in old and same(old[name], value):
                reason = f"{dotted((*path, name))} is inherited by a merge key and cannot be removed here"
                raise self.write.layout.refuse(node, reason, "remove it where it is defined")
            self._leak(source, name, path)
        return {
            name: value
            for name, value in target.items()
            if name not in own and not (name in inherited and same(inherited[name][1], value))
        }

    def _leak(self, source: Node, name: str, path: Path) -> None:
        self._leaks.setdefault((source.anchor or "", name), []).append(dotted(path))

    def _value(self, parent: Node, key: Node, node: Node, path: Path, old: Any, target: Any) -> None:
        """Plan the value of one key."""
        if node.kind == ALIAS:
            self._alias(parent, key, node, path, old, target)
        elif not self._untouched(old, target) and not self._within(parent, node, path, old, target):
            if same(old, target):
                return
            if tag_of(old) is not None and tag_of(target) != tag_of(old):
                raise self.write.layout.refuse(key, f"{dotted(path)} carries the tag {tag_of(old)}", "edit it by hand")
            self.write.value(parent, key, node, target, nested=len(path) > 3)

    def _within(self, parent: Node, node: Node, path: Path, old: Any, target: Any) -> bool:
        """Plan changes inside a collection that stays one; return False when the value must be written anew."""
        if tag_of(target) != tag_of(old):
            return False
        if isinstance(target, dict) and node.entries:
            inherited = self.sharing.inherited(node)
            loses = any(name in old and name not in target for name in inherited)
            if (loses and self._is_set(path)) or not (inherited or any(name in target for name in old)):
                return False
            step = self.write.column(node) - self.write.column(parent)
            self._mapping(node, path, old, target, step if not node.flow and step > 0 else None)
            return True
        if isinstance(target, list) and target and node.items:
            self._sequence(node, path, old, target)
            return True
        return False

    def _is_set(self, path: Path) -> bool:
        """Return True when an edit sets the whole value at a path below a service, so that it may be written anew."""
        return any(len(whole) > 2 and path[: len(whole)] == whole for whole in self.set_paths)

    def _alias(self, parent: Node, key: Node, node: Node, path: Path, old: Any, target: Any) -> None:
        """Plan a value that is an alias: kept, extended by a merge key, or written out."""
        source = node.resolved()
        base = self.sharing.after(source)
        if same(base, target):
            return
        over = _overrides(base, target)
        if over is not None:
            self.write.merge(parent, key, node, over)
            return
        if isinstance(target, dict) and isinstance(base, dict):
            lacking = [name for name in base if name not in target]
            lost = [name for name in lacking if name in old]
            if lost and not self._is_set(path):
                reason = f"{dotted((*path, lost[0]))} is inherited by the alias *{node.text} and cannot be removed here"
                raise self.write.layout.refuse(node, reason, "remove it where it is defined")
            if not lost:
                for name in lacking:
                    self._leak(source, name, path)
                return
        self.write.value(parent, key, node, target, nested=False)

    def _add_keys(self, node: Node, path: Path, new: dict[str, Any], step: int | None) -> None:
        """Plan new keys; one that overrides an inherited mapping with an anchor merges that."""
        merged: dict[str, tuple[str, dict[str, Any]]] = {}
        for name, value in new.items():
            entry = find_entry(node, name)
            source = None if entry is None else entry[1].resolved()
            if source is not None and source.kind == MAPPING and self.sharing.binds(source, node.inner):
                over = _overrides(self.sharing.after(source), value)
                if over is not None and source.anchor is not None:
                    merged[name] = (source.anchor, over)
        self.write.add_keys(node, path, new, merged, step)

    def _sequence(self, node: Node, path: Path, old: list[Any], target: list[Any]) -> None:
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
                self._item(node, index, path, old[index], target[index])
        surplus = list(range(head + pairs, len(old) - tail))
        if surplus:
            self.write.remove_items(node, surplus)
        extra = target[head + pairs : len(target) - tail]
        if extra:
            self.write.add_items(node, head + pairs, extra)

    def _item(self, node: Node, index: int, path: Path, old: Any, target: Any) -> None:
        """Plan one item of a list that changes."""
        item = node.items[index]
        alike = tag_of(old) == tag_of(target)
        if alike and isinstance(target, dict) and item.kind == MAPPING and any(name in target for name in old):
            self._mapping(item, (*path, index), old, target)
        elif alike and isinstance(target, list) and target and item.items:
            self._sequence(item, (*path, index), old, target)
        else:
            self.write.item(node, index, target)


def _overrides(base: Any, target: Any) -> dict[str, Any] | None:
    """Return what a mapping that merges `base` must add to hold `target`, or None where merging cannot give it."""
    if not isinstance(target, dict) or not isinstance(base, dict) or any(key not in target for key in base):
        return None
    return {key: value for key, value in target.items() if key not in base or not same(base[key], value)}
