# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment does for the connection pool between its stages.

The files on the target say what is wanted, so one way serves every case. Where they have a pool: its objects in
PostgreSQL, the pooler, the proof, then its clients one by one, each proven. Where they have none any more: the clients
first, as every deployment does, then the pooler and the objects go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...module_utils import _transport
from ..compose.project import Project
from ..policy.context import Stack
from ..policy.model import Settings
from ..postgres import pool_objects, pool_proof, pool_record
from ..postgres.clients import SERVER_LABEL, find_clients
from ..postgres.pool_record import Record
from ..postgres.pooler import AUTH_ROLE, FOLDER
from .deploy import Deployment, Need, Pool
from .stack import sources_of

if TYPE_CHECKING:
    from .deploying import DeployingAction

_POLL_SECONDS = 1
_LABEL = "label=com.docker.compose."
# Exit code of the probe when there is nobody to ask.
_NOBODY = 3
# What a pooler that was just asked to reload, or a client that was just made, may take to show itself.
_SHOW_SECONDS = 30
_PROVE_SECONDS = 5


def order_of(reading: Mapping[str, Any]) -> Pool | None:
    """Return the pooler and its clients for the order of a deployment; None where the files have no pool."""
    record = pool_record.of_reading(reading)
    return None if record is None else Pool(record.service, tuple(client.service for client in record.clients))


class PoolSteps:
    """The pool's part of one deployment.

    Args:
        action: the action that deploys.
        project: the files on the target.
        reading: the reading that they come from.
        options: the options that name the project.
        timeout: seconds that each step may take.
    """

    def __init__(
        self,
        action: DeployingAction,
        project: Project,
        reading: Mapping[str, Any],
        options: Mapping[str, Any],
        timeout: int,
    ) -> None:
        self._action = action
        self._project = project
        self._reading = reading
        self._options = options
        self._timeout = timeout
        self._record = pool_record.of_reading(reading)
        self._in_use = False

    def begin(self, deployment: Deployment, touched: bool) -> None:
        """Make the objects and have a running pooler read its files again, before the first stage.

        Args:
            deployment: what is going to be done.
            touched: the run has changed files of the pool, or found its objects changed.
        """
        record = self._record
        self._in_use = record is not None and bool(self._containers(record.service, running=False))
        if record is None or not (touched or record.service in deployment.services):
            return
        self._ensure_objects(record)
        container = self._container(record.service)
        if record.service not in deployment.services and container:
            self._action.say([f"{record.service}: reading its files again, nobody is cut off"])
            self._action.docker(self._options, "kill", "--signal", "HUP", container)
            self._prove(record)

    def after(self, stage: Sequence[Need]) -> None:
        """Prove what a stage has brought."""
        record = self._record
        if record is None:
            return
        names = {need.service for need in stage}
        if record.service in names:
            self._prove(record)
        for client in record.clients:
            if client.service in names:
                self._prove_moved(record, client)

    def end(self, touched: bool) -> None:
        """Remove pooler and objects where the files have no pool any more, after the last stage."""
        if self._record is not None or not touched:
            return
        # By its label: the path that its files are mounted from is another where the folder is reached by a link.
        filters = ("--filter", f"{_LABEL}project={self._project.name}", "--filter", f"label={SERVER_LABEL}")
        form = f'{{{{.ID}}}} {{{{.Label "{SERVER_LABEL}"}}}}'
        printed = self._action.docker(self._options, "ps", "--all", *filters, "--format", form)["stdout"]
        servers = [name for name in self._project.services if is_postgres(self._project, name)]
        poolers, behind = poolers_and_servers(printed, servers)
        if poolers:
            self._action.say(["nobody goes through the pool any more: removing it"])
            self._action.docker(self._options, "stop", *poolers)
            self._action.docker(self._options, "rm", "--force", *poolers)
        for name in behind:
            container = self._container(name)
            if container:
                superuser = self._project.services[name].environment.get("POSTGRES_USER") or "postgres"
                self._sql(container, superuser, pool_objects.drop_script())

    def _containers(self, service: str, running: bool = True) -> list[str]:
        """Return the containers of a service; asked anew each time, for the stages replace them."""
        labels = {"project": self._project.name, "service": service, "oneoff": "False"}
        filters = [part for key, value in labels.items() for part in ("--filter", f"{_LABEL}{key}={value}")]
        status = ("--filter", "status=running") if running else ("--all",)
        found: list[str] = self._action.docker(self._options, "ps", "--quiet", *filters, *status)["stdout"].split()
        return found

    def _container(self, service: str) -> str | None:
        """Return the first running container of a service."""
        return next(iter(self._containers(service)), None)

    def _sql(self, container: str, user: str, script: str) -> None:
        """Run statements in PostgreSQL."""
        arguments = self._reach(container) | {"user": user, "script_z": _transport.pack_bytes(script.encode("utf-8"))}
        self._action.target("breakwater.stack.postgres_sql", arguments)

    def _ask(self, record: Record, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query to PostgreSQL."""
        arguments = self._reach(self._server(record)) | {"user": record.superuser, "query": query}
        answer = self._action.target("breakwater.stack.postgres_sql", arguments)
        rows: list[dict[str, Any]] = _transport.unpack(answer["rows_z"])
        return rows

    def _reach(self, container: str) -> dict[str, Any]:
        """Give the arguments that name a container on its engine."""
        engine = {key: self._options[key] for key in ("docker_host", "docker_cli") if self._options.get(key)}
        return {"container": container, **engine}

    def _server(self, record: Record) -> str:
        """Return PostgreSQL's container.

        Raises:
            ActionFailed: it does not run.
        """
        container = self._container(record.server)
        if container is None:
            raise self._action.failure(f"{record.server} does not run, so its pool cannot be set up; start it first")
        return container

    def _password(self) -> str:
        """Return the password of the pool's own role.

        Raises:
            ActionFailed: the pool's files have none.
        """
        text = pool_record.own_text(self._reading, f"{FOLDER}/userlist.txt")
        password = pool_record.password_of(text, AUTH_ROLE)
        if password is None:
            raise self._action.failure(f"{FOLDER}/userlist.txt: has no password of {AUTH_ROLE}; run harden.yml")
        return password

    def _ensure_objects(self, record: Record) -> None:
        """Make the pool's objects, or set them right."""
        self._action.say([f"{record.server}: role {AUTH_ROLE} and the function that the pool looks users up with"])
        databases = [database.name for database in record.databases]
        script = pool_objects.create_script(record.users, databases, pool_objects.scram_secret(self._password()))
        self._sql(self._server(record), record.superuser, script)

    def _prove(self, record: Record) -> None:
        """Prove the pool for every user and database, before anybody depends on it.

        Raises:
            ActionFailed: it does not hold; with the end of the pooler's log.
        """
        stack = Stack(self._project, None, {}, Settings())
        sources = sources_of(self._reading, {})
        found = find_clients(self._project, stack.roles, sources)
        known = pool_proof.passwords(self._project, found.of(record.server), sources)
        row = self._ask(record, pool_proof.room_query(record))[0]
        wanted = pool_proof.logins(record, known, row["room"], row["held"], self._in_use)
        names = ", ".join(f"{login.database} ({login.user}, {login.backends} at once)" for login in wanted)
        self._action.say([f"{record.service}: proving {names}"])
        reason = self._until(lambda: self._try(record, wanted), min(self._timeout, _PROVE_SECONDS))
        if reason:
            raise self._action.failure(f"{reason}\n{self._action.log_of(record.service, self._options)}")

    def _try(self, record: Record, wanted: Sequence[pool_proof.Login]) -> str:
        """Run the proof once; "" when it holds."""
        result = self._script(self._server(record), pool_proof.script(record, wanted))
        return pool_proof.failure(result) if result["rc"] else ""

    def _script(self, container: str, script: str) -> dict[str, Any]:
        """Run a script in a container."""
        packed = _transport.pack_bytes(script.encode("utf-8"))
        arguments = self._reach(container) | {"script_z": packed, "timeout": float(max(60, self._timeout))}
        return self._action.target("breakwater.stack.container_script", arguments)

    def _prove_moved(self, record: Record, client: pool_record.PooledClient) -> None:
        """Prove that a client works through the pool.

        Raises:
            ActionFailed: it does not, within the time; with the ends of both logs.
        """
        pooler, moved = self._addresses(record.service), self._addresses(client.service)
        temporal = client.kind == "temporal"
        patience = time.monotonic() + min(self._timeout, _SHOW_SECONDS) / 2

        def check() -> str:
            rows = self._ask(record, pool_proof.activity_query(record))
            reason = pool_proof.unproven(rows, pooler, moved, temporal)
            return reason or (self._ask_temporal(client.service, patience) if temporal else "")

        reason = self._until(check, self._timeout if temporal else _SHOW_SECONDS)
        if reason:
            logs = [self._action.log_of(name, self._options) for name in (client.service, record.service)]
            raise self._action.failure("\n".join([f"{client.service} {reason}", *logs]))
        self._action.say([f"{client.service}: works through the pool"])

    def _ask_temporal(self, service: str, patience: float) -> str:
        """Ask Temporal something that it has to read from the database; "" when it answers, or cannot be asked so.

        Args:
            service: Temporal's service.
            patience: time until which nobody listening means that it is still starting.
        """
        for container in self._containers(service):
            code = self._script(container, pool_proof.TEMPORAL_PROBE)["rc"]
            if code == 0 or (code == _NOBODY and time.monotonic() > patience):
                continue
            return "does not answer for its namespaces"
        return ""

    def _addresses(self, service: str) -> set[str]:
        """Return the addresses of a service's containers as they are now."""
        containers = self._containers(service)
        if not containers:
            return set()
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}} {{end}}"
        return set(self._action.docker(self._options, "inspect", "--format", form, *containers)["stdout"].split())

    @staticmethod
    def _until(check: Callable[[], str], seconds: int) -> str:
        """Repeat a check until it holds or the time is over; return its last reason."""
        deadline = time.monotonic() + seconds
        while True:
            reason = check()
            if not reason or time.monotonic() > deadline:
                return reason
            time.sleep(_POLL_SECONDS)


def poolers_and_servers(printed: str, servers: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the poolers' containers, and the PostgreSQL services behind them.

    Another server may have a superuser that nobody knows here. Only where the poolers are gone, each counts.

    Args:
        printed: a line for each pooler: its container's id, and what its label says is behind it.
        servers: the project's PostgreSQL services.
    """
    parts = [line.partition(" ") for line in printed.splitlines()]
    stated = {server.strip() for _id, _space, server in parts}
    return [part[0] for part in parts], [name for name in servers if name in stated] or list(servers)


def is_postgres(project: Project, name: str) -> bool:
    """Say whether a service is a PostgreSQL server."""
    return Stack(project, None, {}, Settings()).roles[name].kind == "postgres"
