#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a Compose stack for a run: lock it and read it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_open
short_description: Lock a Compose stack for a run and read it once
version_added: 0.1.0
description:
  - Takes the lock of the stack, removes what killed runs left of temporary files, and reads the stack.
  - The lock names its holder and expires. It counts no more when it has expired, or when the process that it names is
    known to be dead.
  - In check mode, and with O(lock=false), it only reads - no lock, no folder, nothing.
  - The action settles an open generation that a killed run left - it brings the files back and deploys them. Without
    the action it is part of the reading; restore it with
    M(breakwater.stack.stack_restore) before anything else.
  - The action of the same name on the controller keeps the reading for the tasks that follow.
extends_documentation_fragment:
  - breakwater.stack.project
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
    details: In check mode the stack is read and not locked.
  diff_mode:
    support: none
    details: A lock is no change of the stack.
  idempotent:
    support: full
options:
  run_id:
    description: Identifies the run. The action gives it; without the action it is required unless O(lock=false).
    type: str
  lock:
    description: Whether to take the lock. The action takes it unless in check mode.
    type: bool
    default: true
  lock_holder:
    description: Who runs, for people who find the stack locked. The action gives the user and host of the controller.
    type: str
  lock_process:
    description:
      - The process whose death frees the lock. The action gives that of the playbook's run.
      - It is only looked at where it ran on the same boot of the same host.
    type: dict
    default: {}
  lock_wait:
    description: Seconds to wait for another holder.
    type: int
    default: 0
  lock_lifetime:
    description: Seconds after which the lock expires unless a step of the run renews it.
    type: int
    default: 1800
  wait_timeout:
    description: Seconds that the action waits for services to be healthy when it brings back what a killed run left.
    type: int
    default: 180
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.stack_close
  - module: breakwater.stack.stack_unlock
"""

EXAMPLES = r"""
- name: Open the stack
  breakwater.stack.stack_open:
    project_dir: /opt/generic-corp
    lock_wait: 60
"""

RETURN = r"""
msg:
  description: What the action found and did, in lines for people.
  returned: from the action
  type: list
  elements: str
  sample: ["generic-corp: 4 services"]
services:
  description: The kind of each service.
  returned: from the action
  type: dict
  sample: {temporal: temporal, postgres: postgres}
host:
  description: Memory (bytes), CPUs, cgroup version, and versions of engine and Compose.
  returned: from the action
  type: dict
  sample: {memory: 25276063744, cpus: 2, cgroup: 2, engine: 27.3.1, compose: 2.29.7}
last_run:
  description: The last generation, its state, and how each of its files stands now; null before the first run.
  returned: from the action
  type: dict
  sample: {id: 20261124T173127Z-be38, state: kept, files: {docker-compose.yml: after}}
reading_z:
  description:
    - The whole reading, packed (base64 of zlib of JSON). It holds the contents of files, so keep it out of logs.
  returned: without the action
  type: str
  sample: eJyr...
summary:
  description: What M(breakwater.stack.stack_info) returns.
  returned: without the action
  type: dict
  sample: {project: {name: generic-corp}}
lock_note:
  description: What is to be said about the lock of another run that was taken over; empty otherwise.
  returned: without the action
  type: str
  sample: "took over the lock of ops@controller: harden.yml, run 5e0b: it expired 12 min ago"
cleaned:
  description: Leftovers of killed runs that were removed.
  returned: without the action
  type: list
  elements: str
  sample: []
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.breakwater.stack.plugins.module_utils import (
    _generations,
    _lock,
    _module,
    _reader,
    _transport,
    _writer,
)


def work(module: AnsibleModule) -> dict[str, Any]:
    """Lock and read; a lock that was taken by a call that fails is given back."""
    params = module.params
    if module.check_mode or not params["lock"]:
        return _result(_module.read_stack(params), "", [])
    directory = _writer.check_directory(params["project_dir"])
    root = _generations.root_of(directory)
    held_before = _lock.read(root)
    try:
        _generations.ensure_root(directory)
        taken = _lock.take(
            root,
            params["run_id"],
            params["lock_holder"] or _module.default_holder(),
            params["lock_process"],
            params["lock_lifetime"],
            params["lock_wait"],
        )
        cleaned = _generations.clean(directory, _folders(directory, params["files"]))
        return _result(_module.read_stack(params), taken.note, cleaned)
    except BaseException:
        if held_before is None or held_before.run_id != params["run_id"]:
            _lock.release(root, params["run_id"])
            _generations.drop_unused_root(directory)
        raise


def _folders(directory: str, files: list[str]) -> list[str]:
    """List the folders in which the writer may have left something."""
    return sorted({os.path.dirname(_generations.absolute(directory, file)) for file in files})


def _result(reading: dict[str, Any], note: str, cleaned: list[str]) -> dict[str, Any]:
    """Pack a reading."""
    return {
        "changed": False,
        "reading_z": _transport.pack(reading),
        "summary": _reader.summary(reading),
        "lock_note": note,
        "cleaned": cleaned,
    }


def main() -> None:
    """Run the module."""
    options = {
        **_module.project_options(),
        "run_id": {"type": "str"},
        "lock": {"type": "bool", "default": True},
        "lock_holder": {"type": "str"},
        "lock_process": {"type": "dict", "default": {}},
        "lock_wait": {"type": "int", "default": 0},
        "lock_lifetime": {"type": "int", "default": 1800},
        "wait_timeout": {"type": "int", "default": 180},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True, required_if=[("lock", True, ("run_id",))])
    _module.run(module, work)


if __name__ == "__main__":
    main()
