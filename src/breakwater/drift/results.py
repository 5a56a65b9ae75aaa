# SPDX-License-Identifier: GPL-3.0-or-later
"""What the results of tasks say of one host."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, NamedTuple

from breakwater.drift import containers, controls
from breakwater.drift.model import Entry
from breakwater.drift.words import one_line, tidy

#: The task was left out because of its condition, which is what the playbook wants.
_BY_CONDITION = "Conditional result was False"


class Task(NamedTuple):
    """A task of the playbook: its name for people, and its action with the collection's name."""

    name: str
    action: str


class Standing:
    """How one host stands, as far as the events have told.

    Attributes:
        name: of the host.
        entries: what is not simply in sync.
        diffs: what would be written.
        project, services: the Compose project and how many services it has.
    """

    def __init__(self, name: str, today: date) -> None:
        self.name = name
        self.entries: list[Entry] = []
        self.diffs: list[str] = []
        self.project = ""
        self.services = 0
        self._today = today
        self._seen: set[str] = set()
        self._checked: list[str] = []
        self._files: Mapping[str, str] | None = None
        self._generation = ""

    def controls_in_sync(self) -> tuple[str, ...]:
        """Return the controls that were checked and of which nothing was found."""
        found = {entry.control for entry in self.entries}
        return tuple(name for name in self._checked if name not in found)

    def on_unreachable(self, task: Task, result: Mapping[str, Any], _ignored: bool) -> None:
        """Take in that the host could not be reached."""
        self._add("unreachable", "task", one_line(result.get("msg", "cannot be reached")), reason=f"at: {task.name}")

    def on_failed(self, task: Task, result: Mapping[str, Any], ignored: bool) -> None:
        """Take in that a task failed; the play names the cause of a failure again at its end."""
        message = _message(result) or f"{task.name}: failed without a message"
        if any(entry.state == "failed" and entry.message in message for entry in self.entries):
            return
        self._add("unchecked" if ignored else "failed", "task", message, reason=f"at: {task.name}")

    def on_skipped(self, task: Task, result: Mapping[str, Any], _ignored: bool) -> None:
        """Take in that a task did nothing; when it was not its condition that said so, nobody knows what it finds."""
        if result.get("skip_reason") == _BY_CONDITION or "false_condition" in result:
            return
        why = one_line(result.get("msg") or result.get("skip_reason") or "skipped in check mode")
        self._add("unchecked", "task", f"{task.name}: check mode cannot tell", reason=why)

    def on_ok(self, task: Task, result: Mapping[str, Any], _ignored: bool) -> None:
        """Take in the result of a task that did not fail."""
        self._seen.add(task.action)
        reader = getattr(self, f"_read_{task.action.removeprefix('breakwater.stack.')}", self._read_other)
        if "censored" in result:
            reader = self._read_censored
        reader(task, result)

    def finish(self, wanted: Mapping[str, str], allowed: Collection[str]) -> None:
        """Judge what is missing, and let through what may stay unchecked."""
        if not any(entry.state in ("failed", "unreachable") for entry in self.entries):
            for action, why in wanted.items():
                if action not in self._seen:
                    self._add("unchecked", "task", why, reason=f"{action} did not run")
        self.entries = [entry for entry in self.entries if not _may_stay(entry, allowed)]

    def _add(self, state: str, subject: str, message: str, **more: Any) -> None:
        self.entries.append(Entry(state, self.name, subject, message, **more))

    def _read_stack_open(self, _task: Task, result: Mapping[str, Any]) -> None:
        """Take in the stack, and what the last run left of its files."""
        self.project = one_line(result.get("project", ""))
        self.services = len(result.get("services") or ())
        last = result.get("last_run")
        if last:
            self._files, self._generation = last["files"], one_line(last["id"])
            if last["state"] == "open":
                why = "run harden, which brings it back first"
                self._add("failed", "stack", f"a run that did not end left generation {self._generation}", reason=why)

    def _read_compose_controls(self, task: Task, result: Mapping[str, Any]) -> None:
        """Take in the findings of the controls."""
        self._checked = [one_line(name) for name in result.get("checked") or ()]
        if not self._checked:
            self._add("unchecked", "task", f"{task.name}: no control was selected", reason="tags or settings")
        for record in result.get("findings") or ():
            origin = controls.origin_of(record.get("file", ""), self._files, self._generation)
            self.entries.append(controls.entry_of(self.name, record, origin, self._today))

    def _read_stack_write(self, _task: Task, result: Mapping[str, Any]) -> None:
        """Take in the diff, and the files that differ without a control that says why."""
        self._keep_diffs(result)
        told = {entry.file for entry in self.entries if entry.state == "drifted"}
        for path in result.get("files") or ():
            if one_line(path) not in told:
                origin = controls.origin_of(str(path), self._files, self._generation)
                self._add("drifted", "file", "is not as it would be written", file=one_line(path), origin=origin)

    def _read_stack_deploy(self, task: Task, result: Mapping[str, Any]) -> None:
        """Take in how the containers stand."""
        if "standing" not in result:
            why = "; ".join(one_line(line) for line in result.get("msg") or ())
            self._add("unchecked", "container", "what runs was not looked at", reason=why)
            return
        changed = {entry.service for entry in self.entries if entry.state == "drifted"}
        found = containers.entries_of(self.name, result["standing"], bool(result.get("down")), changed)
        self.entries += found
        if result.get("changed") and not found and not changed:
            self._read_other(task, result)

    def _read_pgbouncer_pool(self, task: Task, result: Mapping[str, Any]) -> None:
        """Take in what the pool's plan would change, or why there is no plan though one is asked for.

        Files have entries of their own, from the task that writes them.
        """
        for state in ("withheld", "unchecked"):
            for line in result.get(state) or ():
                self._add(state, "task", f"{task.name}: was not compared", reason=one_line(line))
        for record in result.get("changes") or ():
            self.entries.append(controls.change_entry(self.name, record, self._files, self._generation))
        for field, state in (("differences", "drifted"), ("reported", "reported")):
            for line in result.get(field) or ():
                self._add(state, "task", one_line(line), reason=task.name)

    def _read_other(self, task: Task, result: Mapping[str, Any]) -> None:
        """Take in whether a task that says no more would change something."""
        if result.get("changed"):
            self._keep_diffs(result)
            self._add("drifted", "task", f"{task.name}: would change", reason=_message(result), action=task.action)

    def _read_censored(self, task: Task, result: Mapping[str, Any]) -> None:
        """Take in a result that Ansible does not show; what it says of change is not shown either."""
        if result.get("changed", True):
            self._add("unchecked", "task", f"{task.name}: its result is hidden (no_log)")

    def _keep_diffs(self, result: Mapping[str, Any]) -> None:
        """Keep the diffs that were prepared for people; others hold files whole, and may hold secrets."""
        shown = result.get("diff")
        for diff in shown if isinstance(shown, list) else [shown]:
            if isinstance(diff, Mapping) and diff.get("prepared"):
                self.diffs.append(tidy(diff["prepared"]).rstrip("\n") + "\n")


def _message(result: Mapping[str, Any]) -> str:
    """Return what a result says."""
    found = result.get("msg") or result.get("message") or ""
    return one_line("\n".join(map(str, found)) if isinstance(found, list | tuple) else found)


def _may_stay(entry: Entry, allowed: Collection[str]) -> bool:
    """Say whether an entry is an unchecked one that the user allows."""
    names = (entry.control, f"{entry.subject}s")
    return entry.state == "unchecked" and any(name and name.startswith(one) for one in allowed for name in names)
