# SPDX-License-Identifier: Apache-2.0
"""From a policy file to a policy. ``docs/schemas/policy-1.json`` describes the same files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from breakwater.guard import durations, workspaces
from breakwater.guard.errors import PolicyError
from breakwater.guard.nodes import Node, compose
from breakwater.guard.policy import (
    ACTIVITY_RULE,
    BEYOND,
    ENFORCE,
    MODES,
    UNBOUND,
    WORKFLOW_RULE,
    Activities,
    ActivityRule,
    Bound,
    Heartbeat,
    Override,
    Policy,
    Retry,
    WorkflowRule,
    Workflows,
    Workspaces,
)
from breakwater.guard.values import NONE, duration, flag, number, pattern, prefix, whole, words

SCHEMA_VERSION = 1

#: The server caps the timeout of a workflow task at this (maxWorkflowTaskStartToCloseTimeout, Temporal v1.31.2).
MAXIMUM_TASK_TIMEOUT = timedelta(seconds=120)

_WORKFLOW_BOUNDS = ("execution_timeout", "run_timeout", "task_timeout")
_ACTIVITY_BOUNDS = ("start_to_close_timeout", "schedule_to_close_timeout")
_WORKFLOW_RULE = ("beyond", *_WORKFLOW_BOUNDS, "retry", "reason")
_ACTIVITY_RULE = ("beyond", *_ACTIVITY_BOUNDS, "heartbeat", "retry", "reason")
_INTERVALS = ("initial_interval", "maximum_interval")


def load_file(path: str | os.PathLike[str]) -> Policy:
    """Read a policy file.

    Args:
        path: where it is.

    Raises:
        PolicyError: it cannot be read or used; the text is one line with file, line, key and what to do.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            content = file.read()
    except OSError as error:
        raise PolicyError(name, 0, "", error.strerror or "cannot be read", "name a readable policy file") from error
    return load(content, name)


def load(content: bytes, name: str = "policy") -> Policy:
    """Read a policy from a file's bytes.

    Args:
        content: YAML in UTF-8.
        name: what errors call the file.

    Raises:
        PolicyError: it cannot be used.
    """
    root = compose(content, name)
    keys = root.table(("schema_version", "mode", "workflows", "activities", "workspaces"), ("schema_version",))
    version = keys["schema_version"]
    version.read(_this_version, f"this release reads version {SCHEMA_VERSION}")
    mode = keys["mode"].choice(MODES) if "mode" in keys else ENFORCE
    policy = Policy(
        _workflows(keys["workflows"], mode) if "workflows" in keys else Workflows(mode),
        _activities(keys["activities"], mode) if "activities" in keys else Activities(mode),
        workspaces.read(keys["workspaces"], mode) if "workspaces" in keys else Workspaces(mode),
    )
    if root.contradictions:
        raise root.contradictions[0]
    return policy


def _this_version(value: object) -> None:
    if isinstance(value, bool) or value != SCHEMA_VERSION:
        raise ValueError


def _workflows(node: Node, mode: str) -> Workflows:
    keys = node.table(("mode", *_WORKFLOW_RULE, "types", "id_prefixes"))
    rule = WORKFLOW_RULE._replace(**_stated(node, keys, Retry(), _WORKFLOW_BOUNDS))
    _check_workflow(node, rule)

    def override(at: Node, name: str) -> Override:
        stated = _stated(at, at.table(_WORKFLOW_RULE), rule.retry, _WORKFLOW_BOUNDS)
        _check_workflow(at, rule._replace(**stated))
        return Override(name, stated)

    return Workflows(
        keys["mode"].choice(MODES) if "mode" in keys else mode,
        rule,
        _overrides(keys.get("types"), pattern, override),
        _overrides(keys.get("id_prefixes"), prefix, override),
    )


def _activities(node: Node, mode: str) -> Activities:
    keys = node.table(("mode", *_ACTIVITY_RULE, "types"))
    rule = ACTIVITY_RULE._replace(**_stated(node, keys, Retry(), _ACTIVITY_BOUNDS))
    _check_activity(node, rule)

    def override(at: Node, name: str) -> Override:
        stated = _stated(at, at.table(_ACTIVITY_RULE), rule.retry, _ACTIVITY_BOUNDS)
        _check_activity(at, rule._replace(**stated))
        return Override(name, stated)

    return Activities(
        keys["mode"].choice(MODES) if "mode" in keys else mode,
        rule,
        _overrides(keys.get("types"), pattern, override),
    )


def _overrides(
    node: Node | None, check: Callable[[Node, str], str], read: Callable[[Node, str], Override]
) -> tuple[Override, ...]:
    if node is None:
        return ()
    return tuple(read(at, check(at, name)) for name, at in node.table().items())


def _stated(node: Node, keys: Mapping[str, Node], retry: Retry, bounds: tuple[str, ...]) -> dict[str, Any]:
    """Read the settings that a rule states, by their names in the rule."""
    stated: dict[str, Any] = {name: _bound(keys[name]) for name in bounds if name in keys}
    if "beyond" in keys:
        stated["beyond"] = keys["beyond"].choice(BEYOND)
    if "heartbeat" in keys:
        stated["heartbeat"] = _heartbeat(keys["heartbeat"])
    if "retry" in keys:
        stated["retry"] = _retry(keys["retry"], retry, workflow=bounds is _WORKFLOW_BOUNDS)
    if "reason" in keys:
        stated["reason"] = keys["reason"].read(words, "say why in a few words")
    lifted = [name for name, value in stated.items() if value in (UNBOUND, Heartbeat())]
    if lifted and "reason" not in keys:
        raise node.error(f"{lifted[0]} is none without a reason", "add reason: and say why it must not end")
    return stated


def _bound(node: Node) -> Bound:
    if not node.is_mapping():
        if node.scalar() == NONE:
            return UNBOUND
        limit = duration(node)
        return Bound(limit, limit)
    keys = node.table(("default", "maximum"))
    maximum = duration(keys["maximum"]) if "maximum" in keys else None
    default = duration(keys["default"]) if "default" in keys else maximum
    if default and maximum and default > maximum:
        node.contradict("the default is beyond the maximum", "lower the default or raise the maximum")
    return Bound(default, maximum)


def _heartbeat(node: Node) -> Heartbeat:
    if not node.is_mapping():
        return Heartbeat() if node.scalar() == NONE else Heartbeat(duration(node), required=True)
    keys = node.table(("timeout", "required"), ("timeout",))
    required = keys["required"].read(flag, "write true or false") if "required" in keys else True
    return Heartbeat(duration(keys["timeout"]), required)


def _retry(node: Node, base: Retry, *, workflow: bool) -> Retry:
    """Read a retry policy on top of the section's. Workflows without one are not retried, so they have a limit only."""
    keys = node.table(("maximum_attempts",) if workflow else Retry._fields)
    stated: dict[str, Any] = {name: duration(keys[name]) for name in _INTERVALS if name in keys}
    if "backoff_coefficient" in keys:
        stated["backoff_coefficient"] = number(keys["backoff_coefficient"], 1, 100)
    if "maximum_attempts" in keys:
        stated["maximum_attempts"] = whole(keys["maximum_attempts"], 1_000_000)
    retry = base._replace(**stated)
    # One second is Temporal's own initial interval.
    if retry.maximum_interval and retry.maximum_interval < (retry.initial_interval or timedelta(seconds=1)):
        node.contradict("maximum_interval is below initial_interval", "raise it or lower the other")
    return retry


def _check_workflow(node: Node, rule: WorkflowRule) -> None:
    task = rule.task_timeout.default
    if task and task > MAXIMUM_TASK_TIMEOUT:
        limit = durations.text(MAXIMUM_TASK_TIMEOUT)
        node.contradict("task_timeout is beyond what the server allows", f"at most {limit}")
    run, execution = rule.run_timeout.default, rule.execution_timeout.maximum
    if run and execution and run > execution:
        node.contradict("run_timeout is beyond execution_timeout, which covers all runs", "lower run_timeout")


def _check_activity(node: Node, rule: ActivityRule) -> None:
    attempt, whole_time = rule.start_to_close_timeout, rule.schedule_to_close_timeout
    if attempt.default and whole_time.maximum and attempt.default > whole_time.maximum:
        node.contradict(
            "start_to_close_timeout is beyond schedule_to_close_timeout, which covers all attempts", "lower the first"
        )
    silence = rule.heartbeat.timeout
    if silence and attempt.maximum and silence >= attempt.maximum:
        node.contradict("the heartbeat timeout is not below start_to_close_timeout, so it finds nothing", "lower it")
