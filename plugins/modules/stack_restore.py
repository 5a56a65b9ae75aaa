#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring back the files of a Compose stack as they were before a generation."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_restore
short_description: Bring back the files of a Compose stack as they were before a generation
version_added: 0.1.0
description:
  - Files that are still as the generation left them are brought back byte for byte; files that appeared with it are
    removed.
  - A file that somebody changed afterwards is never overwritten. The module refuses and names all of them, unless
    O(files) gives the content that is wanted.
  - The action takes our changes back from files that somebody edited afterwards, keeps these edits, and deploys what
    differs. Without the action nothing is deployed.
  - Can be repeated. A restore that was killed is finished by the next one.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The action shows the difference, with secrets masked.
  idempotent:
    support: full
options:
  project_dir:
    description: Folder of the Compose project on the target.
    type: path
    required: true
  run_id:
    description: Identifies the run, which must hold the lock of the stack. The action gives it.
    type: str
  generation:
    description: Which generation, V(open), V(latest), V(latest_kept) or its id.
    type: str
    default: open
  files:
    description: Contents to be written instead of the copies of the generation. The action gives them.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: A file of the generation.
        type: path
        required: true
      content_z:
        description: The wanted content, packed (base64 of zlib). Required unless O(files[].remove).
        type: str
      expected_sha256:
        description: SHA-256 of the content that the file has now. When not set, the file must not exist.
        type: str
      mode:
        description: Permission bits as a quoted octal number. When not set, they are kept.
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
  wait_timeout:
    description: Seconds that the action waits for services to be healthy.
    type: int
    default: 180
  who:
    description: Who restores, for the record. When not set, the user on the target.
    type: str
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.stack_write
"""

EXAMPLES = r"""
- name: Bring back the files of the run that failed
  breakwater.stack.stack_restore:
    project_dir: /opt/generic-corp

- name: See what going back to a generation would do
  breakwater.stack.stack_restore:
    project_dir: /opt/generic-corp
    generation: 20261124T090500Z-3f2a
  check_mode: true
"""

RETURN = r"""
files:
  description:
    - The files that are brought back.
    - Without the action, for each file of the generation its path, action (V(replace), V(create), V(remove) or
      V(none)) and hashes.
  returned: success
  type: list
  elements: raw
  sample: [docker-compose.yml]
generation:
  description: Id of the generation; null when there is no such one.
  returned: success
  type: str
  sample: 20261124T090500Z-3f2a
services:
  description: The services that the generation had changed.
  returned: success
  type: list
  elements: str
  sample: [temporal]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.breakwater.stack.plugins.module_utils import _generations, _lock, _module, _writer


def work(module: AnsibleModule) -> dict[str, Any]:
    """Restore under the lock of the run."""
    params = module.params
    directory = _writer.check_directory(params["project_dir"])
    files = _module.new_files(params["files"])
    who = params["who"] or _module.default_holder()
    if not module.check_mode:
        _lock.renew(_generations.root_of(directory), _module.run_id(params))
    outcome = _writer.restore(directory, params["generation"], files, who, check=module.check_mode)
    generation = outcome.generation or {}
    return {
        "changed": outcome.changed,
        "files": outcome.files,
        "generation": generation.get("id"),
        "services": generation.get("services") or [],
    }


def main() -> None:
    """Run the module."""
    options = {
        "project_dir": {"type": "path", "required": True},
        "run_id": {"type": "str"},
        "generation": {"type": "str", "default": "open"},
        "files": _module.content_options(),
        "wait_timeout": {"type": "int", "default": 180},
        "who": {"type": "str"},
    }
    _module.run(AnsibleModule(argument_spec=options, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
