# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker Compose judges whole plans: over the public files, its model changes where the plan says and nowhere else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import HostFacts
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.plan import apply_plan, make_plan
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.settings import load_settings

from .conftest import Oracle

NAME = "docker-compose.yml"
#: Large enough that no file is refused for want of memory.
HOST = HostFacts(512 * 2**30, 64.0)
#: What the controls may change in a service.
CHANGED = {
    *("mem_limit", "mem_reservation", "cpus", "pids_limit", "shm_size", "deploy", "ulimits", "healthcheck", "restart"),
    *("stop_grace_period", "logging", "security_opt", "cap_drop", "command", "environment", "depends_on", "init"),
}


def plan_of(text: str) -> tuple[str, set[str]]:
    """The hardened text, and the services that the plan changes."""
    project = load_project([SourceFile(NAME, text)])
    plan = make_plan(project, HOST, {}, load_settings({}, "test"))
    return apply_plan(project, plan).files[0].text, {change.service for change in plan.changes}


def model_of(compose: list[str], folder: Path, text: str) -> dict[str, Any] | None:
    """Compose's model of a file, variables left as they are; None when it refuses the file."""
    (folder / NAME).write_bytes(text.encode())
    command = [*compose, "config", "--format", "json", "--no-interpolate"]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return dict(json.loads(answer.stdout)) if answer.returncode == 0 else None


def unplanned(before: dict[str, Any], after: dict[str, Any], planned: set[str]) -> list[str]:
    """What differs between two models and is not the plan's to change."""
    found = []
    for name, old in before["services"].items():
        new = after["services"].get(name, {})
        allowed = CHANGED if name in planned else set()
        found += [f"{name}.{key}" for key in {*old, *new} if old.get(key) != new.get(key) and key not in allowed]
    # A fragment that several services share may carry what all of them get.
    rest = {key for key in {*before, *after} if key != "services" and not key.startswith("x-")}
    return found + [key for key in rest if before.get(key) != after.get(key)]


@pytest.mark.compose
def test_a_plan_changes_what_it_says_and_nothing_else(oracle: Oracle, corpus: list[Path], tmp_path: Path) -> None:
    wrong = []
    judged = 0
    for path in corpus:
        try:
            text = path.read_bytes().decode()
            hardened, planned = plan_of(text)
        except (ComposeError, UnicodeDecodeError):
            continue  # refused in one line: tests/integration/cli/test_corpus.py
        before = model_of(oracle.command, tmp_path, text)
        if before is None or hardened == text:
            continue
        after = model_of(oracle.command, tmp_path, hardened)
        judged += 1
        if after is None:
            wrong.append(f"{path.name}: Compose refuses the hardened file")
        else:
            wrong += [f"{path.name}: {line}" for line in unplanned(before, after, planned)]
    assert wrong == []
    assert judged > 250
