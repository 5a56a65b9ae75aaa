# SPDX-License-Identifier: GPL-3.0-or-later
"""Short forms for tests of the editor."""

from __future__ import annotations

from typing import Any

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit import Edit, apply_edits


def edited(text: str, *edits: Edit) -> str:
    """Return the edited text, having checked that the same edits on it change nothing more (what adds or counts
    items aside)."""
    new = apply_edits(parse(text, "compose.yml"), edits)
    again = [edit for edit in edits if edit.op == "set" or (edit.op == "remove" and isinstance(edit.path[-1], str))]
    assert apply_edits(new, again).text == new.text
    return new.text


def put(path: str, value: Any) -> Edit:
    """Return a set of a path below services."""
    return Edit("set", ("services", *path.split(".")), value)


MEMORY = put("web.mem_limit", "512m")
