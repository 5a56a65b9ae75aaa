#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Close a run on a Compose stack: keep its generation and release the lock."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_close
short_description: Keep the generation of a run and release the lock of the stack
version_added: 0.1.0
description:
  - With O(outcome=kept) the open generation of the run is kept, and generations beyond the latest 20 are removed.
  - With O(outcome=none) a generation is left as it is. If one is still open, the next run finds and settles it.
  - The lock of the run is released. That another run holds it by now is not an error.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
    details: In check mode nothing was locked, and nothing is closed.
  diff_mode:
    support: none
    details: A lock is no change of the stack.
  idempotent:
    support: full
options:
  project_dir:
    description: Folder of the Compose project on the target.
    type: path
    required: true
  run_id:
    description: Identifies the run. The action gives it.
    type: str
  outcome:
    description: How the run ended.
    type: str
    choices: [kept, none]
    default: kept
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.stack_open
"""

EXAMPLES = r"""
- name: Keep what was written and let others in
  breakwater.stack.stack_close:
    project_dir: /opt/generic-corp
"""

RETURN = r"""
generation:
  description: Id of the generation that was kept; null when the run had none open.
  returned: success
  type: str
  sample: 20261124T090500Z-3f2a
pruned:
  description: Ids of old generations that were removed.
  returned: without the action
  type: list
  elements: str
  sample: []
released:
  description: Whether the run still held the lock.
  returned: without the action
  type: bool
  sample: true
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.breakwater.stack.plugins.module_utils import _generations, _lock, _module, _writer


def work(module: AnsibleModule) -> dict[str, Any]:
    """Keep and release."""
    params = module.params
    result: dict[str, Any] = {"changed": False, "generation": None, "pruned": [], "released": False}
    if module.check_mode:
        return result
    directory = _writer.check_directory(params["project_dir"])
    run_id = _module.run_id(params)
    manifest = _generations.find(directory, "open") if params["outcome"] == "kept" else None
    if manifest is not None and manifest.get("run_id") == run_id:
        _lock.renew(_generations.root_of(directory), run_id)
        _generations.close(directory, manifest, "kept")
        result["generation"] = manifest["id"]
        result["pruned"] = _generations.prune(directory)
    result["released"] = _lock.release(_generations.root_of(directory), run_id) is not None
    return result


def main() -> None:
    """Run the module."""
    options = {
        "project_dir": {"type": "path", "required": True},
        "run_id": {"type": "str"},
        "outcome": {"type": "str", "choices": ["kept", "none"], "default": "kept"},
    }
    _module.run(AnsibleModule(argument_spec=options, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
