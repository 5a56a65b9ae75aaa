# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the connections of a PostgreSQL server mean: counts, findings and a verdict. Pure functions.

The report is one dictionary in the shape of ``docs/schemas/connections-1.json``; text is written from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

LEVELS = ("ok", "warning", "critical")
SCHEMA_VERSION = 1

#: Processes of an idle PostgreSQL 17 beside its sessions: postmaster, checkpointer, writers and launchers.
PG_PROCESSES = 6

_IN_TRANSACTION = ("idle in transaction", "idle in transaction (aborted)")
_QUESTIONS = {
    "service": "origin",
    "database": "database",
    "user": "user",
    "application": "application",
    "state": "state",
}
_NOT_SHOWN = "(not shown to this role)"
_NONE = "(none)"


class Thresholds(NamedTuple):
    """From which figure on something is a warning, and critical. Shares are percent, ages are seconds.

    Temporal gives each of its database calls 5 to 10 seconds (shardIOTimeout in service/history/configs), so that a
    lock that is waited for longer shows as deadline errors; its transactions take milliseconds.
    """

    used_warning: float = 80
    used_critical: float = 95
    idle_warning: float = 60
    idle_critical: float = 600
    wait_warning: float = 5
    wait_critical: float = 60
    transaction_warning: float = 600
    transaction_critical: float = 3600


class Reason(NamedTuple):
    """Why the verdict is not ``ok``: level, a code for programs, a sentence for people."""

    level: str
    code: str
    text: str


def report(
    facts: Mapping[str, Any],
    subject: Mapping[str, str],
    worst: Mapping[str, Any] | None,
    limits: Thresholds | None = None,
    notes: Iterable[str] = (),
) -> dict[str, Any]:
    """Judge what was read.

    Args:
        facts: what the target's reader returned (module_utils/_postgres_connections.py).
        subject: ``project`` and ``service``.
        worst: what the clients may open by their configuration (connections_worst.py); None where not known.
        limits: when to worry; None for the defaults.
        notes: what a person should know beside.
    """
    limits = limits or Thresholds()
    sessions = facts["sessions"]
    slots = slots_of(facts)
    waits = lock_waits(sessions, facts["others"])
    idle = [_idle(session) for session in _longest(sessions, "state_seconds") if session["state"] in _IN_TRANSACTION]
    oldest = next(iter(_longest(sessions, "transaction_seconds", known=True)), None)
    reasons = [
        *_judge_slots(facts, slots, limits),
        *_judge_processes(facts, slots, limits),
        *_judge_idle(idle, limits),
        *_judge_waits(waits, limits),
        *_judge_transactions(oldest, facts["prepared"], limits),
        *_judge_worst(worst),
        *_judge_sight(facts, sessions),
    ]
    reasons.sort(key=lambda reason: -LEVELS.index(reason.level))
    return {
        "verdict": reasons[0].level if reasons else "ok",
        "reasons": [reason._asdict() for reason in reasons],
        "server": {**subject, "source": facts["source"], **facts["server"]},
        "slots": slots,
        "counts": counts_of(sessions),
        "idle_in_transaction": idle,
        "lock_waits": waits,
        "oldest_transaction": None if oldest is None else _transaction(oldest),
        "prepared_transactions": dict(facts["prepared"]),
        "hidden": sum(1 for session in sessions if session["hidden"]),
        "worst_case": None if worst is None else dict(worst),
        "attempts": list(facts["attempts"]),
        "notes": [*notes, *_notes(facts, sessions)],
    }


def slots_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Count the slots: an ordinary role gets one only while more than the reserved ones are free.

    https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-SUPERUSER-RESERVED-CONNECTIONS
    """
    server = facts["server"]
    used, most = len(facts["sessions"]), server["max_connections"]
    if most is None:
        return {"used": used, "available": None, "free": None, "free_for_superusers": None}
    reserved = (server["superuser_reserved"] or 0) + (server["reserved"] or 0)
    known = server["superuser_reserved"] is not None
    return {
        "used": used,
        "available": most - reserved if known else None,
        "free": max(0, most - reserved - used) if known or used >= most else None,
        "free_for_superusers": max(0, most - used),
    }


def counts_of(sessions: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Count the sessions by who they are and what they do, the most frequent first; services with their states."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, key in _QUESTIONS.items():
        counter = Counter(_answer(session, key) for session in sessions)
        found[name] = [{"name": value, "count": count} for value, count in _most_frequent(counter)]
    states = Counter((_answer(session, "origin"), _answer(session, "state")) for session in sessions)
    for item in found["service"]:
        of_service = Counter({state: count for (origin, state), count in states.items() if origin == item["name"]})
        item["states"] = [{"name": state, "count": count} for state, count in _most_frequent(of_service)]
    return found


def _answer(session: Mapping[str, Any], key: str) -> str:
    hidden = session["hidden"] and key in ("origin", "state")
    return str(session[key] or (_NOT_SHOWN if hidden else _NONE))


def _most_frequent(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))


def lock_waits(sessions: Sequence[Mapping[str, Any]], others: Mapping[str, str]) -> list[dict[str, Any]]:
    """List who waits for a lock, the longest first, with those who hold it up.

    Args:
        sessions: of clients.
        others: the server's own processes, their kind by number; an autovacuum worker may hold locks too.
    """
    by_pid = {session["pid"]: session for session in sessions}
    waiting = [session for session in _longest(sessions, "wait_seconds") if session["waits_for_lock"]]
    return [
        {
            **_who(session),
            "wait_seconds": session["wait_seconds"],
            "query": session["query"],
            "blocked_by": None
            if session["blocked_by"] is None
            else [_blocker(pid, by_pid, others) for pid in dict.fromkeys(session["blocked_by"])],
        }
        for session in waiting
    ]


def _blocker(pid: int, by_pid: Mapping[int, Mapping[str, Any]], others: Mapping[str, str]) -> dict[str, Any]:
    """Describe who holds up another session; process 0 stands for a prepared transaction."""
    session = by_pid.get(pid)
    if session is None:
        kind = "prepared transaction" if pid == 0 else others.get(str(pid))
        return {"pid": pid, "kind": kind, "state": None, "transaction_seconds": None, "query": None}
    return {**_who(session), "kind": "client", "state": session["state"], **_age(session)}


def _who(session: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("pid", "database", "user", "application", "origin", "service")
    return {key: session[key] for key in keys}


def _age(session: Mapping[str, Any]) -> dict[str, Any]:
    return {"transaction_seconds": session["transaction_seconds"], "query": session["query"]}


def _idle(session: Mapping[str, Any]) -> dict[str, Any]:
    aborted = session["state"] == _IN_TRANSACTION[1]
    return {**_who(session), "aborted": aborted, "idle_seconds": session["state_seconds"], **_age(session)}


def _transaction(session: Mapping[str, Any]) -> dict[str, Any]:
    return {**_who(session), "state": session["state"], **_age(session)}


def _longest(sessions: Iterable[Mapping[str, Any]], key: str, known: bool = False) -> list[Mapping[str, Any]]:
    """Order by an age, the longest first, those without one last or left out."""
    chosen = [session for session in sessions if not known or session[key] is not None]
    return sorted(chosen, key=lambda session: (session[key] is None, -(session[key] or 0), session["pid"]))


def _judge_slots(facts: Mapping[str, Any], slots: Mapping[str, Any], limits: Thresholds) -> list[Reason]:
    """Compare the slots in use with those that there are."""
    used, available, free = slots["used"], slots["available"], slots["free"]
    found = []
    if facts["source"] != "connection":
        found.append(
            Reason("critical", "no_connection", "the server let nobody in, so that its processes' titles were read")
        )
    most = facts["server"]["max_connections"]
    if free == 0:
        text = f"no connection is left for applications: {used} of max_connections {most} are used"
        if slots["free_for_superusers"]:
            text += f", the last {slots['free_for_superusers']} only for superusers or roles with reserved slots"
        return [*found, Reason("critical", "slots_used", text)]
    if available:
        share = 100 * used / available
        text = f"{used} of {available} connections for applications are used ({share:.0f} %), {free} are left"
        level = level_of(share, limits.used_warning, limits.used_critical)
        found += [Reason(level, "slots_used", text)] if level != "ok" else []
    return found


def _judge_processes(facts: Mapping[str, Any], slots: Mapping[str, Any], limits: Thresholds) -> list[Reason]:
    """Compare the sessions, each of them a process, with the container's limit of processes."""
    limit = facts["server"]["process_limit"]
    if limit is None:
        return []
    needed = slots["used"] + PG_PROCESSES
    level = level_of(100 * needed / limit, limits.used_warning, limits.used_critical)
    text = f"the container may have {limit} processes (pids_limit); each session is one, and the server needs "
    text += f"{PG_PROCESSES} beside: {needed} in all"
    return [] if level == "ok" else [Reason(level, "process_limit", text)]


def level_of(value: float, warning: float, critical: float) -> str:
    """Give the level of a figure."""
    return "critical" if value >= critical else "warning" if value >= warning else "ok"


def _judge_idle(idle: Sequence[Mapping[str, Any]], limits: Thresholds) -> list[Reason]:
    """Judge transactions that nobody works in."""
    if not idle:
        return []
    unknown = [item for item in idle if item["idle_seconds"] is None]
    if unknown:
        return [
            Reason("warning", "idle_in_transaction", f"{_sessions(len(unknown))} idle in transaction, age not known")
        ]
    level = level_of(idle[0]["idle_seconds"], limits.idle_warning, limits.idle_critical)
    if level == "ok":
        return []
    count = sum(1 for item in idle if item["idle_seconds"] >= limits.idle_warning)
    text = f"{_sessions(count)} idle in transaction for {age(limits.idle_warning)} or longer, the longest "
    text += f"{age(idle[0]['idle_seconds'])} ({_name(idle[0])}): locks are kept and vacuum is held up"
    return [Reason(level, "idle_in_transaction", text)]


def _judge_waits(waits: Sequence[Mapping[str, Any]], limits: Thresholds) -> list[Reason]:
    """Judge the queue at locks."""
    if not waits:
        return []
    longest = waits[0]["wait_seconds"]
    if longest is None:
        return [
            Reason("warning", "lock_wait", f"{_sessions(len(waits))} waiting for a lock, for how long is not known")
        ]
    level = level_of(longest, limits.wait_warning, limits.wait_critical)
    if level == "ok":
        return []
    roots = _roots(waits)
    text = f"{_sessions(len(waits))} waiting for a lock, the longest {age(longest)}"
    text += f"; held up by {', '.join(roots)}" if roots else ""
    return [Reason(level, "lock_wait", text)]


def _roots(waits: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name those who hold up others and wait for nobody themselves."""
    waiting = {wait["pid"] for wait in waits}
    blockers = [blocker for wait in waits for blocker in wait["blocked_by"] or () if blocker["pid"] not in waiting]
    return list(dict.fromkeys(name_of_blocker(item) for item in blockers))


def name_of_blocker(item: Mapping[str, Any]) -> str:
    """Name one who holds up others in a sentence."""
    if item["pid"] == 0:
        return "a prepared transaction"
    return _name(item) if item["kind"] in ("client", None) else f"pid {item['pid']}, {item['kind']}"


def _judge_transactions(
    oldest: Mapping[str, Any] | None, prepared: Mapping[str, Any], limits: Thresholds
) -> list[Reason]:
    """Judge the age of what is open."""
    found = []
    ages = (
        ("old_transaction", None if oldest is None else oldest["transaction_seconds"], "the oldest transaction"),
        ("prepared_transaction", prepared["oldest_seconds"], "the oldest prepared transaction"),
    )
    for code, seconds, what in ages:
        level = "ok" if seconds is None else level_of(seconds, limits.transaction_warning, limits.transaction_critical)
        if level != "ok":
            who = f" ({_name(oldest)})" if oldest is not None and code == "old_transaction" else ""
            found.append(Reason(level, code, f"{what} is open for {age(seconds)}{who}"))
    return found


def _judge_worst(worst: Mapping[str, Any] | None) -> list[Reason]:
    """Judge what the clients may come to open."""
    if worst is None or worst["fits"] is not False:
        return []
    text = (
        f"by their configuration clients may open {worst['total']} connections, {worst['available']} are there for them"
    )
    return [Reason("warning", "worst_case", text)]


def _judge_sight(facts: Mapping[str, Any], sessions: Sequence[Mapping[str, Any]]) -> list[Reason]:
    """What was not seen is not called well."""
    hidden = sum(1 for session in sessions if session["hidden"])
    if not hidden:
        return []
    role = facts["server"]["role"]
    text = f"{role} may not see state, age, address and query of {hidden} of {_sessions(len(sessions))}"
    return [Reason("warning", "hidden", f"{text}; GRANT pg_monitor to it, or connect as a superuser")]


def _notes(facts: Mapping[str, Any], sessions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what a person should know beside the findings."""
    found = []
    users = sorted({str(session["user"]) for session in sessions if session["superuser"] and session["address"]})
    if users:
        who = ", ".join(users)
        found.append(f"clients connect over the network as superuser ({who}): they may use up the reserved slots too")
    if facts["source"] == "connection" and slots_of(facts)["free"] == 0:
        found.append("this answer came through a reserved slot")
    if facts["source"] == "process_titles":
        found.append("titles tell neither applications nor ages, queries and who blocks whom")
    return found


def _sessions(count: int) -> str:
    return f"{count} session" if count == 1 else f"{count} sessions"


def _name(session: Mapping[str, Any]) -> str:
    """Name a session in a sentence."""
    origin = session.get("origin")
    return f"pid {session['pid']}" + (f", {origin}" if origin else "")


def age(seconds: float | None) -> str:
    """Write an age for people, with two digits that matter."""
    if seconds is None:
        return "?"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.0f} s"
