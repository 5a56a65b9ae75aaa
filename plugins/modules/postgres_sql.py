#!/usr/bin/python
# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQL in PostgreSQL's container."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_sql
short_description: Run SQL in PostgreSQL's container over the server's own socket
version_added: 0.1.0
description:
  - Runs C(psql) in the container, so that no password is needed and no port has to be published.
  - Statements travel by standard input and stand in no argument and no log of the server.
extends_documentation_fragment:
  - breakwater.stack.attributes
attributes:
  check_mode:
    support: full
    details: A query is made, a script is not run.
  diff_mode:
    support: none
    details: What a script changes is not known.
  idempotent:
    support: N/A
    details: A script is as idempotent as its statements.
options:
  container:
    description: Name or id of the container.
    type: str
    required: true
  user:
    description: The role to work as.
    type: str
    default: postgres
  database:
    description: The database to work in.
    type: str
    default: postgres
  query:
    description: One SELECT, without the semicolon at its end. It runs in a READ ONLY transaction.
    type: str
  descriptors:
    description:
      - With O(query), ask as well how many file descriptors the engine lets the container have.
      - A question more in the same visit; a visit costs far more than a question.
    type: bool
    default: false
  script_z:
    description: Statements that run in one transaction, packed (base64 of zlib), because they may hold secrets.
    type: str
  timeout:
    description: Seconds that each statement, and waiting for a lock, may take.
    type: float
    default: 10
  docker_host:
    description: Address of the Docker daemon. When not set, the one of the environment.
    type: str
  docker_cli:
    description: Path of the C(docker) command. When not set, it is searched for.
    type: path
author: Breakwater contributors (@breakwater)
"""

EXAMPLES = r"""
- name: Ask how many connections the server allows
  breakwater.stack.postgres_sql:
    container: generic-corp-postgres
    user: temporal
    query: SELECT current_setting('max_connections')::int AS most
"""

RETURN = r"""
rows_z:
  description: The rows of O(query), each a dictionary, packed (base64 of zlib of JSON), because they may hold secrets.
  returned: with O(query)
  type: str
  sample: eJyr...
descriptors:
  description: The most file descriptors that a process of the container may have; null where there is no bound.
  returned: with O(descriptors)
  type: int
  sample: 1048576
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.breakwater.stack.plugins.module_utils import (
    _compose_cli,
    _module,
    _postgres_sql,
    _transport,
)


def work(module: AnsibleModule) -> dict[str, Any]:
    """Ask or run."""
    params = module.params
    docker = _compose_cli.Docker(params["docker_cli"], params["docker_host"])
    server = _postgres_sql.Server(params["container"], params["user"], params["database"])
    if params["query"]:
        rows = _postgres_sql.query(docker, server, params["query"], timeout=params["timeout"])
        result: dict[str, Any] = {"changed": False, "rows_z": _transport.pack(rows)}
        return {**result, "descriptors": _descriptors(docker, params)} if params["descriptors"] else result
    if not module.check_mode:
        script = _transport.unpack_bytes(params["script_z"]).decode("utf-8")
        _postgres_sql.execute(docker, server, script, timeout=params["timeout"])
    return {"changed": True}


def _descriptors(docker: _compose_cli.Docker, params: dict[str, Any]) -> int | None:
    """Ask the container's shell for its hard limit; it prints a number, or "unlimited"."""
    done = docker.run(["exec", "-i", params["container"], "sh", "-s"], timeout=params["timeout"], text=b"ulimit -Hn")
    printed = done.stdout.strip()
    return int(printed) if printed.isdigit() else None


def main() -> None:
    """Run the module."""
    options = {
        "container": {"type": "str", "required": True},
        "user": {"type": "str", "default": "postgres"},
        "database": {"type": "str", "default": "postgres"},
        "query": {"type": "str"},
        "descriptors": {"type": "bool", "default": False},
        "script_z": {"type": "str", "no_log": True},
        "timeout": {"type": "float", "default": 10},
        "docker_host": {"type": "str"},
        "docker_cli": {"type": "path"},
    }
    choice = ("query", "script_z")
    module = AnsibleModule(
        argument_spec=options, supports_check_mode=True, required_one_of=[choice], mutually_exclusive=[choice]
    )
    _module.run(module, work)


if __name__ == "__main__":
    main()
