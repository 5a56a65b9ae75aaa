#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the files of a Compose stack, all or none, with a generation to go back to."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_write
short_description: Write the files of a Compose stack, all or none, and remember what they were
version_added: 0.1.0
description:
  - Opens a generation (copies of all files about to change), then replaces each file atomically, keeping owner, mode
    and extended attributes.
  - Refuses when a file is no longer the one that was planned from, or is a symbolic link.
  - When a file cannot be written (disk full, read-only file system), those written before it are brought back.
  - The run must hold the lock of the stack (M(breakwater.stack.stack_open)), which is renewed.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The action shows the difference with its reasons, secrets masked.
  idempotent:
    support: full
    details: Files that have the content already are left alone, and then no generation is opened.
options:
  project_dir:
    description: Folder of the Compose project on the target.
    type: path
    required: true
  run_id:
    description: Identifies the run. The action gives it; without the action it is required unless O(standalone=true).
    type: str
  standalone:
    description:
      - Take the lock for this call alone and keep the generation at once, for a playbook that deploys in its own way.
    type: bool
    default: false
  files:
    description: The files with their new contents. The action gives what the tasks of the run have planned.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where, relative to O(project_dir) or absolute. Missing folders inside the project are made.
        type: path
        required: true
      content_z:
        description: The new content, packed (base64 of zlib). Required unless O(files[].remove).
        type: str
      expected_sha256:
        description: SHA-256 of the content that was planned from. When not set, the file must not exist.
        type: str
      mode:
        description: Permission bits as a quoted octal number. When not set, they are kept, or V('0644') for a new file.
        type: raw
      uid:
        description: Number of the owner. When not set, it is kept, or that of the folder for a new file.
        type: int
      gid:
        description: Number of the group. When not set, it is kept, or that of the folder for a new file.
        type: int
      remove:
        description: Whether the file is to go; its folders go too when they are empty then.
        type: bool
        default: false
  who:
    description: Who writes, for the record. When not set, the user on the target.
    type: str
  why:
    description: Why, in a line, for the record.
    type: str
    default: ''
  changes:
    description:
      - What changes, for the record and for taking it back - for instance control, service, summary and reason.
    type: list
    elements: dict
    default: []
  services:
    description: The services that change.
    type: list
    elements: str
    default: []
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.stack_restore
  - module: breakwater.stack.stack_close
"""

EXAMPLES = r"""
- name: Open the stack
  breakwater.stack.stack_open:
    project_dir: /opt/generic-corp

- name: Plan limits
  breakwater.stack.compose_controls:
    project_dir: /opt/generic-corp

- name: Write what was planned
  breakwater.stack.stack_write:
    project_dir: /opt/generic-corp
"""

RETURN = r"""
files:
  description:
    - The files that change.
    - Without the action, for each its path, action (V(create) or V(replace)) and hashes before and after.
  returned: success
  type: list
  elements: raw
  sample: [docker-compose.yml]
generation:
  description: Id of the generation; null when nothing changed and in check mode.
  returned: success
  type: str
  sample: 20261124T090500Z-3f2a
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.breakwater.stack.plugins.module_utils import _generations, _lock, _module, _writer

_STANDALONE_LIFETIME = 120


def work(module: AnsibleModule) -> dict[str, Any]:
    """Write under the lock of the run, or under one of this call's own."""
    params = module.params
    directory = _writer.check_directory(params["project_dir"])
    files = _module.new_files(params["files"])
    if module.check_mode:
        return _result(_writer.write(directory, files, {}, check=True))
    if params["standalone"]:
        return _write_standalone(params, directory, files)
    _lock.renew(_generations.root_of(directory), params["run_id"])
    return _result(_writer.write(directory, files, _facts(params, params["run_id"]), check=False))


def _write_standalone(params: dict[str, Any], directory: str, files: list[_writer.NewFile]) -> dict[str, Any]:
    """Lock, write, keep, unlock; a project that has nothing to be written is not touched."""
    if not _writer.write(directory, files, {}, check=True).changed:
        return _result(_writer.Outcome(False, [], None))
    run_id = f"standalone-{os.urandom(4).hex()}"
    root = _generations.ensure_root(directory)
    holder = params["who"] or _module.default_holder()
    _lock.take(root, run_id, holder, _lock.identify(os.getpid()), _STANDALONE_LIFETIME, wait=10)
    try:
        outcome = _writer.write(directory, files, _facts(params, run_id), check=False)
        if outcome.generation is not None:
            _generations.close(directory, outcome.generation, "kept")
            _generations.prune(directory)
    finally:
        _lock.release(root, run_id)
    return _result(outcome)


def _facts(params: dict[str, Any], run_id: str) -> dict[str, Any]:
    """Give what the generation records about the run."""
    return {
        "run_id": run_id,
        "who": params["who"] or _module.default_holder(),
        "why": params["why"],
        "changes": params["changes"],
        "services": params["services"],
    }


def _result(outcome: _writer.Outcome) -> dict[str, Any]:
    """Render an outcome."""
    generation = outcome.generation["id"] if outcome.generation else None
    return {"changed": outcome.changed, "files": outcome.files, "generation": generation}


def main() -> None:
    """Run the module."""
    options = {
        "project_dir": {"type": "path", "required": True},
        "run_id": {"type": "str"},
        "standalone": {"type": "bool", "default": False},
        "files": _module.content_options(),
        "who": {"type": "str"},
        "why": {"type": "str", "default": ""},
        "changes": {"type": "list", "elements": "dict", "default": []},
        "services": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec=options, supports_check_mode=True, required_if=[("standalone", False, ("run_id",))]
    )
    _module.run(module, work)


if __name__ == "__main__":
    main()
