# SPDX-License-Identifier: Apache-2.0
"""Durations as Go and Temporal's command line write them (``1h30m``, ``10m``, ``1.5s``, ``250ms``), or seconds."""

from __future__ import annotations

import re
from datetime import timedelta

#: What a duration looks like; ``docs/schemas/policy-1.json`` holds the same. Seven digits of hours are still within
#: protobuf's Duration (10,000 years), which is what Temporal's protocol carries.
PATTERN = (
    r"(?=.*[1-9])"
    r"(?:[0-9]{1,7}(?:\.[0-9]{1,3})?h)?"
    r"(?:[0-9]{1,7}(?:\.[0-9]{1,3})?m)?"
    r"(?:[0-9]{1,7}(?:\.[0-9]{1,3})?s)?"
    r"(?:[0-9]{1,7}(?:\.[0-9]{1,3})?ms)?"
)
#: Bounds of a duration given as a number of seconds: a millisecond and ten years.
MINIMUM_SECONDS = 0.001
MAXIMUM_SECONDS = 315_360_000

_WHOLE = re.compile(PATTERN)
_PART = re.compile(r"([0-9.]+)(ms|h|m|s)")
_UNITS = {
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}


def parse(value: object) -> timedelta:
    """Read a duration.

    Args:
        value: a string such as ``1h30m`` or a number of seconds.

    Returns:
        A duration above zero.

    Raises:
        ValueError: it is not a duration, or out of bounds.
    """
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return sum((float(number) * _UNITS[unit] for number, unit in _PART.findall(value)), timedelta())
    if isinstance(value, (int, float)) and not isinstance(value, bool) and MINIMUM_SECONDS <= value <= MAXIMUM_SECONDS:
        return timedelta(seconds=value)
    raise ValueError(f"{value!r} is not a duration")


def text(duration: timedelta) -> str:
    """Write a duration the way it is read.

    Args:
        duration: at least a millisecond.
    """
    milliseconds = round(duration / _UNITS["ms"])
    parts = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
