# SPDX-License-Identifier: GPL-3.0-or-later
"""`breakwater connections` on a real server: who is there, who waits, and no slot left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from .conftest import MOST, RESERVED, ROOT, Stack

SCHEMA = json.loads((ROOT / "docs/schemas/connections-1.json").read_text())
#: superuser_reserved_connections is 3 by default.
FOR_APPLICATIONS = MOST - RESERVED - 3


def count(report: dict[str, Any], question: str) -> dict[str, int]:
    return {item["name"]: item["count"] for item in report["counts"][question]}


def test_who_is_there_and_what_they_do(stack: Stack) -> None:
    stack.open("app", application="web\x1b[2J").tell("BEGIN; SELECT 'canary', 42 AS \"\x1b[2J\" FROM accounts;")
    stack.open("jobs", "watcher").tell("SELECT 1;")
    stack.open("db", "owner", host="")
    outcome = stack.look_until(lambda report: len(report["idle_in_transaction"]) == 1 and report["slots"]["used"] == 3)
    report = outcome.report
    Draft202012Validator(SCHEMA).validate(report)
    assert outcome.code == 0
    assert report["verdict"] == "ok"
    assert report["server"]["role"] == "owner"
    assert report["server"]["superuser"] is True
    assert report["slots"] == {
        "used": 3,
        "available": FOR_APPLICATIONS,
        "free": FOR_APPLICATIONS - 3,
        "free_for_superusers": MOST - 3,
    }
    assert count(report, "service") == {"app": 1, "jobs": 1, "(socket)": 1}
    assert count(report, "state") == {"idle": 2, "idle in transaction": 1}
    assert count(report, "user") == {"plain": 1, "watcher": 1, "owner": 1}
    assert count(report, "database") == {"owner": 3}
    (idle,) = report["idle_in_transaction"]
    query = r'SELECT ?, ? AS "\x1b[2J" FROM accounts;'
    assert (idle["service"], idle["query"], idle["aborted"]) == ("app", query, False)
    assert 0 <= idle["idle_seconds"] <= idle["transaction_seconds"] < 60
    assert report["oldest_transaction"]["pid"] == idle["pid"]
    (client,) = report["worst_case"]["clients"]
    assert (client["service"], client["maximum"], client["now"]) == ("app", 6, 1)
    assert report["worst_case"]["fits"] is True

    text = stack.look()
    assert text.code == 0
    assert text.out.startswith("OK: connections of bw-connections, service db, PostgreSQL 17")
    assert query in text.out
    assert all(line.isprintable() for line in text.out.splitlines())


def test_who_waits_for_whom(stack: Stack) -> None:
    stack.open("app").tell("BEGIN; UPDATE accounts SET note = 'canary' WHERE id = 1;")
    stack.look_until(lambda report: report["idle_in_transaction"])
    stack.open("jobs", application="nightly").tell("UPDATE accounts SET note = 'canary' WHERE id = 1;")
    report = stack.look_until(lambda report: report["lock_waits"]).report
    (wait,) = report["lock_waits"]
    (blocker,) = wait["blocked_by"]
    assert (wait["service"], wait["application"]) == ("jobs", "nightly")
    assert wait["query"] == "UPDATE accounts SET note = ? WHERE id = ?;"
    assert (blocker["pid"], blocker["service"]) == (report["idle_in_transaction"][0]["pid"], "app")
    assert (blocker["kind"], blocker["state"]) == ("client", "idle in transaction")
    assert 0 <= wait["wait_seconds"] < 60


def test_a_prepared_transaction_holds_up_too(stack: Stack) -> None:
    owner = stack.open("app")
    owner.tell("BEGIN; UPDATE accounts SET note = 'canary' WHERE id = 1; PREPARE TRANSACTION 'canary';")
    stack.look_until(lambda report: report["prepared_transactions"]["count"] == 1)
    stack.open("jobs").tell("UPDATE accounts SET note = 'canary' WHERE id = 1;")
    report = stack.look_until(lambda report: report["lock_waits"]).report
    owner.tell("ROLLBACK PREPARED 'canary';")
    ((blocker,),) = (wait["blocked_by"] for wait in report["lock_waits"])
    assert (blocker["pid"], blocker["kind"]) == (0, "prepared transaction")
    assert 0 <= report["prepared_transactions"]["oldest_seconds"] < 60


def test_a_role_that_may_not_look_says_so_and_one_that_may_needs_no_more(stack: Stack) -> None:
    stack.open("app", "watcher").tell("BEGIN; SELECT 1;")
    report = stack.look_until(lambda report: report["slots"]["used"], "--role", "plain").report
    assert (report["hidden"], report["verdict"]) == (1, "warning")
    assert [reason["code"] for reason in report["reasons"]] == ["hidden"]
    assert report["idle_in_transaction"] == []
    assert count(report, "service") == {"(not shown to this role)": 1}
    seen = stack.look_until(lambda report: report["idle_in_transaction"], "--role", "watcher")
    assert (seen.code, seen.report["hidden"], seen.report["server"]["superuser"]) == (0, 0, False)


def test_a_role_that_cannot_connect_is_replaced_and_that_is_said(stack: Stack) -> None:
    report = stack.look("--role", "nobody", "--format", "json").report
    assert report["server"]["role"] == "owner"
    assert [attempt["outcome"] for attempt in report["attempts"]] == [
        'FATAL: role "nobody" does not exist',
        "answered",
    ]


def test_slots_run_out_and_the_answer_comes_all_the_same(stack: Stack, tmp_path: Path) -> None:
    stack.look_until(lambda report: report["slots"]["used"] == 0)
    stack.open_all(FOR_APPLICATIONS, "app")
    outcome = stack.look("--format", "json")
    assert outcome.report["slots"]["used"] == FOR_APPLICATIONS
    refused = stack.open("jobs")
    stack.sessions.remove(refused)
    assert "remaining connection slots are reserved" in refused.close()
    assert outcome.code == 2
    assert outcome.report["server"]["source"] == "connection"
    assert outcome.report["reasons"][0]["code"] == "slots_used"
    assert outcome.report["slots"]["free"] == 0
    assert outcome.report["slots"]["free_for_superusers"] == RESERVED + 3
    assert "this answer came through a reserved slot" in outcome.report["notes"]

    stack.open_all(RESERVED + 2, "jobs", "owner")
    last = stack.open("app", "owner")
    assert last.connected()
    last.tell("BEGIN; SELECT 'canary';")
    full = stack.look_until(lambda report: report["idle_in_transaction"])
    Draft202012Validator(SCHEMA).validate(full.report)
    assert full.code == 2
    assert full.report["server"]["source"] == "process_titles"
    assert [reason["code"] for reason in full.report["reasons"][:2]] == ["no_connection", "slots_used"]
    assert full.report["attempts"][0]["outcome"] == "FATAL: sorry, too many clients already"
    assert full.report["server"]["max_connections"] == MOST
    assert count(full.report, "service") == {"app": FOR_APPLICATIONS + 1, "jobs": RESERVED + 2}
    assert count(full.report, "user") == {"plain": FOR_APPLICATIONS, "owner": RESERVED + 3}
    text = stack.look().out
    assert f"no connection is left for applications: {MOST} of max_connections {MOST} are used" in text
    assert "the titles of the processes in the container: read" in text
    assert_playbook_fails(stack, tmp_path)


def assert_playbook_fails(stack: Stack, tmp_path: Path) -> None:
    """The playbook tells the same and fails."""
    inventory = tmp_path / "inventory.yml"
    host = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "breakwater_project_dir": str(stack.folder),
    }
    inventory.write_text(json.dumps({"all": {"hosts": {"corp": host}}}))
    program = str(Path(sys.executable).parent / "ansible-playbook")
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    done = subprocess.run(
        [program, "-v", "-i", str(inventory), "connections.yml"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"{MOST} of max_connections {MOST} are used" in done.stdout
    assert "failed=1" in done.stdout
    assert "canary" not in done.stdout + done.stderr


def test_no_process_is_left_in_the_container(stack: Stack) -> None:
    stack.open("app")
    stack.open("jobs", "watcher").tell("BEGIN; SELECT 1;")
    stack.look_until(lambda report: report["slots"]["used"] == 2 and report["idle_in_transaction"])
    limit_processes(stack, 3)
    try:
        outcome = stack.look("--format", "json")
    finally:
        limit_processes(stack, -1)
    report = outcome.report
    Draft202012Validator(SCHEMA).validate(report)
    assert report["server"]["source"] == "process_titles"
    assert report["attempts"][-1] == {"how": "the titles of the processes by docker top", "outcome": "read"}
    assert {"no_connection", "process_limit"} <= {reason["code"] for reason in report["reasons"]}
    assert count(report, "service") == {"app": 1, "jobs": 1}
    assert count(report, "state") == {"idle": 1, "idle in transaction": 1}


def limit_processes(stack: Stack, most: int) -> None:
    """Limit the processes of the server's container; what runs goes on, nothing new starts."""
    subprocess.run(["docker", "update", f"--pids-limit={most}", stack.container("db")], capture_output=True, check=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--service", "app"), "PostgreSQL in bw-connections-app-1: no way to see its connections. Tried a connection"),
        (("--service", "nothing"), 'the project bw-connections has no service "nothing"'),
        (("--project-dir", "/nowhere"), "/nowhere: "),
    ],
)
def test_what_cannot_be_looked_at_is_one_line(stack: Stack, arguments: tuple[str, ...], message: str) -> None:
    outcome = stack.look(*arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"breakwater: {message}")
    assert outcome.err.count("\n") == 1


def test_a_server_that_does_not_run_is_named(running: Stack) -> None:
    running.compose("stop", "--timeout", "5", "db")
    outcome = running.look()
    assert outcome.code == 1
    assert outcome.err.startswith("breakwater: service db: its container is exited; start it")
