# SPDX-License-Identifier: GPL-3.0-or-later
"""A small stack with PostgreSQL and one application on the real engine, and the playbooks as users run them."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from stacks import IMAGES, ROOT, Project, Run

__all__ = ["IMAGES", "ROOT", "Run", "Stack", "until"]

PASSWORDS = {"POSTGRES_PASSWORD": "hunt-me-super-1", "APP_PASSWORD": "hunt-me-app-2"}

COMPOSE = """# what people write
name: {name}

services:
  db:
    image: ${{POSTGRES_IMAGE}}
    command: postgres -c max_connections={connections} -c fsync=off
    environment:
      - POSTGRES_USER=root_of_all
      - POSTGRES_PASSWORD=${{POSTGRES_PASSWORD}}   # see the vault
      - POSTGRES_DB=shop
    volumes:
      - ./initdb:/docker-entrypoint-initdb.d:ro
    tmpfs: /var/lib/postgresql/data
    healthcheck:
      test: ["CMD", "pg_isready", "-h", "127.0.0.1", "-U", "root_of_all"]
      interval: 1s
      retries: 60

  app:
    image: ${{WORKER_IMAGE}}
    command: ["python", "/client/client.py"]
    restart: always
    stop_grace_period: 1s
    environment:
      DATABASE_URL: postgresql://shop:${{APP_PASSWORD}}@db:5432/shop   # straight to the database
    volumes: [./client:/client:ro]
"""
#: An application with one connection that it keeps: it counts, and comes back when it is cut off.
CLIENT = """
import os
import time

import psycopg

while True:
    try:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            while True:
                connection.execute("UPDATE counter SET n = n + 1")
                time.sleep(0.2)
    except psycopg.Error as error:
        print(error, flush=True)
        time.sleep(0.2)
"""
INITDB = "CREATE ROLE shop LOGIN PASSWORD '{}'; CREATE TABLE counter (n int); INSERT INTO counter VALUES (0);\n"
GRANT = "GRANT ALL ON counter TO shop;\n"


class Stack(Project):
    """A database and an application.

    Args:
        folder: where its files lie.
        connections: max_connections of its server.
    """

    def __init__(self, folder: Path, connections: int) -> None:
        self.folder = folder / "stack"
        self.name = f"bw-pool-{uuid.uuid4().hex[:8]}"
        self.file = self.folder / "docker-compose.yml"
        (self.folder / "initdb").mkdir(parents=True)
        (self.folder / "client").mkdir()
        (self.folder / "client/client.py").write_text(CLIENT)
        (self.folder / "initdb/1.sql").write_text(INITDB.format(PASSWORDS["APP_PASSWORD"]) + GRANT)
        self.file.write_text(COMPOSE.format(name=self.name, connections=connections))
        values = "".join(f"{key}={value}\n" for key, value in PASSWORDS.items())
        (self.folder / ".env").write_text(IMAGES.read_text() + values)
        self.inventory = folder / "hosts.yml"
        self.inventory_with()

    def inventory_with(self, **variables: Any) -> None:
        """Write the inventory, with variables over the usual ones."""
        usual = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "breakwater_project_dir": str(self.folder),
            "breakwater_wait_timeout": 60,
            "compose_limits_ignore": ["BW"],
            "pgbouncer_state": "present",
            "pgbouncer_image": pooler_image(),
            "pgbouncer_applications": [{"service": "app", "mode": "session"}],
        }
        self.inventory.write_text(yaml.safe_dump({"stacks": {"hosts": {"small": usual | variables}}}))

    def command(self, playbook: str, *arguments: str) -> list[str]:
        """The command of a playbook, with its diff."""
        return super().command(playbook, "--diff", *arguments)

    def harden(self, *arguments: str, **environment: str) -> Run:
        """Run the hardening, which has to succeed."""
        run = self.play("harden", *arguments, **environment)
        assert run.code == 0, run.text
        return run

    def services(self) -> dict[str, str]:
        """The ids of the running containers by service."""
        form = '{{.Label "com.docker.compose.service"}} {{.ID}}'
        project = f"label=com.docker.compose.project={self.name}"
        printed = self.docker("ps", "--no-trunc", "--filter", project, "--format", form)
        return dict(line.split() for line in printed.splitlines())

    def sql(self, query: str, database: str = "shop") -> str:
        """Ask the server itself, past the pool."""
        arguments = (
            "exec",
            "-i",
            f"{self.name}-db-1",
            "psql",
            "-XAt",
            "-U",
            "root_of_all",
            "-d",
            database,
            "-c",
            query,
        )
        return self.docker(*arguments)

    def objects(self) -> int:
        """Count what the pool has made inside the server."""
        roles = "SELECT rolname FROM pg_roles WHERE rolname = 'breakwater_pool'"
        schemas = "SELECT nspname FROM pg_namespace WHERE nspname = 'breakwater'"
        return len(self.sql(f"{roles} UNION ALL {schemas}", "postgres").split())

    def clients(self) -> set[str]:
        """The addresses from which the application's user is connected."""
        return set(self.sql("SELECT host(client_addr) FROM pg_stat_activity WHERE usename = 'shop'").split())

    def address(self, service: str) -> str:
        """The address of a service."""
        return str(next(iter(self.inspect(service)["NetworkSettings"]["Networks"].values()))["IPAddress"])

    def counts(self) -> bool:
        """Say whether the application works."""
        before = self.sql("SELECT n FROM counter")
        return until(lambda: self.sql("SELECT n FROM counter") != before)

    def files(self) -> dict[str, bytes]:
        """Every file of the project but the generations."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        inside = {str(path.relative_to(self.folder)): path for path in found}
        return {name: path.read_bytes() for name, path in inside.items() if not name.startswith(".breakwater")}


def pooler_image() -> str:
    """The image that the ground has for the pooler."""
    names = dict(line.split("=", 1) for line in IMAGES.read_text().splitlines())
    return names["PGBOUNCER_IMAGE"]


def until(check: Callable[[], Any], seconds: float = 10) -> bool:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
