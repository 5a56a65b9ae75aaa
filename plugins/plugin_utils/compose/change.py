# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data that a list of edits intends, and the comparison that proves an edited file against it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

from .document import Document
from .edits import Edit
from .errors import RefusedEdit
from .expand import Scalar, TaggedList, TaggedMap, TaggedNull, resolve, tag_of
from .style import is_ambiguous

# Lists of NAME=value in which Compose also accepts a mapping: a path may name the variable in both forms.
PAIR_LISTS = frozenset(("environment", "labels", "args", "sysctls", "annotations", "additional_contexts"))

_MISSING = object()
_Data = TypeVar("_Data", dict[str, Any], list[Any])


class Mixed:
    """A value that a service and the service that it extends give in different forms (list and mapping)."""

    __slots__ = ("base", "own")

    def __init__(self, base: Any, own: Any) -> None:
        self.base = base
        self.own = own


def intend(document: Document, data: Any, edits: Sequence[Edit]) -> Any:
    """Return the data that the edits intend. What no edit touches is the very same object as in `data`.

    Raises:
        RefusedEdit: an edit that has no meaning for this data.
    """
    for edit in edits:
        data = _Intention(document, edit).apply(data)
    return data


class _Intention:
    """Applies one edit to data, copying only what lies on its path."""

    def __init__(self, document: Document, edit: Edit) -> None:
        self.document = document
        self.edit = edit
        if edit.op not in ("set", "append", "remove"):
            raise self.refuse(f"unknown operation {edit.op!r}")
        if not edit.path:
            raise self.refuse("the path must be one or more keys or indexes")

    def refuse(self, reason: str, hint: str = "", depth: int | None = None) -> RefusedEdit:
        path = self.edit.path
        line = None
        for length in range(len(path) if depth is None else depth, 0, -1):
            line = line or self.document.line_of(path[:length])
        return RefusedEdit(self.document.name, line, f"{self.edit.op} {dotted(path)}: {reason}", hint)

    def apply(self, data: Any) -> Any:
        path = self.edit.path
        if path[0] == "services":
            services = data.get("services") if isinstance(data, dict) else None
            known = isinstance(services, dict) and len(path) > 1 and path[1] in services
            if not known and len(path) > 2:
                raise self.refuse(f"the file has no service {path[1]!r}", "check the name")
            if not known and isinstance(data, dict) and "services" not in data and looks_legacy(data):
                reason = "this is a file of Compose version 1, without services"
                raise self.refuse(reason, "put the services under a services: key first")
        if data is None:
            raise self.refuse("the file has no content to edit", "write a first key such as services: into it")
        return self.at(data, 0)

    def at(self, data: Any, depth: int) -> Any:
        if isinstance(data, Mixed):
            return Mixed(data.base, self.at(data.own, depth))
        step = self.edit.path[depth]
        if isinstance(data, dict) and isinstance(step, str):
            return self.in_mapping(data, step, depth)
        if isinstance(data, list) and isinstance(step, int):
            return self.in_list(data, step, depth)
        parent = self.edit.path[depth - 1] if depth else None
        if (
            isinstance(data, list)
            and isinstance(step, str)
            and parent in PAIR_LISTS
            and depth == len(self.edit.path) - 1
        ):
            return self.in_pairs(data, step)
        kind = "a mapping" if isinstance(data, dict) else "a list" if isinstance(data, list) else "a single value"
        raise self.refuse(
            f"{dotted(self.edit.path[:depth]) or 'the root'} is {kind}, which has no {step!r}", depth=depth
        )

    def in_mapping(self, data: dict[str, Any], step: str, depth: int) -> dict[str, Any]:
        changed = _copy(data)
        old = data.get(step, _MISSING)
        last = depth == len(self.edit.path) - 1
        if last and self.edit.op == "remove":
            changed.pop(step, None)
            return data if old is _MISSING else changed
        if last:
            changed[step] = self.final(old)
        else:
            if old is _MISSING and self.edit.op == "remove":
                return data
            if isinstance(old, TaggedNull):
                raise self.refuse(f"{step} carries the tag {old.tag}", "edit it by hand", depth + 1)
            changed[step] = self.at({} if old is _MISSING or old is None else old, depth + 1)
        return data if changed[step] is old else changed

    def in_list(self, data: list[Any], step: int, depth: int) -> list[Any]:
        if not -len(data) <= step < len(data):
            raise self.refuse(f"the list has {len(data)} items, none with index {step}", depth=depth)
        changed = _copy(data)
        if depth < len(self.edit.path) - 1:
            changed[step] = self.at(data[step], depth + 1)
        elif self.edit.op == "remove":
            del changed[step]
            return changed
        else:
            changed[step] = self.final(data[step])
        return data if changed[step] is data[step] else changed

    def in_pairs(self, data: list[Any], name: str) -> list[Any]:
        """Set or remove NAME in a list of NAME=value."""
        places = [index for index, item in enumerate(data) if isinstance(item, str) and item.partition("=")[0] == name]
        if len(places) > 1:
            raise self.refuse(f"{name} is listed {len(places)} times", "remove the repetitions first")
        changed = _copy(data)
        if self.edit.op == "remove":
            for index in places:
                del changed[index]
            return changed if places else data
        if self.edit.op == "append" or isinstance(self.edit.value, (dict, list)):
            raise self.refuse(f"{name} in a list of NAME=value takes a single value")
        pair = name if self.edit.value is None else f"{name}={_pair_text(self.edit.value)}"
        if not places:
            changed.append(pair)
            return changed
        if str(data[places[0]]) == pair:
            return data
        changed[places[0]] = pair
        return changed

    def final(self, old: Any) -> Any:
        value = self.plain(self.edit.value)
        if self.edit.op == "set":
            return value if old is _MISSING else adopt(old, value)
        if old is _MISSING or old is None:
            return [value]
        if isinstance(old, Mixed):
            return Mixed(old.base, self.final(old.own))
        if not isinstance(old, list):
            raise self.refuse("append needs a list", "use set to replace the value")
        changed = _copy(old)
        changed.append(value)
        return changed

    def plain(self, value: Any) -> Any:
        """Return a value checked: plain Python data, or data of a document, which keeps its tags."""
        if isinstance(value, (Scalar, TaggedNull, TaggedMap, TaggedList)):
            return value
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise self.refuse("keys of the value must be text")
            return {str(key): self.plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        usable = value is None or (
            isinstance(value, (str, int, float)) and (not isinstance(value, float) or math.isfinite(value))
        )
        if not usable:
            raise self.refuse(f"a value of type {type(value).__name__} cannot be written")
        return value


def looks_legacy(data: dict[str, Any]) -> bool:
    """Return True for a Compose version 1 file: services at the root, no `services` key."""
    return any(
        isinstance(value, dict) and ("image" in value or "build" in value)
        for key, value in data.items()
        if key[:2] != "x-"
    )


def dotted(path: Sequence[str | int]) -> str:
    """Return a path as people read it: services.temporal.environment[0]."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else ("." if text else "") + step
    return text


def adopt(old: Any, new: Any) -> Any:
    """Return `new`, with every part that means the same as in `old` taken over from `old` as it is."""
    if isinstance(old, Mixed):
        return Mixed(old.base, adopt(old.own, new))
    if same(old, new):
        return old
    if isinstance(old, dict) and isinstance(new, dict):
        kept = {key: adopt(value, new[key]) for key, value in old.items() if key in new}
        kept.update((key, value) for key, value in new.items() if key not in old)
        return kept
    if isinstance(old, list) and isinstance(new, list):
        shared = min(len(old), len(new))
        head = 0
        while head < shared and same(old[head], new[head]):
            head += 1
        tail = 0
        while tail < shared - head and same(old[-1 - tail], new[-1 - tail]):
            tail += 1
        middle = new[head : len(new) - tail]
        if len(old) == len(new):
            middle = [adopt(one, other) for one, other in zip(old[head:], middle, strict=False)]
        return old[:head] + middle + old[len(old) - tail :]
    return new


def same(found: Any, wanted: Any) -> bool:
    """Return True when data read from a file is what is wanted.

    Args:
        found: data of a document.
        wanted: data of a document or plain Python values. A plain value is met only by a scalar that Compose reads as
            the same value of the same type.
    """
    return difference(found, wanted) is None


def difference(found: Any, wanted: Any, path: tuple[str | int, ...] = ()) -> tuple[str | int, ...] | None:
    """Return the path of the first difference between data found in a file and data wanted, or None."""
    if found is wanted:
        return None
    if isinstance(wanted, (dict, list)) and tag_of(found) != tag_of(wanted):
        return path
    if isinstance(wanted, dict):
        return _difference_in_mapping(found, wanted, path) if isinstance(found, dict) else path
    if isinstance(wanted, list):
        return _difference_in_list(found, wanted, path) if isinstance(found, list) else path
    if isinstance(wanted, Mixed):
        if not isinstance(found, Mixed):
            return path
        place = difference(found.base, wanted.base, path)
        return difference(found.own, wanted.own, path) if place is None else place
    return None if _same_scalar(found, wanted) else path


def _difference_in_mapping(
    found: dict[str, Any], wanted: dict[str, Any], path: tuple[str | int, ...]
) -> tuple[str | int, ...] | None:
    for key, value in wanted.items():
        if key not in found:
            return (*path, key)
        place = difference(found[key], value, (*path, key))
        if place is not None:
            return place
    return next(((*path, key) for key in found if key not in wanted), None)


def _difference_in_list(
    found: list[Any], wanted: list[Any], path: tuple[str | int, ...]
) -> tuple[str | int, ...] | None:
    for index, (one, other) in enumerate(zip(found, wanted, strict=False)):
        place = difference(one, other, (*path, index))
        if place is not None:
            return place
    return None if len(found) == len(wanted) else (*path, min(len(found), len(wanted)))


def _same_scalar(found: Any, wanted: Any) -> bool:
    if isinstance(found, (dict, list, Mixed)) or tag_of(found) != tag_of(wanted):
        return False
    if isinstance(wanted, Scalar):
        if not isinstance(found, Scalar) or str(found) != str(wanted):
            return False
        return found.plain == wanted.plain or (isinstance(resolve(found), str) and not is_ambiguous(str(found)))
    if wanted is None or found is None or isinstance(wanted, TaggedNull):
        return type(found) is type(wanted)
    meaning = resolve(found)
    return type(meaning) is type(wanted) and bool(meaning == wanted)


def _copy(data: _Data) -> _Data:
    copied = data.copy()
    tag = tag_of(data)
    if tag is None:
        return copied
    tagged = type(data)(data)
    setattr(tagged, "tag", tag)  # noqa: B010 # a dict or list with this attribute, see tag_of()
    return tagged


def _pair_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
