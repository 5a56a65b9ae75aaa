# SPDX-License-Identifier: GPL-3.0-or-later
"""compose_patch with values as playbooks give them: Ansible's own types carry more than the value."""

from __future__ import annotations

from pathlib import Path

from playbooks import run_tasks

BEFORE = "services:\n  web:\n    image: nginx:1.29   # pinned\n    ports:\n      - 8080:80\n"
AFTER = """\
services:
  web:
    image: nginx:1.29   # pinned
    ports:
      - 127.0.0.1:8080:80
    scale: 3
    mem_limit: 512m
    init: true
"""


def test_values_of_every_type(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    path = folder / "compose.yml"
    path.write_text(BEFORE)
    edits = [
        {"path": ["services", "web", "ports", 0], "value": "127.0.0.1:8080:80"},
        {"path": ["services", "web", "scale"], "value": 3},
        {"path": ["services", "web", "mem_limit"], "value": "512m"},
        {"path": ["services", "web", "init"], "value": True},
    ]
    tasks = [{"path": str(path), "edits": edits}] * 2
    first, second = run_tasks(tmp_path, "breakwater.stack.compose_patch", tasks)
    assert first.get("msg") is None
    assert path.read_text() == AFTER
    assert (first["changed"], second["changed"]) == (True, False)
