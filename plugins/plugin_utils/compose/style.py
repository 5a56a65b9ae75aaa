# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a file is written: indentation, quotes, form of lists. New values follow it; old text is never printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .expand import Scalar, TaggedNull, resolve_plain, tag_of
from .nodes import ALIAS, BREAK, MAPPING, SCALAR, SEQUENCE, Node

# Text that YAML 1.1 (PyYAML, old tools) or YAML 1.2 takes as something other than text, or nearly does.
_AMBIGUOUS = re.compile(
    r"""(?: y|n|yes|no|on|off|true|false|null|~|<<|=
    | [-+]?[0-9][0-9_]*(?::[0-9_]+)+(?:\.[0-9_]*)?            # sexagesimal: 22:22
    | [-+]?0[xob][0-9a-f_]+
    | [-+]?[0-9][0-9_,]*
    | [-+]?(?:[0-9][0-9_]*)?\.?[0-9_]*(?:e[-+]?[0-9]+)?
    | [-+]?\.(?:inf|nan)
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[t\ ].*)?              # dates
    )?""",
    re.IGNORECASE | re.VERBOSE,
)
_PLAIN_START = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`]|[-?:](?=[^\s,\[\]{}])")
_CONTROL = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}

# Lists that people write as flow with quoted items: ["CMD", "true"].
_FLOW_LISTS = frozenset(("test", "command", "entrypoint"))


def is_ambiguous(text: str) -> bool:
    """Return True for text that some YAML version would read as a number, boolean, null, date or merge key."""
    return _AMBIGUOUS.fullmatch(text) is not None


def plain_is_safe(text: str, flow: bool = False) -> bool:
    """Return True when text can be written without quotes and is read back as this text."""
    if not _PLAIN_START.match(text) or text != text.strip() or _CONTROL.search(text) or is_ambiguous(text):
        return False
    if ": " in text or " #" in text or text.endswith(":") or text.startswith(("---", "...")):
        return False
    if flow and (any(character in ",[]{}?" for character in text) or text.startswith(":")):
        return False
    return isinstance(resolve_plain(text), str)


def quoted(text: str, quote: str) -> str:
    """Return text in the given quotes; in double quotes where single ones cannot hold it."""
    if quote == "'" and not _CONTROL.search(text):
        return "'" + text.replace("'", "''") + "'"
    made = []
    for character in text:
        if character in _ESCAPES:
            made.append(_ESCAPES[character])
        elif _CONTROL.match(character):
            code = ord(character)
            made.append(f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}")
        else:
            made.append(character)
    return '"' + "".join(made) + '"'


class Style:
    """The habits of one file.

    Attributes:
        step: columns from a key to the keys of the mapping below it.
        dash: columns from a key to the dashes of the list below it.
        quote: the quote character that the file prefers.
        eol: the line break.
    """

    def __init__(self, text: str, root: Node) -> None:
        self.text = text
        self.root = root
        match = BREAK.search(text)
        self.eol = match.group() if match and match.group() in ("\n", "\r\n", "\r") else "\n"
        self._nodes: list[tuple[Node, Node]] | None = None
        self.step, self.dash = self.habits(root) or (2, 2)
        self.quote = self._quote()

    def column(self, offset: int) -> int:
        """Return the column of an offset, in characters."""
        start = line_start(self.text, offset)
        return offset - start

    def pairs(self) -> list[tuple[Node, Node]]:
        """Return all key and value nodes of the file."""
        if self._nodes is None:
            self._nodes = list(walk(self.root))
        return self._nodes

    def habits(self, node: Node) -> tuple[int, int] | None:
        """Return step and dash as a mapping and what is below it use them, or None when nothing tells."""
        steps: dict[int, int] = {}
        dashes: dict[int, int] = {}
        for key, value in walk(node):
            if (
                value.flow
                or value.kind not in (MAPPING, SEQUENCE)
                or BREAK.search(self.text, key.end, value.inner) is None
            ):
                continue
            width = self.column(value.inner) - self.column(key.start)
            counts = steps if value.kind == MAPPING else dashes
            counts[width] = counts.get(width, 0) + 1
        if not steps and not dashes:
            return None
        step = max(steps, key=lambda width: (steps[width], -width)) if steps else max(*dashes, 0)
        step = max(step, 1) if steps or step else 2
        dash = max(dashes, key=lambda width: (dashes[width], -width)) if dashes else step
        return step, dash

    def local(self, node: Node, hint: int | None = None) -> tuple[int, int]:
        """Return step and dash as a mapping uses them for its own values.

        Args:
            node: the mapping.
            hint: step to use where the mapping has no block mapping below it; None for that of the file.
        """
        step: int | None = None
        dash: int | None = None
        for key, value in node.entries:
            if (
                value.flow
                or value.kind not in (MAPPING, SEQUENCE)
                or BREAK.search(self.text, key.end, value.inner) is None
            ):
                continue
            width = self.column(value.inner) - self.column(key.start)
            if value.kind == MAPPING and step is None:
                step = width
            elif value.kind == SEQUENCE and dash is None:
                dash = width
        return step or hint or self.step, self.dash if dash is None else dash

    def _quote(self) -> str:
        double = single = 0
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            if node.style == '"':
                double += 1
            elif node.style == "'":
                single += 1
            waiting.extend(node.items)
            for entry in node.entries:
                waiting.extend(entry)
        return "'" if single > double else '"'

    def list_form(self, key: str) -> tuple[bool, str | None]:
        """Return how lists under a key are written: (flow, quote of their items or None for only where needed)."""
        flow = block = 0
        quotes: dict[str, int] = {}
        for name, value in self.pairs():
            if name.text != key or value.kind != SEQUENCE or not value.items:
                continue
            flow += value.flow
            block += not value.flow
            for item in value.items:
                if item.kind == SCALAR:
                    quotes[item.style] = quotes.get(item.style, 0) + 1
        if not flow and not block:
            return (True, '"') if key in _FLOW_LISTS else (False, None)
        usual = max(quotes, key=lambda style: quotes[style]) if quotes else ""
        return flow > block, usual if usual in ('"', "'") else None

    def scalar(self, value: Any, quote: str | None = None, flow: bool = False) -> str:
        """Return the text of a scalar.

        Args:
            value: plain Python value, or a scalar of a document.
            quote: quotes to use for text even where none are needed, or None.
            flow: True inside a flow collection.
        """
        tag = tag_of(value)
        if tag is not None:
            rest = (
                "null" if isinstance(value, TaggedNull) else self.scalar(Scalar(str(value), value.plain), quote, flow)
            )
            return f"{tag} {rest}"
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (int, float)):
            return repr(value)
        text = str(value)
        if isinstance(value, Scalar) and value.plain and not isinstance(resolve_plain(text), str):
            return text
        if quote is None and plain_is_safe(text, flow):
            return text
        wanted = quote or self.quote
        if wanted == "'" and "'" in text and '"' not in text and "\\" not in text:
            wanted = '"'
        return quoted(text, wanted)

    def inline(self, value: Any, quote: str | None = None, json: bool = False) -> str:
        """Return a value in flow form, as JSON where the file is JSON."""
        mark = '"' if json else quote
        tag = tag_of(value)
        if tag is not None and isinstance(value, (dict, list)):
            return f"{tag} {self.inline(value.copy(), quote, json)}"
        if isinstance(value, dict):
            keys = [
                (self.scalar(key, '"' if json else None, True), self.inline(item, quote, json))
                for key, item in value.items()
            ]
            return "{" + ", ".join(f"{key}: {item}" for key, item in keys) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(self.inline(item, mark, json) for item in value) + "]"
        return self.scalar(value, mark, flow=True)

    def entry(self, key: str, value: Any, column: int, widths: tuple[int, int], quote: str | None = None) -> list[str]:
        """Return the lines of a new key with its value, in block form, indented to `column`."""
        return self.under(" " * column + self.scalar(key) + ":", key, value, column, widths, quote)

    def under(
        self, head: str, key: str, value: Any, column: int, widths: tuple[int, int], quote: str | None = None
    ) -> list[str]:
        """Return the lines of a value whose key, ended by a colon, is `head` and stands at `column`."""
        step, dash = widths
        tag = tag_of(value)
        if tag is not None and isinstance(value, (dict, list)):
            return self.under(f"{head} {tag}", key, value.copy(), column, widths, quote)
        if isinstance(value, dict) and value:
            lines = [head]
            for name, item in value.items():
                lines += self.entry(name, item, column + step, widths)
            return lines
        if isinstance(value, list) and value:
            flow, usual = self.list_form(key)
            if flow and not any(isinstance(item, (dict, list)) for item in value):
                return [f"{head} {self.inline(value, usual or quote)}"]
            lines = [head]
            for item in value:
                lines += self.item(item, column + dash, widths, usual or quote)
            return lines
        if value is None:
            return [head]
        return [f"{head} {self.inline(value) if isinstance(value, (dict, list)) else self.scalar(value, quote)}"]

    def item(
        self, value: Any, column: int, widths: tuple[int, int], quote: str | None = None, gap: int = 2
    ) -> list[str]:
        """Return the lines of a list item with its dash at `column` and its value `gap` columns further."""
        indent = (" " * column + "-").ljust(column + gap)
        if isinstance(value, dict) and value and tag_of(value) is None:
            lines: list[str] = []
            for name, part in value.items():
                lines += self.entry(name, part, column + gap, widths)
            return [indent + lines[0].lstrip(" "), *lines[1:]]
        if isinstance(value, (dict, list)):
            return [indent + self.inline(value, quote)]
        return [indent + self.scalar(value, quote)]


def line_start(text: str, offset: int) -> int:
    """Return the offset of the first character of a line; a BOM is not part of the first line."""
    start = offset
    while start > 0 and text[start - 1] not in "\n\r\x85\u2028\u2029":
        start -= 1
    return 1 if start == 0 and text.startswith("\ufeff") else start


def walk(node: Node) -> Iterator[tuple[Node, Node]]:
    """Yield key and value of every mapping entry at and below a node in the order of the text, aliases not followed."""
    waiting: list[Any] = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, tuple):
            yield here
            here = here[1]
        if here.kind == ALIAS:
            continue
        waiting.extend(reversed(here.entries))
        waiting.extend(reversed(here.items))


def common_quote(nodes: list[Node]) -> str | None:
    """Return the quote that all text siblings use, or None when they differ, are plain, or there are none."""
    styles = {node.style for node in nodes if node.kind == SCALAR}
    if len(styles) == 1:
        style = styles.pop()
        if style in ("'", '"'):
            return style
    return None
