# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that PostgreSQL's clients chose, made fit to be shown: no control characters, no literals. Pure functions.

This module util is PRIVATE to the collection. Names, application names and queries are written by whoever connects, so
they may hold escape sequences for the terminal that shows them, and queries hold data.
"""

from __future__ import annotations

import re

from ansible_collections.breakwater.stack.plugins.module_utils._printable import printable

#: What pg_stat_activity shows in place of a query that the role may not see.
HIDDEN = "<insufficient privilege>"
PLACE = "?"
QUERY_LENGTH = 200

# Lexical structure: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
_TOKEN = re.compile(
    r"""
    (?P<blank>\s+)
    | (?P<comment>--[^\r\n]*|/\*)
    | (?P<escaped>\b[eE]')
    | (?P<string>(?:\b(?:[uU]&|[bBxXnN]))?')
    | (?P<name>"(?:[^"]|"")*(?:"|$))
    | (?P<dollar>\$(?:[^\W\d]\w*)?\$)
    | (?P<parameter>\$\d+)
    | (?P<number>(?:\d|\.\d)[\w.]*(?:(?<=[eE])[+-]\d+)?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
# The value of a setting needs no quotes, so that nothing marks it as a literal.
_SETTING = re.compile(
    r"((?:^|;)\s*(?:ALTER\s+(?:SYSTEM|(?:ROLE|USER|DATABASE)\s+\S+)\s+)?"
    r"SET\s+(?:SESSION\s+|LOCAL\s+)?[^\s=]+\s*(?:=|\bTO\b)).*$",
    re.IGNORECASE | re.DOTALL,
)


def strip_literals(query: str) -> str:
    """Give a query in one line without its literals and comments; where in doubt, what follows is left out.

    Args:
        query: as pg_stat_activity has it, perhaps cut off anywhere.
    """
    parts: list[str] = []
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            break
        kind, text = match.lastgroup, match.group()
        position = match.end()
        if kind == "comment":
            position = _after_comment(query, position) if text == "/*" else position
            parts.append(" ")
        elif kind in ("string", "escaped", "dollar"):
            end = _after_dollar(query, position, text) if kind == "dollar" else _after_string(query, position, kind)
            parts.append(PLACE)
            position = end
        elif kind == "number":
            parts.append(PLACE)
        else:
            parts.append(" " if kind == "blank" else text)
    line = re.sub(r" {2,}", " ", "".join(parts)).strip()
    return _SETTING.sub(rf"\1 {PLACE}", line)


def _after_comment(query: str, position: int) -> int:
    """Give the place after a block comment; they nest."""
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(query, position)
        if edge is None:
            return len(query)
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
    return position


def _after_string(query: str, position: int, kind: str | None) -> int:
    """Give the place after a quoted literal.

    Whether a backslash escapes the quote of a plain literal hangs on standard_conforming_strings of that session, which
    nobody else sees: behind such a quote nothing is certain.
    """
    while position < len(query):
        char = query[position]
        if char == "\\" and kind == "escaped":
            position += 2
        elif char == "\\" and query[position + 1 : position + 2] == "'":
            return len(query)
        elif char != "'":
            position += 1
        elif query[position + 1 : position + 2] == "'":
            position += 2
        else:
            return position + 1
    return len(query)


def _after_dollar(query: str, position: int, tag: str) -> int:
    """Give the place after a dollar-quoted literal."""
    end = query.find(tag, position)
    return len(query) if end < 0 else end + len(tag)


def shown_query(query: str | None) -> str | None:
    """Give a query as people may see it: stripped, printable and cut; None where there is none or it is hidden."""
    if not query or query == HIDDEN:
        return None
    text = printable(strip_literals(query))
    return text if len(text) <= QUERY_LENGTH else text[: QUERY_LENGTH - 3] + "..."
