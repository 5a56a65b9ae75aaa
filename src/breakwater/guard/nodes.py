# SPDX-License-Identifier: Apache-2.0
"""YAML read strictly: every value knows its line and its key, and unknown or repeated keys are errors."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import TypeVar

import yaml

from breakwater.guard.errors import PolicyContradiction, PolicyError

#: A policy has some dozens of lines; whatever is larger is another file.
MAXIMUM_BYTES = 256 * 1024

_Value = TypeVar("_Value")


class Node:
    """One value of the file.

    Args:
        file: the file's name, for errors.
        node: what PyYAML composed.
        key: the path of the key.
        contradictions: of the whole file, found on the way; they count once the shape of all of it is right.
    """

    def __init__(
        self, file: str, node: yaml.Node, key: str = "", contradictions: list[PolicyContradiction] | None = None
    ) -> None:
        self.file = file
        self.key = key
        self.contradictions: list[PolicyContradiction] = [] if contradictions is None else contradictions
        self._node = node

    @property
    def line(self) -> int:
        """The line that it begins on, from 1."""
        return int(self._node.start_mark.line) + 1

    def error(self, reason: str, hint: str) -> PolicyError:
        """Make an error that points here."""
        return PolicyError(self.file, self.line, self.key, reason, hint)

    def contradict(self, reason: str, hint: str) -> None:
        """Note an error about statements that exclude one another."""
        self.contradictions.append(PolicyContradiction(self.file, self.line, self.key, reason, hint))

    def _below(self, node: yaml.Node, key: str) -> Node:
        return Node(self.file, node, key, self.contradictions)

    def scalar(self) -> object:
        """Return the value of a scalar as YAML 1.1 reads it; a mapping or a sequence is an error."""
        if not isinstance(self._node, yaml.ScalarNode):
            raise self.error("a single value belongs here", "write it on this line")
        try:
            value: object = yaml.constructor.SafeConstructor().construct_object(self._node)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            raise self.error("this value cannot be read", "put it in quotes or correct it") from error
        return value

    def is_mapping(self) -> bool:
        """Say whether there are keys below."""
        return isinstance(self._node, yaml.MappingNode)

    def read(self, parse: Callable[[object], _Value], hint: str) -> _Value:
        """Turn a scalar into something.

        Args:
            parse: raises ValueError for what it refuses.
            hint: what is right here.
        """
        value = self.scalar()
        try:
            return parse(value)
        except ValueError as error:
            raise self.error(f"{value!r} does not fit", hint) from error

    def choice(self, choices: Sequence[str]) -> str:
        """Return one of some words."""
        value = self.scalar()
        if isinstance(value, str) and value in choices:
            return value
        raise self.error(f"{value!r} is not known here", _meant(str(value), choices))

    def strings(self) -> list[Node]:
        """Return the items of a sequence, at least one."""
        if not isinstance(self._node, yaml.SequenceNode) or not self._node.value:
            raise self.error("a list with at least one entry belongs here", "write [one, two]")
        return [self._below(item, f"{self.key}[{index}]") for index, item in enumerate(self._node.value)]

    def table(self, known: Sequence[str] = (), required: Sequence[str] = ()) -> dict[str, Node]:
        """Return the values of a mapping by their keys, at least one.

        Args:
            known: the keys that may be there; none: any.
            required: those that must be.
        """
        if not isinstance(self._node, yaml.MappingNode):
            raise self.error("keys with values belong here", f"write {known[0] if known else 'name'}: ... below it")
        found: dict[str, Node] = {}
        for name_node, value_node in self._node.value:
            at = self._below(name_node, self.key)
            name = at.scalar()
            if not isinstance(name, str):
                raise at.error(f"the key {name!r} is not text", "put it in quotes")
            if name in found:
                raise at.error(f"the key {name!r} is there twice", f"keep one; the first is in line {found[name].line}")
            if known and name not in known:
                raise at.error(f"the key {name!r} is not known here", _meant(name, known))
            found[name] = self._below(value_node, f"{self.key}.{name}" if self.key else name)
        if not found:
            raise self.error("nothing is stated here", "state something or leave it out")
        for name in required:
            if name not in found:
                raise self.error(f"the key {name!r} is missing", "add it")
        return found


def _meant(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"


def compose(content: bytes, file: str) -> Node:
    """Read YAML.

    Args:
        content: the file's bytes.
        file: its name, for errors.

    Returns:
        The document's root.

    Raises:
        PolicyError: the bytes are not one YAML document.
    """
    if len(content) > MAXIMUM_BYTES:
        raise PolicyError(file, 0, "", f"the file is larger than {MAXIMUM_BYTES // 1024} KiB", "name a policy file")
    try:
        # The Python parser: libyaml's would recurse in C, where nested brackets can end the process.
        root = yaml.compose(content.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise PolicyError(file, 0, "", "the file is not UTF-8", "save it as UTF-8") from error
    except RecursionError as error:
        raise PolicyError(file, 0, "", "the file is nested too deep", "name a policy file") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise PolicyError(file, line, "", f"not YAML: {error.problem or error.context}", "correct this line") from error
    except yaml.YAMLError as error:
        raise PolicyError(file, 0, "", "the file has characters that YAML forbids", "remove them") from error
    if root is None:
        raise PolicyError(file, 0, "", "the file is empty", "write schema_version: 1 to begin with")
    return Node(file, root)
