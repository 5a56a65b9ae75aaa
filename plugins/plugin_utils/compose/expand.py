# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain data from nodes: aliases and merge keys expanded, scalars kept as the text that the file holds."""

from __future__ import annotations

import re
from functools import lru_cache

from .errors import ComposeError
from .nodes import ALIAS, MAPPING, SCALAR, Builder, Node, is_merge_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

# Values after expansion. go-yaml, which Compose uses, gives up at a similar point ("excessive aliasing").
MAX_EXPANDED = 300_000

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
# Compiled when they are first used, as in the policy.
_INTEGER = r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)"
_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_SPECIAL_FLOAT = r"([-+]?)\.(inf|Inf|INF)|\.(?:nan|NaN|NAN)"


class Scalar(str):
    """The text of a scalar that is not null.

    Attributes:
        plain: True when it is written without quotes and not as a block, so that it may mean a number or a boolean.
        tag: its tag as written (`!reset`, `!!str`), or None.
    """

    __slots__ = ("plain", "tag")
    plain: bool
    tag: str | None

    def __new__(cls, text: str, plain: bool = True, tag: str | None = None) -> Self:
        """Return the scalar of a text."""
        self = super().__new__(cls, text)
        self.plain = plain
        self.tag = tag
        return self

    def __reduce__(self) -> tuple[type[Scalar], tuple[str, bool, str | None]]:
        return Scalar, (str(self), self.plain, self.tag)


class TaggedMap(dict[str, "Any"]):
    """A mapping with a tag of its own, such as `!override`."""

    tag: str


class TaggedList(list["Any"]):
    """A list with a tag of its own, such as `!override`."""

    tag: str


class TaggedNull:
    """A null with a tag of its own, such as `!reset null`."""

    __slots__ = ("tag",)

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TaggedNull) and other.tag == self.tag

    def __hash__(self) -> int:
        return hash(self.tag)

    def __repr__(self) -> str:
        return f"TaggedNull({self.tag!r})"


def tag_of(value: Any) -> str | None:
    """Return the tag of a value of Document.data as written (`!reset`), or None."""
    tag = getattr(value, "tag", None)
    return tag if isinstance(tag, str) else None


def resolve(value: Any) -> Any:
    """Return what Compose (go-yaml v3, YAML 1.2 core schema) makes of a scalar: None, bool, int, float or str.

    Values that are not a Scalar (plain Python values, mappings, lists) are returned as they are.
    """
    if value is None or isinstance(value, TaggedNull):
        return None
    if not isinstance(value, Scalar):
        return value
    text = str(value)
    if not value.plain or value.tag == "!!str":
        return text
    return resolve_plain(text)


@lru_cache(maxsize=4096)
def resolve_plain(text: str) -> bool | int | float | str | None:
    """Return what go-yaml v3 makes of a plain scalar. Timestamps stay text: Compose has no use for them."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text[0] not in "+-.0123456789":
        return text
    # go-yaml removes underscores before it looks for a number, and still reads 0644 as octal.
    digits = text.replace("_", "")
    if re.fullmatch(_INTEGER, digits) and len(digits) < 100:
        number = _integer(digits)
        if -(2**63) <= number < 2**64:
            return number
    if re.fullmatch(_FLOAT, digits):
        return float(digits)
    special = re.fullmatch(_SPECIAL_FLOAT, text)
    if special:
        return float(f"{special[1] or ''}{special[2] or 'nan'}")
    return text


def _integer(digits: str) -> int:
    body = digits.lstrip("+-")
    old_octal = len(body) > 1 and body[0] == "0" and body[1] in "01234567"
    number = int(body, 8 if old_octal else 0)
    return -number if digits[0] == "-" else number


class Expander:
    """Expands nodes to data; a node is expanded once and shared by its aliases."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._memo: dict[int, tuple[Any, int]] = {}
        self._merged = 0

    def expand(self, node: Node) -> Any:
        """Return the data of a node.

        Raises:
            ComposeError: merge keys without a mapping, or more data than the bound allows.
        """
        return self._sized(node)[0]

    def _sized(self, node: Node) -> tuple[Any, int]:
        if node.kind == SCALAR:
            return scalar_data(node), 1
        if node.kind == ALIAS:
            node = node.resolved()
        known = self._memo.get(id(node))
        if known is not None:
            return known
        if node.kind == SCALAR:
            made: tuple[Any, int] = (scalar_data(node), 1)
        elif node.kind == MAPPING:
            made = self._mapping(node)
        else:
            made = self._sequence(node)
        if made[1] > MAX_EXPANDED:
            raise self._too_large(node)
        self._memo[id(node)] = made
        return made

    def _too_large(self, node: Node) -> ComposeError:
        reason = f"aliases expand to more than {MAX_EXPANDED} values"
        return self._builder.fail(node.start, reason, "this is not a Compose file that a person wrote")

    def _sequence(self, node: Node) -> tuple[Any, int]:
        data: list[Any] = []
        if node.tag not in (None, "!!seq"):
            data = TaggedList()
            data.tag = node.tag
        size = 1
        for item in node.items:
            value, count = self._sized(item)
            data.append(value)
            size += count
        return data, size

    def _mapping(self, node: Node) -> tuple[Any, int]:
        data: dict[str, Any] = {}
        if node.tag not in (None, "!!map"):
            data = TaggedMap()
            data.tag = node.tag
        own = [str(key.resolved().text) for key, _other in node.entries if not is_merge_key(key)]
        size = 1
        for key, value in node.entries:
            if not is_merge_key(key):
                name = key.resolved().text
                data[name], count = self._sized(value)
                size += count
                continue
            for source in merge_sources(node, self._builder):
                merged, count = self._sized(source)
                size += count
                self._merged += len(merged)
                if self._merged > MAX_EXPANDED:
                    raise self._too_large(node)
                for name, inherited in merged.items():
                    if name not in own:
                        data.setdefault(name, inherited)
        return data, size


def merge_sources(node: Node, builder: Builder | None = None) -> list[Node]:
    """Return the mappings that a mapping merges by `<<`, the strongest first, aliases resolved.

    Raises:
        ComposeError: something that is not a mapping is merged (only with a builder, which knows the file).
    """
    sources: list[Node] = []
    for key, value in node.entries:
        if not is_merge_key(key):
            continue
        listed = value.items if value.kind != ALIAS and value.items else [value]
        for source in listed:
            target = source.resolved()
            if target.kind != MAPPING and builder is not None:
                raise builder.fail(
                    source.start,
                    "the merge key << takes a mapping or a list of mappings",
                    "name an anchor of a mapping",
                )
            sources.append(target)
    return sources


def scalar_data(node: Node) -> Scalar | TaggedNull | None:
    """Return the data of a scalar node."""
    if node.style == "" and node.text in _NULL and node.tag != "!!str":
        return None if node.tag in (None, "!!null") else TaggedNull(node.tag)
    return Scalar(node.text, node.style == "", node.tag)
