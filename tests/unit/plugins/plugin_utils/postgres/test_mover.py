# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients are moved by the fewest edits: the other lines stay, and what would reach further is refused."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit import apply_edits
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import RefusedEdit
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project, SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.context import Stack
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Settings
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.clients import find_clients
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.mover import (
    include_edits,
    move_clients,
    pooled_version,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.records import Clients, Moves, Sources, Target

Found = Callable[..., tuple[Project, Clients]]
HEAD = """\
services:
  db:
    image: postgres:17
  pool: {image: x, labels: {breakwater.kind: pgbouncer, breakwater.pool.server: db}}
"""
TEMPORAL = HEAD + "  temporal:\n    image: temporalio/server:1.31.2\n    environment:\n"
SERVER = "environment: [DB=postgres12, POSTGRES_SEEDS=db]"
SECRET = "hunter2hunter2"


def move(found: Found, text: str, sources: Sources | None = None, names: str = "", port: int = 6432) -> Moves:
    """Move the services named, or every client that is not direct."""
    project, clients = found(text, sources)
    chosen = names.split() or [c.service for c in clients.clients if not c.direct]
    temporal = {client.service for client in clients.clients if client.form == "temporal"}
    targets = {name: Target("pool", port, "transaction" if name in temporal else "session") for name in chosen}
    return move_clients(project, clients, targets, sources)


def changed(before: str, after: str) -> list[str]:
    """Return the lines that differ, with their signs."""
    lines = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [line[0] + line[2:].rstrip("\n") for line in lines if line[0] in "+-"]


@pytest.mark.parametrize(
    ("environment", "lines"),
    [
        (
            "      DB: postgres12\n      DB_PORT: 5432\n      POSTGRES_SEEDS: db   # here\n      SQL_MAX_CONNS: 9\n",
            ["-      DB: postgres12", "+      DB: postgres12_pgx", "-      DB_PORT: 5432", "+      DB_PORT: 6432",
             "-      POSTGRES_SEEDS: db   # here", "+      POSTGRES_SEEDS: pool   # here"],
        ),
        (
            "      - DB=postgres12\n      - POSTGRES_SEEDS=db\n",
            ["-      - DB=postgres12", "-      - POSTGRES_SEEDS=db", "+      - DB=postgres12_pgx",
             "+      - POSTGRES_SEEDS=pool", "+      - DB_PORT=6432"],
        ),
        (
            "      DB: postgres12_pgx\n      DB_PORT: '5432'\n      POSTGRES_SEEDS: ${SEEDS:-db}\n",
            ["-      DB_PORT: '5432'", "-      POSTGRES_SEEDS: ${SEEDS:-db}", "+      DB_PORT: '6432'",
             "+      POSTGRES_SEEDS: ${SEEDS:-pool}"],
        ),
        (
            "      DB: postgres12_pgx\n      POSTGRES_SEEDS: db\n      DB_PORT: 6432\n      VISIBILITY_DB_PORT: 5432\n",
            ["-      POSTGRES_SEEDS: db", "-      VISIBILITY_DB_PORT: 5432",
             "+      POSTGRES_SEEDS: pool", "+      VISIBILITY_DB_PORT: 6432"],
        ),
    ],
)  # fmt: skip
def test_temporal_is_moved(environment: str, lines: list[str], found: Found) -> None:
    text = TEMPORAL + environment
    moves = move(found, text)
    assert moves.refusals == ()
    assert sorted(changed(text, moves.texts["docker-compose.yml"])) == sorted(lines)
    assert move(found, moves.texts["docker-compose.yml"]) == Moves((), {})


@pytest.mark.parametrize(
    ("environment", "lines"),
    [
        (
            f"      URL: 'postgresql+asyncpg://u:{SECRET}@db:5432/app?ssl=disable'  # keep\n",
            [f"-      URL: 'postgresql+asyncpg://u:{SECRET}@db:5432/app?ssl=disable'  # keep",
             f"+      URL: 'postgresql+asyncpg://u:{SECRET}@pool:6432/app?ssl=disable'  # keep"],
        ),
        (
            "      - URL=postgres://u:${PASS}@db/app\n",
            ["-      - URL=postgres://u:${PASS}@db/app", "+      - URL=postgres://u:${PASS}@pool:6432/app"],
        ),
        (
            "      DB_HOST: db\n      DB_PORT: 5432\n      DB_USER: u\n",
            ["-      DB_HOST: db", "-      DB_PORT: 5432", "+      DB_HOST: pool", "+      DB_PORT: 6432"],
        ),
        ("      GF_DB_HOST: db:5432\n", ["-      GF_DB_HOST: db:5432", "+      GF_DB_HOST: pool:6432"]),
        ("      - PGHOST=db\n", ["-      - PGHOST=db", "+      - PGHOST=pool", "+      - PGPORT=6432"]),
    ],
)  # fmt: skip
def test_an_application_is_moved(environment: str, lines: list[str], found: Found) -> None:
    text = HEAD + "  app:\n    image: x\n    environment:\n" + environment
    sources = Sources({".env": f"PASS={SECRET}\n"})
    moves = move(found, text, sources)
    assert moves.refusals == ()
    assert sorted(changed(text, moves.texts["docker-compose.yml"])) == sorted(lines)
    assert SECRET not in str(moves.moves[0].summary)
    assert move(found, moves.texts["docker-compose.yml"], sources) == Moves((), {})


def test_shared_values_are_stated_in_the_service_that_moves(found: Found) -> None:
    text = (
        "x-db: &db\n  DB: postgres12\n  POSTGRES_SEEDS: db\n"
        + HEAD
        + "  schema: {image: 'temporalio/admin-tools:1.31.2', command: [setup.sh], environment: {<<: *db}}\n"
        "  temporal:\n    image: temporalio/server:1.31.2\n    environment:\n      <<: *db\n      LOG_LEVEL: warn\n"
    )
    moves = move(found, text)
    assert sorted(changed(text, moves.texts["docker-compose.yml"])) == [
        "+      DB: postgres12_pgx",
        "+      DB_PORT: 6432",
        "+      POSTGRES_SEEDS: pool",
    ]


SHARED = (
    "x-app: &app\n  image: x\n  environment:\n    - DB_HOST=db\n    - DB_PORT=5432\n"
    + HEAD
    + "  one:\n    <<: *app\n  two:\n    <<: *app\n    command: work\n"
)


def test_what_all_clients_share_is_changed_once(found: Found) -> None:
    moves = move(found, SHARED)
    assert [made.service for made in moves.moves] == ["one", "two"]
    assert sorted(changed(SHARED, moves.texts["docker-compose.yml"])) == [
        "+    - DB_HOST=pool",
        "+    - DB_PORT=6432",
        "-    - DB_HOST=db",
        "-    - DB_PORT=5432",
    ]


def test_what_others_share_stays_theirs(found: Found) -> None:
    moves = move(found, SHARED, None, "one")
    project, _clients = found(moves.texts["docker-compose.yml"])
    assert project.services["one"].environment == {"DB_HOST": "pool", "DB_PORT": "6432"}
    assert project.services["two"].environment == {"DB_HOST": "db", "DB_PORT": "5432"}


def test_a_variable_of_one_client_is_changed_in_its_file(found: Found) -> None:
    text = HEAD + "  app: {image: x, environment: ['URL=${APP_URL}']}\n"
    dotenv = f"# app\nAPP_URL='postgres://u:{SECRET}@db/app' # mind\nX=1\n"
    moves = move(found, text, Sources({".env": dotenv}))
    assert dict(moves.texts) == {".env": f"# app\nAPP_URL='postgres://u:{SECRET}@pool:6432/app' # mind\nX=1\n"}
    assert moves.moves[0].files == (".env",)
    assert SECRET not in str(moves.moves)


def test_a_variable_of_several_is_overridden_in_the_service(found: Found) -> None:
    text = HEAD + (
        "  app: {image: x, environment: ['DB_HOST=${DB}', 'DB_PORT=${PORT}']}\n"
        "  other: {image: x, environment: ['DB_HOST=${DB}', 'DB_PORT=${PORT}']}\n"
    )
    sources = Sources({".env": "DB=db\nPORT=5432\n"})
    moves = move(found, text, sources, "app")
    assert list(moves.texts) == ["docker-compose.yml"]
    assert "app: {image: x, environment: ['DB_HOST=pool', 'DB_PORT=6432']}" in moves.texts["docker-compose.yml"]
    both = move(found, text, sources)
    assert dict(both.texts) == {".env": "DB=pool\nPORT=6432\n"}


def test_a_file_of_variables_is_changed_where_it_serves_one_client(found: Found) -> None:
    text = HEAD + "  app: {image: x, env_file: app.env}\n"
    sources = Sources({}, {"app.env": "PGHOST=db\nPGPORT=5432\n"})
    assert dict(move(found, text, sources).texts) == {"app.env": "PGHOST=pool\nPGPORT=6432\n"}
    shared = text + "  other: {image: x, env_file: app.env}\n"
    moves = move(found, shared, sources, "app")
    assert list(moves.texts) == ["docker-compose.yml"]
    assert "PGHOST: pool" in moves.texts["docker-compose.yml"]


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        (f"image: temporalio/auto-setup:1.28.1\n    {SERVER}", "sets up the schema"),
        (f"image: temporalio/server:1.29.6\n    {SERVER}", "Temporal 1.29.6 is not known"),
        (f"image: temporalio/server:latest\n    {SERVER}", "tag does not tell"),
        ("image: temporalio/server:1.31.2\n    environment: [POSTGRES_SEEDS=db]", "DB does not state its driver"),
        (f"image: temporalio/server:1.31.2\n    {SERVER}\n    volumes: ['./c:/etc/temporal/config']", "mounted"),
        ("image: x\n    environment: [DB_HOST=db]", "no variable beside DB_HOST states the port"),
        ("image: x\n    environment: ['URL=postgres://u:p@${HOSTS}/x', HOSTS=db]", "no connection"),
        ("image: x\n    environment: ['A=b']", "no connection"),
        ("image: x\n    env_file: gone.env", "gone.env, which was not read"),
        ("image: postgres-exporter\n    environment: [PGHOST=db]", "an exporter"),
    ],
)
def test_what_cannot_be_moved_is_refused_and_stays(service: str, reason: str, found: Found) -> None:
    moves = move(found, f"{HEAD}  app:\n    {service}\n", Sources({}, {}, {"HOSTS": "one,two"}), "app")
    assert dict(moves.texts) == {}
    assert [reason in refusal.reason for refusal in moves.refusals] == [True], moves.refusals
    assert moves.refusals[0].way_out


def test_a_url_that_others_use_is_refused(found: Found) -> None:
    text = HEAD + (
        "  app: {image: x, environment: ['URL=${URL}']}\n"
        "  migrate: {image: x, restart: 'no', command: m, environment: ['URL=${URL}']}\n"
    )
    moves = move(found, text, Sources({".env": f"URL=postgres://u:{SECRET}@db/app\n"}), "app")
    assert dict(moves.texts) == {}
    assert "URL of migrate" in moves.refusals[0].reason
    assert SECRET not in str(moves)


def test_a_url_of_the_shell_is_refused(found: Found) -> None:
    text = HEAD + "  app: {image: x, environment: [URL]}\n"
    moves = move(found, text, Sources({}, {}, {"URL": f"postgres://u:{SECRET}@db/app"}))
    assert "is not a file" in moves.refusals[0].reason
    assert SECRET not in str(moves)


def test_a_service_moves_whole_or_not_at_all(found: Found) -> None:
    text = HEAD + (
        "  app: {image: x, environment: ['A_URL=postgres://u:p@db/app', 'B_HOST=db']}\n"
        "  other: {image: x, environment: ['URL=postgres://u:p@db/app']}\n"
    )
    moves = move(found, text)
    assert [made.service for made in moves.moves] == ["other"]
    assert [refusal.subject for refusal in moves.refusals] == ["app"]
    assert "A_URL=postgres://u:p@db/app" in moves.texts["docker-compose.yml"]


def test_an_alias_that_others_share_is_refused_or_stays_theirs(found: Found) -> None:
    text = (
        HEAD + "  one:\n    image: x\n    environment: &shared\n      DB_HOST: db\n      DB_PORT: 5432\n"
        "  two:\n    image: x\n    environment: *shared\n"
    )
    moves = move(found, text, None, "one")
    for content in moves.texts.values():
        project, _clients = found(content)
        assert project.services["two"].environment["DB_HOST"] == "db"
    assert bool(moves.texts) != bool(moves.refusals)


@pytest.mark.parametrize(
    ("version", "pooled"),
    [
        ((1, 28, 9), False), ((1, 29, 6), False), ((1, 29, 7), True), ((1, 30, 4), False), ((1, 30, 5), True),
        ((1, 31, 0), False), ((1, 31, 1), True), ((1, 32, 0), True), ((2, 0, 0), True), ((1, 31), False), (None, False),
    ],
)  # fmt: skip
def test_versions_that_work_behind_a_pool(version: tuple[int, ...] | None, pooled: bool) -> None:
    assert pooled_version(version) is pooled


def test_a_version_that_the_tag_does_not_tell_can_be_stated(found: Found) -> None:
    text = HEAD + "  t:\n    image: temporalio/server:latest\n    environment: [DB=postgres12, POSTGRES_SEEDS=db]\n"
    project, clients = found(text)
    moves = move_clients(project, clients, {"t": Target("pool", 5432, "transaction", (1, 31, 2))})
    assert moves.refusals == ()
    assert changed(text, moves.texts["docker-compose.yml"])[1].endswith("[DB=postgres12_pgx, POSTGRES_SEEDS=pool]")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("include:\n  - a.yml\nservices: {}\n", ["+  - breakwater/p.yml"]),
        ("include: [a.yml]\nservices: {}\n", ["-include: [a.yml]", "+include: [a.yml, breakwater/p.yml]"]),
        ("include:\n  - path: a.yml\nservices: {}\n", ["+  - path: breakwater/p.yml"]),
        ("include:\n  - path: [a.yml, ./breakwater/p.yml]\nservices: {}\n", []),
        ("include: [./breakwater/p.yml]\nservices: {}\n", []),
        ("name: x\n\nservices: {}\n", ["+include:", "+  - breakwater/p.yml"]),
    ],
)
def test_the_file_is_included_once(text: str, lines: list[str]) -> None:
    document = parse(text, "docker-compose.yml")
    made = apply_edits(document, include_edits(document, "breakwater/p.yml"))
    assert [line for line in changed(text, made.text) if line.strip("+-")] == lines
    assert include_edits(made, "breakwater/p.yml") == ()


def test_an_include_that_is_no_list_is_refused() -> None:
    with pytest.raises(RefusedEdit, match="include is not a list"):
        include_edits(parse("include: a.yml\nservices: {}\n", "docker-compose.yml"), "b.yml")


_QUOTE = st.sampled_from(["", "'", '"'])


@given(
    as_list=st.booleans(),
    quote=_QUOTE,
    password=st.text("abc019%._-", min_size=1, max_size=8),
    comment=st.sampled_from(["", "  # a comment: db:5432"]),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_every_other_byte_stays(
    as_list: bool, quote: str, password: str, comment: str, ending: str, found: Found
) -> None:
    url = f"postgres://u:{password}@db:5432/db"
    item = f"      - {quote}URL={url}{quote}" if as_list else f"      URL: {quote}{url}{quote}"
    text = (HEAD + f"  app:\n    image: x\n    environment:\n      {item.strip()}{comment}\n").replace("\n", ending)
    moves = move(found, text)
    assert moves.texts["docker-compose.yml"] == text.replace("@db:5432/db", "@pool:6432/db")


def test_of_several_files_the_one_that_states_the_value_is_changed() -> None:
    base = HEAD + "  app: {image: x, environment: {PGHOST: elsewhere, PGPORT: 5432}}\n"
    override = "services:\n  app:\n    environment:\n      - PGHOST=db\n"
    files = [SourceFile("docker-compose.yml", base), SourceFile("override.yml", override)]
    project = load_project(files, {}, strict=True)
    clients = find_clients(project, Stack(project, None, {}, Settings()).roles)
    moves = move_clients(project, clients, {"app": Target("pool", 6432, "session")})
    assert moves.refusals == ()
    assert moves.texts["override.yml"] == override.replace("PGHOST=db", "PGHOST=pool")
    assert changed(base, moves.texts["docker-compose.yml"])[1].endswith("{PGHOST: elsewhere, PGPORT: 6432}}")
    assert moves.moves[0].files == ("override.yml", "docker-compose.yml")


def test_a_client_in_an_included_file_is_refused(found: Found) -> None:
    included = "services:\n  app: {image: x, environment: [PGHOST=db, PGPORT=5432]}\n"
    project, clients = found("include: [more/app.yml]\n" + HEAD, None, {"more/app.yml": included})
    moves = move_clients(project, clients, {"app": Target("pool", 6432, "session")})
    assert dict(moves.texts) == {}
    assert "more/app.yml, which is not among the files given" in moves.refusals[0].reason


def test_a_file_that_is_both_is_changed_once_and_for_nobody_else(found: Found) -> None:
    env = "URL=postgres://u:p@db:5432/app\nOTHER=x\n"
    both = Sources({".env": env}, {".env": env})
    alone = HEAD + "  app: {image: x, env_file: .env}\n"
    moves = move(found, alone, both)
    assert moves.refusals == ()
    assert dict(moves.texts) == {".env": env.replace("db:5432", "pool:6432")}
    assert move(found, alone, Sources(moves.texts, moves.texts)) == Moves((), {})
    job = HEAD + "  app: {image: x, environment: ['URL=${URL}']}\n  job: {image: x, command: a, env_file: .env}\n"
    moves = move(found, job, both, "app")
    assert dict(moves.texts) == {}
    assert "would reach URL of job" in moves.refusals[0].reason
