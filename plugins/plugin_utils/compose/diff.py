# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unified diffs between two states of a file, such as patch and git apply read them."""

from __future__ import annotations

from .document import Document


def unified_diff(old: Document, new: Document) -> str:
    """Return the unified diff of two documents with three lines of context, or "" when their texts are equal."""
    return text_diff(new.name, old.text, new.text)


def text_diff(name: str, old: str, new: str) -> str:
    """Return the unified diff of two texts of the file `name`, or "" when they are equal.

    Lines end at a line feed only, as for diff and patch; a carriage return before it is part of the line. A last line
    without line feed is followed by the customary backslash line.
    """
    if old == new:
        return ""
    from difflib import unified_diff as difflib_diff  # 8 ms of import that only a diff should pay

    lines = difflib_diff(_lines(old), _lines(new), f"a/{name}", f"b/{name}", n=3)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
