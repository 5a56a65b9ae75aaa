# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which PostgreSQL of a project is looked at, and what its clients are configured to open. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...module_utils import _transport
from ..compose.errors import ComposeError
from ..compose.short_forms import parse_image
from ..policy.context import Stack
from ..policy.kinds import kind_of_image
from ..policy.model import Settings
from ..stack.masking import mask_text
from ..stack.stack import project_of, services_containers
from .clients import find_clients
from .connections import Thresholds, report, slots_of
from .connections_worst import worst_case
from .records import Clients, Sources

OUT_OF_SCOPE = "a server outside of the project is not looked at"


class SubjectError(Exception):
    """There is nothing to look at, or more than one; one line for people."""


class Subject(NamedTuple):
    """The PostgreSQL that is looked at.

    Args:
        project: name of the project.
        service: its service.
        container: id of the container.
        clients: what connects to it by configuration, None where the files cannot be read.
        notes: what a person should know.
    """

    project: str
    service: str
    container: str
    clients: Clients | None
    notes: tuple[str, ...]


def find_subject(
    reading: Mapping[str, Any], service: str = "", kinds: Mapping[str, str] | None = None, unread: str = ""
) -> Subject:
    """Find the PostgreSQL of a stack. Files that cannot be read are no reason not to look at what runs.

    Args:
        reading: what the target's reader returned (module_utils/_reader.py).
        service: the service, where there are several; empty to find it.
        kinds: kinds of services that the inventory states.
        unread: why the reading holds no files; empty when it does.

    Raises:
        SubjectError: there is none, several, or no container of it.
    """
    clients = None
    services = [str(item["service"]) for item in services_containers(reading)]
    if not unread:
        try:
            stack = Stack(project_of(reading, {}), None, {}, Settings(kinds=kinds or {}))
            clients = find_clients(stack.project, stack.roles, _sources(reading))
            services += stack.project.services
        except ComposeError as error:
            unread = str(error)
    notes = [mask_text(f"what clients may open is not known: {unread}")] if unread else []
    found = _running(reading) if clients is None else list(clients.servers)
    if service and service not in services:
        names = ", ".join(dict.fromkeys(services)) or "none"
        raise SubjectError(f'the project {reading["project"]["name"]} has no service "{service}"; it has {names}')
    chosen = _choose(found, service, reading["project"]["directory"])
    containers = [item for item in services_containers(reading) if item["service"] == chosen]
    running = [item for item in containers if item["state"] == "running"]
    if not running:
        state = f"its container is {containers[0]['state']}" if containers else "it has no container"
        paused = bool(containers) and containers[0]["state"] == "paused"
        way_out = f"docker compose unpause {chosen}" if paused else f"docker compose up -d {chosen}"
        raise SubjectError(f"service {chosen}: {state}; start it ({way_out}), or look at its log")
    if len(running) > 1:
        notes.append(f"{chosen} has {len(running)} containers, {running[0]['name']} is looked at")
    return Subject(reading["project"]["name"], chosen, running[0]["id"], clients, tuple(notes))


def _running(reading: Mapping[str, Any]) -> list[str]:
    """Find the services by the images of their containers."""
    found = {
        str(item["service"]): None
        for item in services_containers(reading)
        if kind_of_image(parse_image(str(item["image"] or ""))) == "postgres"
    }
    return list(found)


def _choose(found: list[str], service: str, directory: str) -> str:
    """Give the one service.

    Raises:
        SubjectError: it cannot be told which.
    """
    if service:
        return service
    if not found:
        raise SubjectError(
            f"{directory}: no service is PostgreSQL by its image or its label breakwater.kind; name it "
            f"(service), {OUT_OF_SCOPE}"
        )
    if len(found) > 1:
        raise SubjectError(f"{directory}: several services are PostgreSQL: {', '.join(found)}; name one (service)")
    return found[0]


def _sources(reading: Mapping[str, Any]) -> Sources:
    """Give the files with variables of a reading."""
    found = reading["project"]
    dotenv = {entry["path"]: _text(entry) for entry in found["env_files"]}
    others = {entry["path"]: _text(entry) for entry in found["referenced"]}
    env_files = {path: text for path, text in others.items() if not path.endswith((".yml", ".yaml"))}
    return Sources(dotenv, {**env_files, **dotenv}, found["env"])


def _text(entry: Mapping[str, Any]) -> str:
    return _transport.decode(entry["content"]).decode("utf-8", "replace")


def examine(subject: Subject, facts: Mapping[str, Any], limits: Thresholds | None = None) -> dict[str, Any]:
    """Judge what was read of a subject.

    Args:
        subject: whose connections they are.
        facts: what the target's reader returned (module_utils/_postgres_connections.py).
        limits: when to worry; None for the defaults.
    """
    worst = None
    if subject.clients is not None:
        worst = worst_case(subject.clients, subject.service, facts, slots_of(facts)["available"])
    names = {"project": subject.project, "service": subject.service}
    return report(facts, names, worst, limits, subject.notes)
