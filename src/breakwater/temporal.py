# SPDX-License-Identifier: GPL-3.0-or-later
"""``breakwater temporal lint``: what the server would refuse, pass over or misread in its dynamic configuration."""

from __future__ import annotations

import sys

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Finding
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.config import read_config, reworded
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.keys import (
    DEFAULT_VERSION,
    VersionError,
    keys_of,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.lint import lint, selected, unknown_rule
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.rules import RULES
from breakwater import exits
from breakwater.inputs import read_text
from breakwater.judge import problem
from breakwater.mask import masked_finding
from breakwater.report import Item, Report
from breakwater.scan import render, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Control
    from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.keys import Keys
    from breakwater.arguments import Options

STANDARD_INPUT = "-"


class LintItem(Item):
    """A finding of the lint with the name of its file."""

    @property
    def control(self) -> Control:
        """The row of the finding's rule."""
        return RULES[self.finding.control]


def command(options: Options) -> int:
    """Run the command; see ``breakwater temporal lint --help``.

    Raises:
        UsageError: a version or a rule that does not exist.
    """
    report = report_on(options)
    for trouble in report.problems:
        sys.stderr.write(f"{trouble}\n")
    write(render(report, options), options.output)
    if report.problems:
        return exits.ERROR
    return exits.FINDINGS if report.items else exits.CLEAN


def report_on(options: Options) -> Report:
    """Judge the files that the command line names."""
    try:
        keys = keys_of(options.server_version or DEFAULT_VERSION)
    except VersionError as error:
        raise exits.UsageError(f"--server-version: {error}") from None
    wrong = unknown_rule(options.ignore)
    if wrong:
        raise exits.UsageError(f"--ignore: {wrong}")
    report = Report("key")
    report.note(keys.note or f"judged for Temporal {keys.minor}")
    for path in dict.fromkeys(options.files):
        report.add(_judge(path, keys, options))
    return report


def _judge(path: str, keys: Keys, options: Options) -> Report:
    """Report on one file."""
    name = (options.stdin_filename or "<stdin>") if path == STANDARD_INPUT else path
    part = Report("key")
    try:
        config = read_config(read_text(path, name), name)
    except ComposeError as error:
        part.problems.append(problem(reworded(error)))
        return part
    part.files.append(name)
    part.services = len(config.entries)
    for found in selected(lint(config, keys), options.severity or "low", options.ignore):
        text = f"{found.message}; {found.remedy}"
        finding = Finding(found.code, found.key, 0, found.line, found.severity, text)
        part.items.append(LintItem(name, masked_finding(finding)))
    return part
