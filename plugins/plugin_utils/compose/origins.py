# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data of Compose files that knows where each of its values stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..lean_typing import NamedTuple
from .expand import Scalar, TaggedNull, tag_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Path = tuple[str | int, ...]


class Origin(NamedTuple):
    """Where a value stands: index of the file in the project, path from the root of its document."""

    file: int
    path: Path


class Map(dict[str, "Any"]):
    """A mapping that knows where each of its values stands (``origins`` has the same keys)."""

    __slots__ = ("origins",)

    def __init__(self) -> None:
        super().__init__()
        self.origins: dict[str, Origin] = {}

    def put(self, key: str, value: Any, origin: Origin) -> None:
        """Set a value together with its origin."""
        self[key] = value
        self.origins[key] = origin


class Seq(list["Any"]):
    """A list that knows where each of its items stands (``origins`` is as long as the list)."""

    __slots__ = ("origins",)

    def __init__(self) -> None:
        super().__init__()
        self.origins: list[Origin] = []

    def put(self, value: Any, origin: Origin) -> None:
        """Append an item together with its origin."""
        self.append(value)
        self.origins.append(origin)


class Unresolved(Scalar):
    """A text with a variable that has neither value nor default: ``${VARIABLE}`` is still in it."""

    __slots__ = ()


def locate(
    value: Any, file: int, path: Path, cleared: list[Path], text: Callable[[Scalar, Path], Scalar] | None = None
) -> Any:
    """Copy plain data into Map and Seq with origins.

    Args:
        value: data of a document (dict, list, Scalar or None).
        file: index of the file in the project.
        path: where the value stands in its document.
        cleared: gets the path of every value tagged ``!reset`` (left out of the copy) or ``!override`` (kept): what
            earlier files say there does not count.
        text: makes the effective scalar of a scalar (substitution of variables).
    """
    if isinstance(value, dict):
        mapping = Map()
        for key, item in value.items():
            place = (*path, key)
            if not _clears(item, place, cleared):
                mapping.put(key, locate(item, file, place, cleared, text), Origin(file, place))
        return mapping
    if isinstance(value, list):
        sequence = Seq()
        for index, item in enumerate(value):
            place = (*path, index)
            if not _clears(item, place, cleared):
                sequence.put(locate(item, file, place, cleared, text), Origin(file, place))
        return sequence
    if tag_of(value) is not None:
        value = _tagged(value)
    if isinstance(value, Scalar):
        return value if text is None else text(value, path)
    return None


def _tagged(value: Any) -> Any:
    """Return a scalar with a tag as Compose sees it: only the tags of YAML itself leave it a number or a null."""
    tag = tag_of(value) or ""
    if tag.startswith("!!"):
        return value
    return Scalar("null" if isinstance(value, TaggedNull) else str(value), plain=False, tag=tag)


def _clears(value: Any, path: Path, cleared: list[Path]) -> bool:
    """Note a ``!reset`` or ``!override``; return True where the value itself goes too."""
    tag = tag_of(value)
    if tag in ("!reset", "!override"):
        cleared.append(path)
    return tag == "!reset"


def clear(target: Any, paths: Sequence[Path]) -> None:
    """Remove from a tree of Map what ``!reset`` and ``!override`` of a later file take away.

    Items of lists stay, as in Compose.
    """
    for path in paths:
        parent = target
        for part in path[:-1]:
            parent = parent.get(str(part)) if isinstance(parent, Map) else None
        if isinstance(parent, Map) and path[-1] in parent:
            key = str(path[-1])
            del parent[key]
            del parent.origins[key]


def copy(value: Any) -> Any:
    """Copy a tree of Map and Seq; scalars are shared."""
    if isinstance(value, Map):
        mapping = Map()
        for key, item in value.items():
            mapping.put(key, copy(item), value.origins[key])
        return mapping
    if isinstance(value, Seq):
        sequence = Seq()
        for item, origin in zip(value, value.origins, strict=True):
            sequence.put(copy(item), origin)
        return sequence
    return value


def size(value: Any) -> int:
    """Return the number of values in a tree of Map and Seq."""
    if isinstance(value, Map):
        return 1 + sum(map(size, value.values()))
    return 1 + sum(map(size, value)) if isinstance(value, Seq) else 1
