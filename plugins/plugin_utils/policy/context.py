# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every check sees: one service with its kind, its host and its use, and how to write into its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from ..compose.edits import Edit
from .controls import control
from .kinds import Role, depended_on, identify, waited_for_to_end
from .model import DATA_STORES, Change, Finding, HostFacts, Settings, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..compose.project import Project
    from ..compose.service import Service
    from ..postgres.records import Clients

#: Seconds that a service is away when its container is replaced, from the last good probe to the next one. Measured on
#: the idle example stack (2 cores, Engine 20.10, two runs each): Redis 1.0 and 1.3, UI 1.2 and 1.3, Temporal 2.8 and
#: 3.5, PostgreSQL 1.4 and 2.2; rounded up. Data to load, connections to drain and recovery come on top. Until the
#: engine calls the container healthy takes one interval of its health check more.
RECREATE_SECONDS = {
    "temporal": 4.0,
    "temporal-ui": 2.0,
    "postgres": 3.0,
    "redis": 2.0,
    "pgbouncer": 2.0,
    "worker": 5.0,
    "other": 5.0,
}


class Stack:
    """A project with what is known of it; made once for a plan.

    Attributes:
        roles: what each service is, in the order of the project.
        limits: memory limit of each service after the plan, None for none or not known.
        cpus: CPU limit of each service after the plan, None for none or not known.
        planned: services whose memory limit the plan sets or changes.
        checked: services that have a health check after the plan.
        clients: the clients of its databases, None until somebody has looked for them.
    """

    def __init__(
        self, project: Project, host: HostFacts | None, usage: Mapping[str, Usage], settings: Settings
    ) -> None:
        self.project = project
        self.host = host
        self.usage = usage
        self.settings = settings
        self.environments = {name: service.environment for name, service in project.services.items()}
        configs = {name: service.config for name, service in project.services.items()}
        ended, needed = waited_for_to_end(configs), depended_on(configs)
        self.roles: dict[str, Role] = {
            name: identify(
                name, service.config, self.environments[name], service.labels, settings.kinds.get(name), ended, needed
            )
            for name, service in project.services.items()
        }
        self.limits: dict[str, int | None] = {}
        self.cpus: dict[str, float | None] = {}
        self.planned: set[str] = set()
        self.checked: set[str] = set()
        self.clients: Clients | None = None
        self._styles: dict[str, str] = {}

    def contexts(self) -> list[Context]:
        """Return one context for each service."""
        return [Context(self, service, self.roles[name]) for name, service in self.project.services.items()]

    def style(self, what: str) -> str:
        """Return how most services of the project write something that may be written in two ways.

        Args:
            what: ``environment`` (list or map), ``command`` (list or string) or ``resources`` (short or deploy).
        """
        if what not in self._styles:
            self._styles[what] = _majority(what, list(self.project.services.values()))
        return self._styles[what]


def _majority(what: str, services: Sequence[Service]) -> str:
    """Count the two ways of writing something; the second named wins only when it is more frequent."""
    first, second = {
        "environment": ("map", "list"),
        "command": ("string", "list"),
        "resources": ("short", "deploy"),
    }[what]
    found = [_style_of(what, service) for service in services]
    return second if found.count(second) > found.count(first) else first


def _style_of(what: str, service: Service) -> str | None:
    """Return how one service writes it, None when it does not."""
    if what == "environment":
        return service.environment_style
    if what == "command":
        return service.command_style
    if service.get(("deploy", "resources", "limits")) is not None:
        return "deploy"
    short = ("mem_limit", "mem_reservation", "cpus", "pids_limit", "memswap_limit")
    return "short" if any(service.get((key,)) is not None for key in short) else None


class Context:
    """One service as the checks see it."""

    def __init__(self, stack: Stack, service: Service, role: Role) -> None:
        self.stack = stack
        self.service = service
        self.role = role
        self.name = service.name
        self.kind = role.kind
        self.environment: Mapping[str, str | None] = stack.environments[service.name]
        self.usage = stack.usage.get(service.name)
        self.stated = stack.settings.limits.get(service.name)

    @property
    def limit(self) -> int | None:
        """Memory limit after the plan."""
        return self.stack.limits.get(self.name)

    @cached_property
    def home(self) -> tuple[int, int | None]:
        """File and line of the service itself."""
        return self.service.origin(()) or (self.service.defined_in[0], None)

    def impact(self, control_id: str) -> str:
        """Return what applying a control to this service costs.

        A job, and a service that does not run while others do, is not taken away from anybody.
        """
        impact = control(control_id).impact
        if self.role.lifetime == "job" or (self.stack.usage and self.usage is None):
            return "none"
        if impact == "recreate" and self.kind in DATA_STORES:
            return "datastore_restart"
        return impact

    def file_for(self, path: Sequence[str | int]) -> int:
        """Return the file to write a value into: the one that sets it now, else the first that has the service."""
        origin = self.service.origin(path) if path else None
        if origin is not None and self.service.own(origin[0]) is not None:
            return origin[0]
        return self.service.defined_in[0]

    def own(self, file: int, path: Sequence[str | int]) -> Any:
        """Return what one file itself says at a path of the service, variables as written."""
        value: Any = self.service.own(file)
        for step in path:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
                value = value[step]
            else:
                return None
        return value

    def path(self, *steps: str | int) -> tuple[str | int, ...]:
        """Return the path of a value of the service in its file."""
        return ("services", self.name, *steps)

    def set(self, value: Any, *steps: str | int) -> Edit:
        """Return the edit that sets a value of the service."""
        return Edit("set", self.path(*steps), value)

    def change(self, control_id: str, file: int, edits: Sequence[Edit], summary: str, reason: str) -> Change:
        """Build a change of this service."""
        impact = self.impact(control_id)
        seconds = RECREATE_SECONDS.get(self.kind, 5.0) if impact in ("recreate", "datastore_restart") else 0.0
        return Change(control_id, self.name, file, tuple(edits), summary, reason, impact, seconds)

    def finding(
        self,
        control_id: str,
        message: str,
        path: Sequence[str | int] = (),
        fix: Change | None = None,
        severity: str = "",
    ) -> Finding:
        """Build a finding of this service, placed at a path of it, else at the service."""
        file, line = (self.service.origin(path) if path else None) or self.home
        return Finding(
            control_id, self.name, file, line, severity or control(control_id).severity, message, fix, None, ""
        )

    def set_environment(self, name: str, value: str) -> tuple[int, list[Edit]]:
        """Return the file and the edits that set a variable, in the form that the file uses."""
        file = self.file_for(("environment", name) if name in self.environment else ("environment",))
        own = self.own(file, ("environment",))
        if isinstance(own, list):
            for index, item in enumerate(own):
                if str(item).partition("=")[0] == name:
                    return file, [self.set(f"{name}={value}", "environment", index)]
            return file, [Edit("append", self.path("environment"), f"{name}={value}")]
        if own is None and self.stack.style("environment") == "list":
            return file, [Edit("append", self.path("environment"), f"{name}={value}")]
        return file, [self.set(value, "environment", name)]
