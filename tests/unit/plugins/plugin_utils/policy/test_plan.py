# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans as a whole: what they write on realistic stacks, that they end, and what holds them back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.diff import unified_diff
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import (
    Project,
    SourceFile,
    load_project,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import HostFacts, Plan, Usage
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.plan import apply_plan, make_plan
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.settings import load_settings

MIB = 2**20
GIB = 2**30
GOLDEN = Path(__file__).with_name("golden")
CORPUS = Path(os.environ.get("BREAKWATER_CORPUS") or Path(__file__).resolve().parents[6] / "shared" / "compose-corpus")

# The measures of the incident: CPU in cores and memory as docker stats showed them.
INCIDENT_USAGE = {
    "temporal": Usage(int(221.9 * MIB), 240 * MIB, 0.2767, 24),
    "postgres": Usage(int(164.6 * MIB), 900 * MIB, 0.1423, 58, file_cache=700 * MIB),
    "redis": Usage(int(10.45 * MIB), 12 * MIB, 0.01, 6),
    "temporal-ui": Usage(int(12.12 * MIB), 20 * MIB, 0.0, 9),
}

GOLDENS: dict[str, dict[str, Any]] = {
    "incident": {"usage": INCIDENT_USAGE, "limits": {"temporal": {"memory": "512m", "cpus": 1.0}}},
    "incident-budget": {"usage": INCIDENT_USAGE},
    "samples-server": {},
    "auto-setup": {},
    "deploy-style": {},
}


@pytest.mark.parametrize("name", GOLDENS)
def test_the_diff_is_the_one_that_an_engineer_would_write(
    name: str, load_files: Callable[..., Project], plan_of: Callable[..., Plan]
) -> None:
    """Set BREAKWATER_UPDATE_GOLDEN=1 to write the diffs anew, and read them before you commit them."""
    source = GOLDEN / (name.partition("-budget")[0] + ".compose")
    project = load_files(source.read_text(), environment={"POSTGRES_PASSWORD": "x"})
    plan = plan_of(project, **GOLDENS[name])
    assert plan.errors == ()
    after = apply_plan(project, plan)
    diff = unified_diff(project.files[0], after.files[0])
    expected = GOLDEN / f"{name}.diff"
    if os.environ.get("BREAKWATER_UPDATE_GOLDEN"):
        expected.write_text(diff)
    assert diff == expected.read_text()
    again = plan_of(after, **GOLDENS[name])
    assert (again.changes, again.errors) == ((), ())


IMAGES = {
    "temporal": ("temporalio/server:1.31.2", "temporalio/auto-setup:1.28.1", "temporalio/server:${V}"),
    "postgres": ("postgres:17", "bitnami/postgresql:16", "timescale/timescaledb:latest-pg16"),
    "redis": ("redis:8", "valkey/valkey:8", "bitnami/redis", "redis/redis-stack-server"),
    "ui": ("temporalio/ui:2.40.0",),
    "schema": ("temporalio/admin-tools:1.31.2",),
    "app": ("acme/app", "elasticsearch:8", "nginx:1.27"),
}
EXTRAS = (
    "restart: always",
    "mem_limit: 1g",
    "cpus: 0.5",
    "pids_limit: 50",
    "deploy: {resources: {limits: {memory: 768m}}}",
    "environment: [A=b, GOMEMLIMIT=1GiB]",
    "environment: {A: b, REDIS_PASSWORD: x}",
    "healthcheck: {test: ['CMD', 'redis-cli', 'ping']}",
    "healthcheck: {test: pg_isready -U app, interval: 5s}",
    "healthcheck: {test: nc -z localhost 7233}",
    "logging: {options: {tag: x}}",
    "security_opt: ['seccomp:unconfined']",
    "ulimits: {nofile: 1024}",
    "stop_grace_period: 5s",
    "shm_size: 64m",
    "command: postgres -c shared_buffers=512MB",
    "command: redis-server --maxmemory 2gb --maxmemory-policy allkeys-lru",
    "command: [redis-server, --save, '']",
    "profiles: [off]",
)


@st.composite
def stacks(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(sorted(IMAGES)), min_size=1, max_size=5, unique=True))
    lines = ["services:"]
    for index, name in enumerate(names):
        lines += [f"  {name}:", f"    image: {draw(st.sampled_from(IMAGES[name]))}"]
        chosen: dict[str, str] = {}
        for extra in draw(st.lists(st.sampled_from(EXTRAS), max_size=5)):
            chosen.setdefault(extra.partition(":")[0], extra)
        if "deploy" in chosen:
            for key in ("mem_limit", "cpus", "pids_limit"):
                chosen.pop(key, None)
        if index and draw(st.booleans()):
            chosen["depends_on"] = f"depends_on: [{names[index - 1]}]"
        lines += [f"    {extra}" for extra in chosen.values()]
    return "\n".join(lines) + "\n"


usages = st.builds(
    Usage,
    memory_now=st.integers(min_value=MIB, max_value=700 * MIB),
    memory_peak=st.integers(min_value=MIB, max_value=900 * MIB),
    cpus_now=st.floats(min_value=0, max_value=0.9),
    pids=st.integers(min_value=1, max_value=500),
    file_cache=st.integers(min_value=0, max_value=300 * MIB),
)


@examples(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(text=stacks(), memory=st.integers(min_value=2, max_value=64), data=st.data())
def test_a_second_run_changes_nothing_even_when_the_facts_have_moved_a_little(
    load_files: Callable[..., Project], plan_of: Callable[..., Plan], text: str, memory: int, data: st.DataObject
) -> None:
    project = load_files(text)
    host = HostFacts(memory * GIB, 4, data.draw(st.integers(min_value=0, max_value=GIB)))
    usage = {name: data.draw(usages) for name in project.services if data.draw(st.booleans())}
    plan = plan_of(project, host, usage)
    if plan.errors:
        return
    after = apply_plan(project, plan)
    assert plan_of(after, host, usage).changes == ()
    moved = {
        name: used._replace(
            memory_now=min(used.memory_now * 11 // 10, after.services[name].memory_limit or 2**60),
            memory_peak=min(used.memory_peak * 3, after.services[name].memory_limit or 2**60),
            cpus_now=used.cpus_now * 0.5,
            pids=used.pids + 3,
        )
        for name, used in usage.items()
    }
    later = plan_of(after, host._replace(memory=host.memory - MIB, others_memory=host.others_memory * 11 // 10), moved)
    assert later.changes == ()
    over = [error for error in later.errors if "limits add up" not in error and "for data" not in error]
    assert over == []


def test_the_whole_corpus_is_planned_and_applied_once() -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"needs the corpus of compose files in {CORPUS} (or BREAKWATER_CORPUS)")
    settings = load_settings({"today": "2026-11-24"}, "test")
    host = HostFacts(256 * GIB, 16)
    planned, refused = 0, []
    for path in sorted(CORPUS.glob("*.y*ml")):
        try:
            project = load_project([SourceFile(path.name, path.read_bytes().decode())])
        except (ComposeError, UnicodeDecodeError):
            continue
        plan = make_plan(project, host, {}, settings)
        assert plan.errors == (), path.name
        try:
            after = apply_plan(project, plan)
        except ComposeError as error:
            refused.append(str(error))
            continue
        again = make_plan(after, host, {}, settings)
        assert [(c.service, c.summary) for c in again.changes] == [], path.name
        planned += 1
    assert planned > 290
    assert len(refused) * 100 <= planned


STACK = "services: {db: {image: 'postgres:17'}, temporal: {image: 'temporalio/server:1.31.2', depends_on: [db]}}"


def test_max_impact_withholds_what_costs_more(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(STACK, max_impact="recreate")
    assert {change.service for change in plan.changes} == {"temporal"}
    withheld = [f for f in plan.findings if f.service == "db" and f.fix is not None]
    assert withheld
    assert all(f.withheld.startswith("it costs datastore_restart (about ") for f in withheld)
    assert all(f.withheld.endswith("max_impact is recreate") for f in withheld)
    assert not any(f.waived for f in withheld)


def test_max_impact_none_leaves_what_costs_nothing(plan_of: Callable[..., Plan]) -> None:
    text = STACK.replace("}}", "}, setup: {image: temporalio/admin-tools, command: /s.sh}}")
    plan = plan_of(text, max_impact="none")
    assert {change.service for change in plan.changes} == {"setup"}


def test_a_withheld_limit_moves_nothing_that_follows_it(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("services: {a: {image: 'redis:8'}}", max_impact="recreate")
    assert not [f for f in plan.findings if f.control in ("BW-CPL-004", "BW-LIM-002")]


def test_each_change_says_what_it_costs(plan_of: Callable[..., Plan]) -> None:
    text = STACK.replace("}}", "}, setup: {image: temporalio/admin-tools, command: /s.sh}}")
    for change in plan_of(text).changes:
        if change.service == "setup":
            assert (change.impact, change.seconds) == ("none", 0.0)
        elif change.service == "db":
            assert change.impact == "datastore_restart"
            assert change.seconds > 0
        else:
            assert change.impact == "recreate"
            assert change.seconds > 0
        assert change.reason
        assert change.summary
        assert change.edits


def test_what_does_not_run_is_not_taken_away(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(STACK, usage={"db": INCIDENT_USAGE["postgres"]})
    assert {c.impact for c in plan.changes if c.service == "temporal"} == {"none"}


def test_select_and_severity_narrow_the_plan(plan_of: Callable[..., Plan]) -> None:
    assert {f.control for f in plan_of(STACK, select=["BW-LIM-001"]).findings} == {"BW-LIM-001"}
    assert {f.severity for f in plan_of(STACK, severity="high").findings} == {"high"}
    assert plan_of(STACK, ignore=["BW"]).findings == ()


def test_findings_are_in_the_order_of_the_file(plan_of: Callable[..., Plan]) -> None:
    findings = plan_of(STACK).findings
    assert [f.service for f in findings] == sorted((f.service for f in findings), key=["db", "temporal"].index)


def test_a_refused_plan_is_not_applied(load_files: Callable[..., Project], plan_of: Callable[..., Plan]) -> None:
    project = load_files(STACK)
    plan = plan_of(project, limits={"temporal": {"memory": "64g"}})
    assert plan.errors
    with pytest.raises(ValueError, match="the plan was refused"):
        apply_plan(project, plan)


def test_values_go_into_the_file_that_has_the_service(
    load_files: Callable[..., Project], plan_of: Callable[..., Plan]
) -> None:
    override = "services:\n  temporal:\n    stop_grace_period: 5s\n  extra:\n    image: redis:8\n"
    project = load_files("services:\n  temporal:\n    image: temporalio/server:1.31.2\n", override)
    plan = plan_of(project)
    files = {(c.service, c.control): c.file for c in plan.changes}
    assert files["temporal", "BW-LIM-001"] == 0
    assert files["temporal", "BW-OPS-003"] == 1
    assert files["extra", "BW-LIM-001"] == 1
    after = apply_plan(project, plan)
    assert after.services["temporal"].stop_grace_period == 60
    assert plan_of(after).changes == ()


def test_files_that_were_not_given_are_not_written(plan_of: Callable[..., Plan]) -> None:
    project = load_project(
        [SourceFile("docker-compose.yml", "include: [db.yml]\nservices: {web: {image: 'redis:8'}}\n")],
        read=lambda _: "services: {db: {image: 'postgres:17'}}\n",
    )
    plan = plan_of(project)
    assert {c.service for c in plan.changes} == {"web"}
    withheld = [f.withheld for f in plan.findings if f.service == "db" and f.fix is not None]
    assert withheld
    assert all("db.yml, which is not among the files given" in text for text in withheld)
