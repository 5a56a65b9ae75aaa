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
    directory = _writer.check_directory(os.path.abspath(options.project_dir))
    request = _reader.Request(directory, options.file, options.project_name, [], [], None, False)
    docker = _compose_cli.Docker()
    subject = find_subject(_reader.read(request, docker), options.service)
    asked = _postgres_connections.Request(subject.container, subject.project, options.role, options.database)
    return examine(subject, _postgres_connections.read(asked, docker))


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
