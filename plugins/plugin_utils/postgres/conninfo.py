# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection strings of libpq (``host=db port=5432 user=u``), and the same string with another host.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# In a file the values may be variables; their braces may hold any character. Blanks are never given back: a text that
# is no connection string is found out in one pass.
_PAIR = r"(?P<key>[a-zA-Z_]+)\s*+=\s*+(?P<value>'(?:[^'\\]|\\.)*'|(?:\$\{[^}]*\}|[^\s'])*)"
_WHOLE = re.compile(rf"(?s)\s*(?:{_PAIR.replace('?P<key>', '?:').replace('?P<value>', '?:')}(?:\s+|$))+")
_HOST = re.compile(r"(?:.*\s)?host\s*=.*", re.DOTALL)


def is_conninfo(text: str) -> bool:
    """Say whether a text is a connection string that states a host."""
    return _HOST.fullmatch(text) is not None and _WHOLE.fullmatch(text) is not None


def values_of(text: str) -> dict[str, str]:
    """Return the values of a connection string by their keywords."""
    return {pair["key"]: _unquoted(pair["value"]) for pair in _pairs(text)}


def with_host(text: str, host: str, port: int) -> str:
    """Return a connection string, as it stands in a file, with another host and port; all else stays as it is."""
    pairs = {pair["key"]: pair for pair in _pairs(text)}
    tail = "" if "port" in pairs else f" port={port}"
    spans = [(pairs["host"].span("value"), f"{host}{tail}")]
    spans += [(pairs["port"].span("value"), str(port))] if "port" in pairs else []
    for (start, end), new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _pairs(text: str) -> Iterator[re.Match[str]]:
    return re.finditer(f"(?s){_PAIR}", text)


def _unquoted(value: str) -> str:
    inner = value[1:-1] if value.startswith("'") else value
    return re.sub(r"(?s)\\(.)", r"\1", inner)
