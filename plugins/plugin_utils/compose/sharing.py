# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Anchors: who shares them, what they will stand for, and when a change belongs to the anchor itself."""

from __future__ import annotations

from typing import Any

from .change import same
from .document import Document
from .errors import RefusedEdit
from .expand import Expander, merge_sources
from .nodes import ALIAS, Builder, Node, is_merge_key
from .placement import RELATED

Path = tuple[str | int, ...]
_MISSING = object()


class Sharing:
    """The anchors of one document beside the data that it should hold.

    Args:
        document: the document as it is.
        target: the data that it should hold.

    Attributes:
        target: that data, in which shared fragments (x- keys) already have the changes that all their users get.
    """

    def __init__(self, document: Document, target: Any) -> None:
        self.document = document
        self.target = target
        self._paths: dict[int, Path] = {}
        self._anchored: list[tuple[int, Node]] = []
        self._mergers: dict[int, list[tuple[Path, Node]]] = {}
        self._aliases: dict[int, list[Path]] = {}
        self._nodes: dict[int, Node] = {}
        if document.has_aliases and document.root is not None:
            self._survey(document.root)
            self._share()

    def _survey(self, root: Node) -> None:
        """Note every anchor with its path, and who merges it or stands for it. What << holds has no path."""
        waiting: list[tuple[Node, Path | None]] = [(root, ())]
        while waiting:
            node, path = waiting.pop()
            if node.kind == ALIAS:
                self._note_alias(node, path)
                continue
            if node.anchor is not None:
                self._anchored.append((node.start, node))
                if path is not None:
                    self._paths[id(node)] = path
            for index, item in enumerate(node.items):
                waiting.append((item, None if path is None else (*path, index)))
            for key, value in node.entries:
                if is_merge_key(key):
                    parts = value.items or [value]
                    waiting.extend((part, None) for part in parts if part.kind != ALIAS)
                else:
                    waiting.append((value, None if path is None else (*path, key.resolved().text)))
            if path is not None:
                self._note_mergers(node, path)

    def _note_alias(self, node: Node, path: Path | None) -> None:
        target = node.resolved()
        self._nodes[id(target)] = target
        if path is not None:
            self._aliases.setdefault(id(target), []).append(path)

    def _note_mergers(self, node: Node, path: Path) -> None:
        for source in merge_sources(node):
            self._mergers.setdefault(id(source), []).append((path, node))
            self._nodes[id(source)] = source

    def _share(self) -> None:
        """Move a change that every user of a shared fragment gets, in the same words, to the fragment."""
        for identity in self._nodes:
            path = self._paths.get(identity)
            if path is None or not isinstance(path[0], str) or not path[0].startswith("x-"):
                continue
            mergers = self._mergers.get(identity, [])
            aliases = self._aliases.get(identity, [])
            users = [user for user, _other in mergers] + aliases
            if len(users) < 2 or any(user[0] != "services" for user in users):
                continue
            if mergers and not aliases:
                self._share_keys(path, mergers)
            elif aliases and not mergers:
                self._share_value(path, aliases)

    def _share_keys(self, path: Path, mergers: list[tuple[Path, Node]]) -> None:
        first = value_at(self.target, mergers[0][0])
        before = value_at(self.document.data, path)
        if not isinstance(first, dict) or not isinstance(before, dict):
            return
        for name, value in first.items():
            known = before.get(name, _MISSING)
            if known is not _MISSING and same(known, value):
                continue
            if not _fits(name, before, mergers[0][0]):
                continue
            if all(self._gets(user, merger, name, value, known) for user, merger in mergers):
                self.target = put_at(self.target, (*path, name), value)

    def _gets(self, user: Path, merger: Node, name: str, value: Any, known: Any) -> bool:
        """Return True when a user inherits a key from here if at all, and should get the value."""
        data = value_at(self.target, user)
        old = value_at(self.document.data, user)
        if merger.get(name) is not None or not isinstance(data, dict) or not isinstance(old, dict) or name not in data:
            return False
        if name in old and not (known is not _MISSING and old[name] is known):
            return False
        return equal(data[name], value)

    def _share_value(self, path: Path, aliases: list[Path]) -> None:
        wanted = value_at(self.target, aliases[0])
        before = value_at(self.document.data, path)
        if wanted is _MISSING or same(before, wanted):
            return
        if all(equal(value_at(self.target, user), wanted) for user in aliases[1:]):
            self.target = put_at(self.target, path, wanted)

    def after(self, node: Node) -> Any:
        """Return the data that a node will stand for."""
        path = self._paths.get(id(node))
        if path is not None:
            value = value_at(self.target, path)
            if value is not _MISSING:
                return value
        document = self.document
        return Expander(Builder(document.name, document.text, document.line_at)).expand(node)

    def inherited(self, node: Node) -> dict[str, tuple[Node, Any]]:
        """Return the keys that a mapping gets by merge keys, with the mapping they come from and their value to be."""
        found: dict[str, tuple[Node, Any]] = {}
        for source in merge_sources(node):
            data = self.after(source)
            if not isinstance(data, dict):
                raise RefusedEdit(
                    self.document.name,
                    self.document.line_at(source.start),
                    f"anchor &{source.anchor} is merged and must stay a mapping",
                )
            for name, value in data.items():
                found.setdefault(name, (source, value))
        return found

    def binds(self, node: Node, offset: int) -> bool:
        """Return True when an alias written at an offset would stand for this node."""
        if node.anchor is None or node.end > offset:
            return False
        named = [(start, other) for start, other in self._anchored if start < offset and other.anchor == node.anchor]
        return bool(named) and max(named, key=lambda pair: pair[0])[1] is node

    def line_of_anchor(self, name: str) -> int | None:
        """Return the line of the first anchor with a name."""
        starts = [start for start, node in self._anchored if node.anchor == name]
        return self.document.line_at(min(starts)) if starts else None


def _fits(name: str, fragment: dict[str, Any], user: Path) -> bool:
    """Return True when a key would be looked for in a fragment.

    A fragment that holds one thing, such as x-extra-hosts, is no place for limits, even if all its users get the same.
    """
    if name in fragment or len(user) > 2 or len(fragment) > 2:
        return True
    return any(name in group and any(other in fragment for other in group) for group in RELATED)


def equal(one: Any, other: Any) -> bool:
    """Return True when two values to be, each plain Python or from the document, are the same."""
    return one is other or same(one, other) or same(other, one)


def value_at(data: Any, path: Path) -> Any:
    """Return the value at a path of keys and indexes of the document, or a private marker when there is none."""
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return data


def put_at(data: Any, path: Path, value: Any) -> Any:
    """Return data with one value replaced; what is not on the path stays the same object."""
    if not path:
        return value
    changed = type(data)(data)
    if hasattr(data, "tag"):
        changed.tag = data.tag
    step = path[0]
    changed[step] = put_at(data[step] if len(path) > 1 else None, path[1:], value)
    return changed
