# SPDX-License-Identifier: GPL-3.0-or-later
"""``breakwater drift``: what differs on the hosts from what hardening would make of them.

There is one implementation of every check, that of the playbook ``breakwater.stack.harden``. It is run in check mode,
and what its tasks say becomes the report.
"""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from breakwater.mask import masked

if TYPE_CHECKING:
    from breakwater.drift.model import DriftReport
    from breakwater.front_arguments import FrontOptions


def command(options: FrontOptions) -> int:
    """Run the command; see ``breakwater drift --help``."""
    from breakwater.drift import run
    from breakwater.drift.reading import read
    from breakwater.drift.save import refuse_unwritable, save

    arguments = options.for_ansible()
    files = options.reports()
    for _name, file in files:
        refuse_unwritable(file)
    if options.verbose:
        sys.stderr.write(f"breakwater: {masked(shlex.join(run.command_line(arguments)))}\n")
    checked = run.check(arguments, options.seconds("--timeout", options.timeout), lambda _event: None)
    report = read(checked.events, checked.ending, options.allow_unchecked)
    for name, file in files:
        save(rendered(report, name), file)
    sys.stdout.write(rendered(report, options.format))
    return report.exit_code(options.report_only)


def rendered(report: DriftReport, name: str) -> str:
    """Give the report a format; only the module of that format is loaded."""
    module = f"breakwater.drift.formats.{name}"
    __import__(module)
    text: str = sys.modules[module].render(report)
    return text
