# SPDX-License-Identifier: GPL-3.0-or-later
"""``breakwater connections``: who is connected to the PostgreSQL of a stack on this machine."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from ansible_collections.breakwater.stack.plugins.module_utils import (
    _compose_cli,
    _containers,
    _postgres_connections,
    _reader,
    _writer,
)
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.connections import SCHEMA_VERSION
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.connections_subject import (
    SubjectError,
    examine,
    find_subject,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.screen import lines
from breakwater import exits, version
from breakwater.scan import write

if TYPE_CHECKING:
    from breakwater.arguments import Options

_COLOURS = {"ok": "32", "warning": "33", "critical": "1;31"}
_WIDTHS = (80, 140)


def command(options: Options) -> int:
    """Run the command; see ``breakwater connections --help``."""
    try:
        report = look(options)
    except (StackError, SubjectError) as error:
        raise exits.CommandError(str(error)) from None
    write(as_json(report) if options.format == "json" else as_text(report, options.output is None), options.output)
    return exits.CLEAN if report["verdict"] == "ok" else exits.FINDINGS


def look(options: Options) -> dict[str, Any]:
    """Read the stack and its PostgreSQL, and judge.

    Raises:
        StackError: something cannot be read.
        SubjectError: it cannot be told which PostgreSQL.
    """
    docker = _compose_cli.Docker()
    reading, unread = _read(options, docker)
    subject = find_subject(reading, options.service, unread=unread)
    asked = _postgres_connections.Request(subject.container, subject.project, options.role, options.database)
    return examine(subject, _postgres_connections.read(asked, docker))


def _read(options: Options, docker: _compose_cli.Docker) -> tuple[dict[str, Any], str]:
    """Read the stack, or only its containers where this user may not read its files; and say why."""
    directory = os.path.abspath(options.project_dir)
    try:
        _writer.check_directory(directory)
        request = _reader.Request(directory, options.file, options.project_name, [], [], None, False)
        return _reader.read(request, docker), ""
    except StackError as error:
        reading = containers_of(directory, _postgres_connections.running(docker))
        if not reading["containers"]:
            raise
        return reading, str(error)


def containers_of(directory: str, inspected: list[dict[str, Any]]) -> dict[str, Any]:
    """Give what the engine alone knows of a stack, in the shape of a reading: its containers and its name.

    Args:
        directory: the project's folder, by which Compose labels its containers.
        inspected: running containers as ``docker inspect`` describes them.
    """
    folders = (directory, os.path.realpath(directory))
    described = [_containers.describe(item, "") for item in inspected]
    ours = [{**item, "ours": True} for item in described if item["working_dir"] in folders]
    return {"project": {"directory": directory, "name": ours[0]["project"] if ours else ""}, "containers": ours}


def as_json(report: dict[str, Any]) -> str:
    """Write the report as one JSON object; ASCII only, so that no name of a client acts on a terminal."""
    head = {"schema_version": SCHEMA_VERSION, "tool": {"name": "breakwater", "version": version()}}
    return json.dumps({**head, **report}, indent=2) + "\n"


def as_text(report: dict[str, Any], screen: bool) -> str:
    """Write the report for people, as wide as the terminal, the verdict in its colour there."""
    shown = screen and sys.stdout.isatty()
    least, most = _WIDTHS
    width = min(max(shutil.get_terminal_size().columns, least), most) if shown else 100
    first, *rest = lines(report, width)
    if shown and not os.environ.get("NO_COLOR"):
        first = f"\x1b[{_COLOURS[report['verdict']]}m{first}\x1b[0m"
    return "\n".join([first, *rest]) + "\n"
