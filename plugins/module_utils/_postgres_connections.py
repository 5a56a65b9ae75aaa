# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read who is connected to a PostgreSQL server in a container, also when it lets nobody in.

This module util is PRIVATE to the collection. One query over the server's socket in a READ ONLY transaction; a
superuser gets in through reserved slots. Where that fails, the server's processes say in their titles what they do.
Nothing is changed, and no literal of a query leaves this host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.breakwater.stack.plugins.module_utils import (
    _compose_cli,
    _postgres_origins,
    _postgres_sql,
    _postgres_titles,
)
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError
from ansible_collections.breakwater.stack.plugins.module_utils._postgres_text import shown_query
from ansible_collections.breakwater.stack.plugins.module_utils._printable import printable

#: Seconds that the query may take: pg_stat_activity is answered from memory, so more means that the server is ill.
TIMEOUT = 5.0

#: What psql puts before the server's own words.
_FAILED = re.compile(r"^psql: error: connection to server on socket .*? failed: ")

# A role without pg_read_all_stats sees of others neither state nor kind: what has a user and a database is a client,
# https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-VIEWS
# Clients alone count against max_connections; replication and workers have slots of their own.
# to_jsonb reads the columns that older servers do not have (waitstart: 14).
SELECT = """
SELECT
  pg_catalog.current_setting('server_version') AS version,
  current_user AS role,
  (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS superuser,
  pg_catalog.current_setting('max_connections')::int AS max_connections,
  pg_catalog.current_setting('superuser_reserved_connections')::int AS superuser_reserved,
  coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::int AS reserved,
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts) AS prepared,
  (SELECT pg_catalog.round(pg_catalog.max(extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared))::numeric, 1)
     FROM pg_catalog.pg_prepared_xacts p) AS prepared_seconds,
  (SELECT pg_catalog.json_object_agg(o.pid, o.backend_type) FROM pg_catalog.pg_stat_activity o
     WHERE o.backend_type IS NOT NULL AND o.backend_type <> 'client backend') AS others,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
     'pid', a.pid, 'database', a.datname, 'user', a.usename, 'application', a.application_name,
     'superuser', (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = a.usesysid),
     'address', pg_catalog.host(a.client_addr), 'state', a.state,
     'hidden', a.query = '<insufficient privilege>',
     'transaction_seconds',
       pg_catalog.round(extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::numeric, 1),
     'state_seconds',
       pg_catalog.round(extract(epoch FROM pg_catalog.clock_timestamp() - a.state_change)::numeric, 1),
     'waits_for_lock', coalesce(a.wait_event_type = 'Lock', false),
     'blocked_by', CASE WHEN a.wait_event_type = 'Lock' THEN pg_catalog.pg_blocking_pids(a.pid) END,
     'wait_seconds', CASE WHEN a.wait_event_type = 'Lock' THEN pg_catalog.round(extract(epoch FROM
       pg_catalog.clock_timestamp() - coalesce(
         (SELECT pg_catalog.min((pg_catalog.to_jsonb(l) ->> 'waitstart')::timestamptz)
            FROM pg_catalog.pg_locks l WHERE l.pid = a.pid AND NOT l.granted),
         a.query_start))::numeric, 1) END,
     'query', CASE WHEN a.xact_start IS NOT NULL THEN a.query END) ORDER BY a.pid)
   FROM pg_catalog.pg_stat_activity a
   WHERE a.pid <> pg_catalog.pg_backend_pid()
     AND (a.backend_type = 'client backend'
          OR (a.backend_type IS NULL AND a.usesysid IS NOT NULL AND a.datid IS NOT NULL))) AS sessions
"""


class Request(NamedTuple):
    """What to read.

    Attributes:
        container: id of the database's container.
        project: the name of the Compose project.
        role: the role to connect as; empty for the superuser that the image has made.
        database: the database to connect to; empty for one that is there.
    """

    container: str
    project: str
    role: str = ""
    database: str = ""


def read(request: Request, docker: _compose_cli.Docker) -> dict[str, Any]:
    """Read who is connected.

    Args:
        request: where.
        docker: the docker command.

    Returns:
        ``source`` (``connection`` or ``process_titles``), ``attempts``, ``server``, ``prepared``, ``sessions``, and
        ``others``: the server's own processes, their kind by number.
        Every text is printable; ages are seconds on the server's clock.

    Raises:
        StackError: the container does not run, or neither way gave an answer; says what was tried.
    """
    inspected = running(docker)
    container = next((item for item in inspected if item.get("Id") == request.container), None)
    if container is None:
        raise StackError(
            f"PostgreSQL: its container {request.container[:12]} does not run; look at its log (docker logs "
            f"{request.container[:12]}), then start it"
        )
    name = _name(container)
    known = _postgres_origins.origins(inspected, request.container, request.project)
    attempts: list[dict[str, str]] = []
    facts = _ask(docker, _accounts(docker, request, container), attempts) or _look(request, docker, attempts)
    if facts is None:
        tried = "; ".join(f"{attempt['how']}: {attempt['outcome']}" for attempt in attempts)
        raise StackError(f"PostgreSQL in {name}: no way to see its connections. Tried {tried}")
    limit = (container.get("HostConfig") or {}).get("PidsLimit") or 0
    facts["server"].update(container=name, process_limit=limit if limit > 0 else None)
    facts["attempts"] = attempts
    for session in facts["sessions"]:
        origin = _postgres_origins.origin_of(session["address"], known)
        hidden = session["hidden"] and session["address"] is None
        session["origin"] = None if hidden else origin.name
        session["service"] = None if hidden else origin.service
    return facts


def _name(container: Mapping[str, Any]) -> str:
    return str(container.get("Name", "")).lstrip("/")


def running(docker: _compose_cli.Docker) -> list[dict[str, Any]]:
    """Inspect all running containers: a client may belong to another project.

    Raises:
        StackError: Docker gives no answer.
    """
    listed = docker.run(["ps", "--no-trunc", "--quiet"])
    if listed.code != 0:
        raise _compose_cli.failure("list the containers", listed)
    identifiers = listed.stdout.split()
    if not identifiers:
        return []
    result = docker.run(["inspect", "--type", "container", *identifiers])
    try:
        return list(json.loads(result.stdout))
    except ValueError:
        raise _compose_cli.failure("inspect the containers", result) from None


def _accounts(
    docker: _compose_cli.Docker, request: Request, container: Mapping[str, Any]
) -> list[_postgres_sql.Server]:
    """Give the roles and databases to try: those asked for, then the superuser that the image has made."""
    pairs = (str(pair).partition("=") for pair in (container.get("Config") or {}).get("Env") or [])
    environment = {name: value for name, _equals, value in pairs}
    made = environment.get("POSTGRES_USER") or _from_file(docker, request, environment.get("POSTGRES_USER_FILE"))
    roles = dict.fromkeys(role for role in (request.role, made or "postgres") if role)
    databases = dict.fromkeys(name for name in (request.database, "postgres", "template1") if name)
    name = _name(container)
    return [_postgres_sql.Server(name, role, database) for role in roles for database in databases]


def _from_file(docker: _compose_cli.Docker, request: Request, path: str | None) -> str:
    """Read a file that the image takes a name from (``POSTGRES_USER_FILE``); empty where it cannot be read."""
    if not path:
        return ""
    result = docker.run(["exec", request.container, "cat", path])
    return result.stdout.strip() if result.code == 0 else ""


def _ask(
    docker: _compose_cli.Docker, servers: Sequence[_postgres_sql.Server], attempts: list[dict[str, str]]
) -> dict[str, Any] | None:
    """Ask the server; None where it gives no answer. What was tried is added to ``attempts``."""
    refused = set()
    for server in servers:
        if server.user in refused:
            continue
        how = printable(f"a connection as {server.user} to {server.database} over the socket in the container")
        try:
            row = _postgres_sql.query(docker, server, SELECT, timeout=TIMEOUT)[0]
        except StackError as error:
            detail = " ".join((getattr(error, "detail", "") or str(error)).split())
            attempts.append({"how": how, "outcome": printable(_FAILED.sub("", detail))})
            if f'database "{server.database}" does not exist' not in detail:
                refused.add(server.user)
            continue
        attempts.append({"how": how, "outcome": "answered"})
        return described(row)
    return None


def described(row: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what the query returned: every text printable, queries without literals."""
    sessions = [_session(session) for session in row["sessions"] or []]
    server = {key: row[key] for key in ("max_connections", "superuser_reserved", "reserved")}
    server.update(
        version=printable(row["version"].split(" ")[0]), role=printable(row["role"]), superuser=bool(row["superuser"])
    )
    prepared = {"count": row["prepared"], "oldest_seconds": row["prepared_seconds"]}
    others = {str(pid): printable(kind) for pid, kind in (row["others"] or {}).items()}
    found = {"source": "connection", "server": server, "prepared": prepared, "sessions": sessions}
    return {**found, "others": others}


def _session(session: Mapping[str, Any]) -> dict[str, Any]:
    """Describe one session."""
    texts = {key: printable(session[key] or "") or None for key in ("database", "user", "application")}
    return {**session, **texts, "hidden": bool(session["hidden"]), "query": shown_query(session["query"])}


def _look(request: Request, docker: _compose_cli.Docker, attempts: list[dict[str, str]]) -> dict[str, Any] | None:
    """Read the titles of the server's processes; None where there are none."""
    for how, command in (
        (
            "the titles of the processes in the container",
            ["exec", request.container, "sh", "-c", _postgres_titles.SCRIPT],
        ),
        ("the titles of the processes by docker top", ["top", request.container, "-eo", "pid,args"]),
    ):
        try:
            result = docker.run(command, timeout=15.0)
        except StackError as error:
            attempts.append({"how": how, "outcome": printable(str(error))})
            continue
        titles = _postgres_titles.parse(result.stdout.splitlines())
        if result.code == 0 and titles.server:
            attempts.append({"how": how, "outcome": "read"})
            return _from_titles(titles)
        outcome = " ".join(result.stderr.split()) or "no process of a PostgreSQL server"
        attempts.append({"how": how, "outcome": printable(outcome)})
    return None


def _from_titles(titles: _postgres_titles.Titles) -> dict[str, Any]:
    """Describe what the titles tell; ages, applications, queries and who blocks whom are not among it."""
    unknown = {
        "application": None,
        "superuser": None,
        "hidden": False,
        "transaction_seconds": None,
        "state_seconds": None,
        "blocked_by": None,
        "wait_seconds": None,
        "query": None,
    }
    server = {
        "max_connections": titles.max_connections,
        "superuser_reserved": None,
        "reserved": None,
        "version": None,
        "role": None,
        "superuser": None,
    }
    return {
        "source": "process_titles",
        "server": server,
        "prepared": {"count": None, "oldest_seconds": None},
        "others": {},
        "sessions": [{**unknown, **session} for session in titles.sessions],
    }
