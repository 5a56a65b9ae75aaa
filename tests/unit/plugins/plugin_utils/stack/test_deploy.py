# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what has to be deployed, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.deploy import (
    Deployment,
    describe,
    plan_deployment,
    update_arguments,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.deploying import ill_services, judge

TEXT = """
services:
  db: {image: postgres:17, mem_limit: 1g}
  cache: {image: redis:8}
  engine: {image: temporalio/server:1.31.2}
  ui: {image: temporalio/ui:2.54.1}
  schema: {image: temporalio/admin-tools:1.31.2, restart: "no"}
"""
KINDS = {
    "db": "postgres",
    "cache": "redis",
    "engine": "temporal",
    "ui": "temporal-ui",
    "schema": "temporal-schema",
}
PROJECT = load_project([SourceFile("docker-compose.yml", TEXT)])
HASHES = {name: {f"hash of {name}"} for name in KINDS}


def container(service: str, **changes: Any) -> dict[str, Any]:
    """A container that runs as the file says, with changes."""
    limits = {
        "memory": 2**30 if service == "db" else None,
        "restart": "no",
        "shm_size": 64 * 2**20,
        "cpus": None,
        "pids": None,
    }
    found = {
        "id": f"id of {service}",
        "service": service,
        "state": "running",
        "exit_code": 0,
        "config_hash": f"hash of {service}",
        "limits": limits | changes.pop("limits", {}),
    }
    return found | changes


def planned(*changed: dict[str, Any]) -> Deployment:
    """Plan with all services running, some of them changed."""
    containers = {name: container(name) for name in KINDS} | {item["service"]: item for item in changed}
    return plan_deployment(PROJECT, list(containers.values()), HASHES, KINDS)


def stages(deployment: Deployment) -> list[list[str]]:
    """The services of each stage."""
    return [[need.service for need in stage] for stage in deployment.stages]


def test_nothing_differs() -> None:
    deployment = planned()
    assert not deployment.needed
    assert describe(deployment) == []


def test_stages_by_blast_radius() -> None:
    stale = [container(name, config_hash="another") for name in KINDS if name != "schema"]
    assert stages(planned(*stale)) == [["ui"], ["engine"], ["db"], ["cache"]]


def test_a_limit_changed_on_the_container_is_taken_back_without_a_restart() -> None:
    deployment = planned(container("db", limits={"memory": 2**31}))
    assert [need.service for need in deployment.updates] == ["db"]
    assert stages(deployment) == []
    assert deployment.updates[0].reasons == ("memory limit: the file says 1g, the container has 2g",)


def test_what_cannot_be_updated_is_recreated() -> None:
    assert stages(planned(container("db", limits={"shm_size": 2**20}))) == [["db"]]


def test_a_job_that_ended_well_is_not_run_again() -> None:
    deployment = planned(container("schema", state="exited", config_hash="another"))
    assert not deployment.needed
    assert deployment.left == ("schema: has ended well; a job is not run again",)


def test_what_is_stopped_stays_stopped() -> None:
    deployment = planned(container("ui", state="exited", exit_code=137, config_hash="another"))
    assert not deployment.needed
    assert "stays stopped" in deployment.left[0]


def test_a_project_that_is_down_stays_down() -> None:
    containers = [container(name, state="exited", config_hash="another") for name in KINDS]
    deployment = plan_deployment(PROJECT, containers, HASHES, KINDS)
    assert deployment.down
    assert not deployment.needed
    assert "stays down" in describe(deployment)[0]


RAN = {"cache", "ui", "schema"}


def test_what_ran_before_a_broken_deployment_is_started_again() -> None:
    containers = [container("db"), container("engine"), container("ui", state="exited", exit_code=137)]
    containers.append(container("schema", state="exited", exit_code=0))
    deployment = plan_deployment(PROJECT, containers, HASHES, KINDS, ran=RAN)
    assert stages(deployment) == [["ui"], ["cache"]]
    assert deployment.left == ("schema: has ended well; a job is not run again",)


def test_a_project_that_went_down_in_a_broken_deployment_is_started_again() -> None:
    containers = [container(name, state="exited", exit_code=137) for name in KINDS]
    assert stages(plan_deployment(PROJECT, containers, HASHES, KINDS, ran=RAN - {"schema"})) == [["ui"], ["cache"]]
    assert stages(plan_deployment(PROJECT, [], HASHES, KINDS, ran=RAN - {"schema"})) == [["ui"], ["cache"]]


def test_a_daemon_that_was_stopped_well_by_its_engine_is_no_job() -> None:
    project = load_project([SourceFile("docker-compose.yml", "services: {cache: {image: redis:8, restart: always}}")])
    stopped = [container("cache", state="exited", exit_code=0)]
    assert stages(plan_deployment(project, stopped, HASHES, KINDS, ran={"cache"})) == [["cache"]]


def test_either_hash_of_compose_is_in_order() -> None:
    hashes = HASHES | {"engine": {"hash of engine", "deployed alone"}}
    containers = [container(name) for name in KINDS if name != "engine"]
    containers.append(container("engine", config_hash="deployed alone"))
    assert not plan_deployment(PROJECT, containers, hashes, KINDS).needed


@pytest.mark.parametrize(
    ("kind", "options", "promised", "expected"),
    [
        ("postgres", "", None, 60),
        ("temporal", "", 10, 60),
        ("other", "", None, 10),
        ("other", "", 120, 120),
        ("postgres", "stop_grace_period: 5s", None, 5),
        ("postgres", "stop_grace_period: 1m30s", 60, 90),
        ("other", "stop_grace_period: 2500ms", None, 3),
        ("postgres", "stop_grace_period: 5s", 40, 40),
        ("postgres", "stop_grace_period: $UNKNOWN", None, 60),
    ],
)
def test_what_is_replaced_gets_the_time_to_stop_in_order(
    kind: str, options: str, promised: int | None, expected: int
) -> None:
    project = load_project([SourceFile("f", f"services: {{one: {{image: x, {options}}}}}")])
    running = container("one", config_hash="another", limits={"stop_timeout": promised})
    hashes = {"one": {"hash of one"}}
    planned_one = plan_deployment(project, [running], hashes, {"one": kind})
    assert planned_one.stages[0][0].grace == expected
    killed = running | {"state": "exited", "exit_code": 137}
    again = plan_deployment(project, [killed], hashes, {"one": kind}, ran={"one"})
    assert again.stages[0][0].grace == expected


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("db", ["--memory", "1073741824", "--memory-swap", "2147483648"]),
        ("ui", ["--memory", "0", "--memory-swap", "-1"]),
    ],
)
def test_update_arguments(service: str, expected: list[str]) -> None:
    assert update_arguments(PROJECT.services[service])[:4] == expected


def test_a_data_store_is_held_back_where_its_restart_costs_more_than_allowed() -> None:
    stale = [container(name, config_hash="another") for name in KINDS if name != "schema"]
    deployment = plan_deployment(PROJECT, stale, HASHES, KINDS, max_impact="recreate")
    assert stages(deployment) == [["ui"], ["engine"]]
    assert [need.service for need in deployment.held] == ["db", "cache"]
    assert "db: differs, and is held back: datastore_restart is above recreate" in deployment.left
    assert stages(plan_deployment(PROJECT, stale, HASHES, KINDS, max_impact="reload")) == []


def test_an_explicit_swap_limit_is_kept() -> None:
    for text, expected in (("512m", "536870912"), ("1g", "1073741824"), ("-1", "-1")):
        file = SourceFile("f", f'services: {{cache: {{image: redis:8, mem_limit: 512m, memswap_limit: "{text}"}}}}')
        assert update_arguments(load_project([file]).services["cache"])[3] == expected


LASTING = load_project(
    [SourceFile("f", "services: {cache: {image: redis:8, restart: always}, job: {image: x, restart: 'no'}}")]
)


def ended(service: str) -> dict[str, Any]:
    """A container that was killed."""
    return container(service, state="exited", exit_code=137, oom_killed=True, name=service, health=None)


def test_a_container_that_died_after_its_deployment_is_no_success() -> None:
    wrong, waiting, proof = judge(LASTING, [ended("cache")], {"cache"}, ())
    assert wrong == ["cache: has to run and is exited (exit code 137, killed for want of memory)"]
    assert (waiting, proof) == ([], [])
    assert judge(LASTING, [], {"cache"}, ())[0] == ["cache: has to run and has no container"]


def test_what_was_stopped_before_and_what_may_end_are_in_order() -> None:
    assert judge(LASTING, [ended("cache")], (), ())[0] == []
    assert judge(LASTING, [ended("job")], {"job"}, ())[0] == []


def test_what_is_held_back_may_differ() -> None:
    running = container("db", limits={"memory": 2**31}, health="healthy", name="db") | {"oom_killed": False}
    assert judge(PROJECT, [running], {"db"}, {"db"})[0] == []
    assert judge(PROJECT, [running], {"db"}, ())[0] != []


def test_what_was_ill_before_a_restore_may_stay_ill() -> None:
    unhealthy = container("ui", health="unhealthy", name="ui") | {"oom_killed": False}
    restarting = container("cache", state="restarting", exit_code=1, health=None, name="cache")
    starting = container("db", health="starting", name="db") | {"oom_killed": False}
    found = [unhealthy, restarting, starting]
    assert ill_services(found) == ["ui", "cache", "db"]
    assert ill_services([container("db", health=None), container("ui", health="healthy")]) == []
    waiting = judge(PROJECT, found, (), (), {"ui", "cache"})[1]
    assert waiting == ["db: its health check says starting"]
    assert len(judge(PROJECT, found, (), ())[1]) == 3
