# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking the changes of a generation back when people have edited the files since. Pure functions.

The lines that the generation changed are taken back where they still stand as it left them; everything else stays as
people have it. The result of a Compose file is proven by its data: it differs from the text now exactly as the
generation's "before" differs from its "after". Where that cannot be had, nothing is guessed. Files with variables are
lines, and nothing but lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from ..compose.document import parse
from ..compose.errors import ComposeError


class TakeBackRefused(Exception):
    """The changes cannot be taken back without touching what somebody edited since."""


def take_back(name: str, before: str, after: str, current: str) -> str:
    """Return the text that is wanted: `current` without what the generation changed.

    Args:
        name: path of the file, for messages.
        before: the text before the generation.
        after: the text that the generation wrote.
        current: the text as people have it now.

    Raises:
        TakeBackRefused: lines of the generation were edited since, or the result is not what it should be.
    """
    if current == after:
        return before
    result = _three_way(name, before.split("\n"), after.split("\n"), current.split("\n"))
    text = "\n".join(result)
    if name.endswith((".yml", ".yaml")):
        _prove(name, before, after, current, text)
    return text


def take_back_what_stands(name: str, before: str, after: str, current: str) -> str:
    """Return `current` without those changes of the generation that still stand; what was edited since stays.

    Args:
        name, before, after, current: as for :func:`take_back`.
    """
    return "\n".join(_three_way(name, before.split("\n"), after.split("\n"), current.split("\n"), lenient=True))


def _three_way(
    name: str, before: Sequence[str], after: Sequence[str], current: Sequence[str], lenient: bool = False
) -> list[str]:
    """Apply the hunks after -> before to `current`, each where its lines still stand untouched."""
    place = _positions(after, current)
    result: list[str] = []
    copied = 0
    for tag, start, end, first, last in SequenceMatcher(None, after, before, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        try:
            begin, stop = _span(name, after, place, start, end, len(current))
        except TakeBackRefused:
            if lenient:
                continue
            raise
        result.extend(current[copied:begin])
        result.extend(before[first:last])
        copied = stop
    result.extend(current[copied:])
    return result


def _positions(after: Sequence[str], current: Sequence[str]) -> dict[int, int]:
    """Map the lines of `after` that still stand in `current` to their place there."""
    place = {}
    for block in SequenceMatcher(None, after, current, autojunk=False).get_matching_blocks():
        place.update({block.a + offset: block.b + offset for offset in range(block.size)})
    return place


def _span(name: str, after: Sequence[str], place: dict[int, int], start: int, end: int, length: int) -> tuple[int, int]:
    """Find where lines start..end of `after` stand now, in one piece."""
    if start == end:
        if start in place:
            return place[start], place[start]
        if start - 1 in place:
            return place[start - 1] + 1, place[start - 1] + 1
        if not after:
            return length, length
        raise TakeBackRefused(f"{name}: what stood around line {start + 1} was edited since")
    spots = [place.get(number) for number in range(start, end)]
    first = spots[0]
    if first is None or any(spot is None or spot != first + offset for offset, spot in enumerate(spots)):
        raise TakeBackRefused(f"{name}: lines {start + 1} to {end} of the generation were edited since")
    return first, first + (end - start)


def _prove(name: str, before: str, after: str, current: str, result: str) -> None:
    """Check that the data of the result is that of `current` with the generation's changes reversed."""
    try:
        datas = [parse(text, name).data for text in (before, after, current, result)]
    except ComposeError as error:
        raise TakeBackRefused(f"{name}: the result would not be a Compose file ({error.reason})") from None
    old, new, now, got = (_flat(data, ()) for data in datas)
    for path in {*old, *new, *now, *got}:
        states: list[Any] = [data.get(path) for data in (old, new, now, got)]
        if all(isinstance(state, list) for state in states) and _items_taken_back(*states):
            continue
        wanted = old.get(path) if old.get(path) != new.get(path) else now.get(path)
        touched = old.get(path) != new.get(path) and now.get(path) != new.get(path)
        if touched or got.get(path) != wanted:
            raise TakeBackRefused(f"{name}: {'.'.join(map(str, path))} was changed since")


def _items_taken_back(old: Sequence[Any], new: Sequence[Any], now: Sequence[Any], got: Sequence[Any]) -> bool:
    """Say whether a list has the items that people made since, and of the others those from before the generation."""
    before, after, current, result = (Counter(map(repr, items)) for items in (old, new, now, got))
    made, undone = after - before, before - after
    return made <= current and result == current - made + undone


def _flat(data: Any, path: tuple[Any, ...]) -> dict[tuple[Any, ...], Any]:
    """Return the leaves of data by path; lists are leaves, because their items have no names."""
    if isinstance(data, dict) and data:
        found: dict[tuple[Any, ...], Any] = {}
        for key, value in data.items():
            found.update(_flat(value, (*path, key)))
        return found
    return {path: data}
