# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes, durations and CPU counts as Docker Compose reads and as people write them.

The rules are those of the libraries that Compose uses, so that a value means here what it means there:
sizes follow ``units.RAMInBytes`` of github.com/docker/go-units v0.5.0, durations follow Go's ``time.ParseDuration``.
What the engine could never apply (negative or absurd numbers) is refused where Go would let it pass.
"""

from __future__ import annotations

import math
import re

# One exbibyte. Compose computes in int64; anything near that is a typing error, not memory.
MAX_SIZE = 2**60
# Compose holds a duration in int64 nanoseconds, that is 292 years.
MAX_DURATION = (2**63 - 1) / 1e9
# The largest number of CPUs that a Linux kernel can be built for on x86-64 (NR_CPUS in arch/x86/Kconfig).
MAX_CPUS = 8192

_SIZE_EXPECTED = "expected a size such as 512m, 1g or 536870912 (bytes)"
_DURATION_EXPECTED = "expected a duration such as 30s, 1m30s or 500ms"
_CPUS_EXPECTED = "expected a number of CPUs such as 0.5 or 2"

# Patterns are kept as text and compiled by their first use.
# A number as Go's ParseFloat reads it (decimal), one optional space, a unit of at most three letters.
_SIZE = r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?) ?([a-zA-Z]{0,3})"
_SIZE_UNITS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_DURATION_PART = "([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)"
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "\u00b5s": 10**3,
    "\u03bcs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_CPUS = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"


def _refuse(value: object, expected: str, reason: str = "") -> ValueError:
    """Build the error for a value, shortened so that a line stays a line."""
    shown = repr(str(value)) if isinstance(value, (str, int, float)) else "a " + type(value).__name__
    if len(shown) > 60:
        shown = shown[:57] + "..."
    return ValueError(f"{shown} {reason or 'is not understood'}: {expected}")


def parse_size(value: object) -> int:
    """Return the bytes that a Compose size means.

    Args:
        value: bytes as an int, or text such as ``512m``, ``1gb``, ``0.5g``, ``1GiB`` (all units are powers of 1024).

    Raises:
        ValueError: not a size, negative, or larger than ``MAX_SIZE``; the text says what was expected.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _refuse(value, _SIZE_EXPECTED)
    if isinstance(value, int):
        size: float = value
    else:
        size = _size_of_text(value)
    if size < 0:
        raise _refuse(value, _SIZE_EXPECTED, "is negative")
    if size > MAX_SIZE:
        raise _refuse(value, _SIZE_EXPECTED, "is absurdly large")
    return int(size)


def _size_of_text(value: str) -> float:
    """Read the number and the unit of a size."""
    match = re.fullmatch(_SIZE, value)
    if match is None:
        raise _refuse(value, _SIZE_EXPECTED)
    unit = match.group(2).lower()
    power = _SIZE_UNITS.get(unit[:1])
    if power is None or (unit[1:] not in ("", "b", "ib")) or (power == 0 and len(unit) > 1):
        raise _refuse(value, _SIZE_EXPECTED, f"has the unknown unit {match.group(2)!r}")
    if match.group(1).isdigit():
        # Exact where Go would round through float64: it differs only above 2**53 bytes.
        digits = match.group(1)
        return int(digits) * 1024**power if len(digits) < 25 else float("inf")
    return float(match.group(1)) * 1024.0**power


def format_size(size: int) -> str:
    """Return the shortest exact text for a number of bytes: ``512m``, ``1g``, ``1536m``, ``1000`` (bytes)."""
    if size < 0 or size > MAX_SIZE:
        raise _refuse(size, _SIZE_EXPECTED, "is out of range")
    for unit, shift in (("p", 50), ("t", 40), ("g", 30), ("m", 20), ("k", 10)):
        if size and size % (1 << shift) == 0:
            return f"{size >> shift}{unit}"
    return str(size)


def parse_duration(value: object) -> float:
    """Return the seconds that a Compose duration means.

    Args:
        value: text in Go's form (``1m30s``, ``1h5m30s20ms``, ``1.5s``); a unit is required, except for ``0``.
            Units are ns, us, ms, s, m, h: days and weeks do not exist there.

    Raises:
        ValueError: not a duration, negative, or beyond what Compose can hold; the text says what was expected.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _refuse(value, _DURATION_EXPECTED)
    text = str(value)
    if text.startswith("-"):
        raise _refuse(value, _DURATION_EXPECTED, "is negative")
    text = text.removeprefix("+")
    if text == "0":
        return 0.0
    nanoseconds = 0.0
    position = 0
    while position < len(text):
        match = re.match(_DURATION_PART, text[position:])
        if match is None:
            reason = "has no unit" if text[position:].replace(".", "", 1).isdigit() else ""
            raise _refuse(value, _DURATION_EXPECTED, reason)
        nanoseconds += float(match.group(1)) * _NANOSECONDS[match.group(2)]
        position += match.end()
    if position == 0:
        raise _refuse(value, _DURATION_EXPECTED)
    if nanoseconds / 1e9 > MAX_DURATION:
        raise _refuse(value, _DURATION_EXPECTED, "is absurdly long")
    return nanoseconds / 1e9


def format_duration(seconds: float) -> str:
    """Return a duration as people write it in Compose files: ``60s``, ``1m30s``, ``2m``, ``1h``, ``500ms``."""
    if not 0 <= seconds <= MAX_DURATION:
        raise _refuse(seconds, _DURATION_EXPECTED, "is out of range")
    rest = round(seconds * 1e9)
    if rest % 10**9 == 0 and rest <= 60 * 10**9:
        return f"{rest // 10**9}s"
    if rest < 10**9:
        for unit, scale in (("ms", 10**6), ("us", 10**3)):
            if rest % scale == 0:
                return f"{rest // scale}{unit}"
        return f"{rest}ns"
    hours, rest = divmod(rest, _NANOSECONDS["h"])
    minutes, rest = divmod(rest, _NANOSECONDS["m"])
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    whole, fraction = divmod(rest, 10**9)
    if rest:
        text += f"{whole}" + (f".{fraction:09d}".rstrip("0") if fraction else "") + "s"
    return text


def parse_cpus(value: object) -> float:
    """Return a number of CPUs.

    Args:
        value: an int, a float, or decimal text (``0.5``, ``"2"``). 0 means no limit.

    Raises:
        ValueError: not a number, negative, or more than ``MAX_CPUS``; the text says what was expected.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise _refuse(value, _CPUS_EXPECTED)
    if isinstance(value, str) and re.fullmatch(_CPUS, value) is None:
        raise _refuse(value, _CPUS_EXPECTED)
    try:
        cpus = float(value)
    except OverflowError:
        cpus = float("inf")
    if cpus < 0 or math.isnan(cpus):
        raise _refuse(value, _CPUS_EXPECTED, "is negative" if cpus < 0 else "")
    if cpus > MAX_CPUS:
        raise _refuse(value, _CPUS_EXPECTED, "is absurdly large")
    return cpus


def format_cpus(cpus: float) -> str:
    """Return a number of CPUs with one to three decimals: ``1.0``, ``0.5``, ``1.25``."""
    if not 0 <= cpus <= MAX_CPUS:
        raise _refuse(cpus, _CPUS_EXPECTED, "is out of range")
    text = f"{cpus:.3f}"
    return text[:-2] + text[-2:].rstrip("0")
