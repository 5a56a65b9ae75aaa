# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _reader
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
