# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever goes wrong, the clients are direct as before, nothing of the pool is left, and the run names the cause."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pooled import PASSWORDS, Stack, until


@contextmanager
def crowd(stack: Stack, connections: int) -> Iterator[None]:
    """Hold direct connections as another program would."""
    script = f"echo 'SELECT pg_sleep(600)' | pgbench -n -c {connections} -j 1 -t 1 -U root_of_all -f - shop"
    command = ["docker", "exec", f"{stack.name}-db-1", "sh", "-c", script]
    holder = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%' AND state = 'active'"
    try:
        assert until(lambda: int(stack.sql(count)) == connections)
        yield
    finally:
        stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%'")
        holder.wait(timeout=10)


def refusal_of(stack: Stack) -> str:
    """Run the hardening, which has to fail and leave everything as it was; give what it said."""
    files, services = stack.files(), stack.services()
    done = stack.play("harden")
    assert done.code == 2, done.text
    assert not [word for word in PASSWORDS.values() if word in done.text]
    assert stack.files() == files
    assert stack.services() == services, "nobody was restarted"
    assert stack.objects() == 0
    assert stack.counts()
    assert stack.clients() == {stack.address("app")}
    return done.text


def test_an_image_that_does_not_exist(stack: Stack) -> None:
    stack.inventory_with(pgbouncer_image="breakwater.test/no-such-image:1")
    assert "deploying pgbouncer (breakwater.test/no-such-image:1) failed" in refusal_of(stack)


def test_a_password_that_the_server_does_not_take(stack: Stack) -> None:
    stack.inventory_with(breakwater_wait_timeout=25)
    stack.sql("ALTER ROLE shop PASSWORD 'another'")
    said = refusal_of(stack)
    assert "shop on shop through the pool" in said
    assert "its log ends with" in said
    stack.sql(f"ALTER ROLE shop PASSWORD '{PASSWORDS['APP_PASSWORD']}'")


def test_connections_that_are_not_there_when_they_are_needed(stack: Stack) -> None:
    stack.inventory_with(breakwater_wait_timeout=25)
    with crowd(stack, connections=30):
        assert "shop on shop through the pool" in refusal_of(stack)


def test_a_role_of_that_name_that_is_not_ours(stack: Stack) -> None:
    stack.inventory_with()
    stack.sql("CREATE ROLE breakwater_pool")
    done = stack.play("harden")
    stack.sql("DROP ROLE breakwater_pool")
    assert done.code == 2
    assert "role breakwater_pool: is in PostgreSQL already and was not made by Breakwater" in done.text


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"pgbouncer_applications": [{"service": "nobody"}]}, "pgbouncer_applications: nobody: no connection"),
        ({"pgbouncer_server": "app"}, "pgbouncer_server: app is no PostgreSQL service"),
        ({"pgbouncer_aplications": []}, "pgbouncer_applications"),
    ],
)
def test_what_the_inventory_gets_wrong_is_said(stack: Stack, variables: dict[str, object], reason: str) -> None:
    stack.inventory_with(**variables)
    done = stack.play("harden", "--check")
    assert done.code == 2
    assert reason in done.text
    assert "Traceback" not in done.text


def test_a_server_without_room(stack: Stack) -> None:
    stack.inventory_with()
    stack.file.write_text(stack.file.read_text().replace("max_connections=40", "max_connections=14"))
    stack.docker("compose", "up", "--detach", "--wait", "db")
    assert stack.counts()
    said = refusal_of(stack)
    assert "the pool does not fit, and nothing was changed" in said
    assert "less direct" in said
