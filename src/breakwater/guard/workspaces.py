# SPDX-License-Identifier: Apache-2.0
"""The section ``workspaces`` of a policy file."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any

from breakwater.guard.nodes import Node
from breakwater.guard.policy import MODES, NOBODY, Workspace, Workspaces
from breakwater.guard.values import number, pattern, prefix, whole, words

_SETTINGS = ("weight", "rps", "concurrency", "share")
_MATCHERS = ("namespaces", "task_queues", "id_prefixes", "search_attributes")

#: The name is the fairness key, for which the server has 64 bytes.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Matches = dict[str, dict[Any, str]]


def read(node: Node, mode: str) -> Workspaces:
    """Read the section.

    Args:
        node: its value.
        mode: the file's mode, for a section that has none.
    """
    keys = node.table(("mode", "default", "named"))
    named = []
    matches: Matches = {name: {} for name in _MATCHERS}
    for name, at in (keys["named"].table() if "named" in keys else {}).items():
        if not _NAME.fullmatch(name):
            raise at.error(f"{name!r} is no name", "letters, digits, '.', '_' and '-', at most 64")
        parts = at.table((*_SETTINGS, "match"), ("match",))
        named.append(_settings(name, parts))
        _match(name, parts["match"], matches)
    together = sum(workspace.share or 0 for workspace in named)
    # The tolerance is for sums such as ten times 0.1.
    if together > 1 + 1e-9:
        keys["named"].contradict(f"the shares add up to {together:g}", "at most 1 can be given away")
    return Workspaces(
        keys["mode"].choice(MODES) if "mode" in keys else mode,
        _settings("", keys["default"].table(_SETTINGS)) if "default" in keys else NOBODY,
        tuple(named),
        **matches,
    )


def _settings(name: str, keys: dict[str, Node]) -> Workspace:
    return Workspace(
        name,
        # The server clamps fairness weights to this range.
        number(keys["weight"], 0.001, 1000) if "weight" in keys else 1.0,
        number(keys["rps"], 0.001, 1_000_000) if "rps" in keys else None,
        whole(keys["concurrency"], 1_000_000) if "concurrency" in keys else None,
        number(keys["share"], 0.001, 1) if "share" in keys else None,
    )


def _match(workspace: str, node: Node, matches: Matches) -> None:
    keys = node.table(_MATCHERS)
    checks: dict[str, Callable[[Node, str], str]] = {"task_queues": pattern, "id_prefixes": prefix}
    for kind in _MATCHERS[:3]:
        for item in keys[kind].strings() if kind in keys else ():
            text = item.read(words, "write a text")
            _claim(matches[kind], checks.get(kind, _any)(item, text), workspace, item)
    if "search_attributes" in keys:
        for attribute, value in keys["search_attributes"].table().items():
            text = value.read(words, "write the value as text")
            _claim(matches["search_attributes"], (attribute, text), workspace, value)


def _any(_node: Node, text: str) -> str:
    return text


def _claim(taken: dict[Any, str], what: Hashable, workspace: str, node: Node) -> None:
    other = taken.setdefault(what, workspace)
    if other != workspace:
        node.contradict(f"it recognises {other!r} already", "one of the two workspaces must let it go")
