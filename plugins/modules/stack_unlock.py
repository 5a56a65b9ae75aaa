#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break the lock of a Compose stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_unlock
short_description: Break the lock of a Compose stack
version_added: 0.1.0
description:
  - Removes the lock, whoever holds it. A run that still goes on fails at its next step.
  - A generation that is still open stays. The next run finds and settles it.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
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
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.stack_open
"""

EXAMPLES = r"""
- name: Break the lock of a run that is known to be gone
  breakwater.stack.stack_unlock:
    project_dir: /opt/generic-corp
"""

RETURN = r"""
holder:
  description: Who held the lock, in one line; empty when nobody did.
  returned: success
  type: str
  sample: "ops@controller: harden.yml, run 6f1c0a52, since 4 min, last renewed 12 s ago, expires in 29 min"
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.breakwater.stack.plugins.module_utils import _generations, _lock, _module, _writer


def work(module: AnsibleModule) -> dict[str, Any]:
    """Remove the lease."""
    directory = _writer.check_directory(module.params["project_dir"])
    root = _generations.root_of(directory)
    lease = _lock.read(root) if module.check_mode else _lock.release(root, None)
    return {"changed": lease is not None, "holder": _lock.describe(lease, time.time()) if lease else ""}


def main() -> None:
    """Run the module."""
    options = {"project_dir": {"type": "path", "required": True}}
    _module.run(AnsibleModule(argument_spec=options, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
