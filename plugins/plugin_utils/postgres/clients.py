# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services of a project connect to its PostgreSQL services, found in their configuration. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ..compose.project import Project
from ..compose.service import Service
from ..compose.short_forms import strings
from . import temporal
from .environment import Environment, Variable
from .records import Client, Clients, Place, Sources, Unclear, Use, Value
from .urls import is_url, read_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..policy.kinds import Role

#: Of the pooler that Breakwater adds: the label that names the server behind it, and the key of its service that says
#: how many server connections it may open. Compose leaves such a key out of the hash by which it decides to recreate.
SERVER_LABEL = "breakwater.pool.server"
BACKENDS_KEY = "x-breakwater-backends"

_HOST = r"(?i)(?P<prefix>.*?)(?:HOST|HOSTNAME|SERVER|SERVERNAME|ADDR|ADDRESS|ENDPOINT)"
_NOT_STATED = "nothing in its configuration says how many it opens"
_USERS = ("USER", "USERNAME", "USER_NAME", "LOGIN")
_PASSWORDS = ("PASSWORD", "PASS", "PWD", "PASSWD")
_DATABASES = ("NAME", "DATABASE", "DB", "DBNAME", "DB_NAME", "DATABASE_NAME", "SCHEMA")
_DIRECT_IMAGES = (
    (r"postgres(ql)?[-_]?exporter", "an exporter has to see the server itself"),
    (r"pgadmin4?|adminer|pgweb|pghero", "a tool for administrators speaks to the server itself"),
    (r".*(backup|pg-?dump|wal-g|pgbackrest|barman).*", "a backup needs a session of its own"),
)


def find_clients(project: Project, roles: Mapping[str, Role], sources: Sources | None = None) -> Clients:
    """Find the clients of the PostgreSQL services of a project.

    Args:
        project: the project, its variables replaced.
        roles: what each service is (``policy.context.Stack(project, None, {}, Settings()).roles``).
        sources: the texts of the files with variables.
    """
    servers = tuple(name for name, role in roles.items() if role.kind == "postgres")
    finder = _Finder(project, roles, sources or Sources(), servers)
    for name in project.services:
        if name not in servers and name not in finder.poolers:
            finder.visit(project.services[name])
    order = {name: index for index, name in enumerate(project.services)}
    clients = sorted(finder.clients, key=lambda client: order[client.service])
    return Clients(servers, finder.poolers, tuple(clients), tuple(finder.unclear))


class _Finder:
    """Looks at one service after the other."""

    def __init__(self, project: Project, roles: Mapping[str, Role], sources: Sources, servers: Sequence[str]) -> None:
        self.project = project
        self.roles = roles
        self.sources = sources
        self.clients: list[Client] = []
        self.unclear: list[Unclear] = []
        self.poolers: dict[str, str] = {}
        self.names = host_names(project, servers)
        poolers = [name for name, role in roles.items() if role.kind == "pgbouncer"]
        for name in poolers:
            self._visit_pooler(project.services[name], servers)
        self.names.update(host_names(project, poolers))

    def visit(self, service: Service) -> None:
        """Find the connections of one service."""
        environment = Environment(self.project, service, self.sources)
        found = list(self._connections(service, environment))
        self.clients += found
        if environment.unread and not found:
            names = ", ".join(environment.unread)
            self.unclear.append(Unclear(service.name, f"its variables are in {names}, which was not read"))

    def _visit_pooler(self, service: Service, servers: Sequence[str]) -> None:
        """Find out what is behind a pooler: by Breakwater's label, else by its own configuration."""
        stated = service.labels.get(SERVER_LABEL, "")
        found: list[Client] = []
        if stated not in servers:
            found = list(self._connections(service, Environment(self.project, service, self.sources)))
            stated = found[0].server if found else ""
        self.poolers[service.name] = stated
        if not stated:
            return
        backends = service.number(BACKENDS_KEY)
        use = Use("", "", None, "its own pool sizes are not in the Compose file")
        if backends is not None:
            words = f"{_times(service)}{backends} server connections of its pools"
            use = use._replace(maximum=backends * service.replicas, arithmetic=words)
        direct = "it is the pooler"
        client = Client(service.name, "pgbouncer", "pooler", stated, "", stated, 5432, (use,), (), direct=direct)
        self.clients.append(client)

    def _server_of(self, host: str, service: Service) -> tuple[str, str] | None:
        """Return the server and the pooler (or empty) behind a host name, None when it is neither."""
        target = self.names.get(_links(service).get(host, host).lower().removesuffix("."))
        if target is None or target == service.name:
            return None
        return (self.poolers[target], target) if target in self.poolers else (target, "")

    def _connections(self, service: Service, environment: Environment) -> Iterator[Client]:
        """Yield the clients that a service is, by all forms."""
        used: set[str] = set()
        if temporal.speaks_temporal(environment):
            self._note_unknown(service, environment)
            for store in temporal.stores(service, self.roles[service.name], environment):
                used.update(value.name for value in store.values)
                found = self._client(service, "temporal", store.host, store.port, store.uses, store.values)
                yield from (self._checked(service, environment, client, store.plugin) for client in found)
        for name, variable in environment.variables.items():
            if name not in used:
                yield from self._by_variable(service, environment, name, variable)

    def _checked(self, service: Service, environment: Environment, client: Client, plugin: str) -> Client:
        """Complete a Temporal client; what its variables say does not count where a file says something else."""
        hidden = temporal.hidden_configuration(service, environment)
        if hidden:
            self.unclear.append(Unclear(service.name, hidden))
            uses = tuple(use._replace(maximum=None, arithmetic=hidden) for use in client.uses)
            client = client._replace(uses=uses)
        return client._replace(plugin=plugin)

    def _by_variable(
        self, service: Service, environment: Environment, name: str, variable: Variable
    ) -> Iterator[Client]:
        """Yield the client that a variable makes of a service, if it does."""
        host = re.fullmatch(_HOST, name)
        if variable.value is None:
            if is_url(variable.raw):
                self._note(service, name, variable)
        elif is_url(variable.value):
            yield from self._by_url(service, environment, name, variable.value, variable.place)
        elif host is not None:
            yield from self._by_parts(service, environment, name, host["prefix"])

    def _note_unknown(self, service: Service, environment: Environment) -> None:
        """Note Temporal's hosts that are not known."""
        for name in temporal.HOSTS:
            variable = environment.variables.get(name)
            if variable is not None and variable.value is None:
                self._note(service, name, variable)

    def _note(self, service: Service, name: str, variable: Variable) -> None:
        """Note a variable that nobody can read here."""
        reason = f"{name} hangs on a variable that has no value here"
        self.unclear.append(Unclear(service.name, reason, variable.place))

    def _by_url(
        self, service: Service, environment: Environment, name: str, text: str, place: Place
    ) -> Iterator[Client]:
        url = read_url(text)
        if url is None:
            if any(known in re.split(r"[^\w.-]+", text.lower()) for known in self.names):
                self.unclear.append(Unclear(service.name, f"{name} is a URL that is not understood", place))
            return
        stem = re.sub("UR[LI]$", "", name)
        shorter = re.sub("(DATABASE|DATASOURCE|DB|JDBC)_$", "", stem)
        user = url.user or _first(environment, [part + key for part in (stem, shorter) for key in _USERS])[1]
        use = Use(url.database or user, user, None, _NOT_STATED)
        if url.limit is not None:
            words = f"{_times(service)}{url.limit_name} {url.limit} for one process"
            use = use._replace(maximum=url.limit * service.replicas, arithmetic=words)
        yield from self._client(service, "url", url.host, url.port, (use,), (Value(name, "url", place),))

    def _by_parts(self, service: Service, environment: Environment, name: str, prefix: str) -> Iterator[Client]:
        """Read a host that has a variable of its own, and the variables beside it."""
        host, _colon, stated = environment.get(name).partition(":")
        port_name, port = _first(environment, [_like(name, prefix, "PORT")])
        user_name, user = _first(environment, [_like(name, prefix, key) for key in _USERS])
        base_name, database = _first(environment, [_like(name, prefix, key) for key in _DATABASES])
        password_name, _password = _first(environment, [_like(name, prefix, key) for key in _PASSWORDS])
        number = stated or port or "5432"
        if not number.isdigit():
            return
        values = [Value(name, "host", environment.variables[name].place)]
        beside = {"port": port_name, "user": user_name, "database": base_name, "password": password_name}
        for meaning, key in beside.items():
            if key:
                values.append(Value(key, meaning, environment.variables[key].place))
        use = Use(database or user, user, None, _NOT_STATED)
        form = "pg" if name == "PGHOST" else "parts"
        yield from self._client(service, form, host, int(number), (use,), tuple(values))

    def _client(
        self, service: Service, form: str, host: str, port: int, uses: tuple[Use, ...], values: tuple[Value, ...]
    ) -> Iterator[Client]:
        """Yield a client when its host is a server or a pooler of the project."""
        found = self._server_of(host, service)
        if found is None:
            return
        role = self.roles[service.name]
        direct = _why_direct(role)
        yield Client(
            service=service.name,
            kind=role.kind,
            form=form,
            server=found[0],
            through=found[1],
            host=host,
            port=port,
            uses=uses,
            values=values,
            version=role.version,
            flavour=role.flavour,
            direct=direct,
        )


def _why_direct(role: Role) -> str:
    """Say why a client has to stay on the server itself, empty when it has not."""
    if role.kind == "temporal-schema":
        return "it creates and changes databases, which has to be done on the server itself"
    if role.lifetime == "job":
        return "it is a job that ends: changes of the schema and dumps need a session of their own"
    if role.lifetime == "shell":
        return "it is a shell for people"
    name = role.image.name if role.image else ""
    return next((reason for pattern, reason in _DIRECT_IMAGES if re.fullmatch(pattern, name)), "")


def host_names(project: Project, services: Sequence[str]) -> dict[str, str]:
    """Return the services by the names under which others reach them, in small letters, as the engine compares them.

    They are those of the service, the container and the host, and the aliases; the engine answers for all of them.
    """
    names: dict[str, str] = {}
    for name in services:
        service = project.services[name]
        networks = service.get(("networks",))
        aliases = [
            alias
            for network in (networks.values() if isinstance(networks, dict) else ())
            if isinstance(network, dict)
            for alias in strings(network.get("aliases"))
        ]
        stated = (service.text(key) for key in ("container_name", "hostname"))
        for known in (name, *stated, *aliases):
            if known:
                names.setdefault(known.lower(), name)
    return names


def _links(service: Service) -> dict[str, str]:
    """Return the services by the names that `links` gives them for one service."""
    pairs = (text.partition(":") for text in service.strings("links"))
    return {alias: name for name, _colon, alias in pairs if alias}


def _like(name: str, prefix: str, word: str) -> str:
    """Return the variable beside another one, in its case."""
    return prefix + (word.lower() if name.islower() else word)


def _first(environment: Environment, names: Sequence[str]) -> tuple[str, str]:
    """Return the first of some variables that has a value, and that value."""
    return next(((name, environment.get(name)) for name in names if environment.get(name)), ("", ""))


def _times(service: Service) -> str:
    """Return the number of containers as a factor in words."""
    return f"{service.replicas} containers x " if service.replicas != 1 else ""
