#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action pgbouncer_pool, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pgbouncer_pool
short_description: Plan a connection pool in front of PostgreSQL
version_added: 0.1.0
description:
  - Plans PgBouncer in front of the PostgreSQL of the stack that M(breakwater.stack.stack_open) has opened - its files,
    the line that joins them to the user's Compose file, and the edits that point clients at it.
  - Temporal goes through the pool in transaction mode. Applications go only when they are named.
  - The pool is sized against what the running server allows. What does not fit is refused with the arithmetic.
  - Nothing is written. M(breakwater.stack.stack_write) writes, and M(breakwater.stack.stack_deploy) sets the pool up,
    proves it, and moves the clients one after the other.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
    details: The action changes nothing; the server is asked in check mode too.
  diff_mode:
    support: none
    details: M(breakwater.stack.stack_write) shows the diff.
  idempotent:
    support: full
options:
  project_dir:
    description: Folder of the Compose project on the target.
    type: path
    required: true
  state:
    description:
      - Whether there is a pool. With V(absent) clients and files are as they were without it.
      - With V(unchanged) a pool that is there is kept in order, and none is made.
    type: str
    choices: [present, absent, unchanged]
    default: present
  image:
    description: Image with PgBouncer 1.24 or newer and psql.
    type: str
    required: true
  server:
    description: Service of PostgreSQL, where the project has several.
    type: str
  applications:
    description: Applications that go through the pool.
    type: list
    elements: dict
    default: []
    suboptions:
      service:
        description: The service.
        type: str
        required: true
      mode:
        description: The pool's mode for it. In transaction mode it may keep nothing in its session.
        type: str
        choices: [session, transaction]
        default: session
  temporal_version:
    description: Version of Temporal, where the tag of its image does not tell it.
    type: str
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.stack_write
  - module: breakwater.stack.stack_deploy
"""

EXAMPLES = r"""
- name: Plan a pool for Temporal and the workers
  breakwater.stack.pgbouncer_pool:
    project_dir: /opt/generic-corp
    image: edoburu/pgbouncer:v1.24.1-p1
    applications:
      - service: worker
        mode: session
"""

RETURN = r"""
changes:
  description: What is planned, with service, summary, reason and cost.
  returned: success
  type: list
  elements: dict
  sample: [{service: temporal, summary: goes through pgbouncer, impact: recreate}]
withheld:
  description: Why the pool is not planned, or not removed, where the most that a change may cost does not allow it.
  returned: success
  type: list
  elements: str
  sample: ["no pool is planned: it recreates its clients, and the most allowed is none"]
unchecked:
  description: Why no pool is planned, where the server cannot be asked now.
  returned: success
  type: list
  elements: str
  sample: ["no pool is planned, because postgres does not run and cannot be asked"]
differences:
  description: What PostgreSQL has of the pool, and not as it has to be. It is repaired with the deployment.
  returned: success
  type: list
  elements: str
  sample: ["role breakwater_pool: has another password than the pool"]
reported:
  description: What is left to people.
  returned: success
  type: list
  elements: str
  sample: ["temporal is a superuser; give each client a role of its own"]
table:
  description: The arithmetic of the pool's sizes, in lines for people.
  returned: success
  type: list
  elements: str
  sample: ["max_connections 100"]
msg:
  description: What was found and planned, in lines for people.
  returned: success
  type: list
  elements: str
  sample: ["the pool is as it has to be"]
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Fail: the action plugin of this name does the work and never gets here."""
    application = {
        "service": {"type": "str", "required": True},
        "mode": {"type": "str", "choices": ["session", "transaction"], "default": "session"},
    }
    options = {
        "project_dir": {"type": "path", "required": True},
        "state": {"type": "str", "choices": ["present", "absent", "unchanged"], "default": "present"},
        "image": {"type": "str", "required": True},
        "server": {"type": "str"},
        "applications": {"type": "list", "elements": "dict", "options": application, "default": []},
        "temporal_version": {"type": "str"},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    module.fail_json(
        msg="pgbouncer_pool runs on the controller; call it as breakwater.stack.pgbouncer_pool from a playbook"
    )


if __name__ == "__main__":
    main()
