# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the pool is proven before anybody depends on it, and afterwards. Pure functions that write scripts and judge.

The scripts run in PostgreSQL's container, which has psql and pgbench and is on the pooler's network.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..compose.project import Project
from .environment import Environment
from .pool_objects import literal
from .pool_record import Record
from .records import Client, Sources
from .urls import login_of

_CONNECT_SECONDS = 10
_MOST_AT_ONCE = 64
# A pool that cannot get its connections lets its clients wait; whoever proves it does not.
_ANSWER_SECONDS = 15
# Exit code of `timeout` when the time is over.
_OUT_OF_TIME = 124

# pgbench prepares by the protocol, as Temporal's driver does; psql alone shows that the way is open.
_SCRIPT = """
set -eu
export PGHOST={host} PGPORT={port} PGCONNECT_TIMEOUT={connect} PGAPPNAME=breakwater
unset PGHOSTADDR PGSERVICE PGOPTIONS PGUSER PGDATABASE || true
prove() {{
    if command -v pgbench >/dev/null 2>&1; then
        # Long enough for all connections to be open at the same time.
        echo 'SELECT pg_sleep(0.5);' |
            timeout {answer} pgbench -n -M prepared -c "$3" -j 1 -t 2 -U "$1" -f - "$2" >/dev/null
    else
        timeout {answer} psql -X -w -q -U "$1" -d "$2" -c "SELECT 1" >/dev/null
    fi
}}
""".strip()


class Login(NamedTuple):
    """A user on a database of the pool, and how many connections at once are to be proven."""

    user: str
    password: str
    database: str
    backends: int


def passwords(project: Project, clients: Iterable[Client], sources: Sources | None = None) -> dict[str, str]:
    """Return the password of every user as the clients' configuration has it.

    Args:
        project: the project, its variables replaced.
        clients: as found in it; what their files do not show is left out.
        sources: the texts of the files with variables.
    """
    found: dict[str, str] = {}
    for client in clients:
        environment = Environment(project, project.services[client.service], sources or Sources())
        for value in client.values:
            text = environment.get(value.name)
            if value.meaning == "url":
                user, password = login_of(text)
                found.update({user: password} if user and password else {})
            elif value.meaning.removeprefix("visibility-") == "password" and text:
                # Temporal takes the first store's password for the second where that has none of its own.
                second = value.meaning != "password"
                users = {use.user for use in client.uses if use.user and (not second or use.store == "visibility")}
                found.update(dict.fromkeys(users, text))
    return found


def room_query(record: Record) -> str:
    """Return the SELECT that says how many connections are left (room) and how many the pool's users hold (held)."""
    users = ", ".join(map(literal, record.users))
    return f"""
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
  - coalesce(current_setting('reserved_connections', true)::int, 0) - count(*)::int AS room,
  (count(*) FILTER (WHERE usename IN ({users})))::int AS held
FROM pg_stat_activity WHERE backend_type = 'client backend'
""".strip()


def logins(record: Record, known: Mapping[str, str], room: int, held: int, in_use: bool = False) -> list[Login]:
    """Return what has to be proven: every user on every database; without a password there is only the health check.

    Args:
        record: the pool.
        known: password by user.
        room, held: see :func:`room_query`. Clients that are not moved yet still have their own connections. Where
            these make the difference, the proof of all takes half of what is left, and nobody is kept out by it.
        in_use: there are clients on it by now. In session mode they keep their connections, and the proof would wait
            for all of them in vain; so it takes one.
    """
    wanted = [(user, database) for database in record.databases for user in database.users if user in known]
    total = sum(database.backends for _user, database in wanted)
    left = room // 2 if total <= room + held else total
    found = []
    for user, database in wanted:
        count = 1 if in_use else max(1, min(database.backends, left))
        left -= count
        found.append(Login(user, known[user], database.name, count))
    return found


def script(record: Record, wanted: Sequence[Login]) -> str:
    """Write the proof: prepared statements, on as many connections at once as the pool has for the database."""
    host = shlex.quote(record.service)
    lines = [_SCRIPT.format(host=host, port=record.port, connect=_CONNECT_SECONDS, answer=_ANSWER_SECONDS)]
    for login in wanted:
        clients = max(1, min(login.backends, _MOST_AT_ONCE))
        lines.append(f"export PGPASSWORD={shlex.quote(login.password)}")
        lines.append(f"echo {shlex.quote(f'{login.user} on {login.database}')}")
        lines.append(f"prove {shlex.quote(login.user)} {shlex.quote(login.database)} {clients}")
    return "\n".join(lines) + "\n"


def failure(result: Mapping[str, Any]) -> str:
    """Say in one line which user failed and why, from the output of :func:`script`."""
    names = result["stdout"].strip().splitlines()
    lines = [line.strip() for line in result["stderr"].splitlines() if line.strip()]
    if result["rc"] == _OUT_OF_TIME:
        lines.append(f"ERROR: no connection to the server within {_ANSWER_SECONDS} s")
    telling = [line for line in lines if "FATAL" in line or "ERROR" in line] or lines or ["no reason given"]
    return f"{names[-1] if names else 'nobody'} through the pool: {telling[-1].removeprefix('pgbench: ')}"


def activity_query(record: Record) -> str:
    """Return the SELECT that counts the pool's databases' backends by client address."""
    names = ", ".join(literal(database.name) for database in record.databases)
    return (
        "SELECT coalesce(host(client_addr), '') AS address, count(*)::int AS backends FROM pg_stat_activity\n"
        f"WHERE backend_type = 'client backend' AND datname IN ({names}) GROUP BY 1"
    )


def unproven(rows: Iterable[Mapping[str, Any]], pooler: set[str], client: set[str], has_to_be_there: bool) -> str:
    """Say what keeps a client from being proven to go through the pool; "" when nothing does.

    Args:
        rows: of :func:`activity_query`.
        pooler, client: the addresses of both containers.
        has_to_be_there: it never is without connections, as Temporal.
    """
    counts = {row["address"]: row["backends"] for row in rows}
    direct = sum(counts.get(address, 0) for address in client)
    if direct:
        return f"still has {direct} connections of its own to PostgreSQL"
    if has_to_be_there and not any(counts.get(address) for address in pooler):
        return "has no connection through the pool"
    return ""


#: Asks Temporal's frontend for the list of namespaces, which it reads from the database, by its HTTP interface. Exit
#: code 0: it answers; 1: it answers with an error; 3: nobody listens there, or there is nothing to ask with.
TEMPORAL_PROBE = """
command -v wget >/dev/null 2>&1 || exit 3
for host in 127.0.0.1 "$(hostname -i 2>/dev/null | cut -d' ' -f1)"; do
    said=$(wget -T 10 -O /dev/null "http://$host:7243/api/v1/namespaces?pageSize=1" 2>&1) && exit 0
    case $said in *HTTP*) exit 1 ;; esac
done
exit 3
"""
