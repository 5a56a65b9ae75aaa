# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML nodes with character offsets, built from libyaml's events.

Nothing is constructed from tags: a tag is kept as text. The builder is iterative and bounded, so hostile input ends in
a ComposeError and not in a full memory or an exhausted stack.
"""

from __future__ import annotations

import re

import yaml

from .errors import ComposeError

try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # PyYAML built without libyaml: same events, about ten times slower
    from yaml.loader import SafeLoader as _Parser  # type: ignore[assignment] # both have check_event and get_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SCALAR = "scalar"
MAPPING = "mapping"
SEQUENCE = "sequence"
ALIAS = "alias"

# A Compose file of 35 kB, the largest of 1,204 public ones, has about 2,500 nodes at a depth of at most 9.
MAX_DEPTH = 200
MAX_NODES = 100_000

BOM = "\ufeff"
# What YAML 1.1 (libyaml) and go-yaml take as a line break.
BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NOT_PRINTABLE_ASCII = re.compile("[^\t\n\r\x20-\x7e]")
# Compiled when the first file that is not ASCII is read: it takes as long as reading twenty small files.
_NOT_PRINTABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
# Anchors, tags, blanks and comments that stand between the start of a node and its content.
_PROPERTY = re.compile("[&!][^\\s]*|[ \t\r\n\x85\u2028\u2029]+|#[^\r\n\x85\u2028\u2029]*")


class Node:
    """One node of the file. Offsets count characters of Document.text.

    Attributes:
        kind: SCALAR, MAPPING, SEQUENCE or ALIAS.
        start: where the node begins, its anchor and tag included.
        inner: where its content begins: the first character of a scalar, the first key or dash of a block collection,
            the opening bracket of a flow collection.
        end: just past its last character. A block collection ends with its last child; a block scalar ends at the start
            of the line that follows its content and trailing blank lines.
        text: value of a scalar, name of the anchor of an alias.
        style: "" (plain), "'", '"', "|" or ">" for scalars.
        flow: True for flow collections.
        entries: key and value nodes of a mapping, merge keys included.
        items: nodes of a sequence.
        target: what an alias stands for.
    """

    __slots__ = (
        "anchor",
        "end",
        "entries",
        "flow",
        "inner",
        "items",
        "kind",
        "start",
        "style",
        "tag",
        "target",
        "text",
    )

    def __init__(self, kind: str, start: int, inner: int, end: int) -> None:
        self.kind = kind
        self.start = start
        self.inner = inner
        self.end = end
        self.anchor: str | None = None
        self.tag: str | None = None
        self.text = ""
        self.style = ""
        self.flow = False
        self.entries: list[tuple[Node, Node]] = []
        self.items: list[Node] = []
        self.target: Node | None = None

    def resolved(self) -> Node:
        """Return the node itself, or for an alias the node that it stands for."""
        return self if self.target is None else self.target

    def get(self, key: str) -> tuple[Node, Node] | None:
        """Return the own entry of a mapping with this key (merge keys are not looked into), or None."""
        for entry in self.entries:
            node = entry[0]
            if (node.text if node.target is None else node.target.text) == key and not is_merge_key(node):
                return entry
        return None


def is_merge_key(key: Node) -> bool:
    """Return True for the merge key `<<`: plain, untagged or tagged !!merge."""
    return key.text == "<<" and key.kind == SCALAR and key.style == "" and key.tag in (None, "!!merge")


def short_tag(tag: str | None) -> str | None:
    """Return a tag as people write it: `!reset`, `!!str`; None for none and for the non-specific tag `!`."""
    if not tag or tag == "!":
        return None
    return "!!" + tag[18:] if tag.startswith("tag:yaml.org,2002:") else tag


class Builder:
    """Builds the nodes of every document of a text.

    Args:
        name: name of the file for errors.
        text: the whole text.
        line_at: gives the 1-based line of an offset.
    """

    def __init__(self, name: str, text: str, line_at: Callable[[int], int]) -> None:
        self.name = name
        self.text = text
        self.line_at = line_at
        # The parser drops a BOM without counting it.
        self.shift = 1 if text.startswith(BOM) else 0
        self.has_aliases = False
        self.roots: list[Node] = []
        self._anchors: dict[str, Node] = {}
        self._open: list[Node] = []
        self._keys: list[Node | None] = []
        self._count = 0

    def fail(self, offset: int | None, reason: str, hint: str = "") -> ComposeError:
        """Return the error for an offset of the text."""
        return ComposeError(self.name, None if offset is None else self.line_at(offset), reason, hint)

    def build(self) -> list[Node]:
        """Return the root node of each document.

        Raises:
            ComposeError: anything that is not YAML, or is more than the bounds allow.
        """
        bad = re.search(_NOT_PRINTABLE_ASCII if self.text.isascii() else _NOT_PRINTABLE, self.text)
        if bad:
            raise self.fail(
                bad.start(),
                f"character U+{ord(bad.group()):04X} is not allowed in YAML",
                "remove it or write it as an escape",
            )
        handlers: dict[type[Any], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._sequence,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        try:
            # The parser gives no event after the last one.
            for event in iter(_Parser(self.text[self.shift :]).get_event, None):
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
        except yaml.YAMLError as error:
            raise self._syntax_error(error) from None
        return self.roots

    def _syntax_error(self, error: yaml.YAMLError) -> ComposeError:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        context = getattr(error, "context", None)
        offset = None if mark is None else min(mark.index + self.shift, len(self.text))
        if offset is not None and self.text[offset : offset + 1] == "\t":
            return self.fail(offset, "a tab stands where YAML allows only spaces", "indent with spaces")
        if "maximum nesting depth" in problem:
            # libyaml 0.2.6 has a limit of its own, and reads ahead: it may say so before the first collection is ours.
            return self._too_deep(offset)
        reason = f"not valid YAML: {problem}" + (f" ({context})" if context else "")
        return self.fail(offset, reason)

    def _too_deep(self, offset: int | None) -> ComposeError:
        return self.fail(
            offset, f"nested deeper than {MAX_DEPTH} levels", "this is not a Compose file that a person wrote"
        )

    def _document(self, _event: Any) -> None:
        self._anchors = {}

    def _add(self, node: Node, event: Any) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            raise self.fail(
                node.start, f"more than {MAX_NODES} values", "this is not a Compose file that a person wrote"
            )
        if event.anchor is not None and node.kind != ALIAS:
            node.anchor = event.anchor
            self._anchors[event.anchor] = node
        if not self._open:
            self.roots.append(node)
            return
        parent = self._open[-1]
        if parent.kind == SEQUENCE:
            parent.items.append(node)
            return
        key = self._keys[-1]
        if key is None:
            if node.resolved().kind != SCALAR:
                raise self.fail(node.start, "a mapping or list is used as a key", "Compose knows only text as keys")
            self._keys[-1] = node
        else:
            self._keys[-1] = None
            if node.kind == SCALAR and node.start == node.end and node.style == "":
                # The empty value of `? key` is marked where the next token begins, past comments.
                node.start = node.inner = node.end = self._empty_value(key, node.start)
            parent.entries.append((key, node))

    def _empty_value(self, key: Node, mark: int) -> int:
        """Return the offset past the colon, or the end of a key that has none."""
        if mark > key.end and self.text[mark - 1] == ":":
            return mark
        between = self.text[key.end : mark]
        blanks = len(between) - len(between.lstrip())
        return key.end + blanks + 1 if between[blanks : blanks + 1] == ":" else key.end

    def _scalar(self, event: Any) -> None:
        start = event.start_mark.index + self.shift
        node = Node(SCALAR, start, start, event.end_mark.index + self.shift)
        node.text = event.value
        node.style = event.style or ""
        node.tag = short_tag(event.tag)
        if event.anchor is not None or event.tag is not None:
            node.inner = self._skip_properties(start, node.end)
        if event.tag == "!" and node.style == "":
            node.tag = "!!str"
        self._add(node, event)

    def _skip_properties(self, start: int, end: int) -> int:
        offset = start
        seen = 0
        while offset < end:
            match = _PROPERTY.match(self.text, offset)
            if match is None:
                break
            if match.group()[0] in "&!":
                # A second anchor or tag would be content.
                seen += 1
            offset = match.end()
            if seen > 2:
                break
        return min(offset, end)

    def _collection(self, kind: str, event: Any) -> None:
        start = event.start_mark.index + self.shift
        inner = start
        if event.flow_style:
            inner = event.end_mark.index + self.shift - 1
        elif event.anchor is not None or event.tag is not None:
            inner = event.end_mark.index + self.shift
            if kind == SEQUENCE and self.text[inner : inner + 1] != "-":
                inner -= 1  # an indentless sequence: the mark is past its first dash
        node = Node(kind, start, inner, -1)
        node.flow = bool(event.flow_style)
        node.tag = short_tag(event.tag)
        self._add(node, event)
        self._open.append(node)
        self._keys.append(None)
        if len(self._open) > MAX_DEPTH:
            raise self._too_deep(start)

    def _mapping(self, event: Any) -> None:
        self._collection(MAPPING, event)

    def _sequence(self, event: Any) -> None:
        self._collection(SEQUENCE, event)

    def _alias(self, event: Any) -> None:
        start = event.start_mark.index + self.shift
        target = self._anchors.get(event.anchor)
        if target is None:
            raise self.fail(
                start, f"alias *{event.anchor} has no anchor before it", "define the anchor first, or check its name"
            )
        if target.end < 0:
            raise self.fail(
                start, f"alias *{event.anchor} stands inside what it names", "a value cannot contain itself"
            )
        self.has_aliases = True
        node = Node(ALIAS, start, start, event.end_mark.index + self.shift)
        node.text = event.anchor
        node.target = target
        self._add(node, event)

    def _close(self, event: Any) -> None:
        node = self._open.pop()
        self._keys.pop()
        if node.flow:
            node.end = event.end_mark.index + self.shift
        elif node.kind == MAPPING:
            key, value = node.entries[-1]
            node.end = max(key.end, value.end)
        else:
            node.end = node.items[-1].end
        if node.kind == MAPPING:
            self._unique(node)

    def _unique(self, node: Node) -> None:
        seen: dict[str, Node] = {}
        for key, _value in node.entries:
            name = key.resolved().text
            first = seen.setdefault(name, key)
            if first is not key:
                raise self.fail(
                    key.start,
                    f"key {name!r} is given twice, first on line {self.line_at(first.start)}",
                    "remove or rename one of them",
                )
