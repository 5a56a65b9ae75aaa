# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers as ``docker inspect`` describes them, in the few words that readings use. Pure functions.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.breakwater.stack.plugins.module_utils import _ports

# The only variables of containers that a reading carries: they follow limits (Go's memory target and processors).
_ENVIRONMENT = ("GOMEMLIMIT", "GOMAXPROCS")
_LABEL = "com.docker.compose."


def parse_ps(stdout: str) -> list[str]:
    """Give the ids that ``docker ps --format`` printed."""
    return stdout.split()


def describe(inspected: Mapping[str, Any], project: str) -> dict[str, Any]:
    """Describe one container.

    Args:
        inspected: its element of the output of ``docker inspect``.
        project: the name of the project; tells whether the container is "ours".
    """
    config = inspected.get("Config") or {}
    state = inspected.get("State") or {}
    labels = config.get("Labels") or {}
    return {
        "id": inspected.get("Id", ""),
        "name": str(inspected.get("Name", "")).lstrip("/"),
        "service": labels.get(_LABEL + "service"),
        "project": labels.get(_LABEL + "project"),
        "ours": labels.get(_LABEL + "project") == project,
        "oneoff": str(labels.get(_LABEL + "oneoff", "")).lower() == "true",
        "config_hash": labels.get(_LABEL + "config-hash"),
        "config_files": [name for name in str(labels.get(_LABEL + "project.config_files", "")).split(",") if name],
        "working_dir": labels.get(_LABEL + "project.working_dir"),
        "image": config.get("Image"),
        "image_id": inspected.get("Image"),
        "state": state.get("Status"),
        "health": (state.get("Health") or {}).get("Status"),
        "exit_code": state.get("ExitCode"),
        "oom_killed": bool(state.get("OOMKilled")),
        "started": state.get("StartedAt"),
        "restart_count": inspected.get("RestartCount", 0),
        "ports": _ports.published(inspected),
        "limits": limits_of(inspected),
        "usage": None,
    }


def limits_of(inspected: Mapping[str, Any]) -> dict[str, Any]:
    """Give the limits and guards that are in force for a container; None where there is none."""
    host = inspected.get("HostConfig") or {}
    config = inspected.get("Config") or {}
    log = host.get("LogConfig") or {}
    return {
        "memory": _positive(host.get("Memory")),
        "memory_reservation": _positive(host.get("MemoryReservation")),
        "cpus": cpus_of(host),
        "cpu_shares": _positive(host.get("CpuShares")),
        "pids": _positive(host.get("PidsLimit")),
        "shm_size": _positive(host.get("ShmSize")),
        "restart": restart_of(host.get("RestartPolicy") or {}),
        "stop_timeout": config.get("StopTimeout"),
        "log_driver": log.get("Type"),
        "log_options": log.get("Config") or {},
        "security_opt": host.get("SecurityOpt") or [],
        "cap_drop": host.get("CapDrop") or [],
        "cap_add": host.get("CapAdd") or [],
        "privileged": bool(host.get("Privileged")),
        "read_only": bool(host.get("ReadonlyRootfs")),
        "init": host.get("Init"),
        "user": config.get("User") or "",
        "ulimits": {
            item["Name"]: {"soft": item.get("Soft"), "hard": item.get("Hard")} for item in host.get("Ulimits") or []
        },
        "healthcheck": healthcheck_of(config.get("Healthcheck")),
        "env": environment_of(config.get("Env") or []),
    }


def _positive(value: Any) -> int | None:
    """Give a limit; Docker says 0, -1 or null where there is none."""
    return value if isinstance(value, int) and value > 0 else None


def cpus_of(host: Mapping[str, Any]) -> float | None:
    """Give the CPU limit: NanoCpus, or quota by period (cgroup default 100 ms)."""
    nano = _positive(host.get("NanoCpus"))
    if nano is not None:
        return nano / 1e9
    quota = _positive(host.get("CpuQuota"))
    return None if quota is None else quota / (_positive(host.get("CpuPeriod")) or 100_000)


def restart_of(policy: Mapping[str, Any]) -> str:
    """Give a restart policy as Compose writes it ("no", "always", "unless-stopped", "on-failure:3")."""
    name = str(policy.get("Name") or "no")
    retries = _positive(policy.get("MaximumRetryCount"))
    return f"{name}:{retries}" if name == "on-failure" and retries else name


def healthcheck_of(check: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Give a health check with its times in seconds; None without one, or when it is disabled.

    Times that are not set are None: the engine then uses its defaults.
    """
    test = (check or {}).get("Test") or []
    if check is None or not test or test[0] == "NONE":
        return None
    times = {
        "interval": "Interval",
        "timeout": "Timeout",
        "start_period": "StartPeriod",
        "start_interval": "StartInterval",
    }
    return {
        "test": list(test),
        "retries": _positive(check.get("Retries")),
        **{name: None if not check.get(key) else check[key] / 1e9 for name, key in times.items()},
    }


def environment_of(pairs: Sequence[str]) -> dict[str, str]:
    """Give the variables that follow limits."""
    split = (pair.partition("=") for pair in pairs)
    return {name: value for name, _equals, value in split if name in _ENVIRONMENT}
