#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a Compose stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_info
short_description: Read a Compose stack - files, containers, host
version_added: 0.1.0
description:
  - Reads the Compose files, the containers with the limits in force and what they use, the host, the latest
    generation and the lock, and changes nothing.
  - The summary holds no content of files and no environment of containers.
extends_documentation_fragment:
  - breakwater.stack.project
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
    details: The module changes nothing.
  diff_mode:
    support: none
    details: The module changes nothing.
  idempotent:
    support: full
options:
  full:
    description:
      - Also return the whole reading, packed, in RV(reading_z).
      - It holds the contents of files, so keep it out of logs.
    type: bool
    default: false
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.stack_open
"""

EXAMPLES = r"""
- name: Look at the stack
  breakwater.stack.stack_info:
    project_dir: /opt/generic-corp
  register: stack

- name: Show what the containers use
  ansible.builtin.debug:
    msg: "{{ stack.containers | items2dict(key_name='service', value_name='usage') }}"

- name: Look at a stack of two files under a name of its own
  breakwater.stack.stack_info:
    project_dir: /opt/generic-corp
    files:
      - docker-compose.yml
      - docker-compose.prod.yml
    project_name: generic-corp
"""

RETURN = r"""
project:
  description: The project - directory, name, files with their hashes, and what Compose has against it (values masked).
  returned: success
  type: dict
  sample:
    directory: /opt/generic-corp
    name: generic-corp
    files: [{path: docker-compose.yml, sha256: 9f86d081...}]
    config_error: null
containers:
  description: The containers of the project with state, health, limits in force and use (bytes, CPUs).
  returned: success
  type: list
  elements: dict
  sample:
    - service: temporal
      name: generic-corp-temporal
      state: running
      health: healthy
      limits: {memory: 536870912, memory_reservation: null, cpus: 1.0, pids: 512, restart: unless-stopped}
      usage: {memory: 232783872, memory_peak: 251658240, file_cache: 4096, cpus: 0.277, pids: 14}
host:
  description: Memory (bytes), CPUs, cgroup version, and versions of engine and Compose.
  returned: success
  type: dict
  sample: {memory: 25276063744, cpus: 2, cgroup: 2, engine: 27.3.1, compose: 2.29.7}
generation:
  description: The open generation, or the latest one, or the one asked for; null when there is none.
  returned: success
  type: dict
  sample: {id: 20261124T090500Z-3f2a, state: kept}
lock:
  description: Who holds the stack; null when nobody does.
  returned: success
  type: dict
  sample: null
reading_z:
  description: The whole reading, packed (base64 of zlib of JSON).
  returned: when O(full=true)
  type: str
  sample: eJyr...
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.breakwater.stack.plugins.module_utils import _module, _reader, _transport


def work(module: AnsibleModule) -> dict[str, Any]:
    """Read and summarise."""
    reading = _module.read_stack(module.params)
    result = {"changed": False, **_reader.summary(reading)}
    if module.params["full"]:
        result["reading_z"] = _transport.pack(reading)
    return result


def main() -> None:
    """Run the module."""
    options = {**_module.project_options(), "full": {"type": "bool", "default": False}}
    _module.run(AnsibleModule(argument_spec=options, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
