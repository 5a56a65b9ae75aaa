#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action temporal_lint, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: temporal_lint
short_description: Judge a dynamic configuration file of the Temporal server
version_added: 0.1.0
description:
  - Finds what the server would refuse, pass over or misread - misspelt keys, keys of another version, values of the
    wrong type, constraints that never match, values that hide each other, settings that only work together.
  - The server starts with most of these and says so only in a warning of its log.
  - Changes nothing. The same rules as C(breakwater temporal lint).
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: It changes nothing.
  idempotent:
    support: full
options:
  path:
    description: The file on the target. A symbolic link is refused.
    type: path
    required: true
  server_version:
    description: Version of the server that reads the file; 1.25 to 1.32 are known.
    type: str
    default: 1.31.2
  severity:
    description: The least severity of a finding that is returned.
    type: str
    choices: [info, low, medium, high, critical]
    default: low
  ignore:
    description: Rules to leave out, by their codes or the beginnings of them.
    type: list
    elements: str
    default: []
  fail_on:
    description: The least severity of a finding that makes the task fail.
    type: str
    choices: [info, low, medium, high, critical, never]
    default: high
author: Breakwater contributors (@breakwater)
"""

EXAMPLES = r"""
- name: Judge the dynamic configuration before the server reads it
  breakwater.stack.temporal_lint:
    path: /opt/generic-corp/dynamicconfig/production.yaml
    server_version: 1.31.2

- name: Show everything, and fail at nothing
  breakwater.stack.temporal_lint:
    path: /opt/generic-corp/dynamicconfig/production.yaml
    severity: info
    fail_on: never
  register: judged
"""

RETURN = r"""
findings:
  description: What was found, in the order of the lines.
  returned: always
  type: list
  elements: dict
  sample:
    - code: TL010
      line: 3
      key: frontend.namspaceRPS
      severity: high
      message: is not a key of Temporal 1.31
      remedy: did you mean "frontend.namespaceRPS"?
keys:
  description: Number of keys in the file.
  returned: always
  type: int
  sample: 12
note:
  description: What should be known about the judgement, when the table of keys does not hold this version.
  returned: when there is one
  type: str
  sample: Temporal 1.99 is newer than the table, which ends at 1.32; judged by 1.32
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Fail: the action plugin of this name does the work and never gets here."""
    severities = ["info", "low", "medium", "high", "critical"]
    options = {
        "path": {"type": "path", "required": True},
        "server_version": {"type": "str", "default": "1.31.2"},
        "severity": {"type": "str", "choices": severities, "default": "low"},
        "ignore": {"type": "list", "elements": "str", "default": []},
        "fail_on": {"type": "str", "choices": [*severities, "never"], "default": "high"},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    module.fail_json(
        msg="temporal_lint runs on the controller; call it as breakwater.stack.temporal_lint from a playbook"
    )


if __name__ == "__main__":
    main()
