# SPDX-License-Identifier: GPL-3.0-or-later
"""``breakwater fix``: the edits that make Compose files follow the controls, shown or written."""

from __future__ import annotations

import gc
import sys

from ansible_collections.breakwater.stack.plugins.module_utils._printable import printable
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import PolicyError
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.plan import apply_plan
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.render import (
    change_record,
    explain,
    masked_diff,
    withheld_lines,
)
from breakwater import exits
from breakwater.host import describe, host_facts
from breakwater.inputs import collect
from breakwater.judge import Judge, budget_refusal, problem, refusals, unknown_services
from breakwater.render.text import plural
from breakwater.report import Problem
from breakwater.write import NewFile, write_files

TYPE_CHECKING = False
if TYPE_CHECKING:
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
        pairs = zip(judged.project.files, after.files, strict=True)
        self.files = [NewFile(old.name, old.text, new.text) for old, new in pairs if old.text != new.text]
        diffs = [masked_diff(printable(file.name), file.old, file.new) for file in self.files]
        self.text = _explanation(judged) + "".join(diffs)


def command(options: Options) -> int:
    """Run the command; see ``breakwater fix --help``."""
    host = host_facts(options.host_memory, options.host_cpus)
    fixed, problems = _plan(options, Judge(options, host))
    sys.stdout.write("".join(one.text for one in fixed))
    for trouble in problems:
        sys.stderr.write(f"{trouble}\n")
    for note in (
        describe(host),
        *unknown_services((one.judged.settings, one.judged.project.services) for one in fixed),
    ):
        sys.stderr.write(f"note: {printable(note)}\n")
    changed = [file for one in fixed for file in one.files]
    if problems:
        sys.stderr.write(f"{_examined(fixed)}; {plural(len(problems), 'error')}, so nothing is written\n")
        return exits.ERROR
    if changed and options.write:
        for line in write_files(changed):
            sys.stderr.write(f"{printable(line)}\n")
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
    gc.enable()
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
    """The reasons, the host's arithmetic and what is held back, as comment lines that ``patch`` skips."""
    plan = judged.plan
    records = [change_record(change, judged.project.files[change.file].name) for change in plan.changes]
    budget = plan.budget.arithmetic if plan.budget is not None else ()
    text = explain(records, budget, withheld_lines(plan.findings))
    return "".join(f"# {printable(line)}".rstrip() + "\n" for line in text.splitlines())


def _examined(fixed: list[Fixed]) -> str:
    """Count what was examined."""
    files = sum(len(one.judged.group.names) for one in fixed)
    services = sum(len(one.judged.project.services) for one in fixed)
    return f"examined {plural(files, 'file')}, {plural(services, 'service')}"
