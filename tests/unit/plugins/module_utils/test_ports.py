# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what listens on a host."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils._ports import address_of, listening, published

INSPECTED = {
    "NetworkSettings": {
        "Ports": {
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostIp": "::1", "HostPort": "8080"}],
            "53/udp": [{"HostIp": "", "HostPort": "53"}],
            "9000/tcp": None,
        }
    }
}


def test_published() -> None:
    assert published(INSPECTED) == [
        {"protocol": "tcp", "address": "127.0.0.1", "port": 8080},
        {"protocol": "tcp", "address": "::1", "port": 8080},
        {"protocol": "udp", "address": "0.0.0.0", "port": 53},
    ]
    assert published({}) == []


@pytest.mark.skipif(sys.byteorder == "big", reason="the texts are those of a little-endian machine")
@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0100007F", "127.0.0.1"),
        ("00000000", "0.0.0.0"),
        ("00000000000000000000000001000000", "::1"),
        ("B80D01200000000000000000010000AA", "2001:db8::aa00:1"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    assert address_of(text) == address


def test_what_this_process_listens_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = [entry for entry in listening() if entry["port"] == port and entry["address"] == "127.0.0.1"]
    assert [entry["protocol"] for entry in found] == ["tcp"]
    assert str(os.getpid()) in found[0]["process"]


def test_a_host_without_these_tables(tmp_path: os.PathLike[str]) -> None:
    assert listening(str(tmp_path)) == []
