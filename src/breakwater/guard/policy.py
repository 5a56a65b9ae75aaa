# SPDX-License-Identifier: Apache-2.0
"""What a policy says, and which part of it holds for one workflow, activity or workspace. Nothing here changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

#: Applies what it says, or only counts and logs what it would have done.
ENFORCE = "enforce"
OBSERVE = "observe"
MODES = (ENFORCE, OBSERVE)

#: What happens to a value beyond its maximum.
CAP = "cap"
REFUSE = "refuse"
BEYOND = (CAP, REFUSE)


class Bound(NamedTuple):
    """One timeout: what is filled in where none is given, and what none may exceed. None: not at all."""

    default: timedelta | None = None
    maximum: timedelta | None = None


UNBOUND = Bound()


class Heartbeat(NamedTuple):
    """How soon a silent activity counts as stalled.

    Attributes:
        timeout: the longest silence; None where no heartbeat is wanted.
        required: fill it in where an activity names none.
    """

    timeout: timedelta | None = None
    required: bool = False


class Retry(NamedTuple):
    """How often and how fast something is tried again. None: Temporal's own value.

    Attributes:
        maximum_attempts: also the limit for those who state one.
    """

    initial_interval: timedelta | None = None
    backoff_coefficient: float | None = None
    maximum_interval: timedelta | None = None
    maximum_attempts: int | None = None


class WorkflowRule(NamedTuple):
    """What holds for a workflow. An execution that is not limited otherwise ends after ten minutes."""

    beyond: str = CAP
    execution_timeout: Bound = Bound(timedelta(minutes=10))
    run_timeout: Bound = UNBOUND
    task_timeout: Bound = UNBOUND
    retry: Retry = Retry()
    reason: str = ""


class ActivityRule(NamedTuple):
    """What holds for an activity. An attempt that is not limited otherwise ends after five minutes."""

    beyond: str = CAP
    start_to_close_timeout: Bound = Bound(timedelta(minutes=5))
    schedule_to_close_timeout: Bound = UNBOUND
    heartbeat: Heartbeat = Heartbeat()
    retry: Retry = Retry()
    reason: str = ""


#: What holds without a file.
WORKFLOW_RULE = WorkflowRule()
ACTIVITY_RULE = ActivityRule()


class Override(NamedTuple):
    """Settings that replace the section's for what matches.

    Attributes:
        pattern: a type, a type with a ``*`` at its end, or a prefix of workflow ids.
        stated: the settings by their names in the rule.
    """

    pattern: str
    stated: Mapping[str, Any]


class Patterns:
    """Finds what belongs to a name: the name itself first, then the longest beginning.

    Args:
        entries: values by name or by beginning with a ``*`` at its end.
    """

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self._exact = {name: value for name, value in entries.items() if not name.endswith("*")}
        beginnings = [(name[:-1], value) for name, value in entries.items() if name.endswith("*")]
        self._beginnings = sorted(beginnings, key=lambda entry: -len(entry[0]))

    def find(self, name: str) -> Any:
        """Return what belongs to a name, or None."""
        if name in self._exact:
            return self._exact[name]
        return next((value for beginning, value in self._beginnings if name.startswith(beginning)), None)


_Rule = TypeVar("_Rule", WorkflowRule, ActivityRule)


def _with(rule: _Rule, override: Override | None) -> _Rule:
    return rule._replace(**override.stated) if override else rule


class Workflows:
    """The section for workflows.

    Args:
        mode: one of MODES.
        rule: what holds where nothing else is said.
        types: what differs per workflow type.
        id_prefixes: what differs per beginning of the workflow id; goes before the type.
    """

    def __init__(
        self,
        mode: str = ENFORCE,
        rule: WorkflowRule = WORKFLOW_RULE,
        types: tuple[Override, ...] = (),
        id_prefixes: tuple[Override, ...] = (),
    ) -> None:
        self.mode = mode
        self.rule = rule
        self.types = types
        self.id_prefixes = id_prefixes
        self._types = Patterns({each.pattern: each for each in types})
        self._prefixes = Patterns({f"{each.pattern}*": each for each in id_prefixes})

    def rule_for(self, name: str, workflow_id: str) -> WorkflowRule:
        """Return what holds for a workflow.

        Args:
            name: its type.
            workflow_id: its id.
        """
        return _with(_with(self.rule, self._types.find(name)), self._prefixes.find(workflow_id))


class Activities:
    """The section for activities.

    Args:
        mode: one of MODES.
        rule: what holds where nothing else is said.
        types: what differs per activity type.
    """

    def __init__(
        self, mode: str = ENFORCE, rule: ActivityRule = ACTIVITY_RULE, types: tuple[Override, ...] = ()
    ) -> None:
        self.mode = mode
        self.rule = rule
        self.types = types
        self._types = Patterns({each.pattern: each for each in types})

    def rule_for(self, name: str) -> ActivityRule:
        """Return what holds for an activity of a type."""
        return _with(self.rule, self._types.find(name))


class Workspace(NamedTuple):
    """One tenant.

    Attributes:
        name: the fairness key too; '' for those that nothing recognises.
        weight: its part of a contended task queue, relative to the others (Temporal's fairness weight).
        rps: requests per second.
        concurrency: activities at the same time.
        share: of a worker's slots, 0 to 1.
    """

    name: str = ""
    weight: float = 1.0
    rps: float | None = None
    concurrency: int | None = None
    share: float | None = None


NOBODY = Workspace()


class Workspaces:
    """The section for workspaces.

    Args:
        mode: one of MODES.
        default: for whoever is not recognised.
        named: the workspaces.
        namespaces: workspace by namespace.
        task_queues: workspace by task queue, or by its beginning with a ``*``.
        id_prefixes: workspace by beginning of the workflow id.
        search_attributes: workspace by name and value of a search attribute.
    """

    def __init__(
        self,
        mode: str = ENFORCE,
        default: Workspace = NOBODY,
        named: tuple[Workspace, ...] = (),
        *,
        namespaces: Mapping[str, str] | None = None,
        task_queues: Mapping[str, str] | None = None,
        id_prefixes: Mapping[str, str] | None = None,
        search_attributes: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        self.mode = mode
        self.default = default
        self.named = {each.name: each for each in named}
        self._namespaces = dict(namespaces or {})
        self._queues = Patterns(task_queues or {})
        self._prefixes = Patterns({f"{prefix}*": name for prefix, name in (id_prefixes or {}).items()})
        self._attributes = dict(search_attributes or {})

    def limits_for(self, task_queue: str, slots: int) -> dict[str, Any]:
        """Return options of a worker on a task queue that one workspace has to itself.

        Args:
            task_queue: its name.
            slots: how many activities the worker would run at the same time; a share is a part of them.

        Returns:
            ``max_concurrent_activities``, and ``max_task_queue_activities_per_second`` where the workspace has a
            rate, which the server holds for all workers of the queue together.
        """
        workspace = self.find(task_queue=task_queue)
        if self.mode != ENFORCE:
            return {"max_concurrent_activities": slots}
        limits = [slots, *([workspace.concurrency] if workspace.concurrency else [])]
        if workspace.share:
            limits.append(max(1, int(slots * workspace.share)))
        options: dict[str, Any] = {"max_concurrent_activities": min(limits)}
        if workspace.rps:
            options["max_task_queue_activities_per_second"] = workspace.rps
        return options

    def find(
        self,
        *,
        namespace: str = "",
        task_queue: str = "",
        workflow_id: str = "",
        search_attributes: Mapping[str, str] | None = None,
    ) -> Workspace:
        """Return the workspace of a workflow.

        What is closest to the single workflow decides: a search attribute, else its id, else its task queue, else its
        namespace.
        """
        attributes = (search_attributes or {}).items()
        found = (
            next((self._attributes[item] for item in attributes if item in self._attributes), None)
            or self._prefixes.find(workflow_id)
            or self._queues.find(task_queue)
            or self._namespaces.get(namespace)
        )
        return self.named[found] if found else self.default


class Policy(NamedTuple):
    """A whole policy; without arguments what holds without a file."""

    workflows: Workflows = Workflows()
    activities: Activities = Activities()
    workspaces: Workspaces = Workspaces()
