# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporal's connections to PostgreSQL, as its images make them of variables.

Names and defaults: the configuration template of the server, ``common/config/config_template_embedded.yaml``, at
v1.31.2; the images before 1.30 have the same keys. Each of the services in a container opens a pool of its own for
each store (``common/persistence/client/fx.go``).
"""

from __future__ import annotations

from ..compose.service import Service
from ..lean_typing import NamedTuple
from .environment import Environment
from .records import Use, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..policy.kinds import Role

SQL_MAX_CONNS = "20"
SQL_VIS_MAX_CONNS = "10"
PORT = "5432"

#: The variables that state where its stores are.
HOSTS = ("POSTGRES_SEEDS", "VISIBILITY_POSTGRES_SEEDS")

#: The driver that works behind a pooler in transaction mode; it has both stores of a server.
POOLED_PLUGIN = "postgres12_pgx"

_MEANINGS = {
    "POSTGRES_SEEDS": "host",
    "DB_PORT": "port",
    "POSTGRES_USER": "user",
    "POSTGRES_PWD": "password",
    "DBNAME": "database",
    "SQL_MAX_CONNS": "pool",
    "DB": "plugin",
}
_VISIBILITY = {
    "VISIBILITY_POSTGRES_SEEDS": "visibility-host",
    "VISIBILITY_DB_PORT": "visibility-port",
    "VISIBILITY_POSTGRES_USER": "visibility-user",
    "VISIBILITY_POSTGRES_PWD": "visibility-password",
    "VISIBILITY_DBNAME": "visibility-database",
    "SQL_VIS_MAX_CONNS": "visibility-pool",
}


class Store(NamedTuple):
    """One or both of Temporal's stores, where they are on the same server."""

    host: str
    port: int
    uses: tuple[Use, ...]
    values: tuple[Value, ...]
    plugin: str


def speaks_temporal(environment: Environment) -> bool:
    """Say whether a service is configured as Temporal's images are, for PostgreSQL."""
    plugin = environment.get("DB")
    return "POSTGRES_SEEDS" in environment.variables and (not plugin or plugin.lower().startswith("postgres"))


def hidden_configuration(service: Service, environment: Environment) -> str:
    """Say what hides Temporal's configuration from its variables, empty when nothing does."""
    own = environment.get("TEMPORAL_SERVER_CONFIG_FILE_PATH")
    if own:
        return f"its configuration is the file {own} (TEMPORAL_SERVER_CONFIG_FILE_PATH)"
    for volume in service.volumes:
        target = volume.target.rstrip("/")
        named = target.startswith("/etc/temporal/config/") and target.endswith((".yaml", ".yml", ".yaml.tmpl"))
        if target in ("/etc/temporal", "/etc/temporal/config") or (named and "dynamicconfig" not in target):
            return f"a configuration of its own is mounted at {volume.target}"
    return ""


def stores(service: Service, role: Role, environment: Environment) -> list[Store]:
    """Return what a server connects to: one item, or two where visibility is on another server."""
    host, port = environment.get("POSTGRES_SEEDS"), environment.get("DB_PORT") or PORT
    user, plugin = environment.get("POSTGRES_USER"), environment.get("DB")
    # The tools for the schema work through one connection after the other.
    count = 0 if role.kind == "temporal-schema" else len(role.runs) or 4
    pools = count * service.replicas
    main = Use(
        environment.get("DBNAME") or "temporal",
        user,
        *_maximum(service, environment, count, "SQL_MAX_CONNS", SQL_MAX_CONNS),
        "default",
        pools,
    )
    values = _values(environment, _MEANINGS)
    if environment.get("ENABLE_ES").lower() == "true":
        return [Store(host, _number(port), (main,), values, plugin)]
    other_host = environment.get("VISIBILITY_POSTGRES_SEEDS") or host
    other_port = environment.get("VISIBILITY_DB_PORT") or port
    visibility = Use(
        environment.get("VISIBILITY_DBNAME") or "temporal_visibility",
        environment.get("VISIBILITY_POSTGRES_USER") or user,
        *_maximum(service, environment, count, "SQL_VIS_MAX_CONNS", SQL_VIS_MAX_CONNS),
        "visibility",
        pools,
    )
    other_values = _values(environment, _VISIBILITY)
    if (other_host, other_port) == (host, port):
        return [Store(host, _number(port), (main, visibility), values + other_values, plugin)]
    plugin_value = tuple(value for value in values if value.meaning == "plugin")
    return [
        Store(host, _number(port), (main,), values, plugin),
        Store(other_host, _number(other_port), (visibility,), other_values + plugin_value, plugin),
    ]


def _values(environment: Environment, meanings: dict[str, str]) -> tuple[Value, ...]:
    """Return the variables that are set, by their meaning."""
    found = ((name, meaning, environment.variables.get(name)) for name, meaning in meanings.items())
    return tuple(Value(name, meaning, variable.place) for name, meaning, variable in found if variable is not None)


def _maximum(service: Service, environment: Environment, count: int, name: str, default: str) -> tuple[int | None, str]:
    """Return how many connections the pools of one store may open, and the sum in words."""
    if not count:
        return 1, "a schema tool opens one at a time"
    variable = environment.variables.get(name)
    if variable is not None and variable.value is None:
        return None, f"{name} hangs on a variable that has no value here"
    text = environment.get(name) or default
    if not text.isdigit():
        return None, f"{name} is not a number here"
    times = f"{service.replicas} containers x " if service.replicas != 1 else ""
    words = f"{times}{count} service{'s' if count != 1 else ''} x {name} {int(text)}"
    return service.replicas * count * int(text), words


def _number(text: str) -> int:
    """Read a port; 0 stands for one that is not known."""
    return int(text) if text.isdigit() else 0
