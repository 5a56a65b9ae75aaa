#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action temporal_config, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: temporal_config
short_description: Set values in a dynamic configuration file of the Temporal server, and see it take them
version_added: 0.1.0
description:
  - Sets values in the file that is there, for everybody or under constraints. Keys, order, comments and layout stay;
    each value that is written stands under a comment with its reason.
  - Values that M(breakwater.stack.temporal_lint) finds wrong are not written, nor is a file with a critical
    finding, whoever wrote what is wrong with it.
  - The file is replaced atomically, and only if it is still the one that was read; what it was before is kept as a
    generation.
  - With O(container), waits until the server has read the file. Where it refuses it, the old file is brought back and
    the task fails with the server's words.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  path:
    description: The file on the target. A symbolic link is refused.
    type: path
    required: true
  project_dir:
    description: Folder that keeps the generation, best that of the Compose project. When not set, the file's folder.
    type: path
  values:
    description: The values. They win over O(profile).
    type: list
    elements: dict
    default: []
    suboptions:
      key:
        description: The key, such as V(frontend.namespaceRPS).
        type: str
        required: true
      value:
        description: The value, of the type that the key takes.
        type: raw
        required: true
      constraints:
        description: "When it holds, such as V({namespace: tenant-a}). Empty for everybody."
        type: dict
        default: {}
      reason:
        description: Why, for the comment above the value.
        type: str
        default: ''
  profile:
    description:
      - Values for a shared stack by the size of its host, each with its reason - V(small) up to 4 cores, V(medium) from
        8 cores.
    type: str
    choices: [small, medium]
  fresh:
    description:
      - Whether no task waits in any queue, so that O(profile) may set what changes the form of queues - partitions and
        fairness.
    type: bool
    default: false
  server_version:
    description: Version of the server that reads the file.
    type: str
    default: 1.31.2
  container:
    description:
      - Name or id of the server's container. When set, the folder of the file must be mounted into it; a mount of the
        file alone would never show the new file.
    type: str
  poll_interval:
    description: Seconds between two looks of the server at its file; 60 in the official images.
    type: int
    default: 60
  docker_cli:
    description: The Docker command on the target.
    type: path
    default: docker
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.temporal_lint
"""

EXAMPLES = r"""
- name: Limit the requests of a tenant
  breakwater.stack.temporal_config:
    path: /opt/generic-corp/dynamicconfig/docker.yaml
    project_dir: /opt/generic-corp
    container: generic-corp-temporal
    values:
      - key: frontend.namespaceRPS
        value: 200
        constraints: {namespace: tenant-a}
        reason: its load test starved the others

- name: See what the profile of a small host would change
  breakwater.stack.temporal_config:
    path: /opt/generic-corp/dynamicconfig/docker.yaml
    profile: small
  check_mode: true
  diff: true
"""

RETURN = r"""
changes:
  description: The values that were written, or would be; C(before) is null where the file had none.
  returned: success
  type: list
  elements: dict
  sample:
    - {key: frontend.namespaceRPS, constraints: {}, before: 2400, after: 400, reason: one host for all tenants}
generation:
  description: Id of the generation that keeps the file as it was; null when nothing was written.
  returned: success
  type: str
  sample: 20261124T090500Z-3f2a
proof:
  description: What shows that the server has read the file; empty when it was not asked for.
  returned: success
  type: str
  sample: the server says that it has read the file
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Fail: the action plugin of this name does the work and never gets here."""
    value = {
        "key": {"type": "str", "required": True, "no_log": False},
        "value": {"type": "raw", "required": True},
        "constraints": {"type": "dict", "default": {}},
        "reason": {"type": "str", "default": ""},
    }
    options = {
        "path": {"type": "path", "required": True},
        "project_dir": {"type": "path"},
        "values": {"type": "list", "elements": "dict", "default": [], "options": value},
        "profile": {"type": "str", "choices": ["small", "medium"]},
        "fresh": {"type": "bool", "default": False},
        "server_version": {"type": "str", "default": "1.31.2"},
        "container": {"type": "str"},
        "poll_interval": {"type": "int", "default": 60},
        "docker_cli": {"type": "path", "default": "docker"},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    module.fail_json(
        msg="temporal_config runs on the controller; call it as breakwater.stack.temporal_config from a playbook"
    )


if __name__ == "__main__":
    main()
