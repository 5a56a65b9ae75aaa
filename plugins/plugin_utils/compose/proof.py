# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of an edit: the new text must hold, for every service, the old data plus what was intended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .change import Mixed, difference, dotted, intend
from .document import Document, parse
from .edits import Edit
from .errors import ComposeError, RefusedEdit

# Lists that Compose replaces, and does not append to, where a service extends another.
_REPLACED = frozenset(("command", "entrypoint", "test"))


def prove(old: Document, text: str, target: Any, edits: Sequence[Edit]) -> Document:
    """Return the document of an edited text, or refuse it.

    Args:
        old: the document before the edits.
        text: the edited text.
        target: the data that the edited text must hold.
        edits: the edits, for services that extend others in this file.

    Raises:
        RefusedEdit: the text is not valid, or holds anything else.
    """
    try:
        new = parse(text, old.name)
    except ComposeError as error:
        line = nearest_line(old, edits[0].path)
        raise RefusedEdit(
            old.name, line, f"the edited text would not be valid: {error.reason}", "edit it by hand"
        ) from None
    place = difference(new.data, target)
    if place is not None:
        raise RefusedEdit(
            old.name,
            nearest_line(old, place),
            f"the edit would not give exactly what is wanted at {dotted(place)}",
            "edit it by hand",
        )
    if extends_itself(old):
        _prove_extends(old, new, edits)
    return new


def nearest_line(document: Document, path: tuple[str | int, ...]) -> int | None:
    """Return the line of the deepest part of a path that the document has."""
    for length in range(len(path), 0, -1):
        line = document.line_of(path[:length])
        if line is not None:
            return line
    return None


def _prove_extends(old: Document, new: Document, edits: Sequence[Edit]) -> None:
    before = {**old.data, "services": extended(old)}
    wanted = intend(old, before, edits)["services"]
    found = extended(new)
    place = difference(found, wanted)
    if place is not None:
        path = ("services", *place)
        raise RefusedEdit(
            old.name,
            old.line_of(path[:2]),
            f"service {place[0]} extends another one of this file, and would not get what is wanted at {dotted(path)}",
            "change both in the same call, or edit by hand",
        )


def extends_itself(document: Document) -> bool:
    """Return True when a service extends another one of the same file."""
    services = document.data.get("services")
    return isinstance(services, dict) and any(base_of(document, service) is not None for service in services.values())


def base_of(document: Document, service: Any) -> str | None:
    """Return the name of the service of the same file that a service extends, or None."""
    extends = service.get("extends") if isinstance(service, dict) else None
    if isinstance(extends, str):
        return str(extends)
    if not isinstance(extends, dict):
        return None
    file = extends.get("file")
    if file is not None and str(file).rpartition("/")[2] != document.name.rpartition("/")[2]:
        return None
    name = extends.get("service")
    return str(name) if name is not None else None


def extended(document: Document) -> dict[str, Any]:
    """Return the services with `extends` of the same file expanded.

    This is not Compose's whole merge: it keeps apart what Compose would bring to one form, so that it sees at least the
    changes that Compose would see.
    """
    services = document.data.get("services") or {}
    done: dict[str, Any] = {}
    for name in services:
        chain = [name]
        while True:
            base = base_of(document, services[chain[-1]])
            if base is None or base not in services or base in chain:
                break
            chain.append(base)
        whole: Any = services[chain[-1]]
        for link in reversed(chain[:-1]):
            whole = _join(whole, services[link], "")
        done[name] = whole
    return done


def _join(base: Any, own: Any, key: str) -> Any:
    if isinstance(base, dict) and isinstance(own, dict):
        joined = dict(base)
        for name, value in own.items():
            joined[name] = _join(base[name], value, name) if name in base else value
        return joined
    if own is None or key in _REPLACED:
        return base if own is None else own
    if isinstance(base, list) and isinstance(own, list):
        return [*base, *own]
    if isinstance(base, (dict, list)) or isinstance(own, (dict, list)):
        return Mixed(base, own)
    return own
