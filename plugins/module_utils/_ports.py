# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports of a host are taken: by containers, and by any process that listens.

This module util is PRIVATE to the collection. The format of ``/proc/net`` is that of proc_pid_net(5): addresses are
words in the byte order of the machine.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from typing import Any

# Protocol, and the state in which a socket of it waits: LISTEN (0A), or for UDP not connected (07).
_TABLES = {"tcp": ("tcp", "0A"), "tcp6": ("tcp", "0A"), "udp": ("udp", "07"), "udp6": ("udp", "07")}


def published(inspected: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the ports that a container takes on its host while it runs.

    Args:
        inspected: its element of the output of ``docker inspect``.
    """
    bound = (inspected.get("NetworkSettings") or {}).get("Ports") or {}
    found = []
    for target, bindings in bound.items():
        for binding in bindings or []:
            if str(binding.get("HostPort", "")).isdigit():
                protocol = target.partition("/")[2] or "tcp"
                entry = {"protocol": protocol, "address": binding.get("HostIp") or "0.0.0.0"}
                found.append({**entry, "port": int(binding["HostPort"])})
    return found


def listening(proc: str = "/proc") -> list[dict[str, Any]]:
    """Give the sockets that wait for clients, with the process that holds each where this user may see it.

    Args:
        proc: the folder of the kernel's process table.
    """
    found: dict[str, dict[str, Any]] = {}
    for table, (protocol, state) in _TABLES.items():
        try:
            with open(f"{proc}/net/{table}", encoding="ascii") as file:
                lines = file.read().splitlines()[1:]
        except OSError:
            continue
        for fields in (line.split() for line in lines):
            if len(fields) > 9 and fields[3] == state:
                address, _colon, port = fields[1].partition(":")
                entry = {"protocol": protocol, "address": address_of(address), "port": int(port, 16)}
                found[fields[9]] = {**entry, "process": None}
    _name_holders(proc, found)
    return list(found.values())


def address_of(text: str) -> str:
    """Read an address as the kernel writes it: ``0100007F`` is 127.0.0.1."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _name_holders(proc: str, sockets: Mapping[str, dict[str, Any]]) -> None:
    """Fill in the processes that hold sockets. Those of other users are only seen by root."""
    wanted = {f"socket:[{inode}]": entry for inode, entry in sockets.items()}
    for pid in os.listdir(proc) if wanted else []:
        held = [wanted[link] for link in _links(f"{proc}/{pid}/fd") if link in wanted] if pid.isdigit() else []
        # A process may end while it is looked at.
        with contextlib.suppress(OSError):
            for entry in held:
                with open(f"{proc}/{pid}/comm", encoding="utf-8", errors="replace") as file:
                    entry["process"] = f"{file.read().strip()} (process {pid})"


def _links(folder: str) -> Iterator[str]:
    """Give where the links of a folder lead; those that may not be read or are gone are left out."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        with contextlib.suppress(OSError):
            yield os.readlink(f"{folder}/{name}")
