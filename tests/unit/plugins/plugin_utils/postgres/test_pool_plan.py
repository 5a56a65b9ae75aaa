# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole plan of a pool, and the proof that it is given."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project, SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.context import Stack
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Settings
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres import pool_plan, pool_proof, pool_record
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.clients import find_clients
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.pool_plan import (
    PoolPlan,
    PoolRefused,
    Server,
    Wanted,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.pool_record import Record
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.records import Sources

TEXT = """# mine
services:
  db:
    image: postgres:17
    environment: [POSTGRES_USER=root_of_all, POSTGRES_PASSWORD=s3]
  temporal:
    image: temporalio/server:1.31.2
    environment:
      DB: postgres12
      POSTGRES_SEEDS: db
      POSTGRES_USER: temporal
      POSTGRES_PWD: hunt-me-1
  app:
    image: shop:1
    environment:
      DATABASE_URL: postgresql://shop:hunt%2Dme-2@db:5432/shop   # kept
  other:
    image: shop:1
    environment:
      DATABASE_URL: postgresql://shop:x@db:5432/shop
"""
TWO_USERS = "POSTGRES_SEEDS: db, POSTGRES_USER: one, POSTGRES_PWD: a, VISIBILITY_POSTGRES_USER: two"
WANTED = Wanted("pooler:1", "", {"app": "session"}, None)


def project_of(text: str, files: dict[str, str] | None = None) -> Project:
    def read(path: str) -> str:
        if path not in (files or {}):
            raise FileNotFoundError(path)
        return (files or {})[path]

    return load_project([SourceFile("docker-compose.yml", text)], {}, read, strict=True)


def server(**changes: Any) -> Server:
    user = {"super": False, "login": True, "secret": "scram"}
    row = {
        "max_connections": 100,
        "superuser_reserved": 3,
        "reserved": 0,
        "users": {"temporal": user, "shop": user},
        "databases": dict.fromkeys(("temporal", "temporal_visibility", "shop"), True),
        "role": None,
        "schema": None,
        "function": None,
    }
    return Server(row | changes, 2.0, None)


def planned(text: str = TEXT, wanted: Wanted = WANTED, record: Record | None = None, **changes: Any) -> PoolPlan:
    project = project_of(text)
    subject = pool_plan.subject_of(project, Sources(), wanted, record)
    assert subject is not None
    return pool_plan.plan_pool(project, Sources(), wanted, subject, server(**changes), "pool-pw", record)


def test_only_the_lines_of_the_clients_and_the_include_change() -> None:
    plan = planned()
    text = plan.texts["docker-compose.yml"]
    changed = [line for line in text.splitlines() if line not in TEXT.splitlines() and line]
    assert "  - breakwater/pgbouncer.yml" in changed
    assert "      DATABASE_URL: postgresql://shop:hunt%2Dme-2@pgbouncer:6432/shop   # kept" in changed
    assert "      DB: postgres12_pgx" in changed
    assert "postgresql://shop:x@db:5432/shop" in text, "who is not named stays"
    assert [client.service for client in plan.record.clients] == ["temporal", "app"]
    assert plan.record.superuser == "root_of_all"


def test_a_plan_on_its_own_result_changes_nothing() -> None:
    first = planned()
    files = {file.path: file.text for file in first.files}
    project = project_of(first.texts["docker-compose.yml"], files)
    subject = pool_plan.subject_of(project, Sources(), WANTED, first.record)
    assert subject is not None
    again = pool_plan.plan_pool(project, Sources(), WANTED, subject, server(), "pool-pw", first.record)
    assert (again.texts, again.moves.moves) == ({}, ())
    assert again.files == first.files
    assert pool_plan.changes(again, "docker-compose.yml", new=False) == []
    taken = pool_record.without_pool(again.record, {"docker-compose.yml": first.texts["docker-compose.yml"]})
    assert taken == {"docker-compose.yml": TEXT}


def test_who_goes_through_the_pool_stays_when_it_is_named_no_more() -> None:
    first = planned()
    project = project_of(first.texts["docker-compose.yml"], {file.path: file.text for file in first.files})
    wanted = WANTED._replace(modes={})
    subject = pool_plan.subject_of(project, Sources(), wanted, first.record)
    assert subject is not None
    assert [client.service for client in subject.pooled] == ["temporal", "app"]


MORE = "  more:\n    image: shop:1\n    environment: [PGHOST=pgbouncer, PGPORT=6432]\n"


@pytest.mark.parametrize(
    ("now", "then", "expected"),
    [
        ("", "", ""),
        (MORE, MORE, "more: docker-compose.yml:27: PGHOST leads to pgbouncer"),
        (MORE, MORE.replace("pgbouncer", "db"), "more: docker-compose.yml:27: PGPORT leads to pgbouncer"),
        (MORE, MORE.replace("pgbouncer", "db").replace("6432", "5432"), ""),
        (MORE, "", ""),
        ("", "include: [breakwater/pgbouncer.yml]\n", "its include of breakwater/pgbouncer.yml was edited"),
    ],
)
def test_nobody_is_left_without_the_pool(now: str, then: str, expected: str) -> None:
    first = planned()
    files = {file.path: file.text for file in first.files}
    projects = project_of(first.texts["docker-compose.yml"] + now, files), project_of(TEXT + then, files)
    states = [(project, Sources()) for project in projects]
    if not expected:
        pool_plan.refuse_left_behind(first.record, *states)
        return
    with pytest.raises(PoolRefused) as refused:
        pool_plan.refuse_left_behind(first.record, *states)
    assert expected in str(refused.value)


def test_a_pool_stays_with_its_server() -> None:
    first = planned()
    text = first.texts["docker-compose.yml"] + "  db2:\n    image: postgres:17\n"
    project = project_of(text, {file.path: file.text for file in first.files})
    subject = pool_plan.subject_of(project, Sources(), WANTED, first.record)
    assert subject is not None
    assert subject.server == "db"
    with pytest.raises(PoolRefused, match="the pool is in front of db"):
        pool_plan.subject_of(project, Sources(), WANTED._replace(server="db2"), first.record)


def test_secrets_are_in_the_files_that_say_so_only() -> None:
    plan = planned()
    attributes = pool_plan.attributes(plan)
    for file in plan.files:
        assert ("pool-pw" in file.text) is (file.path.rpartition("/")[2] in ("userlist.txt", "pgpass"))
        if file.secret:
            assert attributes[file.path][0] == 0o600
    assert attributes["breakwater/pgbouncer/pgpass"] == (0o600, plan.pooler.uid, plan.pooler.gid, True)
    shown = str(pool_plan.changes(plan, "docker-compose.yml", new=True)) + str(plan.table)
    assert "hunt" not in shown


def test_nobody_to_pool_is_no_pool() -> None:
    text = TEXT.replace("temporalio/server:1.31.2", "web:1").replace("DB: postgres12", "A: b")
    project = project_of(text)
    wanted = WANTED._replace(modes={})
    assert pool_plan.subject_of(project_of("services:\n  a:\n    image: b\n"), Sources(), wanted, None) is None
    subject = pool_plan.subject_of(project, Sources(), wanted, None)
    assert subject is None or all(client.form != "url" for client in subject.pooled)


@pytest.mark.parametrize(
    ("text", "wanted", "changes", "expected"),
    [
        (TEXT, WANTED._replace(server="cache"), {}, "pgbouncer_server: cache is no PostgreSQL service"),
        (TEXT, WANTED._replace(modes={"x": "session"}), {}, "pgbouncer_applications: x: no connection"),
        (TEXT.replace("POSTGRES_USER=root", "POSTGRES_USER_FILE=/run"), WANTED, {}, "POSTGRES_USER_FILE"),
        (TEXT, WANTED, {"max_connections": 20}, "the pool does not fit"),
        (TEXT.replace("@db:5432/shop   #", "@db:5433/shop   #"), WANTED, {}, "app: it reaches db at port 5433"),
        (TEXT, WANTED, {"users": {}}, "user shop: may not log in"),
        (TEXT + "  db2:\n    image: postgres:17\n", WANTED, {}, "several PostgreSQL services (db, db2)"),
        (TEXT + "  pgbouncer:\n    image: mine:1\n", WANTED, {}, "pgbouncer"),
    ],
)
def test_refusals_say_why(text: str, wanted: Wanted, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(PoolRefused) as refused:
        planned(text, wanted, **changes)
    assert expected in str(refused.value)


def test_the_proof_logs_in_as_every_user_whose_password_is_known() -> None:
    plan = planned()
    project = project_of(TEXT)
    clients = find_clients(project, Stack(project, None, {}, Settings()).roles).clients
    known = pool_proof.passwords(project, [client for client in clients if client.service != "other"])
    assert known == {"temporal": "hunt-me-1", "shop": "hunt-me-2"}
    wanted = pool_proof.logins(plan.record, known, 100, 0)
    assert {(login.user, login.database) for login in wanted} == {
        ("temporal", "temporal"),
        ("temporal", "temporal_visibility"),
        ("shop", "shop"),
    }
    script = pool_proof.script(plan.record, [login._replace(password="it's") for login in wanted])
    assert """export PGPASSWORD='it'"'"'s'""" in script
    assert pool_proof.logins(plan.record, {}, 100, 0) == []
    assert [login.backends for login in wanted] == [database.backends for database in plan.record.databases]
    assert sum(login.backends for login in pool_proof.logins(plan.record, known, 16, 90)) <= 8 + 2
    assert pool_proof.logins(plan.record, known, 2, 0) == wanted, "what is not there is found out"
    assert {login.backends for login in pool_proof.logins(plan.record, known, -1, 90)} == {1}
    assert {login.backends for login in pool_proof.logins(plan.record, known, 100, 0, in_use=True)} == {1}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("PGHOST: db, PGUSER: shop, PGPASSWORD: one", {"shop": "one"}),
        ("DB_HOST: db, DB_USER: shop, DB_PASS: one", {"shop": "one"}),
        ("URL: 'postgres://shop:o[n]e@db/shop'", {"shop": "o[n]e"}),
        ("URL: 'jdbc:postgresql://db/shop?user=shop&password=a%26b'", {"shop": "a&b"}),
        ("URL: postgres://shop@db/shop", {}),
        (
            TWO_USERS,
            {"one": "a", "two": "a"},
        ),
        (
            f"{TWO_USERS}, VISIBILITY_POSTGRES_PWD: b",
            {"one": "a", "two": "b"},
        ),
    ],
)
def test_every_form_tells_the_password_of_each_user(environment: str, expected: dict[str, str]) -> None:
    services = {"db": "image: postgres:17", "app": f"image: temporalio/server:1.31.2, environment: {{{environment}}}"}
    text = "".join(f"  {name}: {{{service}}}\n" for name, service in services.items())
    project = project_of(f"services:\n{text}")
    clients = find_clients(project, Stack(project, None, {}, Settings()).roles).clients
    assert len(clients) == 1
    assert pool_proof.passwords(project, clients) == expected


def test_passwords_stand_in_files_with_variables_too() -> None:
    project = project_of("services:\n  db: {image: postgres:17}\n  app: {image: shop:1, env_file: app.env}\n")
    sources = Sources(env_files={"app.env": "URL='postgres://shop:p$$w@db/shop'\n"})
    clients = find_clients(project, Stack(project, None, {}, Settings()).roles, sources).clients
    assert pool_proof.passwords(project, clients, sources) == {"shop": "p$$w"}


@pytest.mark.parametrize(
    ("stdout", "stderr", "rc", "expected"),
    [
        (
            "shop on shop\n",
            "pgbench: error: failed: FATAL:  no\nmore\n",
            1,
            "shop on shop through the pool: error: failed",
        ),
        ("a on b\nc on d\n", "", 1, "c on d through the pool: no reason given"),
        ("a on b\n", "pgbench (17.6)", 124, "a on b through the pool: ERROR: no connection to the server within 15 s"),
        ("", "sh: not found", 127, "nobody through the pool: sh: not found"),
    ],
)
def test_failures_name_user_and_reason(stdout: str, stderr: str, rc: int, expected: str) -> None:
    assert pool_proof.failure({"stdout": stdout, "stderr": stderr, "rc": rc}).startswith(expected)


@pytest.mark.parametrize(
    ("counts", "always", "expected"),
    [
        ({"p": 3}, True, ""),
        ({"p": 3, "c": 1}, True, "still has 1 connections of its own"),
        ({"x": 3}, True, "has no connection through the pool"),
        ({"x": 3}, False, ""),
    ],
)
def test_moved_is_who_has_no_connection_of_his_own(counts: dict[str, int], always: bool, expected: str) -> None:
    rows = [{"address": address, "backends": count} for address, count in counts.items()]
    found = pool_proof.unproven(rows, {"p"}, {"c"}, always)
    assert found.startswith(expected)
    assert bool(found) is bool(expected)
