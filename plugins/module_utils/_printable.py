# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that others chose, made fit for a line on a terminal. A pure function.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """Replace every character that a terminal could act on, or that changes how a line reads, by its escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
