# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks in one playbook on this host; an empty one costs a second and more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent


def run_tasks(
    folder: Path, module: str, tasks: list[dict[str, Any]], check: tuple[int, ...] = ()
) -> list[dict[str, Any]]:
    """Run a module once for each set of options, whether or not the ones before failed.

    Args:
        folder: for the playbook and what Ansible keeps.
        module: its full name.
        tasks: options of each task.
        check: which of the tasks run in check mode.

    Returns:
        The results.
    """
    play: list[dict[str, Any]] = [
        {
            "name": f"Task {number}",
            module: options,
            "register": f"result_{number}",
            "ignore_errors": True,
            "check_mode": number in check,
        }
        for number, options in enumerate(tasks)
    ]
    gathered = ", ".join(f"result_{number}" for number in range(len(tasks)))
    out = folder / "out.json"
    content = {"content": f"{{{{ [{gathered}] | to_json }}}}", "dest": str(out), "mode": "0600"}
    play.append({"name": "Gather", "ansible.builtin.copy": content})
    (folder / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": play}]))
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    done = subprocess.run(
        [BIN / "ansible-playbook", "-i", "localhost,", "-e", json.dumps(variables), folder / "play.yml"],
        capture_output=True,
        text=True,
        env={**os.environ, "ANSIBLE_HOME": str(folder / "ansible"), "NO_COLOR": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    results: list[dict[str, Any]] = json.loads(out.read_text())
    return results
