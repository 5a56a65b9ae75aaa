# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a container carries what the file says; the container is one that Docker 20.10 and Compose 2.26 made."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.in_force import differences

FILE = """services:
  temporal:
    image: temporalio/server:1.31.2
    environment:
      GOMEMLIMIT: 460MiB
    mem_limit: 512m
    mem_reservation: 256m
    cpus: 1.0
    pids_limit: 512
    shm_size: 128m
    healthcheck:
      test: ["CMD-SHELL", "wget -q http://$$(hostname):7243/"]
      interval: 10s
      timeout: 5s
      start_period: 60s
    restart: unless-stopped
    stop_grace_period: 1m
    logging:
      driver: json-file
      options:
        max-size: 10m
        max-file: 3
    security_opt:
      - no-new-privileges:true
    cap_drop:
      - ALL
    ulimits:
      nofile: 65536
"""

SHELL_TEST = "health check test: the file says CMD-SHELL wget -q http://$(hostname):7243/, the container has CMD true"

CONTAINER: dict[str, Any] = {
    "limits": {
        "memory": 536870912,
        "memory_reservation": 268435456,
        "cpus": 1.0,
        "cpu_shares": None,
        "pids": 512,
        "shm_size": 134217728,
        "restart": "unless-stopped",
        "stop_timeout": 60,
        "log_driver": "json-file",
        "log_options": {"max-file": "3", "max-size": "10m"},
        "security_opt": ["no-new-privileges:true"],
        "cap_drop": ["ALL"],
        "cap_add": [],
        "privileged": False,
        "read_only": False,
        "init": None,
        "user": "temporal",
        "ulimits": {"nofile": {"soft": 65536, "hard": 65536}},
        "healthcheck": {
            "test": ["CMD-SHELL", "wget -q http://$(hostname):7243/"],
            "retries": None,
            "interval": 10.0,
            "timeout": 5.0,
            "start_period": 60.0,
            "start_interval": None,
        },
        "env": {"GOMEMLIMIT": "460MiB"},
    }
}


def test_what_compose_made_is_in_force(load_files: Callable[..., Project]) -> None:
    assert differences(load_files(FILE), "temporal", CONTAINER) == []


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("memory", None, "memory limit: the file says 512m, the container has none"),
        ("memory", 2**30, "memory limit: the file says 512m, the container has 1g"),
        ("memory_reservation", None, "memory reservation: the file says 256m, the container has none"),
        ("cpus", None, "CPU limit: the file says 1.0, the container has none"),
        ("cpus", 1.5, "CPU limit: the file says 1.0, the container has 1.5"),
        ("pids", None, "process limit: the file says 512, the container has none"),
        ("shm_size", 67108864, "shm_size: the file says 128m, the container has 64m"),
        ("restart", "no", "restart: the file says unless-stopped, the container has no"),
        ("stop_timeout", None, "stop grace period: the file says 60s, the container has 10s"),
        ("log_driver", "journald", "log driver: the file says json-file, the container has journald"),
        ("log_options", {"max-size": "10m"}, "log option max-file: the file says 3, the container has none"),
        ("security_opt", [], "security_opt: the file says no-new-privileges, the container does not have it"),
        ("cap_drop", [], "cap_drop: the file says ALL, the container does not have it"),
        ("cap_add", ["CAP_SYS_ADMIN"], "cap_add: the container has SYS_ADMIN, the file does not say so"),
        ("privileged", True, "privileged: the file says false, the container has true"),
        ("read_only", True, "read_only: the file says false, the container has true"),
        ("ulimits", {}, "ulimit nofile: the file says (65536, 65536), the container has (None, None)"),
        ("healthcheck", None, "health check: the file says one, the container has none"),
        ("env", {}, "GOMEMLIMIT: the file says 460MiB, the container has none"),
    ],
)
def test_tampering_is_seen(load_files: Callable[..., Project], key: str, value: Any, line: str) -> None:
    container = copy.deepcopy(CONTAINER)
    container["limits"][key] = value
    assert differences(load_files(FILE), "temporal", container) == [line]


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "test",
            ["CMD", "true"],
            SHELL_TEST,
        ),
        ("interval", 30.0, "health check interval: the file says 10s, the container has 30s"),
        ("retries", 60, "health check retries: the file says 3, the container has 60"),
    ],
)
def test_a_changed_health_check_is_seen(load_files: Callable[..., Project], key: str, value: Any, line: str) -> None:
    container = copy.deepcopy(CONTAINER)
    container["limits"]["healthcheck"][key] = value
    assert differences(load_files(FILE), "temporal", container) == [line]


def test_the_deploy_form_and_other_spellings_mean_the_same(load_files: Callable[..., Project]) -> None:
    short = "    mem_limit: 512m\n    mem_reservation: 256m\n    cpus: 1.0\n    pids_limit: 512\n"
    resources = "{limits: {memory: 0.5G, cpus: '1', pids: 512}, reservations: {memory: 256M}}"
    text = FILE.replace(short, f"    deploy: {{resources: {resources}}}\n")
    text = text.replace("- no-new-privileges:true", "- no-new-privileges").replace(
        "1m\n    logging", "60s\n    logging"
    )
    assert differences(load_files(text), "temporal", CONTAINER) == []


def test_what_cannot_be_known_is_not_judged(load_files: Callable[..., Project]) -> None:
    text = FILE.replace("512m", "${MEMORY}").replace("unless-stopped", "${RESTART}").replace("460MiB", "${GO}")
    assert differences(load_files(text), "temporal", CONTAINER) == []


def test_a_plain_service_has_the_engines_defaults(load_files: Callable[..., Project]) -> None:
    plain = {
        "limits": {
            "shm_size": 67108864,
            "restart": "no",
            "log_driver": "journald",
            "healthcheck": {"test": ["CMD", "of-the-image"]},
            "security_opt": ["label=disable"],
        }
    }
    assert differences(load_files("services: {a: {image: nginx}}"), "a", plain) == []


def test_a_check_that_is_switched_off(load_files: Callable[..., Project]) -> None:
    project = load_files("services: {a: {image: nginx, healthcheck: {disable: true}}}")
    assert differences(project, "a", {"limits": {"healthcheck": None}}) == []
    assert differences(project, "a", {"limits": {"healthcheck": {"test": ["CMD", "x"]}}}) == [
        "health check: the file switches it off, the container has one"
    ]
