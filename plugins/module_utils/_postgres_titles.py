# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PostgreSQL's processes say of themselves in their titles, for a server that lets nobody in. Pure functions.

This module util is PRIVATE to the collection. The form is ``postgres: [cluster:] user database host activity``:
https://www.postgresql.org/docs/current/monitoring-ps.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from ansible_collections.breakwater.stack.plugins.module_utils._printable import printable

#: Prints the titles of the server's processes, each with its number, then the connections that the server was started
#: with. Reads no arguments of anything else: those may hold secrets.
SCRIPT = r"""
for file in /proc/[0-9]*/cmdline; do
    title=$(tr '\000' ' ' < "$file" 2>/dev/null) || continue
    case $title in "postgres: "*) pid=${file#/proc/}; printf '%s %s\n' "${pid%/cmdline}" "$title" ;; esac
done
LC_ALL=C pg_controldata -D "${PGDATA:-/var/lib/postgresql/data}" 2>/dev/null | grep '^max_connections setting:' || true
"""

_SERVER = re.compile(r"\d+\s+postgres: ")
_HOST = r"(?P<host>\[local\]|[^\s()]+\(\d+\))"
_SERVER = re.compile(r"\d+\s+postgres: ")
_CLIENT = re.compile(rf"(?P<pid>\d+)\s+postgres: (?:\S+: )?(?P<user>\S.*?) (?P<database>\S+) {_HOST} ?(?P<activity>.*)")
_NO_CLIENT = re.compile(
    r"\d+\s+postgres: (?:\S+: )?(?:walsender|autovacuum worker|parallel worker|logical replication)\b"
)
_MOST = re.compile(r"max_connections setting:\s+(\d+)")
_WAITING = " waiting"
#: Activities that are states of pg_stat_activity; everything else is a command, so that the session is active.
_STATES = ("idle", "idle in transaction", "idle in transaction (aborted)", "authentication", "startup")


class Titles(NamedTuple):
    """What the titles tell.

    Attributes:
        server: whether there is any process of a server.
        sessions: the clients'.
        max_connections: the setting that the server was started with, None where it was not found out.
    """

    server: bool
    sessions: list[dict[str, Any]]
    max_connections: int | None


def parse(lines: Sequence[str]) -> Titles:
    """Read what SCRIPT printed, or ``docker top`` with the columns pid and args."""
    sessions = [session for session in map(session_of, lines) if session is not None]
    settings = [int(match[1]) for match in map(_MOST.match, lines) if match]
    return Titles(any(_SERVER.match(line.strip()) for line in lines), sessions, settings[0] if settings else None)


def session_of(line: str) -> dict[str, Any] | None:
    """Give the session of a client, as the reader describes sessions; None for a process of the server's own."""
    match = _CLIENT.fullmatch(line.strip())
    if match is None or _NO_CLIENT.match(line.strip()):
        return None
    activity = match["activity"].strip()
    waits = activity.endswith(_WAITING)
    state = activity[: -len(_WAITING)] if waits else activity
    return {
        "pid": int(match["pid"]),
        "database": printable(match["database"]),
        "user": printable(match["user"]),
        "address": None if match["host"] == "[local]" else match["host"].rpartition("(")[0],
        "state": state if state in _STATES else "active",
        "waits_for_lock": waits,
    }
