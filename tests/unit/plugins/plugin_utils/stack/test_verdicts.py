# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project, SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Change, Finding, Settings, Waiver
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack import verdicts
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.deploy import Deployment, Need

FIX = Change("BW-LIM-001", "app", 0, (), "mem_limit: 64m", "share", "recreate", 3.0)
WAIVER = Waiver("BW-LIM-001", "app", "ops", "password: c4n4ry-b1rd", "2027-01-31", "inventory")
HASHES = {"app": {"right"}}


def project(extra: str = "", services: str = "app") -> Project:
    text = f"name: shop\nservices:\n  {services}:\n    image: redis:8\n    restart: always\n{extra}"
    return load_project([SourceFile("docker-compose.yml", text)])


def container(**more: Any) -> dict[str, Any]:
    limits = {"restart": "always", "memory": 0, "pids": 0, "cpus": 0.0}
    usual = {"name": "shop-app-1", "service": "app", "state": "running", "health": None, "exit_code": 0}
    return {**usual, "config_hash": "right", "limits": limits, **more}


def records(one: Project, *containers: dict[str, Any], planned: Project | None = None) -> list[dict[str, Any]]:
    need = Need("app", "other", (), False, ())
    deployment = Deployment((), ((need,),), (), down=False)
    return verdicts.container_records(one, planned or one, containers, HASHES, deployment, one.active_services())


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        ({"fix": FIX}, "planned"),
        ({"fix": FIX, "withheld": "it costs more"}, "withheld"),
        ({"fix": FIX, "waiver": WAIVER, "withheld": "waived by ops until 2027-01-31: x"}, "waived"),
        ({"waiver": WAIVER, "withheld": "waived by ops until 2027-01-31: x"}, "waived"),
        ({"fix": FIX, "waiver": WAIVER}, "planned"),
        ({"waiver": WAIVER}, "expired"),
        ({}, "reported"),
    ],
)
def test_what_becomes_of_a_finding(finding: dict[str, Any], state: str) -> None:
    record = verdicts.finding_record(Finding("BW-LIM-001", "app", 0, 3, "high", "no limit", **finding), "a.yml")
    assert record["state"] == state
    assert (record["control"], record["file"], record["line"]) == ("BW-LIM-001", "a.yml", 3)
    assert "c4n4ry" not in str(record)
    assert (record["fix"] is None) == ("fix" not in finding)


def test_controls_that_were_left_out_are_not_checked() -> None:
    checked = verdicts.checked_controls(Settings(select=frozenset({"BW-LIM"}), ignore=frozenset({"BW-LIM-003"})))
    assert "BW-LIM-001" in checked
    assert not {"BW-LIM-003", "BW-SEC-001"} & set(checked)


def test_the_last_run_says_how_its_files_stand() -> None:
    files = [{"path": "docker-compose.yml", "status": "changed", "before_content": "secret"}]
    generation = {"id": "g1", "state": "kept", "files": files}
    assert verdicts.last_run({"generation": generation}) == {
        "id": "g1",
        "state": "kept",
        "files": {"docker-compose.yml": "changed"},
    }
    assert verdicts.last_run({"generation": None}) is None


@pytest.mark.parametrize(
    ("containers", "kind"),
    [
        ([container()], None),
        ([container(config_hash="other")], "stale"),
        ([container(limits={"restart": "no"})], "changed"),
        ([container(config_hash="other", limits={"restart": "no"})], "stale"),
        ([container(health="starting")], None),
        ([container(health="unhealthy")], "ill"),
        ([container(state="restarting")], "ill"),
        ([container(state="exited", exit_code=137)], "stopped"),
        ([], "gone"),
        ([container(), container(service="old", name="shop-old-1")], "unknown"),
        ([container(), container(service="old", state="exited")], None),
    ],
)
def test_how_containers_stand(containers: list[dict[str, Any]], kind: str | None) -> None:
    found = records(project(), *containers)
    assert [record["kind"] for record in found] == ([kind] if kind else [])
    assert [record["action"] for record in found if record["service"] == "app"] == ["recreate"] * (
        kind not in (None, "unknown")
    )


@pytest.mark.parametrize("extra", ["    profiles: [debug]\n"])
def test_a_service_of_a_profile_that_is_not_active_need_not_run(extra: str) -> None:
    assert records(project(extra)) == []


def test_a_job_that_has_ended_is_as_it_should_be() -> None:
    job = load_project([SourceFile("docker-compose.yml", "name: shop\nservices:\n  app:\n    image: redis:8\n")])
    assert records(job, container(state="exited", exit_code=1)) == []
    assert records(job) == []


def test_a_container_that_still_fits_the_plan_says_so() -> None:
    hand = project("    mem_limit: 1g\n")
    planned = project("    mem_limit: 64m\n")
    running = container(config_hash="old", limits={"restart": "always", "memory": 64 * 2**20})
    (record,) = records(hand, running, planned=planned)
    assert (record["kind"], record["fits_plan"]) == ("stale", True)
    assert record["differs"] == ["memory limit: the file says 1g, the container has 64m"]
    (other,) = records(hand, container(config_hash="old"), planned=planned)
    assert other["fits_plan"] is False


def test_profiles_come_from_the_run_else_from_the_variables() -> None:
    one = project("    profiles: [debug]\n")
    assert verdicts.active_services(one, {}, {}) == []
    assert verdicts.active_services(one, {}, {"COMPOSE_PROFILES": "debug"}) == ["app"]
    assert verdicts.active_services(one, {"profiles": ["debug"]}, {}) == ["app"]
