# SPDX-License-Identifier: GPL-3.0-or-later
"""From the events of a check run to a report. Pure functions.

An event is what ansible-runner gives (https://ansible.readthedocs.io/projects/runner/en/stable/intro/, "Runner
Artifact Job Events"): the name of the callback and its data. What a known action says in its result is taken from
there; of any other task it counts whether it would change something, and whether check mode could tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from breakwater.drift import results
from breakwater.drift.model import Diff, DriftReport, Entry, Host, in_order, verdict_of
from breakwater.drift.results import Task
from breakwater.drift.words import one_line, tidy

#: A host is judged when each of these has given its result there; a playbook that leaves one out has not looked.
WANTED = {
    "breakwater.stack.stack_open": "the stack was not read",
    "breakwater.stack.compose_controls": "the controls were not compared",
    "breakwater.stack.stack_write": "the files were not compared",
    "breakwater.stack.stack_deploy": "the containers were not compared",
}
_UNMATCHED = re.compile(r"Could not match supplied host pattern, ignoring: (?P<pattern>.*?)\s*$", re.MULTILINE)
_UNREAD = re.compile(r"Unable to parse (?P<source>.+?) as an inventory source")
_ANSIBLE_ERROR = re.compile(r"^\s*(?:\[ERROR\]:|ERROR[!:])\s*(?P<text>.*)", re.DOTALL)


class Ending(NamedTuple):
    """How the playbook ended.

    Attributes:
        code: exit code of ansible-playbook.
        began: when it began.
        ended: "", "interrupted" or "timed out".
        limit: seconds that it was given, for the message.
    """

    code: int
    began: datetime
    ended: str = ""
    limit: int = 0


class _Seen:
    """What the events have said so far."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.hosts: dict[str, results.Standing] = {}
        self.problems: list[str] = []
        self.errors: list[str] = []
        self.in_error = False

    def host(self, name: str) -> results.Standing:
        """Return what is known of a host; from its first event on it counts."""
        return self.hosts.setdefault(name, results.Standing(name, self.today))

    def problem(self, text: str) -> None:
        """Note what kept the whole check from being complete."""
        if text not in self.problems:
            self.problems.append(text)


def read(events: Iterable[Mapping[str, Any]], ending: Ending, allowed: Collection[str] = ()) -> DriftReport:
    """Make the report; waivers are judged on the day on which the playbook began.

    Args:
        events: in the order in which they came.
        ending: how the playbook ended.
        allowed: controls or subjects (beginnings) that may stay unchecked.
    """
    seen = _Seen(ending.began.date())
    for event in events:
        _note(seen, event)
    for standing in seen.hosts.values():
        standing.finish(WANTED, allowed)
    names = list(seen.hosts)
    entries = in_order(names, (entry for standing in seen.hosts.values() for entry in standing.entries))
    hosts = tuple(_host(standing) for standing in seen.hosts.values())
    diffs = tuple(Diff(name, text) for name, standing in seen.hosts.items() for text in standing.diffs)
    problems = tuple(_problems(seen, ending, entries))
    return DriftReport(hosts, entries, diffs, problems, ending.ended, int(ending.began.timestamp()))


def _note(seen: _Seen, event: Mapping[str, Any]) -> None:
    """Take one event in."""
    name, data = str(event.get("event", "")), event.get("event_data") or {}
    _note_output(seen, name, str(event.get("stdout") or ""))
    if name == "playbook_on_no_hosts_matched":
        seen.problem(f'the play "{one_line(data.get("play", ""))}" matched no host')
    host = data.get("host")
    if not host or not name.startswith("runner_on_"):
        return
    standing = seen.host(one_line(host))
    task = Task(one_line(data.get("task", "")), str(data.get("resolved_action") or data.get("task_action") or ""))
    handler: Callable[..., None] | None = getattr(standing, name.removeprefix("runner_"), None)
    if handler is not None:
        handler(task, data.get("res") or {}, bool(data.get("ignore_errors")))


def _note_output(seen: _Seen, name: str, text: str) -> None:
    """Take in what Ansible prints beside the events of tasks."""
    if name not in ("warning", "verbose", "error", "system_warning"):
        seen.in_error = False
        return
    plain = tidy(text)
    for found in _UNMATCHED.finditer(plain):
        seen.problem(f'no host matches "{found["pattern"]}"; check --limit and the inventory')
    for found in _UNREAD.finditer(plain):
        seen.problem(f'the inventory "{one_line(found["source"])}" cannot be read, or names no host')
    found_error = _ANSIBLE_ERROR.match(plain)
    if found_error:
        seen.errors.append(one_line(found_error["text"]))
    elif seen.in_error and plain.strip():
        seen.errors[-1] = one_line(f"{seen.errors[-1]}\n{plain}")
    # The lines that explain an error follow it, up to an empty one.
    seen.in_error = bool(found_error) or (seen.in_error and bool(plain.strip()))


def _host(standing: results.Standing) -> Host:
    return Host(
        standing.name, verdict_of(standing.entries), standing.project, standing.services, standing.controls_in_sync()
    )


def _problems(seen: _Seen, ending: Ending, entries: Sequence[Entry]) -> list[str]:
    """Say what kept the check as a whole from being complete."""
    problems = list(seen.problems)
    if ending.ended == "timed out":
        problems.append(f"the check was ended after {ending.limit} s; hosts that are not listed were not looked at")
    elif ending.ended:
        problems.append("the check was interrupted; hosts that are not listed were not looked at")
    elif ending.code and not any(entry.state in ("failed", "unreachable") for entry in entries):
        problems.insert(0, seen.errors[0] if seen.errors else f"ansible-playbook ended with code {ending.code}")
    if not seen.hosts and not problems:
        problems.append("no host was looked at; check the inventory and --limit")
    return problems
