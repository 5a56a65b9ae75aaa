#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action stack_verify, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_verify
short_description: Prove that the running containers carry what the files say
version_added: 0.1.0
description:
  - Compares the limits and guards in force of every container with the Compose files, and looks at health.
  - Fails naming each difference.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
    details: The action changes nothing.
  diff_mode:
    support: none
    details: The action changes nothing.
  idempotent:
    support: full
options:
  project_dir:
    description: Folder of the Compose project on the target.
    type: path
    required: true
  wait_timeout:
    description: Seconds to wait for services to be healthy.
    type: int
    default: 180
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.stack_deploy
"""

EXAMPLES = r"""
- name: Verify
  breakwater.stack.stack_verify:
    project_dir: /opt/generic-corp
"""

RETURN = r"""
differences:
  description: What differs, in lines for people.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Fail: the action plugin of this name does the work and never gets here."""
    options = {"project_dir": {"type": "path", "required": True}, "wait_timeout": {"type": "int", "default": 180}}
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    module.fail_json(
        msg="stack_verify runs on the controller; call it as breakwater.stack.stack_verify from a playbook"
    )


if __name__ == "__main__":
    main()
