# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest

from breakwater.exits import UsageError
from breakwater.host import describe, host_facts


def test_stated_facts_are_said_to_be_stated() -> None:
    host = host_facts("24g", "2")
    assert (host.memory, host.cpus) == (24 * 2**30, 2.0)
    assert describe(host) == "host: 24g of memory, 2 CPUs (--host-memory and --host-cpus)"


def test_this_machine() -> None:
    host = host_facts(None, None)
    assert host.cpus == os.cpu_count()
    with open("/proc/meminfo", encoding="ascii") as file:
        assert host.memory // 1024 == int(file.readline().split()[1])
    assert "(this machine)" in describe(host)


def test_half_stated() -> None:
    assert "(--host-memory and cpus of this machine)" in describe(host_facts("4g", None))
    assert "(memory of this machine and --host-cpus)" in describe(host_facts(None, "4"))


@pytest.mark.parametrize(("memory", "cpus"), [("lots", None), (None, "two"), ("0", None), (None, "0"), ("-1g", None)])
def test_impossible_hosts_are_wrong_usage(memory: str | None, cpus: str | None) -> None:
    with pytest.raises(UsageError, match="--host-"):
        host_facts(memory, cpus)
