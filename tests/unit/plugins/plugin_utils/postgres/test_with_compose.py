# SPDX-License-Identifier: GPL-3.0-or-later
"""What Docker Compose itself makes of a project before and after the pool; `docker compose config` needs no engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit import apply_edits
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.mover import include_edits, move_clients
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.pooler import (
    COMPOSE_FILE,
    pooler_files,
    pooler_for,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.records import (
    Clients,
    Pooler,
    ServerFacts,
    Sources,
    Target,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.sizing import pool_users, size_pool

Found = Callable[..., tuple[Project, Clients]]
EXAMPLE = Path(__file__).resolve().parents[5] / "examples/generic-corp/docker-compose.yml"
STACK = """\
services:
  db:
    image: postgres:17
    networks: {back: {aliases: [database]}}
  app:
    image: app
    env_file: [app.env]
    networks: [back, front]
    environment:
      - "FLAGS=-c search_path=a$$b"
  web:
    image: web
    networks: [back]
    environment: ["URL=${WEB_URL:?say where}"]
networks:
  back: {driver: bridge, internal: true}
  front:
"""


def compose(folder: Path) -> dict[str, Any]:
    """Return Compose's own model of the project in a folder."""
    if shutil.which("docker") is None:
        pytest.skip("needs the Docker Compose plugin")
    command = ["docker", "compose", "--project-name", "p", "config", "--format", "json"]
    known = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    answer = subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, check=False, timeout=60)
    if "is not a docker command" in answer.stderr:
        pytest.skip("needs the Docker Compose plugin")
    assert answer.returncode == 0, answer.stderr
    model = json.loads(answer.stdout)
    assert isinstance(model, dict)
    return model


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files into a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def with_pool(found: Found, text: str, sources: Sources, server: str) -> dict[str, str]:
    """Return all files of a project as the pool makes them."""
    project, clients = found(text, sources)
    pooled = [client for client in clients.clients if not client.direct]
    sizes = size_pool(ServerFacts(), pool_users(pooled, {})).sizes
    pooler = pooler_for(project, server, "pgbouncer:1.24.1")
    assert sizes
    assert isinstance(pooler, Pooler)
    targets = {client.service: Target("pgbouncer", 6432, "transaction") for client in pooled}
    moves = move_clients(project, clients, targets, sources)
    assert moves.refusals == ()
    files = {"docker-compose.yml": text, **sources.dotenv, **sources.env_files, **moves.texts}
    document = parse(files["docker-compose.yml"], "docker-compose.yml")
    files["docker-compose.yml"] = apply_edits(document, include_edits(document, COMPOSE_FILE)).text
    return files | {file.path: file.text for file in pooler_files(pooler, sizes, "secret")}


@pytest.mark.parametrize(
    ("text", "sources", "server", "moved"),
    [
        (
            EXAMPLE.read_text(encoding="utf-8"),
            Sources({".env": "POSTGRES_PASSWORD=hunter2\n"}),
            "postgres",
            {
                "temporal": {"DB": "postgres12_pgx", "DB_PORT": "6432", "POSTGRES_SEEDS": "pgbouncer"},
                "worker": {"DATABASE_URL": "postgresql://temporal:hunter2@pgbouncer:6432/app"},
            },
        ),
        (
            STACK,
            Sources({".env": "WEB_URL='postgres://w:a%25b@database/web'\n"}, {"app.env": "PGHOST=db\nPGUSER=u\n"}),
            "db",
            {
                "app": {"PGHOST": "pgbouncer", "PGPORT": "6432"},
                "web": {"URL": "postgres://w:a%25b@pgbouncer:6432/web"},
            },
        ),
    ],
)
def test_compose_sees_the_pool_and_the_clients_on_it_and_nothing_else_new(
    text: str, sources: Sources, server: str, moved: dict[str, dict[str, str]], found: Found, tmp_path: Path
) -> None:
    write(tmp_path, {"docker-compose.yml": text, **sources.dotenv, **sources.env_files})
    before = compose(tmp_path)
    write(tmp_path, with_pool(found, text, sources, server))
    after = compose(tmp_path)
    pooler = after["services"].pop("pgbouncer")
    assert pooler["networks"].keys() == after["services"][server]["networks"].keys()
    assert pooler["volumes"][0]["source"] == str(tmp_path / "breakwater/pgbouncer")
    for service, values in moved.items():
        before["services"][service]["environment"].update(values)
    for extension in [key for key in (*before, *after) if key.startswith("x-")]:
        before.pop(extension, None)
        after.pop(extension, None)
    assert after == before
