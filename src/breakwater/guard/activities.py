# SPDX-License-Identifier: Apache-2.0
"""Finds activities without heartbeats in Python source. Nothing is imported or run."""

from __future__ import annotations

import ast
from typing import NamedTuple

#: Names that end a call which gives heartbeats: the SDK's, and those of ``breakwater.guard.heartbeats``.
BEATS = frozenset({"heartbeat", "each", "each_async", "Beating"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Silent(NamedTuple):
    """An activity that gives no heartbeats.

    Attributes:
        line: of its definition, from 1.
        name: of the function.
        loops: it has a loop, so that it may well take long.
    """

    line: int
    name: str
    loops: bool


def silent_activities(source: str) -> list[Silent]:
    """List activities that call nothing which gives heartbeats, neither themselves nor through functions beside them.

    Args:
        source: the text of a Python file.

    Raises:
        SyntaxError: it is not Python of this version.
    """
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    calls = {function.name: _calls(function) for function in functions}
    return [
        Silent(function.lineno, function.name, _loops(function))
        for function in functions
        if any(_is_definition(decorator) for decorator in function.decorator_list)
        and not _reached(function.name, calls) & BEATS
    ]


def _is_definition(decorator: ast.expr) -> bool:
    """Tell ``@activity.defn``, ``@activity.defn(...)`` and ``@defn`` from other decorators, those of workflows too."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(node, ast.Attribute):
        return node.attr == "defn" and _name(node.value) == "activity"
    return _name(node) == "defn"


def _calls(function: Function) -> set[str]:
    return {_name(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name, '' for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _reached(name: str, calls: dict[str, set[str]]) -> set[str]:
    """Return everything that a function calls, also through functions of the same file."""
    reached: set[str] = set()
    waiting = {name}
    while waiting:
        found = calls.get(waiting.pop(), set()) - reached
        reached |= found
        waiting |= found
    return reached


def _loops(function: Function) -> bool:
    return any(isinstance(node, (ast.For, ast.AsyncFor, ast.While)) for node in ast.walk(function))
