# SPDX-License-Identifier: GPL-3.0-or-later
"""Privileges, exposure and secrets: what is reported, and the little that is changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Plan

CANARY = "c4n4ry-Pa55"


@pytest.mark.parametrize(
    ("control", "config", "message"),
    [
        ("BW-SEC-003", "image: 'redis:8'", "can write to its own root file system"),
        ("BW-SEC-004", "image: nginx, user: root", "runs as root"),
        ("BW-SEC-004", "image: nginx, user: '0:0'", "runs as root"),
        ("BW-SEC-005", "image: nginx, privileged: true", "is privileged"),
        (
            "BW-SEC-006",
            "image: x, volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']",
            "read-only does not help",
        ),
        ("BW-SEC-007", "image: x, network_mode: host, pid: host", "shares the host's network, pid namespace"),
        ("BW-SEC-008", "image: 'postgres:17', ports: ['5432:5432']", "publishes 5432 on every address"),
        ("BW-SEC-008", "image: 'redis:8', ports: ['10.0.0.1:6379:6379']", "publishes 6379 on 10.0.0.1"),
        ("BW-SEC-009", "image: x, environment: {DB_PASSWORD: hunter2}", "DB_PASSWORD holds a secret as plain text"),
        ("BW-SEC-009", "image: x, environment: ['U=redis://:pw@h/0']", "U holds a password in its URL"),
        ("BW-SEC-010", "image: x, cap_add: [CAP_SYS_ADMIN]", "has the capabilities SYS_ADMIN"),
        ("BW-SEC-010", "image: x, security_opt: ['seccomp:unconfined']", "confinement lifted: seccomp:unconfined"),
    ],
)
def test_reports(plan_of: Callable[..., Plan], control: str, config: str, message: str) -> None:
    plan = plan_of(f"services: {{a: {{{config}}}}}", select=[control])
    assert len(plan.findings) == 1
    assert message in plan.findings[0].message
    assert plan.findings[0].fix is None


@pytest.mark.parametrize(
    ("control", "config"),
    [
        ("BW-SEC-004", "image: nginx, user: '1000'"),
        ("BW-SEC-005", "image: nginx, privileged: false"),
        ("BW-SEC-006", "image: x, volumes: ['./docker:/docker']"),
        ("BW-SEC-007", "image: x, network_mode: bridge"),
        ("BW-SEC-008", "image: 'postgres:17', ports: ['127.0.0.1:5432:5432']"),
        ("BW-SEC-008", "image: 'postgres:17', ports: ['5432']"),
        ("BW-SEC-008", "image: nginx, ports: ['80:80']"),
        (
            "BW-SEC-009",
            "image: x, environment: ['DB_PASSWORD=${DB_PASSWORD:-x}', PASSWORD_FILE=/run/secrets/p, TOKEN=]",
        ),
        ("BW-SEC-009", "image: x, environment: {URL: 'redis://h/0', TOKEN_TTL: 60, MONKEY: a, TOKEN: }"),
        ("BW-SEC-010", "image: x, cap_add: [NET_BIND_SERVICE]"),
    ],
)
def test_nothing_to_report(plan_of: Callable[..., Plan], control: str, config: str) -> None:
    assert plan_of(f"services: {{a: {{{config}}}}}", select=[control]).findings == ()


def test_no_secret_is_ever_shown(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(
        "services:\n"
        f"  db: {{image: 'postgres:17', environment: [POSTGRES_PASSWORD={CANARY}]}}\n"
        f"  redis: {{image: 'redis:8', command: redis-server --requirepass {CANARY}}}\n"
        f"  bitnami: {{image: bitnami/redis, environment: {{REDIS_PASSWORD: {CANARY}}}}}\n"
        f"  app: {{image: x, environment: {{DATABASE_URL: 'postgresql://u:{CANARY}@db/app'}}}}\n"
    )
    assert plan.findings
    shown = [f.message + f.withheld for f in plan.findings]
    shown += [c.summary + c.reason for c in plan.changes]
    shown += [*plan.errors, *(plan.budget.arithmetic if plan.budget else ())]
    assert CANARY not in "\n".join(shown)


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ("image: 'postgres:17'", ["no-new-privileges:true"]),
        ("image: 'redis:8', security_opt: ['apparmor:x']", ["apparmor:x", "no-new-privileges:true"]),
        ("image: 'redis:8', security_opt: [no-new-privileges]", ["no-new-privileges"]),
        ("image: 'redis:8', security_opt: ['no-new-privileges=true']", ["no-new-privileges=true"]),
        ("image: 'redis:8', security_opt: ['no-new-privileges:false']", ["no-new-privileges:false"]),
        ("image: acme/api", None),
    ],
)
def test_no_new_privileges(hardened: Callable[..., str], config: str, options: list[str] | None) -> None:
    text = hardened(f"services: {{a: {{{config}}}}}", select=["BW-SEC-001"])
    assert yaml.safe_load(text)["services"]["a"].get("security_opt") == options


@pytest.mark.parametrize(
    ("config", "dropped"),
    [
        ("image: temporalio/server", ["ALL"]),
        ("image: temporalio/ui", ["ALL"]),
        ("image: temporalio/server, user: root", None),
        ("image: temporalio/server, cap_add: [NET_ADMIN]", None),
        ("image: temporalio/server, cap_drop: [NET_RAW]", ["NET_RAW"]),
        ("image: 'postgres:17'", None),
        ("image: acme/api, restart: always", None),
    ],
)
def test_capabilities(hardened: Callable[..., str], config: str, dropped: list[str] | None) -> None:
    text = hardened(f"services: {{a: {{{config}}}}}", select=["BW-SEC-002"])
    assert yaml.safe_load(text)["services"]["a"].get("cap_drop") == dropped


def test_a_finding_stands_at_its_line(plan_of: Callable[..., Plan]) -> None:
    text = (
        "services:\n  a:\n    image: postgres:17\n    ports:\n      - '127.0.0.1:1:1'\n      - '5432:5432'\n"
        "    environment:\n      - X=1\n      - DB_PASSWORD=x\n"
    )
    plan = plan_of(text, select=["BW-SEC-008", "BW-SEC-009"])
    assert [f.line for f in plan.findings] == [6, 9]
