# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of which ports are held by others."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.ports import held_ports, overlap


def taken(port: int, address: str = "0.0.0.0", protocol: str = "tcp", **more: Any) -> dict[str, Any]:
    """A port that is taken."""
    return {"protocol": protocol, "address": address, "port": port, **more}


def container(name: str, *ports: dict[str, Any], ours: bool = True, state: str = "running") -> dict[str, Any]:
    """A container that publishes ports."""
    return {"name": name, "service": name, "ours": ours, "oneoff": False, "state": state, "ports": list(ports)}


def held(ports: str, containers: list[dict[str, Any]], sockets: list[dict[str, Any]], local: bool = True) -> list[str]:
    """What stands against recreating `web` with these ports."""
    project = load_project([SourceFile("f", f"services: {{web: {{image: x, ports: {ports}}}}}")])
    return held_ports(project, ["web"], {"containers": containers, "listening": sockets}, local)


def test_what_the_own_container_holds_becomes_free() -> None:
    own = container("web", taken(80), taken(80, "::"))
    proxies = [taken(80, process="docker-proxy (process 7)"), taken(80, "::", process="docker-proxy (process 8)")]
    assert held('["80:80"]', [own], proxies) == []


def test_another_container_is_named() -> None:
    other = container("blog", taken(8080), ours=False)
    assert held('["8080:80"]', [other], []) == ["web: port 8080/tcp is held by container blog"]
    assert held('["8080:80"]', [container("old", taken(8080))], []) == ["web: port 8080/tcp is held by container old"]
    assert held('["8080:80"]', [container("blog", taken(8080), ours=False, state="exited")], []) == []


def test_a_process_is_named_where_it_can_be_seen() -> None:
    assert held('["127.0.0.1:53:53/udp"]', [], [taken(53, "127.0.0.1", "udp", process="dnsmasq (process 9)")]) == [
        "web: port 127.0.0.1:53/udp is held by dnsmasq (process 9)"
    ]
    assert held('["80:80"]', [], [taken(80, process=None)]) == ["web: port 80/tcp is held by a process of another user"]
    assert held('["80:80"]', [], [taken(80, process=None)], local=False) == []


def test_ports_that_the_engine_chooses_are_never_held() -> None:
    assert held('["80", "9000-9010:80"]', [], [taken(80, process=None), taken(9000, process=None)]) == []


@pytest.mark.parametrize(
    ("wanted", "other", "expected"),
    [
        ("", "127.0.0.1", True),
        ("0.0.0.0", "127.0.0.1", True),
        ("127.0.0.1", "0.0.0.0", True),
        ("127.0.0.1", "::", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("0.0.0.0", "::1", False),
        ("::1", "127.0.0.1", False),
        ("::1", "0.0.0.0", False),
    ],
)
def test_addresses(wanted: str, other: str, expected: bool) -> None:
    assert overlap(taken(80, wanted), taken(80, other)) is expected
    assert not overlap(taken(80, wanted, "udp"), taken(80, other))
