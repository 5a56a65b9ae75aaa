# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.config import read_config
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.consequences import consequences
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.keys import keys_of


def found(**values: Any) -> list[tuple[str, str, str]]:
    """Judge values by key (`__` for a point); a tuple is a value with its namespace, a list holds several."""
    data = {}
    for name, given in values.items():
        listed = given if isinstance(given, list) else [given]
        data[name.replace("__", ".")] = [
            {"value": item[0], "constraints": {"namespace": item[1]}} if isinstance(item, tuple) else {"value": item}
            for item in listed
        ]
    config = read_config(yaml.safe_dump(data, sort_keys=False), "dynamic.yaml")
    return [(finding.code, finding.severity, finding.key) for finding in consequences(config, keys_of("1.31.2"))]


COUNT = "frontend.namespaceCount"


@pytest.mark.parametrize(
    ("values", "severity"),
    [
        (1200, None),
        (50, None),
        (49, "high"),
        ([49, (500, "temporal-system")], None),
        ((49, "a"), None),
        ((4, "a"), "high"),
        ((5, "a"), None),
        (0, "critical"),
        ("many", None),
    ],
)
def test_long_polls_need_room_for_pollers_and_for_the_system(values: Any, severity: str | None) -> None:
    assert found(frontend__namespaceCount=values) == ([("TL040", severity, COUNT)] if severity else [])


def test_the_limit_of_the_cluster_is_off_at_0() -> None:
    assert found(frontend__globalNamespaceCount=0) == []
    assert found(frontend__globalNamespaceCount=3) == [("TL040", "high", "frontend.globalNamespaceCount")]


def test_a_limit_of_the_cluster_overrules_that_of_the_instance() -> None:
    overruled = [("TL041", "medium", "frontend.namespaceRPS")]
    assert found(frontend__namespaceRPS=400, frontend__globalNamespaceRPS=800) == overruled
    assert found(frontend__namespaceRPS=400, frontend__globalNamespaceRPS=0) == []
    assert found(frontend__namespaceRPS=400, frontend__globalNamespaceRPS=(800, "a")) == []


def test_the_task_scheduler_limits_only_when_switched_on() -> None:
    cap = "history.taskSchedulerNamespaceMaxQPS"
    idle = [("TL041", "medium", cap)]
    on = {"history__taskSchedulerEnableRateLimiter": True}
    acts = {"history__taskSchedulerEnableRateLimiterShadowMode": False}
    assert found(history__taskSchedulerNamespaceMaxQPS=50) == idle
    assert found(history__taskSchedulerNamespaceMaxQPS=50, **on) == idle
    assert found(history__taskSchedulerNamespaceMaxQPS=50, **acts) == idle
    assert found(history__taskSchedulerNamespaceMaxQPS=50, **on, **acts) == []
    assert found(history__taskSchedulerNamespaceMaxQPS=0) == []


def test_back_off_needs_a_threshold() -> None:
    key = "history.persistenceDynamicRateLimitingParams"
    assert found(history__persistenceDynamicRateLimitingParams={"Enabled": True}) == [("TL041", "medium", key)]
    enough = {"enabled": True, "LatencyThreshold": 50.0}
    assert found(history__persistenceDynamicRateLimitingParams=enough) == []
    assert found(history__persistenceDynamicRateLimitingParams={"Enabled": False}) == []


def test_a_share_of_the_database_is_below_the_whole() -> None:
    whole = {"history__persistenceMaxQPS": 100}
    above = [("TL041", "medium", "history.persistenceNamespaceMaxQPS")]
    assert found(history__persistenceNamespaceMaxQPS=(200, "a"), **whole) == above
    assert found(history__persistenceNamespaceMaxQPS=(50, "a"), **whole) == []
    assert found(history__persistenceNamespaceMaxQPS=200) == []


def test_written_partitions_are_read() -> None:
    unread = [("TL042", "high", "matching.numTaskqueueWritePartitions")]
    assert found(matching__numTaskqueueWritePartitions=8) == unread
    assert found(matching__numTaskqueueWritePartitions=8, matching__numTaskqueueReadPartitions=8) == []
    assert found(matching__numTaskqueueWritePartitions=1, matching__numTaskqueueReadPartitions=8) == []
    # What holds for everybody holds for the namespace that says nothing else.
    read = {"matching__numTaskqueueReadPartitions": [8, (2, "a")]}
    assert found(matching__numTaskqueueWritePartitions=[8, (2, "a")], **read) == []
    assert found(matching__numTaskqueueWritePartitions=[8, (4, "a")], **read) == unread
    assert found(matching__numTaskqueueWritePartitions=(4, "b"), **read) == []


def test_fairness_is_coarse_over_partitions() -> None:
    coarse = [("TL043", "low", "matching.enableFairness")]
    assert found(matching__enableFairness=True) == coarse
    assert found(matching__enableFairness="true") == coarse
    assert found(matching__enableFairness=False) == []
    assert found(matching__enableFairness=True, matching__numTaskqueueReadPartitions=1) == []
