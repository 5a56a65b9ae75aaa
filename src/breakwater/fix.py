# SPDX-License-Identifier: GPL-3.0-or-later
"""``breakwater fix``: the edits that make Compose files follow the controls, shown or written."""

from __future__ import annotations

import sys

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit import unified_diff
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import PolicyError
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.plan import apply_plan
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.masking import mask_text
from breakwater import exits
from breakwater.host import describe, host_facts
from breakwater.inputs import collect
from breakwater.judge import Judge, budget_refusal, problem, refusals
from breakwater.render.text import plural
from breakwater.report import Problem
from breakwater.write import NewFile, write_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Change
    from breakwater.arguments import Options
    from breakwater.judge import Judged


class Fixed:
    """One project with its plan carried out in memory.

    Attributes:
        judged: the project as it is, with its plan.
        files: the files whose text changes.
        text: reasons, arithmetic and diff for people, secrets masked.
    """

    __slots__ = ("files", "judged", "text")

    def __init__(self, judged: Judged) -> None:
        self.judged = judged
        after = apply_plan(judged.project, judged.plan)
        pairs = [
            (old, new) for old, new in zip(judged.project.files, after.files, strict=False) if old.text != new.text
        ]
        self.files = [NewFile(old.name, old.text, new.text) for old, new in pairs]
        diff = "".join(unified_diff(old, new) for old, new in pairs)
        self.text = mask_text(_explanation(judged) + diff)


def command(options: Options) -> int:
    """Run the command; see ``breakwater fix --help``."""
    host = host_facts(options.host_memory, options.host_cpus)
    judge = Judge(options, host)
    fixed, problems = _plan(options, judge)
    sys.stdout.write("".join(one.text for one in fixed))
    for trouble in problems:
        sys.stderr.write(f"{trouble}\n")
    for note in (describe(host), *judge.unknown_services()):
        sys.stderr.write(f"note: {note}\n")
    changed = [file for one in fixed for file in one.files]
    if problems:
        sys.stderr.write(f"{_examined(fixed)}; {plural(len(problems), 'error')}, so nothing is written\n")
        return exits.ERROR
    if changed and options.write:
        for line in write_files(changed):
            sys.stderr.write(f"{line}\n")
        sys.stderr.write(f"{_examined(fixed)}: {plural(len(changed), 'file')} written\n")
        return exits.CLEAN
    pending = f'{plural(len(changed), "file")} would change; "--write" writes them' if changed else "nothing to change"
    sys.stderr.write(f"{_examined(fixed)}: {pending}\n")
    return exits.FINDINGS if changed else exits.CLEAN


def _plan(options: Options, judge: Judge) -> tuple[list[Fixed], list[Problem]]:
    """Carry out the plan of every project in memory."""
    groups, errors = collect(options.files, options.stdin_filename)
    problems = [problem(error) for error in errors]
    fixed: list[Fixed] = []
    for group in groups:
        try:
            judged = judge.judge(group)
            refused = refusals(judged)
            if budget_refusal(judged.plan):
                refused.append(Problem(group.names[0], None, budget_refusal(judged.plan)))
            problems.extend(refused)
            if not refused:
                fixed.append(Fixed(judged))
        except (ComposeError, PolicyError) as error:
            problems.append(problem(error))
    return fixed, problems


def _explanation(judged: Judged) -> str:
    """The reasons of every change, what is held back, and the arithmetic, as comment lines that ``patch`` skips."""
    plan = judged.plan
    lines = [_reason(change) for change in plan.changes]
    lines.extend(
        f"{finding.control} {finding.service}: not written: {finding.withheld}"
        for finding in plan.findings
        if finding.withheld and not finding.waived
    )
    if plan.changes and plan.budget is not None:
        lines.extend(plan.budget.arithmetic)
    return "".join(f"# {line}\n" for line in lines)


def _reason(change: Change) -> str:
    """One change in one line: control, service, what, why, what it costs."""
    cost = "no restart" if change.impact == "none" else f"{change.impact.replace('_', ' ')}, about {change.seconds:g} s"
    return f"{change.control} {change.service}: {change.summary}: {change.reason} ({cost})"


def _examined(fixed: list[Fixed]) -> str:
    """Count what was examined."""
    files = sum(len(one.judged.group.names) for one in fixed)
    services = sum(len(one.judged.project.services) for one in fixed)
    return f"examined {plural(files, 'file')}, {plural(services, 'service')}"
