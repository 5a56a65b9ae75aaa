# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections of a PostgreSQL server on one screen, for a person at night. Pure functions.

Texts come from the report, where they are printable already.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from .connections import age, name_of_blocker

#: Rows of a list, and names of a count, before the rest is only counted.
ROWS = 5
NAMES = 8
LEAST_WIDTH = 60


def lines(report: Mapping[str, Any], width: int = 100) -> list[str]:
    """Write the report.

    Args:
        report: from :func:`.connections.report`.
        width: columns of the screen.
    """
    width = max(width, LEAST_WIDTH)
    return [
        *_head(report, width),
        "",
        *_slots(report, width),
        *_counts(report["counts"], width),
        *_idle(report["idle_in_transaction"], width),
        *_waits(report["lock_waits"], width),
        *_oldest(report["oldest_transaction"], width),
        *_worst(report["worst_case"], width),
        *_seen(report, width),
    ]


def _wrap(text: str, width: int, head: str = "", indent: int | None = None) -> list[str]:
    """Fold a sentence behind a head; what follows is indented to stand below it."""
    below = " " * (len(head) if indent is None else indent)
    return textwrap.wrap(text, width, initial_indent=head, subsequent_indent=below, break_on_hyphens=False)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3].rstrip() + "..."


def _head(report: Mapping[str, Any], width: int) -> list[str]:
    """The verdict, whose it is, and why."""
    server = report["server"]
    version = f", PostgreSQL {server['version']}" if server["version"] else ""
    title = f"{report['verdict'].upper()}: connections of {server['project']}, service {server['service']}{version}"
    rows = [(reason["level"], reason["text"]) for reason in report["reasons"]]
    rows += [("note", note) for note in report["notes"]]
    return [_cut(title, width), *(row for level, text in rows for row in _wrap(text, width, f"  {level:<10}"))]


def _slots(report: Mapping[str, Any], width: int) -> list[str]:
    """How many there are, for whom, and how many are left."""
    server, slots = report["server"], report["slots"]
    most = server["max_connections"]
    text = f"{slots['used']} used" + (f" of max_connections {most}" if most is not None else "")
    if slots["available"] is not None:
        text += f"; applications may have {slots['available']}, {slots['free']} left"
        text += f" ({server['superuser_reserved']} kept for superusers"
        text += f", {server['reserved']} for pg_use_reserved_connections)" if server["reserved"] else ")"
    return _wrap(text, width, f"{'connections':<13}")


def _counts(counts: Mapping[str, Sequence[Mapping[str, Any]]], width: int) -> list[str]:
    """One list of names with their number for each question."""
    found = []
    for question, items in counts.items():
        if not items or (question == "application" and [item["name"] for item in items] == ["(none)"]):
            continue
        shown = [f"{item['name']} {item['count']}{_states(item)}" for item in items[:NAMES]]
        rest = sum(item["count"] for item in items[NAMES:])
        shown += [f"and {rest} of {len(items) - NAMES} more"] if rest else []
        found += _wrap(", ".join(shown), width, f"{'by ' + question:<15}  ")
    return found


def _states(item: Mapping[str, Any]) -> str:
    """What the sessions of a service do."""
    states = item.get("states", ())
    return "" if not states else f" ({', '.join(str(state['count']) + ' ' + state['name'] for state in states)})"


def _who(session: Mapping[str, Any]) -> str:
    """Who a session is: role, database, where from, and what it calls itself."""
    text = f"{session['user'] or '?'}@{session['database'] or '?'}"
    text += f" from {session['origin']}" if session["origin"] else ""
    return text + (f" [{session['application']}]" if session["application"] else "")


def _rows(title: str, rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """A list under its title, each entry in one or more lines, the rest counted."""
    if not rows:
        return []
    found = ["", title, *(f"  {_cut(line, width - 2)}" for row in rows[:ROWS] for line in row)]
    return found + ([f"  and {len(rows) - ROWS} more"] if len(rows) > ROWS else [])


def _idle(items: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """Transactions that nobody works in, with the last query of each."""
    rows = []
    for item in items:
        failed = ", failed" if item["aborted"] else ""
        opened = f" (transaction {age(item['transaction_seconds'])}{failed})"
        row = [f"pid {item['pid']:<7} {age(item['idle_seconds']):>8}{opened}  {_who(item)}"]
        rows.append([*row, f"    last: {item['query']}"] if item["query"] else row)
    return _rows(f"idle in transaction: {len(items)}", rows, width)


def _waits(items: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """Who waits for a lock, and for whom."""
    rows = []
    for item in items:
        row = [f"pid {item['pid']:<7} {age(item['wait_seconds']):>8}  {_who(item)}"]
        row += [f"    wants: {item['query']}"] if item["query"] else []
        row += [f"    held up by {_blocker(blocker)}" for blocker in item["blocked_by"] or ()]
        rows.append(row)
    return _rows(f"waiting for a lock: {len(items)}", rows, width)


def _blocker(item: Mapping[str, Any]) -> str:
    if item["kind"] != "client":
        return name_of_blocker(item) + (" (pg_prepared_xacts)" if item["pid"] == 0 else "")
    doing = f"{item['state'] or '?'}, transaction {age(item['transaction_seconds'])}"
    return f"pid {item['pid']} {_who(item)} ({doing})" + (f": {item['query']}" if item["query"] else "")


def _oldest(item: Mapping[str, Any] | None, width: int) -> list[str]:
    """The transaction that is open for the longest time."""
    if item is None:
        return []
    text = f"{age(item['transaction_seconds'])}, pid {item['pid']}, {item['state'] or '?'}, {_who(item)}"
    return ["", _cut(f"oldest transaction: {text}", width)]


def _worst(worst: Mapping[str, Any] | None, width: int) -> list[str]:
    """What the clients may open by their configuration."""
    if worst is None:
        return []
    known = f"{worst['total']}" if worst["complete"] else f"at least {worst['total']}"
    verdict = {True: "it fits", False: "it does not fit", None: "whether it fits is not known"}[worst["fits"]]
    room = "" if worst["available"] is None else f" of {worst['available']}"
    found = ["", *_wrap(f"clients may open by their configuration: {known}{room}, {verdict}", width)]
    for client in worst["clients"]:
        most = "?" if client["maximum"] is None else str(client["maximum"])
        passing = " (for a moment)" if client["passing"] else ""
        found += _wrap(
            client["arithmetic"] + passing, width, f"  {client['service']:<18} {most:>5}, now {client['now']:>3}  ", 6
        )
    return found + [row for item in worst["unclear"] for row in _wrap(item["reason"], width, f"  {item['service']}: ")]


def _seen(report: Mapping[str, Any], width: int) -> list[str]:
    """How the server was looked at, and how a session is ended."""
    found = [""]
    for attempt in report["attempts"]:
        found += _wrap(
            f"{attempt['how']}: {attempt['outcome']}", width, "seen by  " if len(found) == 1 else "         "
        )
    if report["server"]["role"] and (report["idle_in_transaction"] or report["lock_waits"]):
        server = report["server"]
        command = f"docker exec {server['container']} psql -U {shlex.quote(server['role'])} -d postgres"
        found.append(f"""to end one: {command} -c 'SELECT pg_terminate_backend(PID)'""")
    return found
