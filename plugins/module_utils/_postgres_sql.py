# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQL in PostgreSQL's container: ``docker exec -i`` of psql over the server's own socket.

This module util is PRIVATE to the collection. No password is needed there, no port has to be published, and a server
whose connections are used up still keeps slots for its superuser. Statements travel by standard input, never in
arguments, where every user of the host could read them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from ansible_collections.breakwater.stack.plugins.module_utils import _compose_cli
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError

# psql's own: 2 when the connection failed, 3 when a statement of a script did (PostgreSQL manual, psql, Exit Status).
_NOT_CONNECTED = 2
_APPLICATION = "breakwater"


class Server(NamedTuple):
    """A PostgreSQL server in a container.

    Attributes:
        container: name or id of the container.
        user: the role to work as, usually the superuser that the image has made.
        database: the database to work in.
    """

    container: str
    user: str = "postgres"
    database: str = "postgres"


class SqlError(StackError):
    """PostgreSQL or psql refused; `connected` is False when no session came about, `detail` is what psql said."""

    def __init__(self, message: str, connected: bool, detail: str) -> None:
        super().__init__(message)
        self.connected = connected
        self.detail = detail


def query(
    docker: _compose_cli.Docker, server: Server, select: str, read_only: bool = True, timeout: float = 5.0
) -> list[dict[str, Any]]:
    """Return the rows of one SELECT, each as a dictionary with PostgreSQL's JSON values.

    Args:
        docker: the docker command.
        server: where.
        select: one SELECT without the semicolon at its end.
        read_only: run it in a READ ONLY transaction.
        timeout: seconds that the statement, and waiting for a lock, may take.

    Raises:
        SqlError: it failed.
    """
    script = f"SELECT pg_catalog.to_json(answer) FROM (\n{select}\n) AS answer;\n"
    printed = execute(docker, server, script, read_only, timeout)
    return [json.loads(line) for line in printed.splitlines() if line.strip()]


def execute(
    docker: _compose_cli.Docker, server: Server, script: str, read_only: bool = False, timeout: float = 30.0
) -> str:
    """Run statements in one transaction and return what psql prints (rows without headers, fields parted by ``|``).

    Args:
        docker: the docker command.
        server: where.
        script: the statements.
        read_only: refuse whatever would write.
        timeout: seconds that each statement, and waiting for a lock, may take.

    Raises:
        SqlError: one failed, and then none is in force. The message holds no statement, so no secret of one.
    """
    milliseconds = max(1, int(timeout * 1000))
    settings = [f"statement_timeout={milliseconds}", f"lock_timeout={milliseconds}"]
    settings += ["default_transaction_read_only=on"] if read_only else []
    # A failed statement would be written into the server's log, with what it holds.
    settings += [] if read_only else ["log_min_error_statement=panic", "log_statement=none"]
    arguments = ["exec", "-i", *_environment(settings), server.container, *_psql(server)]
    result = docker.run(arguments, timeout=timeout + 30, text=script.encode("utf-8"))
    if result.code != 0:
        raise _failure(server, result)
    return result.stdout


def _environment(settings: Sequence[str]) -> list[str]:
    """Give the options of ``docker exec`` for psql's environment; nothing of the container's own may lead it away."""
    options = " ".join(f"-c {setting}" for setting in settings)
    variables = {
        "PGOPTIONS": options,
        "PGAPPNAME": _APPLICATION,
        "PGCONNECT_TIMEOUT": "10",
        "PGHOST": "",
        "PGHOSTADDR": "",
        "PGCLIENTENCODING": "UTF8",
    }
    return [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]


def _psql(server: Server) -> list[str]:
    """Give the command: no start-up file, no prompt, rows alone, one transaction, and errors without the statement."""
    switches = ["--no-psqlrc", "--no-password", "--quiet", "--tuples-only", "--no-align", "--single-transaction"]
    variables = ["--set", "ON_ERROR_STOP=1", "--set", "VERBOSITY=terse"]
    names = [f"--username={server.user}", f"--dbname={server.database}"]
    return ["psql", *switches, *variables, *names, "--file=-"]


def _failure(server: Server, result: _compose_cli.Result) -> StackError:
    """Say in one line what went wrong and what to do."""
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    detail = " ".join(lines)
    lowered = detail.lower()
    who = f"PostgreSQL in {server.container}"
    if "executable file not found" in lowered:
        advice = "the image has no psql; use one that has, as the official postgres image"
        return SqlError(f"{who}: {advice}", False, detail)
    if any(sign in lowered for sign in ("no such container", "is not running", "docker daemon", "docker.sock")):
        return _compose_cli.failure(f"run psql in {server.container}", result)
    if result.code == _NOT_CONNECTED:
        return SqlError(f"{who}: no connection as {server.user} over its socket: {detail}", False, detail)
    return SqlError(f"{who}: {_reason(lines)}", True, detail)


def _reason(lines: Sequence[str]) -> str:
    """Give the first error that psql printed, without its place in the script."""
    errors = [line.partition("ERROR:")[2].strip() for line in lines if "ERROR:" in line]
    return errors[0] if errors else " ".join(lines) or "psql failed and said nothing"
