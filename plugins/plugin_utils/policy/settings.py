# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what the user has decided, from an inventory or from ``breakwater.yml``.

Every value is checked here, once, with the place and what to do in the message.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping

from ...module_utils._units import parse_cpus, parse_size
from .controls import control_ids
from .model import IMPACTS, KINDS, SEVERITIES, Limits, PolicyError, Settings, Waiver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_MIB = 2**20

#: The engine refuses a memory limit below 6 MiB.
SMALLEST_LIMIT = 6 * _MIB


def closest(name: str, known: Iterable[str]) -> str:
    """Return the hint ``did you mean ...?`` for a misspelt name, or the list of names when none is near."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name, names, 1, 0.6)
    return f"did you mean {near[0]}?" if near else "known: " + ", ".join(names[:12])


def resolve_text(value: Any) -> Any:
    """Return a value of a parsed file as plain Python (a scalar of the compose parser knows its own type)."""
    if type(value) in (str, int, float, bool, type(None), dict, list):
        return value
    from ..compose.expand import resolve

    return resolve(value)


class _Reader:
    """Checks values of one source; every error names the source and the key."""

    def __init__(self, source: str) -> None:
        self.source = source

    def fail(self, key: str, reason: str, hint: str = "") -> PolicyError:
        return PolicyError(self.source, key, reason, hint)

    def mapping(self, key: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise self.fail(key, f"is {_type(value)}, not a mapping", f"write {key}: {{name: value}}")
        return {str(name): item for name, item in value.items()}

    def known(self, key: str, names: Iterable[str], known: Iterable[str]) -> None:
        accepted = tuple(known)
        for name in names:
            if name not in accepted:
                raise self.fail(f"{key}.{name}" if key else name, "unknown name", closest(name, accepted))

    def choice(self, key: str, value: Any, choices: tuple[str, ...]) -> str:
        text = resolve_text(value)
        if not isinstance(text, str) or text not in choices:
            raise self.fail(key, f"{_shown(text)} is not one of {', '.join(choices)}")
        return text

    def texts(self, key: str, value: Any) -> list[str]:
        value = resolve_text(value)
        items = re.split(r"[,\s]+", value.strip()) if isinstance(value, str) else value
        if not isinstance(items, (list, tuple, set, frozenset)):
            raise self.fail(key, f"is {_type(value)}, not a list", "write a list of names")
        found = []
        for item in items:
            text = resolve_text(item)
            if not isinstance(text, str):
                raise self.fail(key, f"{_shown(text)} is not a name")
            if text:
                found.append(text)
        return found

    def number(self, key: str, value: Any, read: Callable[[Any], Any]) -> Any:
        value = resolve_text(value)
        if isinstance(value, (dict, list)) or value is None or isinstance(value, bool):
            raise self.fail(key, f"is {_type(value)}, not a value", "write a number or a size such as 512m")
        try:
            return read(value)
        except ValueError as error:
            raise self.fail(key, str(error)) from None


def _type(value: Any) -> str:
    """Name the type of a value as people do."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "a text" if isinstance(value, str) else "a number"


def _shown(value: Any) -> str:
    """Show a value within one line."""
    text = repr(str(value)) if isinstance(value, (str, int, float, bool)) else _type(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _pids(value: Any) -> int:
    """Read a process limit, which may be larger than any number of CPUs."""
    if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
        number = int(value)
        if 16 <= number <= 4194304:
            return number
    raise ValueError(f"{_shown(value)} is not a process limit: a whole number from 16 to 4194304")


def _memory(value: Any) -> int:
    """Read a memory limit that the engine accepts."""
    size = parse_size(value)
    if size < SMALLEST_LIMIT:
        raise ValueError(f"{_shown(value)} is below 6m, the least that the engine accepts")
    return size


def _positive_cpus(value: Any) -> float:
    """Read a CPU limit that limits something."""
    cpus = parse_cpus(value)
    if cpus < 0.01:
        raise ValueError(f"{_shown(value)} is below 0.01, the least that the engine accepts")
    return cpus


_LIMIT_READERS: dict[str, Callable[[Any], Any]] = {
    "memory": _memory,
    "reservation": _memory,
    "cpus": _positive_cpus,
    "pids": _pids,
    "shm_size": parse_size,
}


def _limits(reader: _Reader, key: str, value: Any) -> dict[str, Limits]:
    """Read explicit limits by service."""
    found = {}
    for service, stated in reader.mapping(key, value).items():
        place = f"{key}.{service}"
        entries = reader.mapping(place, stated)
        reader.known(place, entries, Limits._fields)
        values = {name: reader.number(f"{place}.{name}", item, _LIMIT_READERS[name]) for name, item in entries.items()}
        limits = Limits(**values)
        if limits.memory and limits.reservation and limits.reservation > limits.memory:
            raise reader.fail(f"{place}.reservation", "is above the memory limit", "lower it, or raise memory")
        found[service] = limits
    return found


def _controls(reader: _Reader, key: str, value: Any) -> frozenset[str]:
    """Read control ids or beginnings of them."""
    ids = control_ids()
    found = set()
    for name in reader.texts(key, value):
        prefix = name.upper()
        if not any(known == prefix or known.startswith(prefix.rstrip("-*") + "-") for known in ids):
            raise reader.fail(key, f"there is no control {_shown(name)}", closest(prefix, ids))
        found.add(prefix.rstrip("-*"))
    return frozenset(found)


def make_waiver(source: str, key: str, values: Mapping[str, Any]) -> Waiver:
    """Check one waiver.

    Args:
        source: file or inventory that holds it.
        key: the place within it.
        values: control, service (empty for all), owner, reason, until.

    Raises:
        PolicyError: the control is unknown, or owner, reason or a date are missing.
    """
    reader = _Reader(source)
    reader.known(key, values, ("control", "service", "owner", "reason", "until"))
    texts = {}
    for name in ("control", "service", "owner", "reason", "until"):
        value = resolve_text(values.get(name))
        texts[name] = "" if value is None else str(value).strip()
    control_id = texts["control"].upper()
    if control_id not in control_ids():
        hint = closest(control_id, control_ids())
        raise reader.fail(key, f"waives the unknown control {_shown(texts['control'])}", hint)
    for name, example in (("owner", "ops"), ("reason", "migrating"), ("until", "2027-01-31")):
        if not texts[name]:
            raise reader.fail(
                key,
                f"the waiver of {control_id} has no {name}",
                f"a waiver needs owner, reason and until; add {name}={example}",
            )
    if not re.fullmatch(_DATE, texts["until"]):
        raise reader.fail(key, f"until is {_shown(texts['until'])}, not a date", "write it as 2027-01-31")
    return Waiver(control_id, texts["service"], texts["owner"], texts["reason"], texts["until"], f"{source}: {key}")


def _waivers(reader: _Reader, key: str, value: Any) -> tuple[Waiver, ...]:
    """Read the list of waivers."""
    if not isinstance(value, (list, tuple)):
        raise reader.fail(key, f"is {_type(value)}, not a list", "write a list of {control, service, owner, ...}")
    items = []
    for index, item in enumerate(value):
        place = f"{key}[{index}]"
        items.append(make_waiver(reader.source, place, reader.mapping(place, item)))
    return tuple(items)


def _headroom(value: Any) -> float:
    """Read a part between 0 and 2."""
    number = parse_cpus(value)
    if number > 2:
        raise ValueError(f"{_shown(value)} is not a part: 0.2 adds 20 %, 2 is the most")
    return number


def _day(reader: _Reader, key: str, value: Any) -> str:
    """Read a date."""
    text = str(resolve_text(value))
    if not re.fullmatch(_DATE, text):
        raise reader.fail(key, f"{_shown(text)} is not a date", "write it as 2027-01-31")
    return text


def load_settings(data: Mapping[str, Any], source: str) -> Settings:
    """Read settings.

    Args:
        data: ``select``, ``ignore``, ``kinds``, ``limits``, ``reserve``, ``headroom``, ``max_impact``, ``severity``,
            ``waivers``, ``today``; every one may be absent or null.
        source: the file or inventory, for messages.

    Raises:
        PolicyError: an unknown name, a wrong type or an impossible value.
    """
    reader = _Reader(source)
    given = {key: value for key, value in reader.mapping("settings", data).items() if resolve_text(value) is not None}
    reader.known("", reader.mapping("settings", data), [name for name in Settings._fields if name != "source"])
    readers: dict[str, Callable[[str, Any], Any]] = {
        "select": lambda key, value: _controls(reader, key, value),
        "ignore": lambda key, value: _controls(reader, key, value),
        "kinds": lambda key, value: {
            name: reader.choice(f"{key}.{name}", kind, KINDS) for name, kind in reader.mapping(key, value).items()
        },
        "limits": lambda key, value: _limits(reader, key, value),
        "reserve": lambda key, value: reader.number(key, value, parse_size),
        "headroom": lambda key, value: reader.number(key, value, _headroom),
        "max_impact": lambda key, value: reader.choice(key, value, IMPACTS),
        "severity": lambda key, value: reader.choice(key, value, SEVERITIES),
        "waivers": lambda key, value: _waivers(reader, key, value),
        "today": lambda key, value: _day(reader, key, value),
    }
    values = {key: readers[key](key, value) for key, value in given.items()}
    values.setdefault("today", time.strftime("%Y-%m-%d", time.gmtime()))
    return Settings(**values, source=source)


def check_services(settings: Settings, services: Iterable[str]) -> list[str]:
    """Return an error for every service that the settings name and the project does not have."""
    names = list(services)
    errors = []
    waived = {waiver.service: waiver.source for waiver in settings.waivers if waiver.service}
    stated = {f"kinds.{name}": name for name in settings.kinds}
    stated.update({f"limits.{name}": name for name in settings.limits})
    for key, name in stated.items():
        if name not in names:
            errors.append(f"{settings.source}: {key}: the project has no service {name}; {closest(name, names)}")
    for name, source in waived.items():
        if name not in names:
            errors.append(f"{source}: the project has no service {name}; {closest(name, names)}")
    return errors
