# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of PostgreSQL are found in every form in which people configure them, and never by their password."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project, SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.context import Stack
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Settings
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.clients import find_clients
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.records import Client, Clients, Sources, Use

Found = Callable[..., tuple[Project, Clients]]
HEAD = "services:\n  db:\n    image: postgres:17\n"


def one(text: str, found: Found, sources: Sources | None = None) -> Client:
    """Return the only client of a file."""
    _project, clients = found(text, sources)
    assert len(clients.clients) == 1, clients
    return clients.clients[0]


@pytest.mark.parametrize(
    ("environment", "form", "host", "port", "database", "user"),
    [
        ("{DATABASE_URL: 'postgres://u:secret@db/app'}", "url", "db", 5432, "app", "u"),
        ("['DATABASE_URL=postgres://u:secret@db:5433/app']", "url", "db", 5433, "app", "u"),
        ("{X: 'postgresql+asyncpg://u:secret@db/app'}", "url", "db", 5432, "app", "u"),
        ("{DB_JDBC_URL: 'jdbc:postgresql://db/app', DB_USER: u}", "url", "db", 5432, "app", "u"),
        (
            "{SPRING_DATASOURCE_URL: 'jdbc:postgresql://db/app', SPRING_DATASOURCE_USERNAME: u}",
            "url",
            "db",
            5432,
            "app",
            "u",
        ),
        ("{PGHOST: db, PGUSER: u, PGPASSWORD: secret, PGDATABASE: app, PGPORT: 5432}", "pg", "db", 5432, "app", "u"),
        ("{PGHOST: db, PGUSER: u}", "pg", "db", 5432, "u", "u"),
        ("{DB_HOST: db, DB_PORT: '5432', DB_USER: u, DB_NAME: app}", "parts", "db", 5432, "app", "u"),
        ("{POSTGRES_SERVER: db, POSTGRES_USER: u, POSTGRES_DB: app}", "parts", "db", 5432, "app", "u"),
        ("{GF_DATABASE_HOST: 'db:5432', GF_DATABASE_NAME: app, GF_DATABASE_USER: u}", "parts", "db", 5432, "app", "u"),
        ("[db_host=db, db_username=u, db_database=app]", "parts", "db", 5432, "app", "u"),
        ("{SQLHOST: db, SQLUSER: u, SQLNAME: app}", "parts", "db", 5432, "app", "u"),
    ],
)
def test_a_client_is_found(
    environment: str, form: str, host: str, port: int, database: str, user: str, found: Found
) -> None:
    client = one(f"{HEAD}  app:\n    image: app\n    environment: {environment}\n", found)
    assert (client.service, client.form, client.server, client.through) == ("app", form, "db", "")
    assert (client.host, client.port) == (host, port)
    assert [(use.database, use.user) for use in client.uses] == [(database, user)]
    assert "secret" not in str(client)


@pytest.mark.parametrize(
    "environment",
    [
        "{REDIS_URL: 'redis://cache/0'}",
        "{DATABASE_URL: 'postgres://u:p@elsewhere.example.com/app'}",
        "{DB_HOST: elsewhere}",
        "{WAIT_FOR: 'db:5432'}",
        "{DB_HOST: db, DB_PORT: http}",
        "{}",
    ],
)
def test_what_connects_to_something_else_is_no_client(environment: str, found: Found) -> None:
    _project, clients = found(f"{HEAD}  app:\n    image: app\n    environment: {environment}\n")
    assert clients.clients == ()
    assert clients.unclear == ()


def test_the_server_is_found_by_every_name_that_it_goes_by(found: Found) -> None:
    text = (
        "services:\n  db:\n    image: postgres:17\n    container_name: my-db\n    hostname: Pg-Host\n"
        "    networks: {back: {aliases: [database]}}\n"
        "  a: {image: x, environment: [PGHOST=my-db]}\n"
        "  b: {image: x, environment: [PGHOST=database]}\n"
        "  c: {image: x, environment: [PGHOST=pg], links: ['db:pg']}\n"
        "  d: {image: x, environment: [PGHOST=pg-host]}\n"
        "  e: {image: x, environment: ['URL=postgres://u@DB./x']}\n"
        "networks: {back: {}}\n"
    )
    _project, clients = found(text)
    assert [(client.service, client.server) for client in clients.clients] == [(name, "db") for name in "abcde"]


@pytest.mark.parametrize(
    ("extra", "uses"),
    [
        ("", [("temporal", "t", 80), ("temporal_visibility", "t", 40)]),
        ("SQL_MAX_CONNS: 5, SQL_VIS_MAX_CONNS: '3'", [("temporal", "t", 20), ("temporal_visibility", "t", 12)]),
        ("DBNAME: a, VISIBILITY_DBNAME: b", [("a", "t", 80), ("b", "t", 40)]),
        ("SERVICES: 'history:matching'", [("temporal", "t", 40), ("temporal_visibility", "t", 20)]),
        ("ENABLE_ES: 'true'", [("temporal", "t", 80)]),
        ("VISIBILITY_POSTGRES_USER: v", [("temporal", "t", 80), ("temporal_visibility", "v", 40)]),
        ("SQL_MAX_CONNS: many", [("temporal", "t", None), ("temporal_visibility", "t", 40)]),
    ],
)
def test_temporals_maximum_is_counted(extra: str, uses: list[tuple[str, str, int | None]], found: Found) -> None:
    environment = "DB: postgres12, POSTGRES_SEEDS: db, POSTGRES_USER: t, POSTGRES_PWD: secret"
    text = f"{HEAD}  temporal:\n    image: temporalio/server:1.29.7\n    environment: {{{environment}, {extra}}}\n"
    client = one(text, found)
    assert [(use.database, use.user, use.maximum) for use in client.uses] == uses
    known = [use[2] for use in uses if use[2] is not None]
    assert client.maximum == (sum(known) if len(known) == len(uses) else None)
    assert (client.plugin, client.version) == ("postgres12", (1, 29, 7))
    assert "secret" not in str(client)


def test_containers_multiply(found: Found) -> None:
    client = one(
        f"{HEAD}  a:\n    image: x\n    scale: 3\n    environment: [URL=postgres://u@db/x?connection_limit=4]\n", found
    )
    assert client.maximum == 12
    assert client.uses[0].arithmetic == "3 containers x connection_limit 4 for one process"


def test_visibility_on_another_server_is_another_client(found: Found) -> None:
    text = (
        "services:\n  one: {image: 'postgres:17'}\n  two: {image: 'postgres:17'}\n"
        "  temporal:\n    image: temporalio/server:1.31.2\n    environment:\n      DB: postgres12\n"
        "      POSTGRES_SEEDS: one\n      POSTGRES_USER: t\n      VISIBILITY_POSTGRES_SEEDS: two\n"
    )
    _project, clients = found(text)
    assert [(c.server, [use.store for use in c.uses]) for c in clients.clients] == [
        ("one", ["default"]),
        ("two", ["visibility"]),
    ]


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ("image: temporalio/admin-tools:1.31.2\n    command: [setup.sh]", "on the server itself"),
        ("image: quay.io/prometheuscommunity/postgres-exporter:v0.17.1", "exporter"),
        ("image: dpage/pgadmin4", "administrators"),
        ("image: prodrigestivill/postgres-backup-local:17", "backup"),
        ("image: app\n    restart: 'no'\n    command: ./migrate", "job that ends"),
    ],
)
def test_what_needs_the_server_itself_says_why(service: str, reason: str, found: Found) -> None:
    environment = "[POSTGRES_SEEDS=db, DB=postgres12, 'URL=postgres://u:p@db/x']"
    text = f"{HEAD}  tool:\n    {service}\n    environment: {environment}\n"
    _project, clients = found(text)
    assert clients.clients
    assert all(reason in client.direct for client in clients.clients)


def test_values_are_placed_where_they_stand(found: Found) -> None:
    text = (
        f"{HEAD}  app:\n    image: x\n    env_file: ./app.env\n    environment:\n"
        "      DB_PORT: 5432\n      DB_USER: ${APP_USER}\n      DB_NAME: ${APP_NAME:-app}\n"
    )
    sources = Sources({".env": "# users\nAPP_USER=u\n"}, {"app.env": "A=1\nDB_HOST=db # here\n"})
    client = one(text, found, sources)
    assert {value.name: (str(value.place), value.place.holder) for value in client.values if value.place} == {
        "DB_HOST": ("app.env:2", "env_file"),
        "DB_PORT": ("docker-compose.yml:8", "compose"),
        "DB_USER": (".env:2", "dotenv"),
        "DB_NAME": ("docker-compose.yml:10", "compose"),
    }


def test_the_environment_wins_over_files(found: Found) -> None:
    text = f"{HEAD}  app:\n    image: x\n    environment: ['DB_HOST=${{HOST}}', DB_USER=u]\n"
    client = one(text, found, Sources({".env": "HOST=other\n"}, {}, {"HOST": "db"}))
    assert client.values[0].place is not None
    assert client.values[0].place.holder == "shell"


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ("env_file: [gone.env]", "gone.env, which was not read"),
        ("environment: {URL: 'postgres://u:p@db:1,db:2/x'}", "URL is a URL that is not understood"),
    ],
)
def test_what_hides_a_connection_is_said(service: str, reason: str, found: Found) -> None:
    _project, clients = found(f"{HEAD}  app:\n    image: x\n    {service}\n")
    assert clients.clients == ()
    assert [reason in unclear.reason for unclear in clients.unclear] == [True]


def test_a_mounted_configuration_hides_temporals_maximum(found: Found) -> None:
    text = (
        f"{HEAD}  temporal:\n    image: temporalio/server:1.31.2\n    environment: [POSTGRES_SEEDS=db, DB=postgres12]\n"
        "    volumes: ['./my.yaml:/etc/temporal/config/docker.yaml']\n"
    )
    _project, clients = found(text)
    assert [client.maximum for client in clients.clients] == [None]
    assert "mounted" in clients.unclear[0].reason


@pytest.mark.parametrize(
    ("pooler", "maximum"),
    [
        ("labels: {breakwater.pool.server: db}\n    x-breakwater-backends: 40", 40),
        ("environment: [DB_HOST=db, DB_USER=u]", None),
    ],
)
def test_a_pooler_is_seen_through(pooler: str, maximum: int | None, found: Found) -> None:
    text = (
        f"{HEAD}  pool:\n    image: edoburu/pgbouncer:v1.24.1-p1\n    {pooler}\n"
        "  app:\n    image: x\n    environment: [PGHOST=pool, PGPORT=6432, PGUSER=u]\n"
    )
    _project, clients = found(text)
    assert clients.poolers == {"pool": "db"}
    assert [(c.service, c.server, c.through) for c in clients.of("db")] == [("pool", "db", ""), ("app", "db", "pool")]
    assert clients.clients[0].maximum == maximum


def test_a_use_without_a_number_makes_the_sum_unknown() -> None:
    uses = (Use("a", "u", 4, "4"), Use("b", "u", None, "not known"))
    client = Client("app", "other", "url", "db", "", "db", 5432, uses, ())
    assert client.maximum is None
    assert client.arithmetic == "a: 4; b: not known"
    assert client.users == ("u",)


@pytest.mark.parametrize("variable", ["POSTGRES_SEEDS: '${DB_HOST}'", "URL: 'postgres://u:p@${DB_HOST}/app'"])
def test_a_host_that_nobody_knows_is_unclear(variable: str) -> None:
    text = f"{HEAD}  app:\n    image: x\n    environment:\n      {variable}\n      OTHER: ${{DB_HOST}}\n"
    project = load_project([SourceFile("docker-compose.yml", text)], {})
    clients = find_clients(project, Stack(project, None, {}, Settings()).roles)
    assert clients.clients == ()
    assert [(unclear.service, str(unclear.place)) for unclear in clients.unclear] == [("app", "docker-compose.yml:7")]
