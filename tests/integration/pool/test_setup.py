# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool from nothing to nothing: check mode, set-up, second run, tampering, removal. The tests follow one another."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import pytest
from pooled import PASSWORDS, Stack

FOLDER = "breakwater/pgbouncer"


def lookup_password(stack: Stack) -> str:
    return (stack.folder / FOLDER / "userlist.txt").read_text().split('"')[3]


@pytest.fixture(scope="module")
def before(stack: Stack) -> tuple[dict[str, bytes], dict[str, str]]:
    """Files and containers before the pool."""
    return stack.files(), stack.services()


@pytest.fixture(scope="module")
def set_up(stack: Stack, before: tuple[dict[str, bytes], dict[str, str]]) -> str:
    """Check mode, then the pool, as everybody begins; what both printed."""
    foreseen = stack.harden("--check")
    assert (stack.files(), stack.services()) == before
    assert stack.objects() == 0
    assert not (stack.folder / ".breakwater").exists()
    done = stack.harden()
    assert shown_diff(foreseen.text) == shown_diff(done.text)
    return foreseen.text + done.text


def shown_diff(text: str) -> str:
    return text[text.index("--- a/") : text.index("\nReasons")]


def test_the_application_works_through_the_pool(stack: Stack, set_up: str) -> None:
    assert stack.counts()
    assert stack.clients() == {stack.address("pgbouncer")}
    assert re.search(r"proving shop \(shop, \d\d at once\)", set_up), "more than one, and not all that are left"
    assert "app: works through the pool" in set_up
    assert stack.objects() == 2


@pytest.mark.usefixtures("set_up")
def test_only_what_has_to_change_changes(stack: Stack, before: tuple[dict[str, bytes], dict[str, str]]) -> None:
    old, now = (files["docker-compose.yml"].decode() for files in (before[0], stack.files()))
    include = "include:\n  - breakwater/pgbouncer.yml\n\n"
    assert now.replace("@pgbouncer:6432/", "@db:5432/").replace(include, "") == old
    assert stack.services()["db"] == before[1]["db"], "PostgreSQL is not restarted"


@pytest.mark.usefixtures("set_up")
def test_the_second_run_changes_nothing(stack: Stack) -> None:
    files, services = stack.files(), stack.services()
    assert stack.harden().changed == 0
    assert (stack.files(), stack.services()) == (files, services)


def test_secrets_stay_where_they_are(stack: Stack, set_up: str) -> None:
    secret = lookup_password(stack)
    hunted = [secret, *PASSWORDS.values()]
    for text in (set_up, json.dumps(stack.inspect("pgbouncer")), stack.docker("logs", f"{stack.name}-pgbouncer-1")):
        assert not [word for word in hunted if word in text]
    assert "SCRAM-SHA-256" not in set_up + stack.docker("logs", f"{stack.name}-db-1")
    for name in ("userlist.txt", "pgpass"):
        status = (stack.folder / FOLDER / name).stat()
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert status.st_uid == 101
    holders = [name for name, content in stack.files().items() if secret.encode() in content]
    assert sorted(holders) == [f"{FOLDER}/pgpass", f"{FOLDER}/userlist.txt"]


@pytest.mark.usefixtures("set_up")
def test_the_lookup_answers_for_the_pools_users_only(stack: Stack) -> None:
    ask = "SET SESSION AUTHORIZATION breakwater_pool; SELECT count(*) FROM breakwater.pool_secret('{}')"
    assert stack.sql(ask.format("shop"), "postgres").split()[-1] == "1"
    assert stack.sql(ask.format("root_of_all"), "postgres").split()[-1] == "0"
    refused = "SET SESSION AUTHORIZATION shop; SELECT breakwater.pool_secret('shop')"
    with pytest.raises(Exception, match="exit status 1"):
        stack.sql(refused, "postgres")


@pytest.mark.usefixtures("set_up")
@pytest.mark.parametrize("what", ["ini", "stopped", "client", "function", "mode"])
def test_tampering_is_seen_and_repaired(stack: Stack, what: str) -> None:
    files = stack.files()
    tamper(stack, what)
    assert stack.harden("--check").changed > 0
    assert stack.harden().changed > 0
    assert stack.files() == files
    assert stack.objects() == 2
    assert stack.counts()
    assert stack.clients() == {stack.address("pgbouncer")}
    assert stack.harden().changed == 0


def tamper(stack: Stack, what: str) -> None:
    """Do what people do."""
    ini = stack.folder / FOLDER / "pgbouncer.ini"
    if what == "ini":
        ini.write_text(ini.read_text().replace("max_client_conn = 1000", "max_client_conn = 1"))
    elif what == "stopped":
        stack.docker("stop", f"{stack.name}-pgbouncer-1")
    elif what == "client":
        stack.file.write_text(stack.file.read_text().replace("@pgbouncer:6432", "@db:5432"))
        stack.docker("compose", "up", "--detach", "app")
    elif what == "function":
        stack.sql("DROP FUNCTION breakwater.pool_secret(text)", "postgres")
    else:
        os.chmod(ini.parent / "pgpass", 0o644)
        os.chown(ini.parent / "pgpass", 0, 0)


@pytest.mark.usefixtures("set_up")
def test_removal_leaves_nothing_and_keeps_edits(stack: Stack, before: tuple[dict[str, bytes], dict[str, str]]) -> None:
    edited = "    restart: always\n", "    restart: always   # since OPS-7\n"
    stack.file.write_text(stack.file.read_text().replace(*edited))
    stack.inventory_with(pgbouncer_state="absent")
    done = stack.harden()
    assert done.changed > 0
    wanted = dict(before[0])
    wanted["docker-compose.yml"] = wanted["docker-compose.yml"].decode().replace(*edited).encode()
    assert stack.files() == wanted
    assert stack.objects() == 0
    assert sorted(stack.services()) == ["app", "db"]
    assert stack.services()["db"] == before[1]["db"]
    assert stack.counts()
    assert stack.clients() == {stack.address("app")}
    assert stack.harden().changed == 0
    assert not Path(stack.folder / "breakwater").exists()


@pytest.mark.usefixtures("set_up")
def test_rollback_brings_the_pool_back(stack: Stack) -> None:
    done = stack.play("rollback")
    assert done.code == 0, done.text
    assert stack.counts()
    assert stack.clients() == {stack.address("pgbouncer")}
    assert stack.objects() == 2
