# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""URLs of databases: what they say, and the same URL with another host. Everything else stays byte for byte.

What libpq takes instead of a URL (:mod:`.conninfo`) counts as one.
"""

from __future__ import annotations

import re

from ..lean_typing import NamedTuple
from . import conninfo

# In a file the parts may be variables; their braces may hold any character.
_VARIABLE = r"\$\{[^}]*\}|\$\w+"
_URL = (
    r"(?s)(?P<head>\s*(?:jdbc:|r2dbc:(?:pool:)?)?(?:postgres|postgresql|postgis)(?:\+\w+)?://"
    rf"(?:(?P<login>(?:{_VARIABLE}|[^/?#\s])*)@)?)"
    rf"(?P<host>(?:{_VARIABLE}|[\w.-])+)(?::(?P<port>(?:{_VARIABLE}|\d)+))?"
    r"(?P<tail>(?:[/?].*)?)"
)
#: Parameters by which libraries size the pool of one process: Prisma's connection_limit, pgxpool's pool_max_conns.
_LIMITS = ("connection_limit", "pool_max_conns")


class Url(NamedTuple):
    """What the URL of a database says; the password is left out.

    Args:
        host: name or address.
        port: 5432 where it is not stated.
        user: empty where it is not stated.
        database: empty where it is not stated.
        limit: size of the pool of one process, None where it is not stated.
        limit_name: the parameter that states it.
    """

    host: str
    port: int
    user: str
    database: str
    limit: int | None
    limit_name: str


def is_url(text: str) -> bool:
    """Say whether a text looks like the URL of a PostgreSQL database, readable or not."""
    return (
        conninfo.is_conninfo(text)
        or re.match(r"\s*(?:jdbc:|r2dbc:(?:pool:)?)?(?:postgres|postgresql|postgis)(?:\+\w+)?:", text) is not None
    )


def read_url(text: str) -> Url | None:
    """Read a URL with all variables replaced; None when it is no URL of PostgreSQL with one host."""
    if conninfo.is_conninfo(text):
        return _read_conninfo(conninfo.values_of(text))
    found = re.fullmatch(_URL, text)
    if found is None or "$" in found["host"] or (found["port"] and not found["port"].isdigit()):
        return None
    path = found["tail"].partition("?")[0]
    parameters = _parameters(found["tail"])
    user = _decoded((found["login"] or "").partition(":")[0]) or parameters.get("user", "")
    database = _decoded(path.strip().removeprefix("/"))
    return Url(found["host"], int(found["port"] or 5432), user, database, *_limit(parameters))


def _read_conninfo(values: dict[str, str]) -> Url | None:
    """Read a connection string; None when it leads to a socket, to several hosts, or nobody knows where."""
    host, port = values["host"], values.get("port") or "5432"
    if not re.fullmatch(r"[\w.-]+", host) or not port.isdigit():
        return None
    return Url(host, int(port), values.get("user", ""), values.get("dbname", ""), *_limit(values))


def _limit(parameters: dict[str, str]) -> tuple[int | None, str]:
    """Return the size of the pool of one process and the parameter that states it."""
    name = next((name for name in _LIMITS if parameters.get(name, "").isdigit()), "")
    return (int(parameters[name]) if name else None), name


def login_of(text: str) -> tuple[str, str]:
    """Return user and password of a URL, each empty where it is not stated or no URL is understood."""
    if conninfo.is_conninfo(text):
        values = conninfo.values_of(text)
        return values.get("user", ""), values.get("password", "")
    found = re.fullmatch(_URL, text)
    if found is None:
        return "", ""
    stated = _parameters(found["tail"])
    user, _colon, password = (found["login"] or "").partition(":")
    return _decoded(user) or stated.get("user", ""), _decoded(password) or stated.get("password", "")


def parameters_of(text: str) -> dict[str, str]:
    """Return the parameters of a URL; none where no URL is understood."""
    if conninfo.is_conninfo(text):
        return conninfo.values_of(text)
    found = re.fullmatch(_URL, text)
    return {} if found is None else _parameters(found["tail"])


def with_host(text: str, host: str, port: int) -> str | None:
    """Return a URL, as it stands in a file, with another host and port; None when it cannot be told where they are."""
    if conninfo.is_conninfo(text):
        return conninfo.with_host(text, host, port)
    found = re.fullmatch(_URL, text)
    return None if found is None else f"{found['head']}{host}:{port}{found['tail']}"


def _parameters(tail: str) -> dict[str, str]:
    """Return the parameters behind the path of a URL."""
    pairs = (part.partition("=") for part in tail.partition("?")[2].strip().split("&"))
    return {key: _decoded(value) for key, _mark, value in pairs}


def _decoded(text: str) -> str:
    """Replace the percent codes of a text; what is no UTF-8 then becomes a replacement character."""
    if "%" not in text:
        return text
    raw = re.sub(rb"%([0-9a-fA-F]{2})", lambda code: bytes.fromhex(code[1].decode()), text.encode())
    return raw.decode("utf-8", "replace")
