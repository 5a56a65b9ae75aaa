# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules share: options, and the turn from errors to failures.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.breakwater.stack.plugins.module_utils import _compose_cli, _reader, _transport, _writer
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError


def project_options() -> dict[str, Any]:
    """Give the options that name a project (fragment breakwater.stack.project)."""
    return {
        "project_dir": {"type": "path", "required": True},
        "files": {"type": "list", "elements": "path", "default": []},
        "project_name": {"type": "str"},
        "env_files": {"type": "list", "elements": "path", "default": []},
        "profiles": {"type": "list", "elements": "str", "default": []},
        "docker_host": {"type": "str"},
        "docker_cli": {"type": "path"},
        "engine": {"type": "bool", "default": True},
        "generation": {"type": "str"},
        "usage": {"type": "bool", "default": True},
    }


def content_options() -> dict[str, Any]:
    """Give the option for files with contents."""
    options = {
        "path": {"type": "path", "required": True},
        "content_z": {"type": "str", "no_log": True},
        "expected_sha256": {"type": "str"},
        "mode": {"type": "raw"},
        "uid": {"type": "int"},
        "gid": {"type": "int"},
        "remove": {"type": "bool", "default": False},
    }
    needed = [("remove", False, ("content_z",))]
    return {"type": "list", "elements": "dict", "options": options, "required_if": needed, "default": []}


def run_id(params: Mapping[str, Any]) -> str:
    """Give the id of the run.

    Raises:
        StackError: it is not set.
    """
    if not params["run_id"]:
        raise StackError("run_id is missing; it is the one that stack_open was given")
    return str(params["run_id"])


def read_stack(params: Mapping[str, Any]) -> dict[str, Any]:
    """Read the stack that the options of project_options name.

    Raises:
        StackError: see _reader.read.
    """
    request = _reader.Request(
        directory=_writer.check_directory(params["project_dir"]),
        files=params["files"],
        project_name=params["project_name"],
        env_files=params["env_files"],
        profiles=params["profiles"],
        generation=params["generation"],
        usage=params["usage"],
    )
    docker = _compose_cli.Docker(params["docker_cli"], params["docker_host"]) if params["engine"] else None
    return _reader.read(request, docker)


def new_files(items: Sequence[Mapping[str, Any]]) -> list[_writer.NewFile]:
    """Turn the option of content_options into files.

    Raises:
        StackError: damaged content, none at all for a file that stays, or a mode that is none.
    """
    return [
        _writer.NewFile(
            item["path"],
            None if item["remove"] else _transport.unpack_bytes(item["content_z"] or ""),
            item["expected_sha256"],
            parse_mode(item["mode"]),
            item["uid"],
            item["gid"],
        )
        for item in items
    ]


def parse_mode(value: Any) -> int | None:
    """Read permission bits: an octal string ("0640"), or the number that YAML makes of an unquoted 0640.

    Raises:
        StackError: neither.
    """
    if value is None:
        return None
    try:
        mode = value if isinstance(value, int) and not isinstance(value, bool) else int(str(value), 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o7777:
        raise StackError(f"mode {value!r} is not a file mode; write it as a quoted octal number, for instance '0644'")
    return mode


def default_holder() -> str:
    """Name the user of this process, for locks and records."""
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or f"uid {os.geteuid()}"


def run(module: AnsibleModule, work: Callable[[AnsibleModule], dict[str, Any]]) -> None:
    """Do the work of a module; what a person must settle becomes its failure, in one line."""
    try:
        result = work(module)
    except StackError as error:
        module.fail_json(msg=str(error))
    else:
        module.exit_json(**result)
