# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the server can convert a value, and whether the value makes sense.

The conversions follow common/dynamicconfig/collection.go of v1.31.2. Where one fails, the server keeps its default and
says so in a warning at each read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .keys import Setting

# timestamp.ParseDurationDefaultSeconds: Go's units and days, a number alone is seconds.
_DURATION = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+|[-+]?0")
_UNITLESS = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[-+]\d\d:\d\d))?")
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
#: strconv.ParseBool
_BOOLEANS = frozenset(("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"))

_RETRY = {
    "initialintervalinseconds": "duration",
    "maximumintervalcoefficient": "number",
    "backoffcoefficient": "number",
    "maximumattempts": "number",
}
_BACK_OFF = {
    "enabled": "switch",
    "refreshinterval": "duration",
    **dict.fromkeys(("latencythreshold", "errorthreshold", "ratebackoffstepsize"), "number"),
    **dict.fromkeys(("rateincreasestepsize", "ratemultimin", "ratemultimax"), "number"),
}
#: Fields of structures, in lower case as mapstructure compares them (common/retrypolicy/retry_policy.go and
#: common/dynamicconfig/shared_constants.go, v1.31.2). Structures that are not here are only known to be mappings.
FIELDS: dict[str, dict[str, str]] = {
    "history.defaultactivityretrypolicy": _RETRY,
    "history.defaultworkflowretrypolicy": _RETRY,
    **{f"{service}.persistencedynamicratelimitingparams": _BACK_OFF for service in ("frontend", "history")},
    **{f"{service}.persistencedynamicratelimitingparams": _BACK_OFF for service in ("matching", "worker")},
    "history.outboundqueue.circuitbreakersettings": {
        "maxrequests": "number",
        "interval": "duration",
        "timeout": "duration",
    },
    "history.cachebackgroundevict": {"enabled": "switch", "loopinterval": "duration", "maxentrypercall": "number"},
}
_GRADUAL = {"old": "any", "new": "any", "start": "any", "end": "any"}


class Wrong(NamedTuple):
    """What is wrong with a value: `what` completes "the value ...", `remedy` says what to write."""

    what: str
    remedy: str


def conversion_problem(setting: Setting, value: Any) -> Wrong | None:
    """Say why the server cannot convert a value of a key, None when it can.

    Args:
        setting: the key.
        value: plain Python data, None for null.
    """
    kind = setting.type
    if kind == "any":
        return None
    if value is None:
        return None if kind in ("struct", "list") or kind.startswith("gradual") else Wrong("is empty", _EXPECTED[kind])
    fits = _CHECKS[kind]
    if not fits(value):
        return Wrong(f"is {shown(value)}", _EXPECTED[kind])
    if kind == "struct":
        return _struct_problem(FIELDS.get(setting.key.lower(), {}), value)
    if kind.startswith("gradual") and isinstance(value, dict):
        return _gradual_problem(kind, value)
    if kind == "list":
        wanted: type = dict if setting.key.lower().endswith("allowedaddresses") else str
        if not all(isinstance(item, wanted) for item in value):
            what = "a mapping with Pattern and AllowInsecure" if wanted is dict else "text"
            return Wrong(f"is {shown(value)}", f"each item must be {what}")
    return None


def _gradual_problem(kind: str, value: dict[str, Any]) -> Wrong | None:
    """Find a field of a gradual change that cannot be converted (common/dynamicconfig/gradual_change.go, v1.31.2)."""
    wanted = "bool" if kind == "gradual-bool" else "float"
    for name, field in value.items():
        if field is None:
            continue
        if name.lower() in ("old", "new") and not (isinstance(field, bool) if wanted == "bool" else is_number(field)):
            return Wrong(f"has {name}: {shown(field)}", _EXPECTED[wanted])
        is_time = is_number(field) or (isinstance(field, str) and _TIME.fullmatch(field))
        if name.lower() in ("start", "end") and not is_time:
            return Wrong(f"has {name}: {shown(field)}", "write a time such as 2026-01-31T12:00:00Z")
    return None


def unknown_fields(setting: Setting, value: Any) -> list[str]:
    """Name the fields of a structure that the server passes over without a word."""
    known = _GRADUAL if setting.type.startswith("gradual") else FIELDS.get(setting.key.lower())
    if known is None or not isinstance(value, dict):
        return []
    return [name for name in value if name.lower() not in known]


def seconds(value: Any) -> float | None:
    """Return a duration in seconds, None when it is none."""
    if is_number(value):
        return float(value)
    if not isinstance(value, str):
        return None
    if _UNITLESS.fullmatch(value):
        return float(value)
    if not _DURATION.fullmatch(value):
        return None
    total = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(value))
    return -total if value.startswith("-") else total


def is_number(value: Any) -> bool:
    """True for int and float; Python counts booleans as numbers, the server does not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """Show a value to people: JSON-like and short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'the text "{value[:40]}{"..." if len(value) > 40 else ""}"'
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "empty" if value is None else f"{value}"


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value in _BOOLEANS)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "bool": _is_bool,
    "int": _is_int,
    "float": is_number,
    "duration": lambda value: seconds(value) is not None,
    "string": lambda value: isinstance(value, str),
    "map": _is_mapping,
    "struct": _is_mapping,
    "list": lambda value: isinstance(value, list),
    "gradual-bool": lambda value: _is_bool(value) or _is_mapping(value),
    "gradual-int": lambda value: _is_int(value) or _is_mapping(value),
}
_EXPECTED = {
    "bool": "write true or false",
    "int": "write a whole number without quotes",
    "float": "write a number without quotes",
    "duration": "write a duration such as 10s, 500ms, 5m, 24h or 7d",
    "string": "write text, in quotes where it looks like a number",
    "map": "write a mapping",
    "struct": "write a mapping",
    "list": "write a list",
    "gradual-bool": "write true or false, or a mapping with Old, New, Start and End",
    "gradual-int": "write a whole number, or a mapping with Old, New, Start and End",
}


def _struct_problem(fields: dict[str, str], value: dict[str, Any]) -> Wrong | None:
    """Find a field of a structure that cannot be converted; then the server drops the whole value."""
    for name, field in value.items():
        kind = fields.get(name.lower())
        if field is None or kind is None:
            continue
        if kind == "duration" and seconds(field) is None:
            return Wrong(f"has {name}: {shown(field)}", _EXPECTED["duration"])
        if kind == "number" and not is_number(field):
            return Wrong(f"has {name}: {shown(field)}", _EXPECTED["float"])
        if kind == "switch" and not isinstance(field, bool):
            return Wrong(f"has {name}: {shown(field)}", "write true or false without quotes")
    return None
