# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service is, by its image, its label, the settings, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.short_forms import parse_image
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.context import Stack
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.kinds import Role, kind_of_image, version_of
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.settings import load_settings


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("temporalio/server:1.31.2", "temporal"),
        ("temporalio/auto-setup", "temporal"),
        ("breakwater.test/server:1.31.2", "temporal"),
        ("breakwater.test/temporal-server:1.31.2", "temporal"),
        ("ghcr.io/acme/temporal-server:v1", "temporal"),
        ("registry:5000/mirror/temporalio/server:${V}", "temporal"),
        ("temporalio/ui:2.40.0", "temporal-ui"),
        ("breakwater.test/ui", "temporal-ui"),
        ("temporalio/web:1.15", "temporal-ui"),
        ("temporalio/admin-tools:1.31.2", "temporal-schema"),
        ("breakwater.test/admin-tools", "temporal-schema"),
        ("postgres:17", "postgres"),
        ("docker.io/library/postgres@sha256:0000", "postgres"),
        ("bitnami/postgresql:16", "postgres"),
        ("timescale/timescaledb-ha:pg16", "postgres"),
        ("pgvector/pgvector:pg17", "postgres"),
        ("supabase/postgres:15.1", "postgres"),
        ("postgis/postgis", "postgres"),
        ("redis:8-alpine", "redis"),
        ("valkey/valkey:8", "redis"),
        ("bitnami/redis", "redis"),
        ("redis/redis-stack-server:7.4", "redis"),
        ("edoburu/pgbouncer:v1.24.1", "pgbouncer"),
        ("bitnami/pgbouncer", "pgbouncer"),
        ("prom/postgres-exporter", "other"),
        ("oliver006/redis_exporter", "other"),
        ("postgrest/postgrest", "other"),
        ("rediscommander/redis-commander", "other"),
        ("acme/server", "other"),
        ("acme/ui", "other"),
        ("nginx", "other"),
        ("${IMAGE}", "other"),
    ],
)
def test_kind_by_image(image: str, kind: str) -> None:
    assert kind_of_image(parse_image(image)) == kind


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("1.31.2", (1, 31, 2)),
        ("v1.24.1", (1, 24, 1)),
        ("17-alpine", (17,)),
        ("latest", None),
        ("pg16", None),
        ("${V}", None),
        (None, None),
        ("20240101", None),
    ],
)
def test_version_by_tag(tag: str | None, version: tuple[int, ...] | None) -> None:
    assert version_of(tag) == version


def roles(project: Project, **settings: Any) -> dict[str, Role]:
    return Stack(project, None, {}, load_settings(settings, "breakwater.yml")).roles


def test_settings_win_over_the_label_and_the_label_over_the_image(load_files: Callable[..., Project]) -> None:
    project = load_files(
        "services:\n"
        "  a: {image: acme/db, labels: {breakwater.kind: postgres}}\n"
        "  b: {image: acme/db, labels: [breakwater.kind=redis]}\n"
        "  c: {image: 'postgres:17', labels: {breakwater.kind: nonsense}}\n"
        "  d: {build: .}\n"
    )
    found = roles(project, kinds={"b": "worker"})
    assert {name: role.kind for name, role in found.items()} == {
        "a": "postgres",
        "b": "worker",
        "c": "postgres",
        "d": "other",
    }


@pytest.mark.parametrize(
    ("image", "generation"),
    [
        ("temporalio/server:1.29.4", "old"),
        ("temporalio/server:1.30.0", "new"),
        ("temporalio/server:1.31.2", "new"),
        ("temporalio/auto-setup:${V}", "old"),
        ("temporalio/server:${V}", ""),
        ("temporalio/server:latest", ""),
    ],
)
def test_generation_of_temporal(load_files: Callable[..., Project], image: str, generation: str) -> None:
    assert roles(load_files(f"services: {{t: {{image: '{image}'}}}}"))["t"].generation == generation


@pytest.mark.parametrize(
    ("service", "lifetime"),
    [
        ("image: temporalio/admin-tools, restart: on-failure:6, entrypoint: [/bin/sh], command: /setup.sh", "job"),
        ("image: temporalio/admin-tools, stdin_open: true, tty: true", "shell"),
        ("image: temporalio/admin-tools, command: sleep infinity", "shell"),
        ("image: temporalio/server, restart: on-failure", "daemon"),
        ("image: 'postgres:17'", "daemon"),
        ("image: 'postgres:17', command: psql -h db -f /init.sql", "job"),
        ("image: 'postgres:17', command: [sh, -c, 'pg_dump db > /out']", "job"),
        ("image: 'postgres:17', command: postgres -c fsync=off", "daemon"),
        ("image: 'redis:8', entrypoint: [/bin/sh, -ec], command: ['exec redis-server --save 60 1']", "daemon"),
        ("image: 'redis:8', command: [sh, -c, 'until load; do sleep 1; done']", "unknown"),
        ("image: acme/api, ports: ['80:80']", "daemon"),
        ("image: acme/api, restart: always", "daemon"),
        ("image: acme/api", "unknown"),
        ("image: acme/api, restart: 'no', command: ./import", "job"),
        ("image: busybox, command: tail -f /dev/null", "shell"),
    ],
)
def test_what_runs_for_ever(load_files: Callable[..., Project], service: str, lifetime: str) -> None:
    assert roles(load_files(f"services: {{a: {{{service}}}}}"))["a"].lifetime == lifetime


def test_names_and_those_who_wait_tell_jobs(load_files: Callable[..., Project]) -> None:
    found = roles(
        load_files(
            "services:\n"
            "  db-migrate: {image: acme/api, command: ./migrate}\n"
            "  assets: {image: acme/assets}\n"
            "  cache: {image: acme/cache}\n"
            "  api:\n"
            "    image: acme/api\n"
            "    depends_on:\n"
            "      assets: {condition: service_completed_successfully}\n"
            "      cache: {condition: service_started}\n"
        )
    )
    assert {name: role.lifetime for name, role in found.items()} == {
        "db-migrate": "job",
        "assets": "job",
        "cache": "daemon",
        "api": "unknown",
    }


def test_a_worker_speaks_to_temporal_and_calls_itself_one(load_files: Callable[..., Project]) -> None:
    found = roles(
        load_files(
            "services:\n"
            "  worker: {image: acme/app, environment: [TEMPORAL_ADDRESS=temporal:7233]}\n"
            "  api: {image: acme/app, environment: {TEMPORAL_ADDRESS: 'temporal:7233'}}\n"
            "  mail-worker: {image: acme/mail}\n"
        )
    )
    assert [role.kind for role in found.values()] == ["worker", "other", "other"]
    assert found["worker"].daemon


def test_services_within_a_temporal_container(load_files: Callable[..., Project]) -> None:
    found = roles(
        load_files(
            "services:\n"
            "  all: {image: 'temporalio/server:1.31.2'}\n"
            "  one: {image: 'temporalio/server:1.31.2', environment: {TEMPORAL_SERVICES: history}}\n"
            "  old: {image: 'temporalio/server:1.28.0', environment: {SERVICES: 'history:matching'}}\n"
        )
    )
    assert found["all"].runs == ("frontend", "history", "matching", "worker")
    assert found["one"].runs == ("history",)
    assert found["old"].runs == ("history", "matching")


def test_a_stores_image_used_for_its_client_is_no_store(load_files: Callable[..., Project]) -> None:
    found = roles(
        load_files(
            "services:\n"
            "  seed: {image: 'postgres:17', command: psql -f /seed.sql}\n"
            "  redis-init: {image: 'redis:8', command: [sh, -c, /load.sh]}\n"
            "  db: {image: 'postgres:17'}\n"
        )
    )
    assert [(role.kind, role.lifetime) for role in found.values()] == [
        ("other", "job"),
        ("other", "job"),
        ("postgres", "daemon"),
    ]


@pytest.mark.parametrize(
    ("service", "kind", "lifetime"),
    [
        ("image: 'redis:8', entrypoint: [sleep, '1000']", "other", "shell"),
        ("image: 'redis:8', command: redis-cli monitor", "other", "job"),
        ("image: 'postgres:17', command: [tail, -f, /dev/null]", "other", "shell"),
        ("image: 'temporalio/server:1.31.2', command: sleep infinity", "other", "shell"),
        ("image: 'temporalio/server:1.31.2', entrypoint: [sh, -c, 'exec temporal-server start']", "temporal", "daemon"),
        ("image: 'temporalio/server:1.31.2', entrypoint: /wait-for-db.sh", "temporal", "daemon"),
        ("image: 'postgres:17', entrypoint: /custom-entrypoint.sh, command: postgres", "postgres", "daemon"),
        ("image: 'redis:8', command: [sleep, '9'], labels: {breakwater.kind: redis}", "redis", "shell"),
    ],
)
def test_the_image_of_a_server_that_runs_something_else(
    load_files: Callable[..., Project], service: str, kind: str, lifetime: str
) -> None:
    role = roles(load_files(f"services: {{a: {{{service}}}}}"))["a"]
    assert (role.kind, role.lifetime) == (kind, lifetime)
