# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be deployed, and in which order. Pure functions.

Compose compares the hash of a service with a label of its container. That misses what was changed on the running
container (`docker update`), so the limits in force are compared too.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ..compose.project import Project
from ..policy.in_force import DEFAULT_STOP, differences
from ..policy.model import DATA_STORES, IMPACTS
from ..policy.operations import GRACE

#: Order of the stages: what nobody waits for first, data stores last and one at a time.
_STAGES = (("temporal-ui", "worker", "other"), ("pgbouncer",), ("temporal",))

#: States of a container whose processes exist.
ALIVE = ("running", "restarting", "paused")

#: Differences that `docker update` takes back on a running container: nothing is restarted.
_UPDATABLE = ("memory limit", "memory reservation", "CPU limit", "process limit", "restart:")


class Need(NamedTuple):
    """One service that does not run as the files say.

    Attributes:
        service: its name.
        kind: its kind.
        reasons: why, for people.
        update: it is enough to bring the limits of the running container back.
        containers: ids of its containers.
        grace: seconds that they get to stop in order, see grace_of.
    """

    service: str
    kind: str
    reasons: tuple[str, ...]
    update: bool
    containers: tuple[str, ...]
    grace: int = int(DEFAULT_STOP)


class Deployment(NamedTuple):
    """What has to be done, in order, and what is left alone.

    Attributes:
        updates: services whose running containers get their limits back.
        stages: services to recreate, one stage after the other.
        left: lines about services that are not touched, with why.
        down: nothing of the project runs, so nothing is started.
        held: services that differ, and whose restart costs more than is allowed.
    """

    updates: tuple[Need, ...]
    stages: tuple[tuple[Need, ...], ...]
    left: tuple[str, ...]
    down: bool
    held: tuple[Need, ...] = ()

    @property
    def needed(self) -> bool:
        """True when something has to be done."""
        return bool(self.updates or self.stages)

    @property
    def services(self) -> list[str]:
        """The services that are touched, in order."""
        return [need.service for need in self.updates] + [need.service for stage in self.stages for need in stage]


class Pool(NamedTuple):
    """The pooler's service, which always has to run, and those that go through it in the order of their move."""

    service: str
    clients: tuple[str, ...]


def plan_deployment(
    project: Project,
    containers: Sequence[Mapping[str, Any]],
    hashes: Mapping[str, Collection[str]],
    kinds: Mapping[str, str],
    ran: Collection[str] = (),
    max_impact: str = "datastore_restart",
    pool: Pool | None = None,
) -> Deployment:
    """Compare the files with the containers.

    Args:
        project: the files as they are on the target.
        containers: the project's containers as the target's reader describes them.
        hashes: the hashes by service that a container deployed from those files may carry.
        kinds: kind of every service.
        ran: services that ran before a deployment that broke off, and so have to run again.
        max_impact: the most that the deployment may cost.
        pool: the connection pool, None where the project has none.
    """
    by_service: dict[str, list[Mapping[str, Any]]] = {}
    for container in containers:
        by_service.setdefault(container["service"], []).append(container)
    running = [item for item in containers if item["state"] in ALIVE]
    if not running and not ran:
        return Deployment((), (), (), down=True)
    needs: list[Need] = []
    left: list[str] = []
    for name in project.services:
        found = by_service.get(name, [])
        lasts = name in ran or (pool is not None and name == pool.service)
        need, why_left = _broken_off(project, name, found, kinds) if lasts else None, ""
        if need is None:
            need, why_left = _judge(project, name, found, hashes, kinds)
        if need is not None:
            needs.append(need)
        if why_left:
            left.append(f"{name}: {why_left}")
    updates = tuple(need for need in needs if need.update)
    restarts = [need for need in needs if not need.update]
    held = tuple(need for need in restarts if IMPACTS.index(_impact(need)) > IMPACTS.index(max_impact))
    left += [f"{need.service}: differs, and is held back: {_impact(need)} is above {max_impact}" for need in held]
    stages = _stages([need for need in restarts if need not in held], pool)
    return Deployment(updates, stages, tuple(left), down=False, held=held)


def _impact(need: Need) -> str:
    """Say what recreating a service costs."""
    return "datastore_restart" if need.kind in DATA_STORES else "recreate"


def _broken_off(
    project: Project, name: str, containers: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]
) -> Need | None:
    """Say whether a service that ran does not run any more: its deployment or its engine broke off."""
    if any(item["state"] in ALIVE for item in containers):
        return None
    daemon = (project.services[name].restart or "no") in ("always", "unless-stopped")
    if not daemon and containers and all(item["state"] == "exited" and item["exit_code"] == 0 for item in containers):
        return None
    reasons = ("ran before, and does not run now",) if containers else ("has to run, and has no container",)
    ids = tuple(item["id"] for item in containers)
    return Need(name, kinds[name], reasons, False, ids, grace_of(project, name, kinds[name], containers))


def _judge(
    project: Project,
    name: str,
    containers: Sequence[Mapping[str, Any]],
    hashes: Mapping[str, Collection[str]],
    kinds: Mapping[str, str],
) -> tuple[Need | None, str]:
    """Say whether one service has to be deployed, or why it is left alone."""
    if not containers:
        return None, "has no container, so it is not started"
    if not any(item["state"] in ALIVE for item in containers):
        jobs_done = all(item["state"] == "exited" and item["exit_code"] == 0 for item in containers)
        return None, "has ended well; a job is not run again" if jobs_done else "is stopped, so it stays stopped"
    kind = kinds[name]
    ids = tuple(item["id"] for item in containers)
    found = list(dict.fromkeys(line for item in containers for line in differences(project, name, item)))
    stale = name in hashes and any(item["config_hash"] not in hashes[name] for item in containers)
    if not (stale or found):
        return None, ""
    update = not stale and all(line.startswith(_UPDATABLE) for line in found)
    return Need(name, kind, tuple(found), update, ids, grace_of(project, name, kind, containers)), ""


def grace_of(project: Project, name: str, kind: str, containers: Sequence[Mapping[str, Any]]) -> int:
    """Return the seconds that the containers of a service get to stop before they are killed.

    Compose 2.26.1 stops a container that it replaces with the grace period which that container was made with. Before
    the first hardening that is the engine's 10 s, in which a database may not get its checkpoint written; so what the
    file says by now counts, else what the policy gives the kind, and never less than the container was promised.

    Args:
        project: the files as they are on the target.
        name, kind: the service.
        containers: its containers.
    """
    stated = project.services[name].stop_grace_period
    promised = [float(item["limits"].get("stop_timeout") or 0) for item in containers]
    return math.ceil(max(GRACE.get(kind, DEFAULT_STOP) if stated is None else stated, *promised, 0))


def _stages(needs: Sequence[Need], pool: Pool | None) -> tuple[tuple[Need, ...], ...]:
    """Order services by what their restart does to the others; the pooler's clients follow it one by one."""
    by_name = {need.service: need for need in needs}
    pooled = [(by_name[name],) for name in (pool.service, *pool.clients) if name in by_name] if pool else []
    needs = [need for need in needs if (need,) not in pooled]
    stages = [tuple(need for need in needs if need.kind in kinds) for kinds in _STAGES]
    others = [(need,) for need in needs if need.kind in DATA_STORES]
    known = {kind for kinds in _STAGES for kind in kinds} | DATA_STORES
    jobs = [tuple(need for need in needs if need.kind not in known)]
    return tuple(stage for stage in (*jobs, *stages, *pooled, *others) if stage)


def update_arguments(config: Any) -> list[str]:
    """Return the options of `docker update` that bring the limits of a service back.

    Args:
        config: the service of the project (compose.service.Service).
    """
    memory = config.memory_limit or 0
    # Without a swap limit of its own the engine allows twice the memory.
    swap = -1 if config.text("memswap_limit") == "-1" else config.size("memswap_limit")
    swap = swap or (2 * memory if memory else -1)
    arguments = ["--memory", str(memory), "--memory-swap", str(swap)]
    arguments += ["--memory-reservation", str(config.memory_reservation or 0)]
    arguments += ["--cpus", f"{config.cpus or 0:g}", "--pids-limit", str(config.pids_limit or -1)]
    return [*arguments, "--restart", (config.restart or "no").removesuffix(":0")]


def describe(deployment: Deployment) -> list[str]:
    """Return what will be done, a line each, for people."""
    if deployment.down:
        return ["the project is down, so it stays down: the files are written, nothing is started"]
    lines = [f"{need.service}: limits brought back on the running container" for need in deployment.updates]
    lines.extend(
        f"stage {number}: recreate {', '.join(need.service for need in stage)}"
        for number, stage in enumerate(deployment.stages, 1)
    )
    return lines
