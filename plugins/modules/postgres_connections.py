#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show who is connected to the PostgreSQL of a stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_connections
short_description: Show who is connected to the PostgreSQL of a stack, and whether that is well
version_added: 0.1.0
description:
  - Counts the connections against C(max_connections) by service, database, user, application and state, lists
    transactions in which nobody works and sessions that wait for locks with those who hold them up, and compares with
    what the clients may open by their configuration.
  - One query in a READ ONLY transaction, over the socket in PostgreSQL's container, so no password is needed and
    reserved slots help when all others are used. When even these are used up, the titles of the server's processes are
    read.
  - Queries are returned without their literals.
  - PostgreSQL has to be a service of the project; a server outside of it is not looked at.
extends_documentation_fragment:
  - breakwater.stack.project
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is changed, so check mode does the same.
  diff_mode:
    support: none
    details: Nothing is changed.
  idempotent:
    support: full
options:
  service:
    description: The PostgreSQL service. When not set, it is found by its image or its label C(breakwater.kind).
    type: str
    default: ""
  role:
    description:
      - The role to connect as. When not set, the superuser that the image has made (E(POSTGRES_USER)).
      - With C(pg_monitor) it sees everything; with less, what it could not see is said.
    type: str
    default: ""
  database:
    description: The database to connect to. When not set, C(postgres) or C(template1).
    type: str
    default: ""
  kinds:
    description: Kinds by service, where the image does not tell it.
    type: dict
    default: {}
  fail_on:
    description: The least verdict that fails the task.
    type: str
    choices: [warning, critical, never]
    default: critical
  thresholds:
    description: From which figure on something is a warning, or critical. Shares are percent, ages are seconds.
    type: dict
    default: {}
    suboptions:
      used_warning:
        description: Share of the connections for applications that is used.
        type: float
        default: 80
      used_critical:
        description: See O(thresholds.used_warning).
        type: float
        default: 95
      idle_warning:
        description: Age of a session that is idle in transaction.
        type: float
        default: 60
      idle_critical:
        description: See O(thresholds.idle_warning).
        type: float
        default: 600
      wait_warning:
        description: How long a session waits for a lock.
        type: float
        default: 5
      wait_critical:
        description: See O(thresholds.wait_warning).
        type: float
        default: 60
      transaction_warning:
        description: Age of the oldest transaction, and of the oldest prepared one.
        type: float
        default: 600
      transaction_critical:
        description: See O(thresholds.transaction_warning).
        type: float
        default: 3600
  container:
    description: The container of PostgreSQL. Set by the action, which finds it.
    type: str
author: Breakwater contributors (@breakwater)
seealso:
  - module: breakwater.stack.stack_info
"""

EXAMPLES = r"""
- name: Fail when applications find no connection
  breakwater.stack.postgres_connections:
    project_dir: /opt/generic-corp

- name: Look at one of two servers as a role that only watches
  breakwater.stack.postgres_connections:
    project_dir: /opt/generic-corp
    service: app-db
    role: monitoring
    fail_on: never
  register: connections

- name: Show who is idle in transaction
  ansible.builtin.debug:
    var: connections.report.idle_in_transaction
"""

RETURN = r"""
verdict:
  description: V(ok), V(warning) or V(critical).
  returned: from the action
  type: str
  sample: warning
msg:
  description: The report in lines for people.
  returned: from the action
  type: list
  elements: str
  sample: ["OK: connections of generic-corp, service postgres, PostgreSQL 17.6"]
report:
  description: The report in the shape of docs/schemas/connections-1.json, without the name of the tool.
  returned: from the action
  type: dict
  sample: {verdict: ok, reasons: [], slots: {used: 51, available: 97, free: 46, free_for_superusers: 49}}
facts:
  description: What was read.
  returned: without the action
  type: dict
  sample: {source: connection, sessions: []}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.breakwater.stack.plugins.module_utils import _compose_cli, _module, _postgres_connections
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError


def work(module: AnsibleModule) -> dict[str, Any]:
    """Read who is connected."""
    params = module.params
    if not params["container"]:
        raise StackError(
            "postgres_connections runs through its action; call it as breakwater.stack.postgres_connections from a "
            "playbook"
        )
    request = _postgres_connections.Request(
        params["container"], params["project_name"] or "", params["role"], params["database"]
    )
    docker = _compose_cli.Docker(params["docker_cli"], params["docker_host"])
    return {"changed": False, "facts": _postgres_connections.read(request, docker)}


def thresholds_options() -> dict[str, Any]:
    """Give the options of O(thresholds)."""
    defaults = {
        "used_warning": 80,
        "used_critical": 95,
        "idle_warning": 60,
        "idle_critical": 600,
        "wait_warning": 5,
        "wait_critical": 60,
        "transaction_warning": 600,
        "transaction_critical": 3600,
    }
    return {name: {"type": "float", "default": value} for name, value in defaults.items()}


def main() -> None:
    """Run the module."""
    options = {
        **_module.project_options(),
        "service": {"type": "str", "default": ""},
        "role": {"type": "str", "default": ""},
        "database": {"type": "str", "default": ""},
        "kinds": {"type": "dict", "default": {}},
        "fail_on": {"type": "str", "choices": ["warning", "critical", "never"], "default": "critical"},
        "thresholds": {"type": "dict", "default": {}, "options": thresholds_options()},
        "container": {"type": "str"},
    }
    _module.run(AnsibleModule(argument_spec=options, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
