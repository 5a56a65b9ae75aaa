# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about connections as the target's reader returns them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SUBJECT = {"project": "corp", "service": "postgres"}


def session(pid: int, **more: Any) -> dict[str, Any]:
    """One session, idle and from the service `app` unless stated."""
    return {
        "pid": pid,
        "database": "app",
        "user": "temporal",
        "application": "worker",
        "superuser": False,
        "address": "172.18.0.3",
        "origin": "app",
        "service": "app",
        "state": "idle",
        "hidden": False,
        "transaction_seconds": None,
        "state_seconds": 1.0,
        "waits_for_lock": False,
        "blocked_by": None,
        "wait_seconds": None,
        "query": None,
        **more,
    }


def idle(pid: int, seconds: float | None, **more: Any) -> dict[str, Any]:
    """A session that is idle in transaction."""
    return session(
        pid, state="idle in transaction", state_seconds=seconds, transaction_seconds=seconds, query="select ?", **more
    )


def waiting(pid: int, seconds: float | None, *blockers: int, **more: Any) -> dict[str, Any]:
    """A session that waits for a lock."""
    return session(
        pid,
        state="active",
        waits_for_lock=True,
        wait_seconds=seconds,
        transaction_seconds=seconds,
        blocked_by=list(blockers),
        query="update t set a = ?",
        **more,
    )


def facts(
    sessions: Sequence[Mapping[str, Any]] = (), prepared: tuple[int, float | None] = (0, None), **server: Any
) -> dict[str, Any]:
    """Facts of a server with 12 connections, of which 3 are kept for superusers."""
    return {
        "source": "connection",
        "attempts": [{"how": "a connection as temporal", "outcome": "answered"}],
        "server": {
            "container": "corp-postgres-1",
            "version": "17.6",
            "role": "temporal",
            "superuser": True,
            "max_connections": 12,
            "superuser_reserved": 3,
            "reserved": 0,
            "process_limit": None,
            **server,
        },
        "prepared": {"count": prepared[0], "oldest_seconds": prepared[1]},
        "others": {"77": "autovacuum worker"},
        "sessions": list(sessions),
    }


def titles(sessions: Sequence[Mapping[str, Any]], max_connections: int | None = 12) -> dict[str, Any]:
    """Facts that were read from process titles."""
    nothing = dict.fromkeys(("application", "superuser", "transaction_seconds", "state_seconds", "blocked_by", "query"))
    unknown = dict.fromkeys(("version", "role", "superuser", "superuser_reserved", "reserved"))
    found = facts([{**one, **nothing, "wait_seconds": None} for one in sessions], (0, None), **unknown)
    found["server"]["max_connections"] = max_connections
    return {**found, "source": "process_titles", "prepared": {"count": None, "oldest_seconds": None}}
