# SPDX-License-Identifier: GPL-3.0-or-later
"""``breakwater scan``: where Compose files do not follow the controls."""

from __future__ import annotations

import sys

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import PolicyError
from breakwater import exits
from breakwater.host import describe, host_facts
from breakwater.inputs import collect
from breakwater.judge import Judge, budget_refusal, problem, refusals, unknown_services
from breakwater.mask import masked_finding
from breakwater.processes import map_in_processes
from breakwater.report import Item, Report
from breakwater.settings import COMMAND_LINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from breakwater.arguments import Options
    from breakwater.inputs import Group

#: The control that compares the limits with the host.
FITS_HOST = "BW-LIM-005"


def command(options: Options) -> int:
    """Run the command; see ``breakwater scan --help``."""
    report = scan(options)
    for trouble in report.problems:
        sys.stderr.write(f"{trouble}\n")
    write(render(report, options), options.output)
    if report.problems:
        return exits.ERROR
    return exits.FINDINGS if report.open_items() else exits.CLEAN


def scan(options: Options) -> Report:
    """Judge everything that the command line names."""
    host = host_facts(options.host_memory, options.host_cpus)
    report = Report()
    report.note(describe(host))
    groups, errors = collect(options.files, options.stdin_filename)
    report.problems.extend(problem(error) for error in errors)
    judge = Judge(options, host)
    stated = options.host_memory is not None or options.host_cpus is not None
    for part in map_in_processes(lambda group: _part(judge, group, stated), groups):
        report.add(part)
    for text in unknown_services(report.settings):
        report.note(text)
    return report


def _part(judge: Judge, group: Group, stated: bool) -> Report:
    """Report on one project.

    Args:
        judge: knows host and settings.
        group: the project's files.
        stated: the host was stated. Otherwise this machine only serves to propose limits: whether the stack fits it is
            no finding, because a result must not depend on the machine of a developer or a CI job.
    """
    part = Report()
    try:
        judged = judge.judge(group)
    except (ComposeError, PolicyError) as error:
        part.problems.append(problem(error))
        return part
    names = [document.name for document in judged.project.files]
    part.problems.extend(refusals(judged))
    part.files.extend(group.names)
    part.services = len(judged.project.services)
    part.settings.append((judged.settings, list(judged.project.services)))
    if judged.settings.source != COMMAND_LINE:
        part.note(f"settings: {judged.settings.source}")
    refusal = budget_refusal(judged.plan)
    if refusal and not stated:
        part.note(f"{names[0]}: no limits are proposed: {refusal}")
    findings = [finding for finding in judged.plan.findings if stated or finding.control != FITS_HOST]
    part.items = [Item(names[finding.file], masked_finding(finding)) for finding in findings]
    part.items.sort(key=lambda item: (item.finding.file, item.finding.line or 0))
    return part


def render(report: Report, options: Options) -> str:
    """Give the report the format that was asked for; only the module of that format is loaded."""
    name = options.format
    if name == "text" and options.output is None and sys.stdout.isatty():
        name = "terminal"
    module = f"breakwater.render.{name}"
    __import__(module)  # importlib.import_module would load warnings and more
    text: str = sys.modules[module].render(report)
    return text


def write(text: str, output: str | None) -> None:
    """Write the result to a file, or to standard output.

    Raises:
        CommandError: the file cannot be written.
    """
    if output is None:
        sys.stdout.write(text)
        return
    try:
        with open(output, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise exits.CommandError(f"{output}: cannot be written: {error.strerror}") from None
