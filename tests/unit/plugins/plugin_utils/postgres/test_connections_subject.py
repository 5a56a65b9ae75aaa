# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils import _transport
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.connections_subject import (
    SubjectError,
    examine,
    find_subject,
)

from .facts import facts, session

STACK = """\
services:
  db:
    image: postgres:17
  app:
    image: app
    environment: {DATABASE_URL: "postgresql://temporal:${SECRET}@db/app?connection_limit=4"}
"""


def container(service: str, image: str = "postgres:17", state: str = "running", **more: Any) -> dict[str, Any]:
    base = {"ours": True, "oneoff": False, "name": f"corp-{service}-1", "id": f"id-{service}"}
    return {**base, "service": service, "image": image, "state": state, **more}


def entry(path: str, content: str) -> dict[str, Any]:
    return {"path": path, "content": _transport.encode(content.encode())}


def reading(text: str = STACK, *containers: dict[str, Any], env: str = "SECRET=canary") -> dict[str, Any]:
    project = {
        "directory": "/srv/corp",
        "name": "corp",
        "files": [entry("compose.yml", text)],
        "referenced": [],
        "env_files": [entry(".env", env)],
        "env": {},
    }
    return {"project": project, "containers": list(containers or [container("db"), container("app", "app")])}


def test_the_server_and_its_clients_are_found() -> None:
    subject = find_subject(reading())
    assert (subject.project, subject.service, subject.container, subject.notes) == ("corp", "db", "id-db", ())
    report = examine(subject, facts([session(1)]))
    (client,) = report["worst_case"]["clients"]
    assert (client["service"], client["now"]) == ("app", 1)
    assert report["worst_case"]["available"] == 9
    assert "canary" not in str(report)


def test_clients_are_found_in_files_of_variables_too() -> None:
    found = reading(STACK.replace("environment:", "env_file: app.env #"))
    found["project"]["referenced"] = [entry("app.env", "DATABASE_URL=postgresql://temporal:canary@db/app")]
    clients = find_subject(found).clients
    assert clients is not None
    assert [client.service for client in clients.clients] == ["app"]
    assert clients.unclear == ()


TWO = STACK + "  other: {image: 'postgres:16'}\n"
NONE = "services: {app: {image: app}}\n"


@pytest.mark.parametrize(
    ("text", "containers", "service", "message"),
    [
        (NONE, (), "", "no service is PostgreSQL"),
        (NONE, (), "", "a server outside of the project is not looked at"),
        (TWO, (), "", "several services are PostgreSQL: db, other; name one"),
        (STACK, (container("db", state="exited"),), "", "service db: its container is exited; start it"),
        (STACK, (container("db", state="paused"),), "", "start it (docker compose unpause db)"),
        (STACK, (container("app"),), "", "service db: it has no container"),
        (STACK, (), "nothing", 'the project corp has no service "nothing"; it has db, app'),
        (STACK, (container("db", oneoff=True),), "", "service db: it has no container"),
        (STACK, (container("db", ours=False),), "", "service db: it has no container"),
    ],
)
def test_what_cannot_be_looked_at_is_said_in_one_line(
    text: str, containers: tuple[dict[str, Any], ...], service: str, message: str
) -> None:
    with pytest.raises(SubjectError) as caught:
        find_subject(reading(text, *containers), service)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_of_several_is_named_and_kinds_are_stated() -> None:
    assert find_subject(reading(TWO, container("db"), container("other")), "other").container == "id-other"
    text = "services: {store: {image: registry.example/own}}\n"
    assert find_subject(reading(text, container("store")), kinds={"store": "postgres"}).service == "store"


def test_without_files_the_containers_tell_the_services() -> None:
    with pytest.raises(SubjectError, match='the project corp has no service "nothing"; it has db, app'):
        find_subject(reading("services: [\n"), "nothing")


def test_files_that_cannot_be_read_do_not_hide_what_runs() -> None:
    subject = find_subject(reading("services: [\n"))
    assert (subject.service, subject.clients) == ("db", None)
    assert "what clients may open is not known: compose.yml" in subject.notes[0]
    report = examine(subject, facts())
    assert report["worst_case"] is None
    assert report["notes"] == list(subject.notes)


def test_of_several_containers_one_is_looked_at_and_that_is_said() -> None:
    subject = find_subject(reading(STACK, container("db"), container("db", id="id-2", name="corp-db-2")))
    assert subject.container == "id-db"
    assert subject.notes == ("db has 2 containers, corp-db-1 is looked at",)
