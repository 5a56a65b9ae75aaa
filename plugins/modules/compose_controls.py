#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action compose_controls, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_controls
short_description: Plan the controls of a stack - limits, health checks, policies
version_added: 0.1.0
description:
  - Plans, on the reading that M(breakwater.stack.stack_open) made and on what the tasks before it planned, which keys
    of the Compose files change so that the controls hold.
  - Writes nothing. M(breakwater.stack.stack_write) writes what all tasks of a run have planned.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: The write shows the difference of all plans together.
  idempotent:
    support: full
options:
  project_dir:
    description: Folder of the Compose project on the target.
    type: path
    required: true
  settings:
    description: The policy - selected controls, kinds, limits, waivers.
    type: dict
    default: {}
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.stack_open
  - module: breakwater.stack.stack_write
"""

EXAMPLES = r"""
- name: Plan limits
  breakwater.stack.compose_controls:
    project_dir: /opt/generic-corp
    settings:
      limits:
        temporal: {memory: 512m, cpus: 1.0}
"""

RETURN = r"""
reasons:
  description: For each planned change, what, why and what it costs.
  returned: success
  type: list
  elements: str
  sample: ["temporal: mem_limit: 512m (BW-LIM-001, recreate)"]
checked:
  description: The controls that took part.
  returned: success
  type: list
  elements: str
  sample: [BW-LIM-001]
findings:
  description: Every finding, with what becomes of it - planned, withheld, waived, expired or reported.
  returned: success
  type: list
  elements: dict
  sample: [{control: BW-LIM-001, service: temporal, state: planned, message: has no memory limit}]
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Fail: the action plugin of this name does the work and never gets here."""
    options = {"project_dir": {"type": "path", "required": True}, "settings": {"type": "dict", "default": {}}}
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    module.fail_json(
        msg="compose_controls runs on the controller; call it as breakwater.stack.compose_controls from a playbook"
    )


if __name__ == "__main__":
    main()
