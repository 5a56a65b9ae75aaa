# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings: every mistake is one clear line with the place and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.budget import GIB, MIB
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import (
    Limits,
    Plan,
    PolicyError,
    Settings,
    Waiver,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.settings import load_settings


def test_everything_that_can_be_said() -> None:
    settings = load_settings(
        {
            "select": ["BW-LIM", "bw-cpl-006"],
            "ignore": "BW-LIM-002, BW-LIM-004",
            "kinds": {"db": "postgres"},
            "limits": {"temporal": {"memory": "512m", "cpus": 1.0, "pids": 300, "reservation": "256m"}},
            "reserve": "2g",
            "headroom": 0.5,
            "max_impact": "recreate",
            "severity": "medium",
            "waivers": [
                {"control": "BW-SEC-008", "service": "db", "owner": "ops", "reason": "vpn", "until": "2027-01-31"}
            ],
            "today": "2026-11-24",
        },
        "breakwater.yml",
    )
    assert settings == Settings(
        frozenset({"BW-LIM", "BW-CPL-006"}),
        frozenset({"BW-LIM-002", "BW-LIM-004"}),
        {"db": "postgres"},
        {"temporal": Limits(512 * MIB, 256 * MIB, 1.0, 300)},
        2 * GIB,
        0.5,
        "recreate",
        "medium",
        (Waiver("BW-SEC-008", "db", "ops", "vpn", "2027-01-31", "breakwater.yml: waivers[0]"),),
        "2026-11-24",
        "breakwater.yml",
    )
    assert settings.selects("BW-LIM-001")
    assert not settings.selects("BW-LIM-002")
    assert not settings.selects("BW-SEC-001")


def test_nothing_said_is_the_defaults_of_today() -> None:
    settings = load_settings({"limits": None}, "inventory")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", settings.today)
    assert settings._replace(today="") == Settings(source="inventory")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"limit": {}}, "inventory: limit: unknown name; did you mean limits?"),
        ({"limits": []}, "inventory: limits: is a list, not a mapping"),
        ({"limits": {"a": "512m"}}, "inventory: limits.a: is a text, not a mapping"),
        ({"limits": {"a": {"memmory": "1g"}}}, "limits.a.memmory: unknown name; did you mean memory?"),
        ({"limits": {"a": {"memory": "lots"}}}, "limits.a.memory: 'lots'"),
        ({"limits": {"a": {"memory": "-1g"}}}, "limits.a.memory:"),
        ({"limits": {"a": {"memory": "1m"}}}, "'1m' is below 6m, the least that the engine accepts"),
        ({"limits": {"a": {"memory": "9999999999g"}}}, "absurdly large"),
        ({"limits": {"a": {"memory": ["1g"]}}}, "limits.a.memory: is a list, not a value"),
        ({"limits": {"a": {"memory": True}}}, "limits.a.memory: is true or false, not a value"),
        ({"limits": {"a": {"cpus": 0}}}, "limits.a.cpus: '0' is below 0.01"),
        ({"limits": {"a": {"cpus": "two"}}}, "limits.a.cpus: 'two'"),
        ({"limits": {"a": {"pids": 1.5}}}, "limits.a.pids: '1.5' is not a process limit"),
        ({"limits": {"a": {"pids": 3}}}, "from 16 to 4194304"),
        (
            {"limits": {"a": {"memory": "256m", "reservation": "512m"}}},
            "limits.a.reservation: is above the memory limit",
        ),
        ({"kinds": {"db": "postgress"}}, "kinds.db: 'postgress' is not one of temporal,"),
        ({"select": ["BW-LIM-999"]}, "there is no control 'BW-LIM-999'; did you mean BW-LIM-00"),
        ({"ignore": {"a": 1}}, "ignore: is a mapping, not a list"),
        ({"max_impact": "restart"}, "max_impact: 'restart' is not one of none, reload, recreate, datastore_restart"),
        ({"severity": 3}, "severity: '3' is not one of"),
        ({"headroom": 20}, "headroom: '20' is not a part"),
        ({"reserve": "some"}, "reserve: 'some'"),
        ({"today": "tomorrow"}, "today: 'tomorrow' is not a date"),
        ({"waivers": {"a": 1}}, "waivers: is a mapping, not a list"),
        ({"waivers": [{"control": "BW-LIM-001"}]}, "waivers[0]: the waiver of BW-LIM-001 has no owner"),
        ({"waivers": [{"control": "BW-LIM-001", "owner": "ops"}]}, "has no reason"),
        ({"waivers": [{"control": "BW-LIM-001", "owner": "ops", "reason": "x"}]}, "has no until"),
        (
            {"waivers": [{"control": "BW-LIM-001", "owner": "ops", "reason": "x", "until": "soon"}]},
            "until is 'soon', not a date",
        ),
        ({"waivers": [{"control": "BW-LIM-01", "owner": "ops"}]}, "unknown control 'BW-LIM-01'; did you mean BW-LIM-0"),
        ({"waivers": [{"control": "BW-LIM-001", "ownr": "ops"}]}, "waivers[0].ownr: unknown name; did you mean owner?"),
    ],
)
def test_mistakes(data: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_settings(data, "inventory")
    assert message in str(caught.value)
    assert str(caught.value).startswith("inventory: ")
    assert "\n" not in str(caught.value)


def test_services_that_do_not_exist_refuse_the_plan(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(
        "services: {temporal: {image: temporalio/server}}",
        limits={"temporl": {"memory": "512m"}},
        kinds={"db": "postgres"},
        waivers=[{"control": "BW-LIM-001", "service": "x", "owner": "o", "reason": "r", "until": "2030-01-01"}],
    )
    text = "\n".join(plan.errors)
    assert "limits.temporl: the project has no service temporl; did you mean temporal?" in text
    assert "kinds.db: the project has no service db" in text
    assert "waivers[0]: the project has no service x" in text
