# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _cgroups, _reader
from ansible_collections.breakwater.stack.plugins.module_utils._cgroups import Memory

MIB = 1 << 20


@pytest.mark.parametrize(
    ("memory", "resident", "peak"),
    [
        # The recorded peak is mostly file cache.
        (Memory(100 * MIB, 900 * MIB, 700 * MIB, 90 * MIB), 120 * MIB, 120 * MIB),
        # Many processes that share memory count it several times.
        (Memory(100 * MIB, 200 * MIB, 10 * MIB, 90 * MIB), 800 * MIB, 200 * MIB),
        # Processes that ended held more than those that live: at least what is held now.
        (Memory(100 * MIB, 200 * MIB, 10 * MIB, 90 * MIB), 5 * MIB, 90 * MIB),
        (Memory(100 * MIB, None, 10 * MIB, 90 * MIB), 120 * MIB, 120 * MIB),
        (Memory(100 * MIB, 200 * MIB, 10 * MIB, 90 * MIB), None, 200 * MIB),
        (Memory(100 * MIB, None, None, None), None, 100 * MIB),
        (Memory(None, None, None, None), None, None),
    ],
)
def test_peak(memory: Memory, resident: int | None, peak: int | None) -> None:
    assert _reader.peak_of(memory, resident) == peak


@pytest.mark.parametrize(
    ("before", "after", "seconds", "cpus"),
    [
        (1_000_000_000, 1_100_000_000, 0.2, 0.5),
        (None, 1, 0.2, None),
        (1, None, 0.2, None),
        (1, 2, 0.0, None),
        (5, 1, 0.2, 0.0),
    ],
)
def test_cpus(before: int | None, after: int | None, seconds: float, cpus: float | None) -> None:
    assert _reader.cpus_of(before, after, seconds) == cpus


@pytest.mark.parametrize(
    ("started", "seconds"),
    [
        ("2026-11-24T09:13:22.707262698Z", 38.0),
        ("2026-11-24T09:15:00Z", 0.0),
        ("0001-01-01T00:00:00Z", None),
        ("", 0.0),
        (None, 0.0),
    ],
)
def test_uptime(started: str | None, seconds: float | None) -> None:
    uptime = _reader.uptime_of(started, 1795511640.0)
    assert uptime == seconds if seconds is not None else uptime > 1e10


def reading() -> dict[str, Any]:
    """A reading with a canary wherever something secret can be."""
    limits = {"memory": 1, "memory_reservation": None, "cpus": 1.0, "pids": 2, "restart": "no"}
    return {
        "project": {
            "directory": "/opt/app",
            "name": "app",
            "files": [{"path": "compose.yml", "sha256": "9f86", "content": "canary"}],
            "env_files": [{"path": ".env", "content": "canary"}],
            "env": {"PASSWORD": "canary"},
            "config_error": """service "canary" refers to 'canary': invalid""",
        },
        "containers": [
            {
                "service": "a",
                "name": "app-a-1",
                "image": "redis",
                "state": "running",
                "health": None,
                "restart_count": 0,
                "oom_killed": False,
                "usage": None,
                "ours": True,
                "limits": {**limits, "healthcheck": {"test": ["CMD", "canary"]}, "env": {"X": "canary"}},
            },
            {"ours": False, "service": "canary"},
        ],
        "host": {"memory": 1},
        "generation": {
            "id": "x",
            "state": "kept",
            "files": [{"path": "p", "status": "after", "after_content": "canary"}],
        },
        "generations": [],
        "lock": None,
    }


def test_the_summary_shows_no_content() -> None:
    summary = _reader.summary(reading())
    assert "canary" not in json.dumps(summary)
    assert summary["project"]["config_error"] == "service '...' refers to '...': invalid"
    assert [item["service"] for item in summary["containers"]] == ["a"]
    assert summary["generation"]["files"] == [{"path": "p", "status": "after"}]


CONTAINER = "907fd4861f87dc84c4ca99cc953702a5929203611acc17f50f630a92a1cf73b8"
#: As a rootless engine and one of the system place a container with cgroup v2 under systemd.
V2_SCOPES = [
    f"system.slice/docker-{CONTAINER}.scope",
    f"user.slice/user-1000.slice/user@1000.service/user.slice/docker-{CONTAINER}.scope",
    f"docker/{CONTAINER}",
]


@pytest.mark.parametrize("scope", V2_SCOPES)
def test_a_container_of_a_host_with_cgroup_v2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: str) -> None:
    folder = tmp_path / scope
    folder.mkdir(parents=True)
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids rdma misc\n")
    recorded = {
        "memory.current": "157286400\n",
        "memory.peak": "209715200\n",
        "memory.stat": "anon 98304000\nfile 54525952\nshmem 20971520\ninactive_file 12582912\nactive_file 20971520\n",
        "cpu.stat": "usage_usec 2480123\nuser_usec 1500000\nsystem_usec 980123\n",
        "pids.current": "7\n",
        "cgroup.procs": "77\n78\n",
    }
    for name, text in recorded.items():
        (folder / name).write_text(text)
    status = "Name:\tpostgres\nVmHWM:\t   70000 kB\n"
    facts = {"/proc/77/cgroup": f"0::/{scope}\n", "/proc/77/status": status, "/proc/78/status": status}
    read_text = _cgroups.read_text
    monkeypatch.setattr(_cgroups, "read_text", lambda path: facts[path] if path in facts else read_text(path))
    monkeypatch.setattr(_reader, "CGROUP_ROOT", str(tmp_path))
    container: dict[str, Any] = {"ours": True, "started": "2026-11-24T09:13:22Z", "usage": None}
    accounts = _reader._open_accounts([{"Id": CONTAINER, "State": {"Pid": 77}}], [container])
    held = _reader._settle_accounts(accounts, time.monotonic() - 1)
    assert held == 157286400 - 33554432
    assert container["usage"].pop("cpus_average") >= 0
    assert container["usage"] == {
        "memory": 157286400 - 12582912,
        "memory_peak": 2 * 70000 * 1024,
        "memory_peak_with_cache": 209715200,
        "file_cache": 33554432,
        "cpus": 0.0,
        "pids": 7,
    }


def test_a_host_with_cgroup_v2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cgroup.controllers").touch()
    monkeypatch.setattr(_reader, "CGROUP_ROOT", str(tmp_path))
    info = {"MemTotal": 8 << 30, "NCPU": 4, "CgroupVersion": "2", "ServerVersion": "27.3.1", "MemoryLimit": True}
    info |= {"SwapLimit": True, "CpuCfsQuota": True, "PidsLimit": True}
    monkeypatch.setattr(_cgroups, "read_text", lambda path: "MemTotal: 8388608 kB\n" if path.endswith("info") else None)
    host = _reader._host(_reader._NO_ENGINE._replace(info=info))
    assert (host["memory"], host["cpus"], host["cgroup"]) == (8 << 30, 4, 2)
    assert all(host["enforces"].values())
    unknown = _reader._host(_reader._NO_ENGINE)
    assert (unknown["cgroup"], unknown["memory"]) == (2, 8 << 30)
