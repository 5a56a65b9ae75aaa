# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge one project: the step that ``scan`` and ``fix`` share."""

from __future__ import annotations

import errno
import os

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project, SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import HostFacts, Plan, PolicyError
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.plan import make_plan
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.settings import check_services
from breakwater.inputs import read_env, read_text
from breakwater.report import Problem
from breakwater.settings import SettingsFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Settings
    from breakwater.arguments import Options
    from breakwater.inputs import Group


class Judged:
    """A project, what the policy says about it, and the texts that were read."""

    __slots__ = ("group", "plan", "project", "settings")

    def __init__(self, group: Group, project: Project, plan: Plan, settings: Settings) -> None:
        self.group = group
        self.project = project
        self.plan = plan
        self.settings = settings


class Judge:
    """Judges projects with the settings that hold where they are.

    Args:
        options: the command line.
        host: the host that limits are sized for.
    """

    def __init__(self, options: Options, host: HostFacts) -> None:
        self._settings = SettingsFinder(options)
        self._host = host

    def judge(self, group: Group) -> Judged:
        """Read, understand and plan one project.

        Raises:
            ComposeError: a file cannot be read or understood.
            PolicyError: the settings cannot be used.
        """
        settings = self._settings.for_folder(group.folder)
        sources = [SourceFile(name, read_text(path, name)) for path, name in zip(group.paths, group.names, strict=True)]
        project = load_project(sources, read_env(group.folder), read_followed)
        if not project.services:
            raise ComposeError(group.names[0], None, "no services, so there is nothing to judge", "name a Compose file")
        plan = make_plan(project, self._host, {}, _of_project(settings, project))
        return Judged(group, project, plan, settings)


def unknown_services(used: Iterable[tuple[Settings, Iterable[str]]]) -> list[str]:
    """Say which services the settings name that no project has: a misspelt name, or a file that was not named.

    Args:
        used: the settings of each project with the names of its services.
    """
    names: dict[str, tuple[Settings, set[str]]] = {}
    for settings, services in used:
        names.setdefault(settings.source, (settings, set()))[1].update(services)
    return [text for settings, known in names.values() for text in check_services(settings, sorted(known))]


def _of_project(settings: Settings, project: Project) -> Settings:
    """Leave out what the settings say about services of other projects: one file may hold for a whole repository."""
    names = project.services
    return settings._replace(
        kinds={name: kind for name, kind in settings.kinds.items() if name in names},
        limits={name: limits for name, limits in settings.limits.items() if name in names},
        waivers=tuple(waiver for waiver in settings.waivers if not waiver.service or waiver.service in names),
    )


def refusals(judged: Judged) -> list[Problem]:
    """The errors of a plan that do not depend on the host: broken waivers, limits that cannot be."""
    return [
        _from_text(text, judged.group.names[0]) for text in judged.plan.errors if text != budget_refusal(judged.plan)
    ]


def budget_refusal(plan: Plan) -> str:
    """Why the host is too small for the stack; empty when it is not."""
    return plan.budget.refusal if plan.budget is not None and not plan.budget.ok else ""


def _from_text(text: str, name: str) -> Problem:
    """Make a problem of the policy's line, which may start with its place (``file:12: ...``)."""
    file, colon, rest = text.partition(":")
    line, _, reason = rest.partition(":")
    if colon and line.isdecimal():
        return Problem(file, int(line), reason.strip())
    return Problem(name, None, text)


def read_followed(path: str) -> str:
    """Read a file that ``include`` or ``extends`` names.

    Raises:
        FileNotFoundError: it is missing, which the model reports where it is named.
        ComposeError: it is there and cannot be read.
    """
    if not os.path.lexists(path):
        raise FileNotFoundError(errno.ENOENT, "no such file", path)
    return read_text(path, path)


def problem(error: Exception) -> Problem:
    """Turn an error of the reader, the model or the policy into a line of the report."""
    if isinstance(error, ComposeError):
        return Problem(error.file, error.line, error.reason, error.hint)
    if isinstance(error, PolicyError):
        key = f"{error.key}: " if error.key else ""
        return Problem(error.source, None, f"{key}{error.reason}", error.hint)
    raise error
