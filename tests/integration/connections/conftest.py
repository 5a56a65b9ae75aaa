# SPDX-License-Identifier: GPL-3.0-or-later
"""A small stack with a real PostgreSQL whose connections are soon used up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
IMAGES = Path(os.environ.get("BREAKWATER_CACHE", ROOT / ".cache")) / "ground" / "images.env"
NAME = "bw-connections"
MOST = 14
RESERVED = 2
STACK = f"""\
name: {NAME}
x-client: &client
  image: ${{POSTGRES_IMAGE:-postgres:17.6}}
  entrypoint: [sleep, infinity]
  stop_signal: KILL
services:
  db:
    image: ${{POSTGRES_IMAGE:-postgres:17.6}}
    command: [postgres, -c, max_connections={MOST}, -c, reserved_connections={RESERVED}, -c, fsync=off,
      -c, max_prepared_transactions=1]
    environment: {{POSTGRES_USER: owner, POSTGRES_PASSWORD: "${{PASSWORD}}"}}
    healthcheck:
      test: [CMD, pg_isready, -h, 127.0.0.1, -U, owner]
      interval: 1s
      retries: 60
  app:
    <<: *client
    environment: {{DATABASE_URL: "postgresql://plain:${{PASSWORD}}@db/owner?pool_max_conns=6"}}
  jobs: *client
"""
#: `plain` sees only its own sessions in full, `watcher` all of them.
ROLES = """\
CREATE ROLE plain LOGIN PASSWORD 'canary-pw';
CREATE ROLE watcher LOGIN PASSWORD 'canary-pw' IN ROLE pg_monitor;
CREATE TABLE accounts (id int, note text);
GRANT ALL ON accounts TO plain;
INSERT INTO accounts VALUES (1, 'a');
"""


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


class Session:
    """A session that stays open; what it is told stays in force."""

    def __init__(self, service: str, user: str, application: str, host: str) -> None:
        environment = {"PGPASSWORD": "canary-pw", "PGAPPNAME": application}
        given = [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]
        psql = ["psql", "-qX", "-d", "owner", "-U", user, *(["-h", host] if host else [])]
        self._process = subprocess.Popen(
            ["docker", "exec", "-i", *given, f"{NAME}-{service}-1", *psql],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def tell(self, sql: str) -> None:
        """Send statements without waiting for their end."""
        assert self._process.stdin is not None
        self._process.stdin.write(sql + "\n")
        self._process.stdin.flush()

    def connected(self) -> bool:
        """Wait until it is let in or refused; ask once, before it is told anything."""
        assert self._process.stdout is not None
        self.tell("\\echo connected")
        return self._process.stdout.readline() == "connected\n"

    def hang_up(self) -> None:
        """Close its input: it ends as soon as it waits for nothing."""
        if self._process.stdin is not None:
            self._process.stdin.close()
            self._process.stdin = None

    def close(self) -> str:
        """End the session and give what it printed."""
        return self._process.communicate(timeout=20)[0]


class Stack:
    """The stack with the sessions of one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sessions: list[Session] = []

    def compose(self, *arguments: str) -> None:
        """Run Compose on it."""
        done = subprocess.run(
            ["docker", "compose", *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def container(self, service: str) -> str:
        """Name of a service's container."""
        return f"{NAME}-{service}-1"

    def open(self, service: str = "app", user: str = "plain", application: str = "psql", host: str = "db") -> Session:
        """Open a session."""
        self.sessions.append(Session(service, user, application, host))
        return self.sessions[-1]

    def look(self, *arguments: str) -> Outcome:
        """Run the program."""
        program = str(Path(sys.executable).parent / "breakwater")
        command = [program, "connections", "--project-dir", str(self.folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert "canary" not in done.stdout + done.stderr
        return Outcome(done.returncode, done.stdout, done.stderr)

    def look_until(self, ready: Callable[[dict[str, Any]], Any], *arguments: str) -> Outcome:
        """Run the program until its report shows what was brought about."""
        deadline = time.monotonic() + 20
        while not ready((outcome := self.look("--format", "json", *arguments)).report):
            assert time.monotonic() < deadline, outcome.out
        return outcome

    def open_all(self, count: int, service: str, user: str = "plain") -> None:
        """Open sessions, all of them let in: the program itself needs a slot for a moment, and might take theirs."""
        opened = [self.open(service, user) for _ in range(count)]
        assert all(session.connected() for session in opened)

    def close_sessions(self) -> None:
        """End the sessions; they may wait for one another."""
        for session in self.sessions:
            session.hang_up()
        for session in self.sessions:
            session.close()
        self.sessions.clear()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack, up."""
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0 or not IMAGES.exists():
        pytest.skip("no Docker Engine answers, or `tests/ground/ground up` has not named its images")
    folder = tmp_path_factory.mktemp("connections")
    (folder / "compose.yml").write_text(STACK)
    (folder / ".env").write_text(IMAGES.read_text() + "PASSWORD=canary-pw\n")
    one = Stack(folder)
    try:
        one.compose("up", "--detach", "--wait")
        session = one.open("db", "owner", host="")
        session.tell(ROLES)
        assert "ERROR" not in session.close()
        one.sessions.clear()
        yield one
    finally:
        command = ["docker", "compose", "down", "--volumes", "--timeout", "0"]
        subprocess.run(command, cwd=folder, capture_output=True, check=False)


@pytest.fixture
def stack(running: Stack) -> Iterator[Stack]:
    """The stack; its sessions end with the test."""
    yield running
    running.close_sessions()
