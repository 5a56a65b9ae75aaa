#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action stack_deploy, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_deploy
short_description: Deploy what differs from what runs, in the order of blast radius
version_added: 0.1.0
description:
  - Recreates the services whose containers differ from the files, in stages - stateless services, then Temporal, then
    data stores one at a time - and waits for each to be healthy.
  - A project that is down stays down.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: The write shows the difference.
  idempotent:
    support: full
options:
  project_dir:
    description: Folder of the Compose project on the target.
    type: path
    required: true
  wait_timeout:
    description: Seconds to wait for each stage to be healthy.
    type: int
    default: 180
author: Breakwater contributors (@breakwater)
seealso:
  - module: community.docker.docker_compose_v2
"""

EXAMPLES = r"""
- name: Deploy
  breakwater.stack.stack_deploy:
    project_dir: /opt/generic-corp
"""

RETURN = r"""
stages:
  description: The services of each stage, in order.
  returned: success
  type: list
  elements: list
  sample: [[temporal-ui], [temporal], [postgres]]
standing:
  description: The services that do not run as the files say now, with what differs and what the run would do about it.
  returned: success, in check mode
  type: list
  elements: dict
  sample: [{service: temporal, kind: changed, action: update, differs: ["memory limit: the file says 1g, ..."]}]
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Fail: the action plugin of this name does the work and never gets here."""
    options = {
        "project_dir": {"type": "path", "required": True},
        "wait_timeout": {"type": "int", "default": 180},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    module.fail_json(
        msg="stack_deploy runs on the controller; call it as breakwater.stack.stack_deploy from a playbook"
    )


if __name__ == "__main__":
    main()
