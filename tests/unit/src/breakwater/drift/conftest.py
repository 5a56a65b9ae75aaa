# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of a check of three hosts as ansible-runner gave them: one tampered with, one bare, one out of reach."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from breakwater.drift.model import DriftReport, Entry
from breakwater.drift.reading import Ending, read

GOLDEN = Path(__file__).parent / "golden"
BEGAN = datetime(2026, 11, 24, 17, 31, 44, tzinfo=UTC)
#: What acts on terminals, on markup, or on the syntax of a format.
HOSTILE = '</code>|`@all` \x1b[31m"&<!--\n::error::]]>\\\u202e*_#1'


@pytest.fixture(scope="session")
def events() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((GOLDEN / "events.json").read_text())
    return found


@pytest.fixture(scope="session")
def report(events: list[dict[str, Any]]) -> DriftReport:
    return read(events, Ending(4, BEGAN))


def event(name: str, host: str = "", action: str = "ansible.builtin.copy", **result: Any) -> dict[str, Any]:
    """An event of a task."""
    data = {"host": host, "task": "Copy", "resolved_action": action, "res": result} if host else {}
    return {"event": name, "stdout": "", "event_data": data}


def judged(host: str = "h", **deploy: Any) -> list[dict[str, Any]]:
    """The events of a host on which everything was compared and nothing found."""
    stack = "breakwater.stack"
    return [
        event("runner_on_ok", host, f"{stack}.stack_open", project="shop", services={"a": "other"}, last_run=None),
        event("runner_on_ok", host, f"{stack}.compose_controls", checked=["BW-LIM-001", "BW-LIM-002"], findings=[]),
        event("runner_on_ok", host, f"{stack}.stack_write", changed=False, files=[]),
        event("runner_on_ok", host, f"{stack}.stack_deploy", **{"changed": False, "standing": [], **deploy}),
    ]


def ended(code: int = 0, how: str = "", limit: int = 0) -> Ending:
    """How a playbook ended."""
    return Ending(code, BEGAN, how, limit)


def entry(state: str, word: str = HOSTILE) -> Entry:
    """An entry with one word wherever a host has a say."""
    return Entry(state, word, "file", word, service=word, file=word, container=word, origin=word, reason=word)
