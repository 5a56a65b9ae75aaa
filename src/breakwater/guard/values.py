# SPDX-License-Identifier: Apache-2.0
"""The kinds of single values in a policy file."""

from __future__ import annotations

from datetime import timedelta

from breakwater.guard import durations
from breakwater.guard.nodes import Node

#: The word for a limit that is lifted on purpose.
NONE = "none"

#: Workflow ids, types and task queues: the server's limit (limit.maxIDLength, 1000) with room.
_MAXIMUM_NAME = 255


def duration(node: Node) -> timedelta:
    """Read a duration."""
    return node.read(durations.parse, "write 90s, 10m or 1h30m, or a number of seconds")


def number(node: Node, minimum: float, maximum: float) -> float:
    """Read a number within bounds, both included."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not minimum <= value <= maximum:
            raise ValueError
        return float(value)

    return node.read(parse, f"a number from {minimum:g} to {maximum:g}")


def whole(node: Node, maximum: int) -> int:
    """Read a whole number from 1."""

    def parse(value: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= maximum:
            raise ValueError
        return value

    return node.read(parse, f"a whole number from 1 to {maximum}")


def flag(value: object) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise ValueError
    return value


def words(value: object) -> str:
    """Take a text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def pattern(node: Node, name: str) -> str:
    """Check a name, or a beginning with one ``*`` at its end."""
    beginning = name.removesuffix("*")
    if not beginning or "*" in beginning or len(name) > _MAXIMUM_NAME:
        raise node.error(
            f"{name!r} is no pattern", "write a name, or its beginning and one * (the section itself holds for all)"
        )
    return name


def prefix(node: Node, name: str) -> str:
    """Check the beginning of an id."""
    if not name or "*" in name or len(name) > _MAXIMUM_NAME:
        raise node.error(f"{name!r} is no beginning of an id", "write the beginning alone, without *")
    return name
