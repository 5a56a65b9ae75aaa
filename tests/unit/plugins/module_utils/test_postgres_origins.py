# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils._postgres_origins import normalise, origin_of, origins


def container(name: str, service: str, project: str, *addresses: str, **network: str) -> dict[str, Any]:
    labels = {"com.docker.compose.service": service, "com.docker.compose.project": project} if service else {}
    networks = {
        f"n{index}": {"IPAddress": address, "GlobalIPv6Address": "", "Gateway": "", **network}
        for index, address in enumerate(addresses)
    }
    return {
        "Id": f"id-{name}",
        "Name": f"/{name}",
        "Config": {"Labels": labels},
        "NetworkSettings": {"Networks": networks},
    }


KNOWN = origins(
    [
        container("db", "postgres", "corp", "172.18.0.2", "172.19.0.2", Gateway="172.18.0.1", IPv6Gateway="fd00::1"),
        container("t1", "temporal", "corp", "172.18.0.3", GlobalIPv6Address="fd00::3"),
        container("w1", "worker", "corp", "172.18.0.4"),
        container("other", "app", "shop", "172.19.0.9"),
        container("lonely", "", "", "172.18.0.7"),
        container("host", "exporter", "corp"),
        container("stopped", "old", "corp", ""),
    ],
    "id-db",
    "corp",
)


@pytest.mark.parametrize(
    ("address", "name", "service"),
    [
        ("172.18.0.3", "temporal", "temporal"),
        ("::ffff:172.18.0.4", "worker", "worker"),
        ("fd00:0:0::3", "temporal", "temporal"),
        ("172.19.0.9", "shop/app", None),
        ("172.18.0.7", "container lonely", None),
        ("172.18.0.2", "postgres", "postgres"),
        ("172.18.0.1", "(host or published port)", None),
        ("fd00::1", "(host or published port)", None),
        ("127.0.0.1", "(its own container)", None),
        ("203.0.113.9", "203.0.113.9", None),
        ("host.example", "host.example", None),
        (None, "(socket)", None),
    ],
)
def test_addresses_lead_to_services(address: str | None, name: str, service: str | None) -> None:
    assert origin_of(address, KNOWN) == (name, service)


def test_a_zone_is_no_part_of_an_address() -> None:
    assert normalise("fe80::1%eth0") == "fe80::1"


def test_containers_without_network_settings_are_passed_over() -> None:
    assert origins([{"Id": "a"}, {"Id": "b", "NetworkSettings": {"Networks": {"n": None}}}], "a", "corp") == {}
