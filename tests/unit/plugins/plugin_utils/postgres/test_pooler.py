# SPDX-License-Identifier: GPL-3.0-or-later
"""The pooler's files hold what they should, the secrets apart, and Compose and the policy accept them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import HostFacts, Settings
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.plan import make_plan
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.pooler import (
    COMPOSE_FILE,
    pooler_files,
    pooler_for,
    unusable_names,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.records import (
    Clients,
    Pooler,
    PoolSize,
    Refusal,
    Sizes,
)

Found = Callable[..., tuple[Project, Clients]]
PASSWORD = 'pa"ss:wo\\rd'
SIZES = Sizes(
    databases=(
        PoolSize("temporal", ("t",), "transaction", 12, 15, 2, 2),
        PoolSize("my.app", ("u", 'we"ird user'), "session", 5, 11, 0, 0),
    ),
    default_pool_size=5,
    max_client_conn=1000,
    query_wait_timeout=4,
    server_lifetime=3600,
    server_idle_timeout=600,
    max_prepared_statements=200,
    nofile=4096,
    memory=128 * 2**20,
)
STACK = "services:\n  db:\n    image: postgres:17\n    networks: [back, front]\nnetworks: {back: {}, front: {}}\n"


def files(pooler: Pooler) -> dict[str, str]:
    """Return the texts by the last part of their path."""
    return {file.path.rsplit("/", 1)[-1]: file.text for file in pooler_files(pooler, SIZES, PASSWORD)}


def test_the_password_stands_in_the_secret_files_only() -> None:
    for file in pooler_files(Pooler(image="x"), SIZES, PASSWORD):
        assert file.secret == ("wo\\" in file.text)
    texts = files(Pooler(image="x"))
    assert texts["userlist.txt"] == '"breakwater_pool" "pa""ss:wo\\rd"\n'
    assert texts["pgpass"] == '127.0.0.1:6432:*:breakwater_pool:pa"ss\\:wo\\\\rd\n'


def test_databases_have_their_sizes_and_mode() -> None:
    ini = files(Pooler(server="db", server_port=5433))["pgbouncer.ini"].splitlines()
    to_server = "host=db port=5433 dbname="
    assert ini[2].removeprefix(f"temporal = {to_server}") == (
        "temporal pool_mode=transaction pool_size=12 min_pool_size=2 reserve_pool=2 max_db_connections=15"
    )
    assert ini[3].removeprefix(f"my.app = {to_server}") == (
        "my.app pool_mode=session pool_size=5 min_pool_size=0 reserve_pool=0 max_db_connections=11"
    )
    assert ini[4].removeprefix(f"breakwater_lookup = {to_server}") == (
        "postgres pool_mode=transaction pool_size=1 max_db_connections=1"
    )
    assert "query_wait_timeout = 4" in ini
    assert "auth_type = hba" in ini


def test_each_user_has_his_databases_only() -> None:
    hba = [line for line in files(Pooler())["pgbouncer_hba.conf"].splitlines() if not line.startswith("#")]
    assert hba == [
        'host "temporal" "t" 0.0.0.0/0 scram-sha-256',
        'host "temporal" "t" ::/0 scram-sha-256',
        'host "temporal" breakwater_pool 127.0.0.1/32 scram-sha-256',
        'host "my.app" "u" 0.0.0.0/0 scram-sha-256',
        'host "my.app" "u" ::/0 scram-sha-256',
        'host "my.app" "we""ird user" 0.0.0.0/0 scram-sha-256',
        'host "my.app" "we""ird user" ::/0 scram-sha-256',
        'host "my.app" breakwater_pool 127.0.0.1/32 scram-sha-256',
    ]


def test_the_project_with_the_pooler_is_one_that_the_policy_has_nothing_to_change_in(found: Found) -> None:
    project, _clients = found(STACK)
    pooler = pooler_for(project, "db", "${POOLER_IMAGE:-pgbouncer:1.24.1}")
    assert isinstance(pooler, Pooler)
    text = files(pooler)["pgbouncer.yml"]
    whole, clients = found(f"include: [{COMPOSE_FILE}]\n{STACK}", None, {COMPOSE_FILE: text})
    service = whole.services["pgbouncer"]
    assert list(service.get(("networks",))) == ["back", "front"]
    assert service.image == "pgbouncer:1.24.1"
    assert service.ports == []
    assert service.ulimits == {"nofile": (4096, 4096)}
    check = service.healthcheck
    assert check is not None
    assert check["test"][-7:] == ["temporal", "-c", "SELECT 1", "-c", "\\connect my.app", "-c", "SELECT 1"]
    assert clients.poolers == {"pgbouncer": "db"}
    assert clients.clients[0].maximum == 27
    plan = make_plan(whole, HostFacts(24 * 2**30, 2), {}, Settings(today="2026-11-24"))
    assert [finding for finding in plan.findings if finding.service == "pgbouncer"] == []


@pytest.mark.parametrize(
    ("server", "client", "expected"),
    [
        ("[back, front]", "networks: [back]", ["back"]),
        ("{front: {aliases: [d]}, back: {}}", "networks: {back: {}}", ["back"]),
        ("[default, front]", "init: true", ["default"]),
        ("[back]", "networks: [front]", ["back"]),
    ],
)
def test_the_pooler_is_where_its_clients_are(server: str, client: str, expected: list[str], found: Found) -> None:
    text = f"services:\n  db: {{image: postgres:17, networks: {server}}}\n  app: {{image: a, {client}}}\n"
    text += "networks: {back: {}, front: {external: true}}\n"
    project, _clients = found(text)
    pooler = pooler_for(project, "db", "x", clients=["app"])
    assert isinstance(pooler, Pooler)
    assert list(pooler.networks) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (STACK.replace("networks: [back, front]", "network_mode: host"), "network_mode: host"),
        (STACK.replace("  db:", "  own: {image: x, hostname: pgbouncer}\n  db:"), "knows it as pgbouncer"),
        (
            STACK.replace("  db:", "  pgbouncer: {image: x}\n  db:"),
            "not Breakwater's",
        ),
    ],
)
def test_a_project_without_room_for_a_pooler_is_refused(text: str, reason: str, found: Found) -> None:
    project, _clients = found(text)
    refusal = pooler_for(project, "db", "x")
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


@pytest.mark.parametrize(
    ("database", "user", "refused"),
    [
        ("app", "u", False),
        ("my app", "u", True),
        ("pgbouncer", "u", True),
        ("breakwater_lookup", "u", True),
        ("app", "breakwater_pool", True),
        ("app", "a\nb", True),
    ],
)
def test_names_that_the_files_cannot_hold_are_refused(database: str, user: str, refused: bool) -> None:
    size = SIZES.databases[0]._replace(database=database, users=(user,))
    assert bool(unusable_names(SIZES._replace(databases=(size,)))) is refused
