# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _containers

# As Docker Engine 20.10 answers, shortened.
INSPECTED: dict[str, Any] = {
    "Id": "907fd4861f87",
    "Name": "/generic-corp-temporal",
    "Image": "sha256:7b6a",
    "RestartCount": 2,
    "State": {
        "Status": "running",
        "OOMKilled": True,
        "ExitCode": 0,
        "StartedAt": "2026-11-24T09:13:22.7Z",
        "Health": {"Status": "unhealthy", "FailingStreak": 3, "Log": []},
    },
    "HostConfig": {
        "Memory": 536870912,
        "MemoryReservation": 268435456,
        "NanoCpus": 1500000000,
        "CpuShares": 512,
        "PidsLimit": 256,
        "ShmSize": 134217728,
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
        "SecurityOpt": ["no-new-privileges:true"],
        "CapDrop": ["ALL"],
        "CapAdd": ["CHOWN"],
        "Privileged": False,
        "ReadonlyRootfs": True,
        "Init": True,
        "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 65536}],
    },
    "Config": {
        "Image": "temporalio/server:1.31.2",
        "User": "1000",
        "StopTimeout": 60,
        "Env": ["PASSWORD=canary=1", "GOMEMLIMIT=460MiB", "GOMAXPROCS=2", "GOMEMLIMITS=x"],
        "Healthcheck": {
            "Test": ["CMD-SHELL", "nc -z localhost 7233"],
            "Interval": 10000000000,
            "Timeout": 5000000000,
            "StartPeriod": 0,
            "Retries": 5,
        },
        "Labels": {
            "com.docker.compose.project": "generic-corp",
            "com.docker.compose.service": "temporal",
            "com.docker.compose.config-hash": "fc3b",
            "com.docker.compose.project.config_files": "/opt/a.yml,/opt/b.yml",
            "com.docker.compose.project.working_dir": "/opt",
            "com.docker.compose.oneoff": "False",
        },
    },
}
NO_LIMITS: dict[str, Any] = {
    "memory": None,
    "memory_reservation": None,
    "cpus": None,
    "cpu_shares": None,
    "pids": None,
    "shm_size": 67108864,
    "restart": "no",
    "stop_timeout": None,
    "log_driver": "json-file",
    "log_options": {},
    "security_opt": [],
    "cap_drop": [],
    "cap_add": [],
    "privileged": False,
    "read_only": False,
    "init": None,
    "user": "",
    "ulimits": {},
    "healthcheck": None,
    "env": {},
}


def test_describes_a_container_of_the_project() -> None:
    described = _containers.describe(INSPECTED, "generic-corp")
    assert described.pop("limits") == {
        "memory": 536870912,
        "memory_reservation": 268435456,
        "cpus": 1.5,
        "cpu_shares": 512,
        "pids": 256,
        "shm_size": 134217728,
        "restart": "on-failure:3",
        "stop_timeout": 60,
        "log_driver": "json-file",
        "log_options": {"max-size": "10m", "max-file": "3"},
        "security_opt": ["no-new-privileges:true"],
        "cap_drop": ["ALL"],
        "cap_add": ["CHOWN"],
        "privileged": False,
        "read_only": True,
        "init": True,
        "user": "1000",
        "ulimits": {"nofile": {"soft": 1024, "hard": 65536}},
        "healthcheck": {
            "test": ["CMD-SHELL", "nc -z localhost 7233"],
            "interval": 10.0,
            "timeout": 5.0,
            "start_period": None,
            "start_interval": None,
            "retries": 5,
        },
        "env": {"GOMEMLIMIT": "460MiB", "GOMAXPROCS": "2"},
    }
    assert described == {
        "id": "907fd4861f87",
        "name": "generic-corp-temporal",
        "service": "temporal",
        "project": "generic-corp",
        "ours": True,
        "oneoff": False,
        "config_hash": "fc3b",
        "config_files": ["/opt/a.yml", "/opt/b.yml"],
        "working_dir": "/opt",
        "image": "temporalio/server:1.31.2",
        "image_id": "sha256:7b6a",
        "state": "running",
        "health": "unhealthy",
        "exit_code": 0,
        "oom_killed": True,
        "started": "2026-11-24T09:13:22.7Z",
        "restart_count": 2,
        "ports": [],
        "usage": None,
    }
    assert "canary" not in str(_containers.describe(INSPECTED, "generic-corp"))


def test_a_container_without_any_limit() -> None:
    inspected = {
        "HostConfig": {
            "Memory": 0,
            "PidsLimit": None,
            "NanoCpus": 0,
            "CpuQuota": 0,
            "ShmSize": 67108864,
            "LogConfig": {"Type": "json-file", "Config": {}},
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        },
        "Config": {"Labels": None, "Env": None},
    }
    described = _containers.describe(inspected, "generic-corp")
    assert described["limits"] == NO_LIMITS
    assert (described["ours"], described["service"], described["config_files"]) == (False, None, [])


def test_an_empty_answer_is_no_traceback() -> None:
    assert _containers.describe({}, "x")["limits"]["restart"] == "no"


@pytest.mark.parametrize(
    ("host", "cpus"),
    [
        ({"NanoCpus": 500000000}, 0.5),
        ({"CpuQuota": 50000, "CpuPeriod": 100000}, 0.5),
        ({"CpuQuota": 200000}, 2.0),
        ({"CpuQuota": -1}, None),
        ({}, None),
    ],
)
def test_cpus(host: dict[str, int], cpus: float | None) -> None:
    assert _containers.cpus_of(host) == cpus


@pytest.mark.parametrize(
    ("check", "expected"), [(None, None), ({}, None), ({"Test": []}, None), ({"Test": ["NONE"]}, None)]
)
def test_no_health_check(check: dict[str, Any] | None, expected: None) -> None:
    assert _containers.healthcheck_of(check) is expected


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ({}, "no"),
        ({"Name": ""}, "no"),
        ({"Name": "unless-stopped", "MaximumRetryCount": 0}, "unless-stopped"),
        ({"Name": "on-failure", "MaximumRetryCount": 0}, "on-failure"),
    ],
)
def test_restart_policies(policy: dict[str, Any], text: str) -> None:
    assert _containers.restart_of(policy) == text
