# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits: where they are written, what they are, and when they are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import HostFacts, Plan, Usage

MIB = 2**20
GIB = 2**30
TEMPORAL = "services:\n  temporal:\n    image: temporalio/server:1.31.2\n"


def summaries(plan: Plan, control: str) -> dict[str, str]:
    return {change.service: change.summary for change in plan.changes if change.control == control}


def test_the_inventory_value_of_the_incident(hardened: Callable[..., str]) -> None:
    text = hardened(TEMPORAL, limits={"temporal": {"memory": "512m", "cpus": 1.0}}, select=["BW-LIM"])
    assert text == TEMPORAL + "    mem_limit: 512m\n    mem_reservation: 256m\n    cpus: 1.0\n    pids_limit: 512\n"


def test_without_it_the_budget_says(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(TEMPORAL)
    assert summaries(plan, "BW-LIM-001") == {"temporal": "mem_limit: 2g"}
    assert plan.budget is not None
    row = plan.budget.row("temporal")
    assert row is not None
    assert (row.limit, row.stated) == (2 * GIB, "budget")


def test_without_a_host_only_what_is_stated_is_written(plan_of: Callable[..., Plan]) -> None:
    text = "services: {a: {image: 'postgres:17'}, b: {image: 'redis:8'}}"
    plan = plan_of(text, None, limits={"a": {"memory": "1g"}}, select=["BW-LIM-001", "BW-LIM-003"])
    assert [(c.control, c.service) for c in plan.changes] == [("BW-LIM-001", "a")]
    assert plan.budget is None
    messages = {f.service: f.message for f in plan.findings if f.control == "BW-LIM-001"}
    assert messages["b"] == "has no memory limit; the host's memory is not known"


def test_limits_of_the_file_stand(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(
        "services:\n"
        "  a: {image: 'postgres:17', mem_limit: 700m, mem_reservation: 100m, cpus: 0.7, pids_limit: 333}\n"
        "  b: {image: 'redis:8', deploy: {resources: {limits: {memory: 300M, cpus: '0.3', pids: 99}, "
        "reservations: {memory: 50M}}}}\n"
        "  c: {image: nginx, cpu_quota: 50000, mem_limit: '${MEMORY}', mem_reservation: 10m, pids_limit: 5}\n",
        select=["BW-LIM"],
    )
    assert plan.changes == ()
    assert plan.budget is not None
    assert [(row.service, row.limit // MIB) for row in plan.budget.rows] == [("a", 700), ("b", 300)]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("services: {a: {image: 'redis:8', cpus: 0.5}}", ("mem_limit",)),
        (
            "services: {a: {image: 'redis:8', deploy: {resources: {limits: {cpus: '0.5'}}}}}",
            ("deploy", "resources", "limits", "memory"),
        ),
        (
            "services: {a: {image: 'redis:8'}, b: {image: nginx, deploy: {resources: {limits: {memory: 1g}}}}}",
            ("deploy", "resources", "limits", "memory"),
        ),
        (
            "services: {a: {image: 'redis:8'}, b: {mem_limit: 1g}, c: {deploy: {resources: {limits: {memory: 1g}}}}}",
            ("mem_limit",),
        ),
        ("services: {a: {image: 'redis:8'}}", ("mem_limit",)),
    ],
)
def test_limits_go_where_the_file_keeps_them(hardened: Callable[..., str], text: str, path: tuple[str, ...]) -> None:
    value = yaml.safe_load(hardened(text, select=["BW-LIM"]))["services"]["a"]
    for step in path:
        value = value[step]
    assert value == "512m"


def test_cpus_are_text_in_the_deploy_form(hardened: Callable[..., str]) -> None:
    text = (
        "services:\n  a:\n    image: redis:8\n    deploy:\n      resources:\n        limits:\n          memory: 512m\n"
    )
    limits = yaml.safe_load(hardened(text, select=["BW-LIM"]))["services"]["a"]["deploy"]["resources"]
    assert limits == {
        "limits": {"memory": "512m", "cpus": "0.5", "pids": 128},
        "reservations": {"memory": "256m"},
    }


def test_an_override_keeps_what_it_says(load_files: Callable[..., Project], plan_of: Callable[..., Plan]) -> None:
    project = load_files(TEMPORAL, "services:\n  temporal:\n    mem_limit: 1g\n")
    plan = plan_of(project, limits={"temporal": {"memory": "512m"}}, select=["BW-LIM-001", "BW-LIM-003"])
    assert [(c.control, c.file) for c in plan.changes] == [("BW-LIM-001", 1), ("BW-LIM-003", 1)]


USAGE = Usage(memory_now=600 * MIB, memory_peak=650 * MIB, cpus_now=0.8, pids=40)


def test_a_limit_below_what_is_used_is_refused_with_both_numbers(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(TEMPORAL, usage={"temporal": USAGE}, limits={"temporal": {"memory": "512m", "cpus": 0.5}})
    memory, cpu = plan.errors
    assert "512m" in memory
    assert "600m now, 650m at its peak, + 20 % = 780m" in memory
    assert "set limits.temporal.memory to 832m" in memory
    assert "the CPU limit 0.5 (breakwater.yml) is below the 0.80 CPUs" in cpu


def test_the_peak_counts_without_file_cache(plan_of: Callable[..., Plan]) -> None:
    usage = Usage(200 * MIB, 10 * GIB, 0.1, 10, file_cache=10 * GIB - 300 * MIB)
    assert plan_of(TEMPORAL, usage={"temporal": usage}, limits={"temporal": {"memory": "384m"}}).errors == ()
    assert plan_of(TEMPORAL, usage={"temporal": usage}, limits={"temporal": {"memory": "320m"}}).errors != ()


def test_a_limit_that_is_in_force_is_not_refused_for_its_peak(plan_of: Callable[..., Plan]) -> None:
    text = TEMPORAL + "    mem_limit: 512m\n    cpus: 1.0\n"
    full = Usage(500 * MIB, 512 * MIB, 1.04, 40)
    assert plan_of(text, usage={"temporal": full}, limits={"temporal": {"memory": "512m", "cpus": 1.0}}).errors == ()
    assert plan_of(text, usage={"temporal": full}).errors == ()


def test_a_limit_of_the_file_that_would_kill_what_runs_is_refused(plan_of: Callable[..., Plan]) -> None:
    text = TEMPORAL + "    mem_limit: 512m\n    cpus: 0.25\n"
    memory, cpu = plan_of(text, usage={"temporal": USAGE}).errors
    assert "512m of the file is below what it uses now, 600m, and would kill it" in memory
    assert "0.25 of the file is below the 0.80 CPUs" in cpu


def test_use_raises_what_the_budget_chooses(plan_of: Callable[..., Plan]) -> None:
    busy = Usage(3 * GIB, 3 * GIB, 1.5, 900)
    plan = plan_of(TEMPORAL, usage={"temporal": busy})
    assert plan.errors == ()
    assert summaries(plan, "BW-LIM-001") == {"temporal": "mem_limit: 3840m"}
    assert summaries(plan, "BW-LIM-003") == {"temporal": "cpus: 2.0"}
    assert summaries(plan, "BW-LIM-004") == {"temporal": "pids_limit: 1856"}


def test_more_cpus_than_the_host_has_are_refused(plan_of: Callable[..., Plan]) -> None:
    errors = plan_of(TEMPORAL, limits={"temporal": {"cpus": 4}}).errors
    assert len(errors) == 1
    assert "is more than the 2.0 cores of the host" in errors[0]


def test_over_commitment_refuses_the_plan(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(TEMPORAL, HostFacts(2 * GIB, 2), limits={"temporal": {"memory": "3g"}})
    assert plan.budget is not None
    assert not plan.budget.ok
    assert plan.errors == (plan.budget.refusal,)
    assert "lower the limit of temporal from 3g to 1536m" in plan.errors[0]
    assert [f.message for f in plan.findings if f.control == "BW-LIM-005"] == [plan.budget.refusal]


def test_replicas_count(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("services: {a: {image: nginx, mem_limit: 1g, deploy: {replicas: 3}}}", HostFacts(3 * GIB, 2))
    assert plan.budget is not None
    assert not plan.budget.ok


def test_unknown_jobs_and_sleeping_profiles_get_no_memory_limit(plan_of: Callable[..., Plan]) -> None:
    text = (
        "services:\n"
        "  db-migrate: {image: acme/api, command: ./migrate}\n"
        "  debug: {image: acme/debug, ports: ['80'], profiles: [debug]}\n"
        "  schema: {image: temporalio/admin-tools, restart: on-failure, command: /setup.sh}\n"
    )
    plan = plan_of(text)
    assert set(summaries(plan, "BW-LIM-001")) == {"schema"}
    messages = {f.service: f.message for f in plan.findings if f.control == "BW-LIM-001"}
    assert "one killed half-way is worse" in messages["db-migrate"]
    assert "its profile is off" in messages["debug"]
    running = plan_of(text, usage={"debug": Usage(10 * MIB, 20 * MIB, 0.0, 3)})
    assert "debug" in summaries(running, "BW-LIM-001")


@pytest.mark.parametrize(
    ("service", "least"),
    [
        ("image: 'elasticsearch:8', environment: [ES_JAVA_OPTS=-Xms2g -Xmx2g]", 3328),
        ("image: 'mysql:8', restart: always", 768),
        ("image: 'redis:8', command: redis-server --maxmemory 400mb", 832),
        ("image: 'redis:8', command: [redis-server, --save, '', --maxmemory, 300mb]", 448),
        ("image: 'postgres:17', command: postgres -c shared_buffers=1GB -c max_connections=50", 1536),
    ],
)
def test_what_a_service_asks_for_by_its_own_settings(plan_of: Callable[..., Plan], service: str, least: int) -> None:
    plan = plan_of(f"services: {{a: {{{service}}}}}", HostFacts(6 * GIB, 2))
    assert plan.budget is not None
    row = plan.budget.row("a")
    assert row is not None
    assert row.limit >= least * MIB
    assert row.floor_reason


def test_a_reservation_above_the_new_limit_moves_with_it(plan_of: Callable[..., Plan]) -> None:
    text = TEMPORAL + "    mem_limit: 2g\n    mem_reservation: 1g\n"
    plan = plan_of(text, limits={"temporal": {"memory": "512m"}})
    assert summaries(plan, "BW-LIM-002") == {"temporal": "mem_reservation: 256m"}
    assert summaries(plan_of(text), "BW-LIM-002") == {}


def test_unlimited_on_purpose_is_reported_only(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(TEMPORAL + "    mem_limit: 0\n")
    assert summaries(plan, "BW-LIM-001") == {}
    assert any(f.message == "its memory limit is stated as unlimited" for f in plan.findings)
