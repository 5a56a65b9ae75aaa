# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that a deployment needs and others hold. Pure functions.

Compose 2.26.1 removes the old container before it finds that a port of the new one is taken, so this is looked at
before anything is touched.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..compose.project import Project
from .deploy import ALIVE

_EVERY = ("", "0.0.0.0", "::")


def held_ports(project: Project, services: Collection[str], reading: Mapping[str, Any], local: bool) -> list[str]:
    """Return a line for every published port that somebody else holds.

    Args:
        project: the files that are to be deployed.
        services: the services that are to be recreated; what their containers hold becomes free.
        reading: what the target's reader returned.
        local: the engine runs on the host that was read, so that its sockets count.
    """
    freed, taken = _by_containers(services, reading)
    if local:
        # A socket on an address and port that a container publishes is the engine's, for that container.
        known = {_key(port) for port in [*freed, *(port for port, _holder in taken)]}
        sockets = [entry for entry in reading["listening"] if _key(entry) not in known]
        taken += [(entry, entry["process"] or "a process of another user") for entry in sockets]
    lines = []
    for name in services:
        for port in project.services[name].ports:
            wanted = {"protocol": port.protocol, "address": port.host_ip, "port": port.published}
            for entry, holder in taken:
                if str(entry["port"]) == port.published and overlap(wanted, entry):
                    shown = f"{port.host_ip}:{port.published}" if port.host_ip else port.published
                    lines.append(f"{name}: port {shown}/{port.protocol} is held by {holder}")
                    break
    return lines


def _by_containers(
    services: Collection[str], reading: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[tuple[dict[str, Any], str]]]:
    """Return the ports that become free, and those that other containers hold, each with its holder."""
    freed: list[dict[str, Any]] = []
    taken: list[tuple[dict[str, Any], str]] = []
    for container in reading["containers"]:
        if container["state"] not in ALIVE:
            continue
        if container["ours"] and container["service"] in services and not container["oneoff"]:
            freed += container.get("ports", ())
        else:
            taken += [(port, f"container {container['name']}") for port in container.get("ports", ())]
    return freed, taken


def _key(entry: Mapping[str, Any]) -> tuple[str, str, int]:
    return entry["protocol"], entry["address"], entry["port"]


def overlap(wanted: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Return True when an address and protocol cannot be had twice.

    ``::`` takes the port of IPv4 as well; an address of one family leaves the other alone.
    """
    if wanted["protocol"] != held["protocol"]:
        return False
    one, other = wanted["address"], held["address"]
    if one in ("", "::") or other in ("::", one):
        return True
    return (":" in one) == (":" in other) and (one in _EVERY or other in _EVERY)
