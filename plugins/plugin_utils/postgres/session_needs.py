# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients state about their connections and the pool cannot give: encryption, and settings of a session's start.

The pool speaks without TLS inside the project's networks. Of the settings that a client may send when it connects,
PgBouncer knows few and refuses the others (https://www.pgbouncer.org/config.html#ignore_startup_parameters).
"""

from __future__ import annotations

from .environment import Environment
from .records import Client
from .urls import parameters_of

_OFF = ("disable", "allow", "prefer", "false", "0", "no", "off", "n", "f")
_TLS = ("sslmode", "ssl")
#: libpq's options, and the names under which JDBC and pgx send the schema.
_AT_START = ("options", "search_path", "currentSchema")


def unmet(client: Client, environment: Environment) -> tuple[str, str] | None:
    """Return what a client asks of its connections that the pool cannot give, and what would help; None for nothing.

    Args:
        client: as found in the project.
        environment: the variables of its service.
    """
    for name, key, value in _stated(client, environment):
        if key in _TLS and value.lower() not in _OFF:
            hint = "turn it off inside the project's networks, or leave the client direct"
            return f"{name} asks for TLS, which the pool does not speak", hint
        if key in _AT_START and value:
            hint = "set it for the role (ALTER ROLE ... SET ...), or leave the client direct"
            return f"{name} sends settings at the start of a session, which a pool does not pass on", hint
    return None


def _stated(client: Client, environment: Environment) -> list[tuple[str, str, str]]:
    """Return what is stated: where, libpq's name for it, the value."""
    if client.form == "temporal":
        # Without a value, or with anything but true, Temporal's template leaves it off.
        on = environment.get("SQL_TLS_ENABLED").lower() == "true"
        return [("SQL_TLS_ENABLED", "ssl", "true")] if on else []
    found = [
        (f"{key} in {value.name}", key, text)
        for value in client.values
        if value.meaning == "url"
        for key, text in parameters_of(environment.get(value.name)).items()
    ]
    hosts = [value.name for value in client.values if value.meaning == "host"]
    modes = ["PGSSLMODE", *(name.replace("HOST", key) for name in hosts for key in ("SSLMODE", "SSL_MODE"))]
    found += [(name, "sslmode", environment.get(name)) for name in modes if environment.get(name)]
    return [*found, ("PGOPTIONS", "options", environment.get("PGOPTIONS"))]
