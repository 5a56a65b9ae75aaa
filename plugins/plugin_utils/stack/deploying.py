# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploying through `community.docker.docker_compose_v2`, stage by stage, for the actions that need it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..compose.project import Project
from ..policy.in_force import differences
from .action import PROJECT_OPTIONS, ActionFailed, StackAction, kinds_of
from .deploy import Deployment, Need, plan_deployment, update_arguments
from .stack import project_of, services_containers

COMPOSE = "community.docker.docker_compose_v2"
_LOG_LINES = 20
_POLL_SECONDS = 2


class DeployingAction(StackAction):
    """Base of the actions that change containers."""

    def plan(self, reading: Mapping[str, Any], stated_kinds: Mapping[str, str]) -> tuple[Project, Deployment]:
        """Compare the files on the target with its containers."""
        project = project_of(reading, {})
        kinds = kinds_of(project, stated_kinds)
        return project, plan_deployment(project, services_containers(reading), known_hashes(reading), kinds)

    def carry_out(self, project: Project, deployment: Deployment, options: Mapping[str, Any], timeout: int) -> None:
        """Do what a deployment says, in its order.

        Args:
            project: the files on the target.
            deployment: what to do.
            options: the options that name the project.
            timeout: seconds that each stage may take until it is healthy.

        Raises:
            ActionFailed: a stage failed; names the culprit and shows the end of its log.
        """
        for need in deployment.updates:
            self._update(project, need, options)
        for stage in deployment.stages:
            self._recreate(stage, options, timeout)

    def _docker(self, options: Mapping[str, Any], *arguments: str) -> dict[str, Any]:
        """Run a `docker` command on the target, in the project folder."""
        docker = [options.get("docker_cli") or "docker"]
        if options.get("docker_host"):
            docker += ["--host", options["docker_host"]]
        command = {"argv": [*docker, *arguments], "chdir": self.directory}
        return self.target("ansible.builtin.command", command)

    def _update(self, project: Project, need: Need, options: Mapping[str, Any]) -> None:
        """Bring the limits of running containers back; nothing is restarted."""
        self.say([f"{need.service}: bringing its limits back, nothing is restarted"])
        self._docker(options, "update", *update_arguments(project.services[need.service]), *need.containers)

    def _recreate(self, stage: tuple[Need, ...], options: Mapping[str, Any], timeout: int) -> None:
        """Recreate the services of one stage and wait for them."""
        names = [need.service for need in stage]
        self.say([f"recreating {', '.join(names)}, then up to {timeout} s until healthy"])
        arguments = {key: value for key, value in options.items() if key in PROJECT_OPTIONS and key != "engine"}
        arguments |= {"project_src": self.directory, "services": names, "dependencies": False, "recreate": "always"}
        arguments |= {"wait": True, "wait_timeout": timeout, "remove_orphans": False}
        try:
            self.target(COMPOSE, arguments)
        except ActionFailed as error:
            raise ActionFailed(self._culprit(names, options, str(error))) from None

    def _culprit(self, names: list[str], options: Mapping[str, Any], message: str) -> str:
        """Say which container of a stage failed, with the end of its log."""
        containers = [c for c in services_containers(self.read(options, usage=False)) if c["service"] in names]
        failing = [c for c in containers if c["state"] != "running" or c["health"] not in (None, "healthy")]
        lines = [f"deploying {', '.join(names)} failed: {message.strip()}"]
        for container in failing or containers:
            state = f"{container['state']}, health {container['health'] or 'not checked'}"
            oom = ", killed for want of memory" if container["oom_killed"] else ""
            lines.append(f"{container['name']}: {state}, exit code {container['exit_code']}{oom}; its log ends with:")
            log = self._docker(options, "logs", "--tail", str(_LOG_LINES), container["id"])
            lines += [f"  {line}" for line in f"{log['stdout']}\n{log['stderr']}".strip().splitlines()[-_LOG_LINES:]]
        return "\n".join(lines)

    def verify(self, options: Mapping[str, Any], timeout: int) -> tuple[list[str], list[str]]:
        """Compare what runs with the files, and wait for health checks that are still undecided.

        Args:
            options: the options that name the project.
            timeout: seconds to wait for health.

        Returns:
            Lines about what differs (empty when all is well), and lines of proof.
        """
        deadline = time.monotonic() + timeout
        while True:
            reading = self.read(options, usage=False)
            project = project_of(reading, {})
            wrong, waiting, proof = judge(project, services_containers(reading))
            if wrong or not waiting or time.monotonic() > deadline:
                return wrong + waiting, proof
            time.sleep(_POLL_SECONDS)


def known_hashes(reading: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the hashes by service that a container deployed from the files may carry."""
    hashes = {name: {value} for name, value in reading["project"]["config_hashes"].items()}
    for name, value in reading["project"]["config_hashes_alone"].items():
        hashes[name].add(value)
    return hashes


def judge(project: Project, containers: list[dict[str, Any]]) -> tuple[list[str], list[str], list[str]]:
    """Judge the running containers of a project.

    Returns:
        What differs from the files; what is not healthy yet; what is proven.
    """
    wrong: list[str] = []
    waiting: list[str] = []
    proof: list[str] = []
    for container in containers:
        name = container["service"]
        if name not in project.services:
            wrong.append(f"{container['name']}: runs, but the files have no service {name}")
            continue
        if container["state"] != "running":
            if container["state"] == "restarting":
                waiting.append(f"{name}: restarts again and again (exit code {container['exit_code']})")
            continue
        found = differences(project, name, container)
        wrong.extend(f"{name}: {line}" for line in found)
        if container["health"] not in (None, "healthy"):
            waiting.append(f"{name}: its health check says {container['health']}")
        elif not found:
            proof.append(_proof(name, container))
    return wrong, waiting, proof


def _proof(name: str, container: Mapping[str, Any]) -> str:
    """Say in a line what is in force for a container."""
    limits = container["limits"]
    memory = f"{limits['memory'] // 2**20}m" if limits["memory"] else "no limit"
    cpus = f"{limits['cpus']:g}" if limits["cpus"] else "no limit"
    health = container["health"] or "no health check"
    return f"{name}: memory {memory}, CPUs {cpus}, processes {limits['pids'] or 'no limit'}, {health}"
