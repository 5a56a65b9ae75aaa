#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action compose_patch, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_patch
short_description: Change a Compose file as a careful engineer would by hand
version_added: 0.1.0
description:
  - Sets, appends or removes keys of a Compose file and leaves every other byte as it is - comments, order, quoting,
    anchors, line ends.
  - The style of the siblings is followed - block or flow, list or map, indentation.
  - After the edit the text is parsed again. When the data is not the old data plus the intended change, for every
    service after anchors, merge keys and C(extends) are followed, nothing is written and the task fails naming the
    line.
  - The edit happens on the controller, so the target needs no library. The file is replaced atomically, and only if
    it is still the one that was read; what it was before is kept as a generation beside it.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Values that look like secrets are masked.
  idempotent:
    support: full
options:
  path:
    description: The Compose file on the target. A symbolic link is refused.
    type: path
    required: true
  edits:
    description: The edits, made together or not at all.
    type: list
    elements: dict
    required: true
    suboptions:
      op:
        description:
          - V(set) sets a key and makes missing parents.
          - V(append) adds an item to a list, which is made if it is missing; an item that is there already is not
            added again.
          - V(remove) deletes a key, or an item of a list by its number.
        type: str
        choices: [set, append, remove]
        default: set
      path:
        description: The keys from the root of the document, for instance V([services, temporal, mem_limit]).
        type: list
        elements: raw
        required: true
      value:
        description: The value for V(set) and V(append) - text, number, boolean, null, list or mapping.
        type: raw
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.compose_controls
  - name: Changing existing Compose files
    description: A request for such a module.
    link: https://github.com/ansible-collections/community.docker/issues/767
"""

EXAMPLES = r"""
- name: Limit the memory of a service
  breakwater.stack.compose_patch:
    path: /opt/app/docker-compose.yml
    edits:
      - path: [services, web, mem_limit]
        value: 512m

- name: Limit memory and CPU where the file uses deploy
  breakwater.stack.compose_patch:
    path: /opt/app/docker-compose.yml
    edits:
      - path: [services, web, deploy, resources, limits, memory]
        value: 512M
      - path: [services, web, deploy, resources, limits, cpus]
        value: "1.0"

- name: Pin an image
  breakwater.stack.compose_patch:
    path: /opt/app/docker-compose.yml
    edits:
      - path: [services, cache, image]
        value: redis:8.0.4

- name: Add a variable to a service whose environment is a map
  breakwater.stack.compose_patch:
    path: /opt/app/docker-compose.yml
    edits:
      - path: [services, web, environment, LOG_LEVEL]
        value: info

- name: Add a variable to a service whose environment is a list
  breakwater.stack.compose_patch:
    path: /opt/app/docker-compose.yml
    edits:
      - op: append
        path: [services, web, environment]
        value: LOG_LEVEL=info

- name: Publish a port on the loopback interface only
  breakwater.stack.compose_patch:
    path: /opt/app/docker-compose.yml
    edits:
      - path: [services, db, ports, 0]
        value: 127.0.0.1:5432:5432

- name: Rotate the log
  breakwater.stack.compose_patch:
    path: /opt/app/docker-compose.yml
    edits:
      - path: [services, web, logging]
        value:
          driver: json-file
          options:
            max-size: 10m
            max-file: "3"

- name: Replace a health check
  breakwater.stack.compose_patch:
    path: /opt/app/docker-compose.yml
    edits:
      - path: [services, db, healthcheck, test]
        value: [CMD-SHELL, pg_isready -h 127.0.0.1 -U postgres]

- name: Remove the obsolete version key
  breakwater.stack.compose_patch:
    path: /opt/app/docker-compose.yml
    edits:
      - op: remove
        path: [version]

- name: See what would change, and change nothing
  breakwater.stack.compose_patch:
    path: /opt/app/docker-compose.yml
    edits:
      - path: [services, web, restart]
        value: unless-stopped
  check_mode: true
  diff: true
"""

RETURN = r"""
generation:
  description: Id of the generation that keeps the file as it was; null when nothing changed.
  returned: success
  type: str
  sample: 20261124T090500Z-3f2a
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Fail: the action plugin of this name does the work and never gets here."""
    edit = {
        "op": {"type": "str", "choices": ["set", "append", "remove"], "default": "set"},
        "path": {"type": "list", "elements": "raw", "required": True},
        "value": {"type": "raw"},
    }
    options = {
        "path": {"type": "path", "required": True},
        "edits": {"type": "list", "elements": "dict", "required": True, "options": edit},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    module.fail_json(
        msg="compose_patch runs on the controller; call it as breakwater.stack.compose_patch from a playbook"
    )


if __name__ == "__main__":
    main()
