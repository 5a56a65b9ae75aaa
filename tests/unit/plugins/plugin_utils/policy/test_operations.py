# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart, logs, stopping and starting in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import HostFacts, Plan

HOST = HostFacts(24 * 2**30, 2)


def service(text: str, name: str = "a") -> dict[str, Any]:
    found = yaml.safe_load(text)["services"][name]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("config", "after"),
    [
        ("image: 'postgres:17'", "unless-stopped"),
        ("image: acme/api, ports: ['80']", "unless-stopped"),
        ("image: 'postgres:17', restart: always", "always"),
        ("image: 'postgres:17', restart: on-failure", "on-failure"),
        ("image: 'postgres:17', restart: 'no'", "no"),
        ("image: 'postgres:17', deploy: {restart_policy: {condition: any}}", None),
        ("image: acme/api", None),
        ("image: temporalio/admin-tools, command: /setup.sh", None),
        ("image: temporalio/admin-tools, tty: true", None),
    ],
)
def test_restart_policy(hardened: Callable[..., str], config: str, after: str | None) -> None:
    assert service(hardened(f"services: {{a: {{{config}}}}}", select=["BW-OPS-001"])).get("restart") == after


@pytest.mark.parametrize(
    ("config", "driver", "after"),
    [
        ("image: nginx", "", {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}),
        ("image: nginx", "local", None),
        ("image: nginx", "journald", None),
        (
            "image: nginx, logging: {driver: loki, options: {loki-url: x}}",
            "",
            {"driver": "loki", "options": {"loki-url": "x"}},
        ),
        (
            "image: nginx, logging: {driver: json-file}",
            "journald",
            {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        ),
        ("image: nginx, logging: {options: {max-size: 1g}}", "", {"options": {"max-size": "1g"}}),
        (
            "image: nginx, logging: {options: {tag: x}}",
            "",
            {"options": {"tag": "x", "max-size": "10m", "max-file": "3"}, "driver": "json-file"},
        ),
    ],
)
def test_log_rotation_leaves_chosen_drivers_alone(
    hardened: Callable[..., str], config: str, driver: str, after: dict[str, Any] | None
) -> None:
    text = hardened(f"services: {{a: {{{config}}}}}", HOST._replace(log_driver=driver), select=["BW-OPS-002"])
    assert service(text).get("logging") == after


@pytest.mark.parametrize(
    ("config", "after"),
    [
        ("image: temporalio/server", "60s"),
        ("image: temporalio/server, stop_grace_period: 30s", "60s"),
        ("image: temporalio/server, stop_grace_period: 2m", "2m"),
        ("image: 'postgres:17'", "60s"),
        ("image: 'postgres:17', stop_grace_period: 20s", "20s"),
        ("image: 'redis:8'", "30s"),
        ("image: nginx, restart: always", None),
    ],
)
def test_stop_grace_period(hardened: Callable[..., str], config: str, after: str | None) -> None:
    assert service(hardened(f"services: {{a: {{{config}}}}}", select=["BW-OPS-003"])).get("stop_grace_period") == after


STACK = """services:
  db:
    image: postgres:17
  setup:
    image: temporalio/admin-tools:1.31.2
    restart: on-failure
    command: /setup.sh
    depends_on: [db]
  temporal:
    image: temporalio/server:1.31.2
    depends_on: [setup, cache]
  cache:
    image: memcached
  ui:
    image: temporalio/ui:2.40.0
    depends_on:
      temporal:
        condition: service_started
"""


def test_start_order_waits_for_health_where_there_is_one(hardened: Callable[..., str]) -> None:
    text = hardened(STACK, select=["BW-HLT", "BW-OPS-004"])
    assert service(text, "setup")["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert service(text, "temporal")["depends_on"] == {
        "setup": {"condition": "service_completed_successfully"},
        "cache": {"condition": "service_started"},
    }
    assert service(text, "ui")["depends_on"] == {"temporal": {"condition": "service_started"}}


def test_nothing_waits_for_a_health_that_is_not_written(hardened: Callable[..., str]) -> None:
    text = hardened(STACK, select=["BW-OPS-004"])
    assert service(text, "setup")["depends_on"] == ["db"]
    assert service(hardened(STACK, max_impact="recreate"), "setup")["depends_on"] == ["db"]


def test_nothing_waits_for_a_check_that_cannot_become_healthy(plan_of: Callable[..., Plan]) -> None:
    broken = STACK.replace(
        "image: temporalio/server:1.31.2", "image: temporalio/server:1.31.2\n    healthcheck: {test: tctl cl h}"
    ).replace("    depends_on:\n      temporal:\n        condition: service_started\n", "    depends_on: [temporal]\n")
    waiting = {c.service: c.summary for c in plan_of(broken).changes if c.control == "BW-OPS-004"}
    assert waiting["ui"] == "depends_on: temporal service_healthy"
    waiting = {
        c.service: c.summary for c in plan_of(broken, ignore=["BW-HLT-002"]).changes if c.control == "BW-OPS-004"
    }
    assert "ui" not in waiting


def test_the_start_order_costs_what_compose_makes_of_it(plan_of: Callable[..., Plan]) -> None:
    """Compose 2.26.1 counts depends_on into the hash of a service, so its container is recreated."""
    changes = [c for c in plan_of(STACK).changes if c.control == "BW-OPS-004"]
    assert {(c.service, c.impact) for c in changes} == {("setup", "none"), ("temporal", "recreate")}
    assert all((c.seconds > 0) == (c.service == "temporal") for c in changes)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("nginx", True),
        ("nginx:latest", True),
        ("nginx:1.27", False),
        ("nginx@sha256:00", False),
        ("nginx:${TAG}", False),
        ("nginx:${TAG:-latest}", True),
        ("registry:5000/nginx", True),
    ],
)
def test_pinned_images(plan_of: Callable[..., Plan], image: str, found: bool) -> None:
    plan = plan_of(f"services: {{a: {{image: '{image}'}}}}", select=["BW-OPS-006"])
    assert bool(plan.findings) is found


@pytest.mark.parametrize(
    ("config", "after"),
    [
        ("image: 'redis:8', ulimits: {nofile: 1024}", 65536),
        ("image: 'redis:8', ulimits: {nofile: {soft: 1024, hard: 4096}}", {"soft": 65536, "hard": 65536}),
        ("image: 'redis:8', ulimits: {nofile: 65535}", 65535),
        ("image: nginx, ulimits: {nofile: 1024}", 1024),
    ],
)
def test_file_descriptors_are_raised_only_where_too_few_are_stated(
    hardened: Callable[..., str], plan_of: Callable[..., Plan], config: str, after: Any
) -> None:
    assert service(hardened(f"services: {{a: {{{config}}}}}"))["ulimits"]["nofile"] == after
    assert not plan_of("services: {a: {image: 'redis:8'}}", select=["BW-OPS-007"]).findings


def test_init_is_reported_for_shells_and_runtimes(plan_of: Callable[..., Plan]) -> None:
    text = "services: {a: {image: acme/api, command: npm start, restart: always}, b: {image: x, restart: always}}"
    plan = plan_of(text, select=["BW-OPS-005"])
    assert [(f.service, f.fix) for f in plan.findings] == [("a", None)]
