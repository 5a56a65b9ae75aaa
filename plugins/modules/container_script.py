#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell script inside a running container."""

from __future__ import annotations

DOCUMENTATION = r"""
module: container_script
short_description: Run a shell script inside a running container
version_added: 0.1.0
description:
  - The script travels by standard input, so that what it holds stands in no argument and no log.
  - It is for asking, so it counts as no change.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
    details: In check mode the script is not run.
  diff_mode:
    support: none
    details: Nothing changes.
  idempotent:
    support: N/A
    details: A script is as idempotent as its commands.
options:
  container:
    description: Name or id of the container.
    type: str
    required: true
  script_z:
    description: The script for C(sh), packed (base64 of zlib), because it may hold secrets.
    type: str
    required: true
  timeout:
    description: Seconds that it may take.
    type: float
    default: 60
  docker_host:
    description: Address of the Docker daemon. When not set, the one of the environment.
    type: str
  docker_cli:
    description: Path of the C(docker) command. When not set, it is searched for.
    type: path
author: Breakwater contributors (@breakwater)
"""

EXAMPLES = r"""
- name: Ask who the script is
  breakwater.stack.container_script:
    container: generic-corp-postgres
    script_z: eJwrTi0BAAMwAUg=
"""

RETURN = r"""
rc:
  description: Exit code of the script.
  returned: success
  type: int
  sample: 0
stdout:
  description: What it wrote.
  returned: success
  type: str
  sample: uid=0(root)
stderr:
  description: What it wrote as errors.
  returned: success
  type: str
  sample: ''
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.breakwater.stack.plugins.module_utils import _compose_cli, _module, _transport


def work(module: AnsibleModule) -> dict[str, Any]:
    """Run the script."""
    params = module.params
    result: dict[str, Any] = {"changed": False, "rc": 0, "stdout": "", "stderr": ""}
    if module.check_mode:
        return result
    docker = _compose_cli.Docker(params["docker_cli"], params["docker_host"])
    script = _transport.unpack_bytes(params["script_z"])
    done = docker.run(["exec", "-i", params["container"], "sh", "-s"], timeout=params["timeout"], text=script)
    return {**result, "rc": done.code, "stdout": done.stdout, "stderr": done.stderr}


def main() -> None:
    """Run the module."""
    options = {
        "container": {"type": "str", "required": True},
        "script_z": {"type": "str", "required": True, "no_log": True},
        "timeout": {"type": "float", "default": 60},
        "docker_host": {"type": "str"},
        "docker_cli": {"type": "path"},
    }
    _module.run(AnsibleModule(argument_spec=options, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
