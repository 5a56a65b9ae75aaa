# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of a report about containers that do not run as the files say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from breakwater.drift.model import Entry
from breakwater.drift.words import one_line

#: How it came about, in words.
_ORIGINS = {
    "changed": "the container was changed by hand after it was made from the file",
    "stale": "the container was not made from the file as it is now",
    "gone": "the container was removed, or never made",
    "stopped": "the container was stopped, or ended by itself",
    "ill": "",
    "unknown": "the service was taken out of the files, or made from others",
}
_ACTIONS = {
    "update": "bring the limits back on the running container",
    "recreate": "recreate the container",
}
_LEFT_ALONE = {
    "changed": "nothing: it costs more than max_impact allows",
    "stale": "nothing: it costs more than max_impact allows",
    "gone": "nothing: what does not run is not started; start it with docker compose up, or take it out of the file",
    "stopped": "nothing: what does not run is not started; start it with docker compose up, or take it out of the file",
    "ill": "nothing: look at its log",
    "unknown": "nothing: remove it, or put the service back into the file",
}
#: Somebody changed the file and has not deployed it: how it came about, and what hardening would do.
_FILE_ALONE = (
    "the file was changed, the container still runs as hardened",
    "recreate the container only where the file does not become again what it was made from",
)
_SEVERITIES = {"gone": "high", "stopped": "high", "ill": "high"}


def entries_of(host: str, records: Iterable[Mapping[str, Any]], down: bool, planned: Collection[str]) -> list[Entry]:
    """Make the entries.

    Args:
        host: the host.
        records: how containers stand, as the deployment's task gives it.
        down: nothing of the project runs.
        planned: services whose files would be changed, so that their containers are recreated anyway.
    """
    if down:
        records = [record for record in records if record["kind"] not in ("gone", "stopped")]
    entries = [_entry(host, record, planned) for record in records]
    if down:
        why = "what does not run cannot be compared, and is not started"
        entries.append(Entry("drifted", host, "container", "nothing of the project runs", severity="high", reason=why))
    return entries


def _entry(host: str, record: Mapping[str, Any], planned: Collection[str]) -> Entry:
    kind, service, action = str(record["kind"]), one_line(record["service"]), str(record["action"])
    differs = [one_line(line) for line in record["differs"]]
    if action in _ACTIONS:
        would = _ACTIONS[action] + (", with what is changed in the file" if service in planned else "")
    else:
        would = _LEFT_ALONE[kind]
    origin = _ORIGINS[kind]
    if kind == "stale" and service in planned and record.get("fits_plan"):
        origin, would = _FILE_ALONE
    return Entry(
        "drifted",
        host,
        "container",
        "; ".join(differs) or "runs with a configuration that the file does not have",
        severity=_SEVERITIES.get(kind, "medium"),
        service=service,
        container=one_line(", ".join(map(str, record["containers"]))),
        origin=origin,
        action=would,
        impact={"update": "none", "recreate": "recreate"}.get(action, ""),
    )
