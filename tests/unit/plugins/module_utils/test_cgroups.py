# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _cgroups

CONTAINER = "907fd4861f87dc84c4ca99cc953702a5929203611acc17f50f630a92a1cf73b8"

# Recorded from a container on Linux 6.18 with cgroup v1, shortened to the lines that matter and some that do not.
V1_STAT = """cache 2203648
rss 405504
rss_huge 0
shmem 0
mapped_file 1888256
inactive_anon 0
active_anon 401408
inactive_file 2199552
active_file 4096
unevictable 0
hierarchical_memory_limit 67108864
total_cache 2203648
total_rss 405504
total_inactive_file 2199552
total_active_file 4096
"""
V1 = {
    "memory.usage_in_bytes": "2805760\n",
    "memory.max_usage_in_bytes": "4079616\n",
    "memory.stat": V1_STAT,
}
# As Linux 6.x prints them for a container with cgroup v2 (cgroup-v2.rst, "Memory Interface Files").
V2_STAT = """anon 98304000
file 54525952
kernel 4194304
shmem 20971520
file_mapped 31457280
inactive_anon 119275520
active_anon 81920
inactive_file 12582912
active_file 20971520
unevictable 0
workingset_refault_file 0
"""
V2 = {"memory.current": "157286400\n", "memory.peak": "209715200\n", "memory.stat": V2_STAT}
V2_CPU = "usage_usec 2480123\nuser_usec 1500000\nsystem_usec 980123\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n"

V1_PROCESS = f"""9:name=systemd:/docker/{CONTAINER}
8:pids:/docker/{CONTAINER}
4:memory:/docker/{CONTAINER}
2:cpuacct:/docker/{CONTAINER}
1:cpu:/docker/{CONTAINER}
0::/
"""
V1_JOINT = f"5:cpu,cpuacct:/docker/{CONTAINER}\n4:memory:/docker/{CONTAINER}\n"
V2_SYSTEMD = f"0::/system.slice/docker-{CONTAINER}.scope\n"


def test_v1_memory() -> None:
    assert _cgroups.memory_of(1, V1) == _cgroups.Memory(
        current=2805760 - 2199552, peak=4079616, file_cache=2203648, held=2805760 - 2203648
    )


def test_v2_memory_counts_shared_memory_as_held() -> None:
    assert _cgroups.memory_of(2, V2) == _cgroups.Memory(
        current=157286400 - 12582912, peak=209715200, file_cache=33554432, held=157286400 - 33554432
    )


def test_a_kernel_without_memory_peak_gives_none() -> None:
    assert _cgroups.memory_of(2, {key: value for key, value in V2.items() if key != "memory.peak"}).peak is None


@pytest.mark.parametrize("version", [1, 2])
def test_without_accounts_nothing_is_known(version: int) -> None:
    assert _cgroups.memory_of(version, {}) == _cgroups.Memory(None, None, None, None)
    assert _cgroups.cpu_nanoseconds_of(version, {}) is None


def test_cpu_time_of_both_versions() -> None:
    assert _cgroups.cpu_nanoseconds_of(1, {"cpuacct.usage": "38471263\n"}) == 38471263
    assert _cgroups.cpu_nanoseconds_of(2, {"cpu.stat": V2_CPU}) == 2480123000


@pytest.mark.parametrize(
    ("text", "number"), [("0\n", 0), ("18", 18), ("max\n", None), ("", None), (None, None), ("-1", None), ("x", None)]
)
def test_numbers(text: str | None, number: int | None) -> None:
    assert _cgroups.parse_number(text) == number


def test_meminfo_is_in_bytes() -> None:
    text = "MemTotal:       24683656 kB\nMemAvailable:   24208780 kB\nHugePages_Total:       3\nodd\nBad: x kB\n"
    assert _cgroups.parse_meminfo(text) == {
        "MemTotal": 24683656 * 1024,
        "MemAvailable": 24208780 * 1024,
        "HugePages_Total": 3,
    }


def make(root: Path, *folders: str) -> str:
    for folder in folders:
        (root / folder).mkdir(parents=True)
    return str(root)


def test_finds_v1_accounts(tmp_path: Path) -> None:
    root = make(tmp_path, *(f"{name}/docker/{CONTAINER}" for name in ("memory", "cpuacct", "pids")))
    found = _cgroups.paths_of(V1_PROCESS, CONTAINER, root)
    assert found == _cgroups.Paths(1, *(f"{root}/{name}/docker/{CONTAINER}" for name in ("memory", "cpuacct", "pids")))


def test_v1_controllers_that_are_mounted_together_or_not_at_all(tmp_path: Path) -> None:
    root = make(tmp_path, f"memory/docker/{CONTAINER}", f"cpuacct/docker/{CONTAINER}")
    found = _cgroups.paths_of(V1_JOINT, CONTAINER, root)
    assert found is not None
    assert found.cpu == f"{root}/cpuacct/docker/{CONTAINER}"
    assert _cgroups.read_pids(found) is None


def test_finds_v2_accounts(tmp_path: Path) -> None:
    scope = f"system.slice/docker-{CONTAINER}.scope"
    root = make(tmp_path, scope)
    (tmp_path / "cgroup.controllers").touch()
    for name, text in {**V2, "cpu.stat": V2_CPU, "pids.current": "7\n"}.items():
        (tmp_path / scope / name).write_text(text)
    found = _cgroups.paths_of(V2_SYSTEMD, CONTAINER, root)
    assert found == _cgroups.Paths(2, *[f"{root}/{scope}"] * 3)
    assert _cgroups.read_memory(found) == _cgroups.memory_of(2, V2)
    assert _cgroups.read_cpu_nanoseconds(found) == 2480123000
    assert _cgroups.read_pids(found) == 7


@pytest.mark.parametrize("parent", ["docker", "system.slice"])
def test_finds_accounts_from_another_cgroup_namespace(tmp_path: Path, parent: str) -> None:
    name = CONTAINER if parent == "docker" else f"docker-{CONTAINER}.scope"
    root = make(tmp_path, f"{parent}/{name}")
    (tmp_path / "cgroup.controllers").touch()
    found = _cgroups.paths_of(f"0::/../../{parent}/{name}\n", CONTAINER, root)
    assert found is not None
    assert os.path.samefile(found.memory, tmp_path / parent / name)


def test_a_process_of_something_else_is_not_read(tmp_path: Path) -> None:
    root = make(tmp_path, "memory/user.slice")
    assert _cgroups.paths_of("4:memory:/user.slice\n0::/\n", CONTAINER, root) is None
    assert _cgroups.paths_of("", CONTAINER, root) is None


def test_resident_peaks_are_summed_over_living_processes(tmp_path: Path) -> None:
    for pid, peak in (("10", 2048), ("11", 1024)):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "status").write_text(f"Name:\tx\nVmPeak:\t  99999 kB\nVmHWM:\t  {peak} kB\n")
    (tmp_path / "cgroup.procs").write_text("10\n11\n12\n")
    paths = _cgroups.Paths(2, *[str(tmp_path)] * 3)
    assert _cgroups.resident_peak(paths, str(tmp_path)) == 3072 * 1024


@pytest.mark.parametrize("listed", ["", "\n".join(map(str, range(1, 600)))])
def test_no_or_too_many_processes_give_no_sum(tmp_path: Path, listed: str) -> None:
    (tmp_path / "cgroup.procs").write_text(listed)
    assert _cgroups.resident_peak(_cgroups.Paths(2, *[str(tmp_path)] * 3), str(tmp_path)) is None


def test_a_target_that_is_a_container_has_a_limit_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    for text, limit in (("9223372036854771712\n", None), ("4294967296\n", 4294967296)):
        (tmp_path / "memory/memory.limit_in_bytes").write_text(text)
        assert _cgroups.own_limit(str(tmp_path)) == limit
    (tmp_path / "cgroup.controllers").touch()
    assert _cgroups.own_limit(str(tmp_path)) is None
    for text, limit in (("max\n", None), ("1073741824\n", 1073741824)):
        (tmp_path / "memory.max").write_text(text)
        assert _cgroups.own_limit(str(tmp_path)) == limit
