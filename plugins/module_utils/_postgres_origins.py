# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which container is behind the address of a connection. Pure functions over ``docker inspect``.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_LABEL = "com.docker.compose."


class Origin(NamedTuple):
    """Who is behind an address.

    Attributes:
        name: for people and for counts: the service, or what else is known.
        service: the service of the project, None for everything else.
    """

    name: str
    service: str | None


SOCKET = Origin("(socket)", None)
LOOPBACK = Origin("(its own container)", None)


def origins(inspected: Sequence[Mapping[str, Any]], database: str, project: str) -> dict[str, Origin]:
    """Give who is behind each address that the engine knows.

    Args:
        inspected: running containers as ``docker inspect`` describes them.
        database: id of the database's container.
        project: the name of the project.
    """
    found: dict[str, Origin] = {}
    for item in inspected:
        origin = _origin(item, project)
        for network in _networks(item):
            for key in ("IPAddress", "GlobalIPv6Address"):
                if network.get(key):
                    found[normalise(str(network[key]))] = origin
    for item in inspected:
        if item.get("Id") == database:
            # The engine forwards a published port from the gateway's address, whoever called.
            for network in _networks(item):
                for key in ("Gateway", "IPv6Gateway"):
                    if network.get(key):
                        found.setdefault(normalise(str(network[key])), Origin("(host or published port)", None))
    return found


def _networks(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [network or {} for network in ((item.get("NetworkSettings") or {}).get("Networks") or {}).values()]


def _origin(item: Mapping[str, Any], project: str) -> Origin:
    """Name the container as people know it: by its service, else by its project and service, else by its name."""
    labels = (item.get("Config") or {}).get("Labels") or {}
    service, owner = labels.get(_LABEL + "service"), labels.get(_LABEL + "project")
    if service and owner == project:
        return Origin(str(service), str(service))
    if service and owner:
        return Origin(f"{owner}/{service}", None)
    return Origin(f"container {str(item.get('Name', '')).lstrip('/')}", None)


def normalise(address: str) -> str:
    """Give the one form of an address: IPv4 within IPv6 as IPv4, without a zone; what is no address as it is."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


def origin_of(address: str | None, known: Mapping[str, Origin]) -> Origin:
    """Give who is behind the address of a connection; None is the server's own socket."""
    if address is None:
        return SOCKET
    plain = normalise(address)
    if plain in known:
        return known[plain]
    try:
        if ipaddress.ip_address(plain).is_loopback:
            return LOOPBACK
    except ValueError:
        pass
    return Origin(plain, None)
