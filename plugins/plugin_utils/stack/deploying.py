# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploying through `community.docker.docker_compose_v2`, stage by stage, for the actions that need it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...module_utils._compose_cli import NO_ANSWER
from ..compose.project import Project
from ..policy.in_force import differences
from ..policy.model import DATA_STORES
from .action import PROJECT_OPTIONS, ActionFailed, StackAction, kinds_of
from .deploy import ALIVE, Deployment, Need, Pool, plan_deployment, update_arguments
from .pooling import PoolSteps, order_of
from .ports import held_ports
from .session import Session
from .stack import project_of, services_containers

COMPOSE = "community.docker.docker_compose_v2"
_LOG_LINES = 20
# An engine with many containers takes a while to load them.
_ENGINE_RESTART_SECONDS = 60
_POLL_SECONDS = 2
_SETTLE_SECONDS = 5


class DeployingAction(StackAction):
    """Base of the actions that change containers."""

    def plan(
        self,
        reading: Mapping[str, Any],
        stated_kinds: Mapping[str, str],
        ran: Collection[str] = (),
        max_impact: str = "datastore_restart",
    ) -> tuple[Project, Deployment]:
        """Compare the files on the target with its containers; `ran` and `max_impact`: see plan_deployment."""
        project = project_of(reading, {})
        kinds = kinds_of(project, stated_kinds)
        containers = services_containers(reading)
        self._pool_reading = reading
        pool = order_of(reading)
        return project, plan_deployment(project, containers, known_hashes(reading), kinds, ran, max_impact, pool)

    def foresee(self, session: Session) -> tuple[Project, Deployment]:
        """Return the planned project, and what the planned files will make the deployment do."""
        project = self.project(session)
        changed = {change["service"] for change in session.changes}
        # A planned service has no hash yet; any other than the container's makes it one to deploy.
        hashes = {
            name: {"planned"} if name in changed else values for name, values in known_hashes(session.reading).items()
        }
        containers = services_containers(session.reading)
        kinds = kinds_of(project, session.kinds)
        pool = order_of(session.reading)
        if session.pool:
            pool = Pool(session.pool["service"], tuple(session.pool["clients"]))
        return project, plan_deployment(project, containers, hashes, kinds, (), session.max_impact, pool)

    def refuse_held_ports(self, project: Project, deployment: Deployment, session: Session) -> None:
        """Refuse a deployment that needs a port which somebody else holds, before anything is touched.

        Raises:
            ActionFailed: names the port and, where it can be seen, who holds it.
        """
        local = not (session.options.get("docker_host") or "unix:").startswith(("tcp:", "ssh:", "http"))
        services = [need.service for stage in deployment.stages for need in stage]
        lines = held_ports(project, services, session.reading, local)
        if lines:
            advice = "free the port or publish another; nothing was touched"
            raise ActionFailed("\n".join(["ports that the deployment needs are taken:", *lines, advice]))

    def carry_out(
        self,
        project: Project,
        deployment: Deployment,
        options: Mapping[str, Any],
        timeout: int,
        pool: bool = False,
        ill: Collection[str] = (),
    ) -> None:
        """Do what a deployment says, in its order.

        Args:
            project: the files on the target, as `plan` has given them.
            deployment: what to do.
            options: the options that name the project.
            timeout: seconds that each stage may take until it is healthy.
            pool: the connection pool was changed: its files, or its objects in PostgreSQL.
            ill: services that nobody waits for, because they were ill before; those that are deployed count anyway.

        Raises:
            ActionFailed: a stage failed; names the culprit and shows the end of its log.
        """
        steps = PoolSteps(self, project, self._pool_reading, options, timeout)
        steps.begin(deployment, pool)
        for need in deployment.updates:
            self._update(project, need, options)
        for stage in deployment.stages:
            self._recreate(project, stage, options, timeout)
            steps.after(stage)
            if any(need.kind in DATA_STORES for need in stage):
                ignored = set(ill) - set(deployment.services)
                self._await_health(options, timeout, [need.service for need in stage], ignored)
        steps.end(pool and not deployment.down)

    def _await_health(
        self, options: Mapping[str, Any], timeout: int, after: Sequence[str], ignored: Collection[str]
    ) -> None:
        """Wait until all that is checked is healthy again, before the next data store is touched.

        Raises:
            ActionFailed: it is not within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            containers = services_containers(self.read(options, usage=False))
            watched = [c for c in containers if c["state"] == "running" and c["service"] not in ignored]
            ill = [c["service"] for c in watched if c["health"] not in (None, "healthy")]
            if not ill:
                return
            if time.monotonic() > deadline:
                raise ActionFailed(f"after {', '.join(after)} {', '.join(ill)} did not get healthy in {timeout} s")
            time.sleep(_POLL_SECONDS)

    def read_patiently(self, options: Mapping[str, Any], timeout: int, **extra: Any) -> dict[str, Any]:
        """Read the stack, giving an engine that is being restarted `timeout` seconds (a minute at most) to answer."""
        deadline = time.monotonic() + min(timeout, _ENGINE_RESTART_SECONDS)
        while True:
            try:
                return self.read(options, **extra)
            except ActionFailed as error:
                if NO_ANSWER not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_SECONDS)

    def docker(self, options: Mapping[str, Any], *arguments: str) -> dict[str, Any]:
        """Run a `docker` command on the target, in the project folder."""
        docker = [options.get("docker_cli") or "docker"]
        if options.get("docker_host"):
            docker += ["--host", options["docker_host"]]
        command = {"argv": [*docker, *arguments], "chdir": self.directory}
        return self.target("ansible.builtin.command", command)

    def _update(self, project: Project, need: Need, options: Mapping[str, Any]) -> None:
        """Bring the limits of running containers back; nothing is restarted."""
        self.say([f"{need.service}: bringing its limits back, nothing is restarted"])
        self.docker(options, "update", *update_arguments(project.services[need.service]), *need.containers)

    def _recreate(self, project: Project, stage: tuple[Need, ...], options: Mapping[str, Any], timeout: int) -> None:
        """Recreate the services of one stage and wait for them."""
        names = [need.service for need in stage]
        self.say([f"recreating {', '.join(names)}, then up to {timeout} s until healthy"])
        arguments = {key: value for key, value in options.items() if key in PROJECT_OPTIONS and key != "engine"}
        # Said and not left to be found: the module looks for the default names only.
        arguments["files"] = [document.name for document in project.files[: project.given]]
        arguments["project_name"] = project.name
        arguments |= {"project_src": self.directory, "services": names, "dependencies": False, "recreate": "always"}
        arguments |= {"wait": True, "wait_timeout": timeout, "remove_orphans": False}
        arguments["timeout"] = max(need.grace for need in stage)
        try:
            self.target(COMPOSE, arguments)
        except ActionFailed as error:
            shown = [f"{name} ({project.services[name].image or 'built here'})" for name in names]
            raise ActionFailed(
                f"deploying {', '.join(shown)} failed: {str(error).strip()}\n{self._culprit(names, options)}"
            ) from None

    def _culprit(self, names: list[str], options: Mapping[str, Any]) -> str:
        """Say which container of a stage failed, with the end of its log."""
        try:
            reading = self.read(options, usage=False)
        except ActionFailed as error:
            return f"its containers cannot be read: {error}"
        containers = [c for c in services_containers(reading) if c["service"] in names]
        failing = [c for c in containers if c["state"] != "running" or c["health"] not in (None, "healthy")]
        lines = []
        for container in failing or containers:
            state = f"{container['state']}, health {container['health'] or 'not checked'}"
            oom = ", killed for want of memory" if container["oom_killed"] else ""
            lines.append(f"{container['name']}: {state}, exit code {container['exit_code']}{oom}; its log ends with:")
            lines += self._log_end(options, container["id"])
        return "\n".join(lines)

    def log_of(self, service: str, options: Mapping[str, Any]) -> str:
        """Return the end of the logs of a service, under the names of its containers."""
        lines = []
        for container in services_containers(self.read(options, usage=False)):
            if container["service"] == service:
                lines += [f"{container['name']}: its log ends with:", *self._log_end(options, container["id"])]
        return "\n".join(lines)

    @staticmethod
    def failure(reason: str) -> ActionFailed:
        """Make the failure of the task."""
        return ActionFailed(reason)

    def _log_end(self, options: Mapping[str, Any], container: str) -> list[str]:
        """Return the last lines of a container's log."""
        try:
            log = self.docker(options, "logs", "--tail", str(_LOG_LINES), container)
        except ActionFailed as error:
            return [f"  (cannot be read: {error})"]
        return [f"  {line}" for line in f"{log['stdout']}\n{log['stderr']}".strip().splitlines()[-_LOG_LINES:]]

    def verify(
        self,
        options: Mapping[str, Any],
        timeout: int,
        expected: Collection[str],
        held: Collection[str],
        ill: Collection[str] = (),
    ) -> tuple[list[str], list[str]]:
        """Compare what runs with the files, and wait for health checks that are still undecided.

        Args:
            options: the options that name the project.
            timeout: seconds to wait for health.
            expected: services that have to run.
            held: services that were held back, so that they may differ.
            ill: services that may stay ill.

        Returns:
            Lines about what differs (empty when all is well), and lines of proof.
        """
        began = time.monotonic()
        first: dict[str, Any] | None = None
        while True:
            reading = self.read(options, usage=False)
            first = first or reading
            project = project_of(reading, {})
            wrong, waiting, proof = judge(project, services_containers(reading), expected, held, ill)
            wrong += restarted(first, reading)
            elapsed = time.monotonic() - began
            # What has no health check has to last a moment: a program that is killed at its limit starts well, too.
            settling = elapsed < _SETTLE_SECONDS and any(c["health"] is None for c in services_containers(reading))
            if wrong or elapsed > timeout or not (waiting or settling):
                return wrong + waiting, proof
            time.sleep(_POLL_SECONDS)


def known_hashes(reading: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the hashes by service that a container deployed from the files may carry."""
    hashes = {name: {value} for name, value in reading["project"]["config_hashes"].items()}
    for name, value in reading["project"]["config_hashes_alone"].items():
        hashes[name].add(value)
    return hashes


def judge(
    project: Project,
    containers: Sequence[Mapping[str, Any]],
    expected: Collection[str],
    held: Collection[str],
    ill: Collection[str] = (),
) -> tuple[list[str], list[str], list[str]]:
    """Judge the containers of a project.

    Args:
        project: the files.
        containers: the containers of its services.
        expected: services that ran before; those that the files want to last have to run.
        held: services that were held back, so that they may differ.
        ill: services that may stay ill.

    Returns:
        What differs from the files or does not run; what is not healthy yet; what is proven.
    """
    running = {item["service"] for item in containers if item["state"] in ALIVE}
    lasting = {name for name, service in project.services.items() if service.restart in ("always", "unless-stopped")}
    wrong = [_absence(name, containers) for name in sorted(set(expected) & lasting - running)]
    waiting: list[str] = []
    proof: list[str] = []
    for container in containers:
        name = container["service"]
        if container["state"] == "restarting" and name not in ill:
            waiting.append(f"{name}: restarts again and again (exit code {container['exit_code']})")
        if container["state"] != "running":
            continue
        if name not in project.services:
            wrong.append(f"{container['name']}: runs, but the files have no service {name}")
            continue
        found = [] if name in held else differences(project, name, container)
        wrong.extend(f"{name}: {line}" for line in found)
        if container["health"] not in (None, "healthy") and name not in ill:
            waiting.append(f"{name}: its health check says {container['health']}")
        elif not found:
            proof.append(_proof(name, container))
    return wrong, waiting, proof


def ill_services(containers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the services that run and are not healthy, or that start again and again."""
    return [
        item["service"]
        for item in containers
        if item["state"] == "restarting" or (item["state"] == "running" and item["health"] not in (None, "healthy"))
    ]


def _absence(name: str, containers: Sequence[Mapping[str, Any]]) -> str:
    """Say how a service that has to run does not."""
    for container in containers:
        if container["service"] == name:
            killed = ", killed for want of memory" if container["oom_killed"] else ""
            return f"{name}: has to run and is {container['state']} (exit code {container['exit_code']}{killed})"
    return f"{name}: has to run and has no container"


def restarted(first: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return a line for every container that was started again between two readings."""
    started = {item["id"]: item["started"] for item in services_containers(first)}
    return [
        f"{item['service']}: was restarted while it was watched (exit code {item['exit_code']})"
        for item in services_containers(now)
        if started.get(item["id"], item["started"]) != item["started"]
    ]


def running_services(reading: Mapping[str, Any]) -> set[str]:
    """Return the services that run."""
    return {item["service"] for item in services_containers(reading) if item["state"] in ALIVE}


def _proof(name: str, container: Mapping[str, Any]) -> str:
    """Say in a line what is in force for a container."""
    limits = container["limits"]
    memory = f"{limits['memory'] // 2**20}m" if limits["memory"] else "no limit"
    cpus = f"{limits['cpus']:g}" if limits["cpus"] else "no limit"
    health = container["health"] or "no health check"
    return f"{name}: memory {memory}, CPUs {cpus}, processes {limits['pids'] or 'no limit'}, {health}"
