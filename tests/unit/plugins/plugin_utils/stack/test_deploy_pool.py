# SPDX-License-Identifier: GPL-3.0-or-later
"""The pooler in the order of a deployment: it always has to run, and its clients follow it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.deploy import Pool, plan_deployment

from .test_deploy import HASHES, KINDS, PROJECT, container

POOL = Pool("cache", ("engine", "ui"))


def stages(running: dict[str, dict[str, Any]], pool: Pool | None) -> list[list[str]]:
    deployment = plan_deployment(PROJECT, list(running.values()), HASHES, KINDS, pool=pool)
    return [[need.service for need in stage] for stage in deployment.stages]


def test_clients_follow_the_pooler_one_by_one() -> None:
    stale = {name: container(name, config_hash="old") for name in KINDS if name != "schema"}
    assert stages(stale, POOL) == [["cache"], ["engine"], ["ui"], ["db"]]
    assert stages(stale, None) == [["ui"], ["engine"], ["db"], ["cache"]]


@pytest.mark.parametrize("state", [None, "exited"])
def test_a_pooler_that_does_not_run_is_started(state: str | None) -> None:
    running = {name: container(name) for name in KINDS if name != "cache"}
    if state:
        running["cache"] = container("cache", state=state, exit_code=137)
    assert stages(running, POOL) == [["cache"]]
    assert stages(running, None) == []


def test_a_project_that_is_down_stays_down() -> None:
    assert stages({}, POOL) == []
