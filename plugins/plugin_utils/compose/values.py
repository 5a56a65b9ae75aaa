# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a service in both of Compose's forms, as Python values."""

from __future__ import annotations

from .expand import resolve
from .origins import Map, Seq, Unresolved
from .short_forms import Port, Volume, parse_port, parse_volume, split_command, strings, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_YES = frozenset(("true", "y", "yes", "on"))
_NO = frozenset(("false", "n", "no", "off"))


def is_unresolved(value: Any) -> bool:
    """Return True when a value or a part of it is Unresolved."""
    if isinstance(value, Map):
        return any(map(is_unresolved, value.values()))
    if isinstance(value, Seq):
        return any(map(is_unresolved, value))
    return isinstance(value, Unresolved)


def style_of(value: Any) -> str | None:
    """Name the form of a value."""
    if value is None:
        return None
    return "map" if isinstance(value, Map) else "list" if isinstance(value, Seq) else "string"


def words(value: Any) -> list[str] | None:
    """Read a command in either form."""
    if value is None or isinstance(value, Seq):
        return None if value is None else strings(value)
    text = text_of(value) or ""
    try:
        return split_command(text)
    except ValueError:
        # Only for a text with an unknown variable in it; others were checked at loading.
        return [text]


def read_flag(value: Any) -> bool | None:
    """Return a boolean as Compose reads it (quoted texts and yes/no count), None for none or an unknown one.

    Raises:
        ValueError: not a boolean.
    """
    if value is None or is_unresolved(value):
        return None
    resolved = resolve(value)
    if isinstance(resolved, bool):
        return resolved
    text = str(resolved).lower()
    if text not in _YES and text not in _NO:
        raise ValueError(f"{text[:60]!r} is not a boolean: expected true or false")
    return text in _YES


def read_integer(value: Any) -> int | None:
    """Return an integer, None for none or an unknown one.

    Raises:
        ValueError: not an integer.
    """
    if value is None or is_unresolved(value):
        return None
    resolved = resolve(value)
    if isinstance(resolved, bool) or not isinstance(resolved, (int, str, float)):
        raise ValueError(
            f"{text_of(value)!r} is not a whole number" if not isinstance(value, (Map, Seq)) else "not a number"
        )
    try:
        number = int(resolved)
    except (ValueError, OverflowError):
        raise ValueError(f"{str(resolved)[:60]!r} is not a whole number") from None
    if number != resolved and not isinstance(resolved, str):
        raise ValueError(f"{resolved!r} is not a whole number")
    return number


def read_ports(item: Any, line: int | None) -> list[Port]:
    """Return the ports of one entry in either form.

    Raises:
        ValueError: not a port.
    """
    if not isinstance(item, Map):
        return parse_port(text_of(item) or "", line)
    target = read_integer(item.get("target"))
    if target is None:
        raise ValueError("a port without target")
    protocol = text_of(item.get("protocol")) or "tcp"
    return [Port(text_of(item.get("host_ip")) or "", text_of(item.get("published")) or "", target, protocol, line)]


def read_volume(item: Any, line: int | None) -> Volume:
    """Return the mount of one entry in either form.

    Raises:
        ValueError: not a mount.
    """
    if not isinstance(item, Map):
        return parse_volume(text_of(item) or "", line)
    target = text_of(item.get("target"))
    kind = text_of(item.get("type"))
    if not target or not kind:
        raise ValueError("a volume without " + ("type" if target else "target"))
    return Volume(text_of(item.get("source")) or "", target, bool(read_flag(item.get("read_only"))), kind, line)
