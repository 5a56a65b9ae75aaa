# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in, in their order, with a docker command whose answers are stated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils._compose_cli import Docker, Result
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError
from ansible_collections.breakwater.stack.plugins.module_utils._postgres_connections import Request, described, read

ROW = {
    "version": "17.6 (Debian 17.6-1)",
    "role": "temporal",
    "superuser": True,
    "max_connections": 100,
    "superuser_reserved": 3,
    "reserved": 0,
    "prepared": 0,
    "prepared_seconds": None,
    "others": {"64": "checkpointer"},
    "sessions": None,
}
SESSION = {
    "pid": 7,
    "database": "ap\x1bp",
    "user": "a\x9bb",
    "application": "",
    "superuser": False,
    "address": "172.18.0.3",
    "state": "idle in transaction",
    "hidden": False,
    "transaction_seconds": 1.5,
    "state_seconds": 1.5,
    "waits_for_lock": False,
    "blocked_by": None,
    "wait_seconds": None,
    "query": "SELECT 'canary'",
}
TITLES = "46 postgres: temporal app 172.18.0.3(34567) idle\nmax_connections setting: 12\n"
REFUSED = 'psql: error: connection to server on socket "/s/.s.PGSQL.5432" failed: FATAL:  {}\n'
FULL = Result(2, "", REFUSED.format("sorry, too many clients already"))
ANSWER = Result(0, json.dumps(ROW), "")


class StatedDocker:
    """Gives the stated result to each command, by psql's role and database, else by the docker command."""

    def __init__(self, answers: Mapping[str, Result], environment: Sequence[str] = ("POSTGRES_USER=temporal",)) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.container = {
            "Id": "id-db",
            "Name": "/corp-db-1",
            "Config": {"Env": list(environment), "Labels": {}},
            "HostConfig": {"PidsLimit": 0},
        }

    def run(self, arguments: Sequence[str], **_more: Any) -> Result:
        words = [word.partition("=")[2] for word in arguments if word.startswith(("--username=", "--dbname="))]
        key = "/".join(words) if words else " ".join(arguments[:1] if arguments[0] != "exec" else arguments[2:3])
        if key == "ps":
            return Result(0, "id-db\n", "")
        if key == "inspect":
            return Result(0, json.dumps([self.container]), "")
        self.asked.append(key)
        return self.answers[key]


def look(answers: Mapping[str, Result], role: str = "", **more: Any) -> tuple[dict[str, Any], StatedDocker]:
    docker = StatedDocker(answers, **more)
    return read(Request("id-db", "corp", role), cast("Docker", docker)), docker


MISSING = Result(2, "", REFUSED.format('database "postgres" does not exist'))
NOBODY = Result(2, "", REFUSED.format('role "watcher" does not exist'))


@pytest.mark.parametrize(
    ("answers", "role", "environment", "asked"),
    [
        ({"temporal/postgres": ANSWER}, "", ["POSTGRES_USER=temporal"], ["temporal/postgres"]),
        ({"postgres/postgres": ANSWER}, "", [], ["postgres/postgres"]),
        (
            {"cat": Result(0, "boss\n", ""), "boss/postgres": ANSWER},
            "",
            ["POSTGRES_USER_FILE=/run/secrets/user"],
            ["cat", "boss/postgres"],
        ),
        (
            {"cat": Result(1, "", "no such file"), "postgres/postgres": ANSWER},
            "",
            ["POSTGRES_USER_FILE=/run/secrets/user"],
            ["cat", "postgres/postgres"],
        ),
        (
            {"temporal/postgres": MISSING, "temporal/template1": ANSWER},
            "",
            ["POSTGRES_USER=temporal"],
            ["temporal/postgres", "temporal/template1"],
        ),
        (
            {"watcher/postgres": NOBODY, "temporal/postgres": ANSWER},
            "watcher",
            ["POSTGRES_USER=temporal"],
            ["watcher/postgres", "temporal/postgres"],
        ),
        ({"temporal/postgres": ANSWER}, "temporal", ["POSTGRES_USER=temporal"], ["temporal/postgres"]),
    ],
)
def test_roles_and_databases_are_tried_in_order(
    answers: dict[str, Result], role: str, environment: list[str], asked: list[str]
) -> None:
    facts, docker = look(answers, role, environment=environment)
    assert docker.asked == asked
    assert facts["source"] == "connection"
    assert [attempt["outcome"] for attempt in facts["attempts"]][-1] == "answered"


def test_titles_are_read_where_nobody_gets_in() -> None:
    facts, docker = look({"temporal/postgres": FULL, "sh": Result(0, TITLES, "")})
    assert docker.asked == ["temporal/postgres", "sh"]
    assert facts["source"] == "process_titles"
    assert facts["server"]["max_connections"] == 12
    assert [session["pid"] for session in facts["sessions"]] == [46]
    assert [attempt["outcome"] for attempt in facts["attempts"]] == ["FATAL: sorry, too many clients already", "read"]


def test_docker_top_is_asked_where_no_process_starts_in_the_container() -> None:
    forks = Result(2, "", "sh: 3: Cannot fork\n")
    facts, docker = look({"temporal/postgres": FULL, "sh": forks, "top": Result(0, TITLES, "")})
    assert docker.asked == ["temporal/postgres", "sh", "top"]
    assert [attempt["outcome"] for attempt in facts["attempts"]][1:] == ["sh: 3: Cannot fork", "read"]


def test_when_nothing_helps_all_that_was_tried_is_said() -> None:
    with pytest.raises(StackError) as caught:
        look({"temporal/postgres": FULL, "sh": Result(0, "", ""), "top": Result(1, "", "boom\n")})
    message = str(caught.value)
    assert "\n" not in message
    for part in ("corp-db-1", "too many clients", "no process of a PostgreSQL server", "docker top: boom"):
        assert part in message


def test_a_container_that_is_gone_is_named() -> None:
    with pytest.raises(StackError, match=r"its container 0123456789ab does not run"):
        read(Request("0123456789abcdef", "corp"), cast("Docker", StatedDocker({})))


def test_what_was_read_is_printable_and_without_literals() -> None:
    facts = described({**ROW, "sessions": [SESSION]})
    (session,) = facts["sessions"]
    assert (session["database"], session["user"], session["application"]) == (r"ap\x1bp", r"a\x9bb", None)
    assert session["query"] == "SELECT ?"
    assert facts["server"]["version"] == "17.6"
