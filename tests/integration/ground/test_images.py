# SPDX-License-Identifier: GPL-3.0-or-later
"""The images keep the contract of the official ones, so that what is proven on them holds there.

Sources of the expectations: docker-library/postgres and docker-library/redis, docker/targets of the server's Go module
and the Dockerfile of the UI's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Images

SERVER_ENTRY = "/etc/temporal/entrypoint.sh"
CONTRACT: dict[str, dict[str, Any]] = {
    "POSTGRES_IMAGE": {
        "Entrypoint": ["docker-entrypoint.sh"],
        "Cmd": ["postgres"],
        "ExposedPorts": {"5432/tcp": {}},
        "StopSignal": "SIGINT",
        "Volumes": {"/var/lib/postgresql/data": {}},
        "User": None,
    },
    "REDIS_IMAGE": {
        "Entrypoint": ["docker-entrypoint.sh"],
        "Cmd": ["redis-server"],
        "ExposedPorts": {"6379/tcp": {}},
        "Volumes": {"/data": {}},
        "WorkingDir": "/data",
        "User": None,
    },
    "TEMPORAL_IMAGE": {"Entrypoint": None, "Cmd": [SERVER_ENTRY], "User": "temporal", "WorkingDir": "/etc/temporal"},
    "TEMPORAL_ADMIN_TOOLS_IMAGE": {
        "Entrypoint": None,
        "Cmd": ["sh", "-c", "trap exit INT HUP TERM; sleep infinity"],
        "User": "temporal",
    },
    "TEMPORAL_UI_IMAGE": {
        "Entrypoint": ["./start-ui-server.sh"],
        "ExposedPorts": {"8080/tcp": {}},
        "User": "temporal",
        "WorkingDir": "/home/ui-server",
    },
}


@pytest.mark.parametrize("variable", CONTRACT)
def test_configuration(images: Images, variable: str) -> None:
    config = images.config(variable)
    assert {key: config.get(key) or None for key in CONTRACT[variable]} == CONTRACT[variable]
    if "StopSignal" not in CONTRACT[variable]:
        assert config.get("StopSignal") in (None, "", "SIGTERM")


@pytest.mark.parametrize(
    ("variable", "own"),
    [
        ("TEMPORAL_IMAGE", {"temporal-server"}),
        ("TEMPORAL_ADMIN_TOOLS_IMAGE", {"temporal", "temporal-sql-tool"}),
    ],
)
def test_temporal_images_have_busybox_and_nothing_else(
    images: Images, tmp_path: Path, variable: str, own: set[str]
) -> None:
    if "breakwater.test" not in images.names[variable]:
        pytest.skip("the official image is used")
    found = images.executables(variable, tmp_path)
    programs = {path for path, target in found.items() if target not in ("/bin/busybox", "busybox")}
    # Docker adds its own to every container; time zones are links among themselves.
    programs -= {"/.dockerenv", "/dev/console", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf"}
    programs = {path for path in programs if not path.startswith("/usr/share/zoneinfo/")}
    expected = {"/bin/busybox", *(f"/usr/local/bin/{name}" for name in own)}
    expected |= {SERVER_ENTRY} if variable == "TEMPORAL_IMAGE" else set()
    assert programs == expected
    assert {"/bin/sh", "/bin/nc", "/bin/wget"} <= found.keys()


def test_postgres_needs_a_password(images: Images) -> None:
    container = images.start("POSTGRES_IMAGE")
    assert images.ended(container) == 1
    assert "superuser password is not specified" in images.logs(container)


def test_postgres_initialises_once_and_stops_in_order(images: Images, tmp_path: Path) -> None:
    options = ("-e", "POSTGRES_PASSWORD=pass word", "-e", "POSTGRES_USER=shop", "-e", "POSTGRES_DB=orders")
    container = images.create("POSTGRES_IMAGE", "-c", "max_connections=33", options=options, alias="database")
    for name, text in (
        ("10.sql", "CREATE TABLE seen (name text);"),
        ("20.sh", 'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "INSERT INTO seen VALUES (\'script\')"'),
    ):
        file = tmp_path / name
        file.write_text(text)
        file.chmod(0o644)
        images.copy(file, container, f"/docker-entrypoint-initdb.d/{name}")
    images.run(container)
    images.until(container, "pg_isready", "-h", "127.0.0.1", "-q")
    query = ["-U", "shop", "-d", "orders", "-tAc"]
    # Over the container's own loopback the image trusts; from the network a password counts.
    local = ["psql", "-h", "127.0.0.1", *query]
    assert images.sh(container, *local, "SELECT name FROM seen").stdout.strip() == "script"
    assert images.sh(container, *local, "SHOW max_connections").stdout.strip() == "33"
    remote = ["psql", "-h", "database", *query]
    assert images.sh(container, "env", "PGPASSWORD=pass word", *remote, "SELECT 1").stdout.strip() == "1"
    refused = images.sh(container, "env", "PGPASSWORD=wrong", *remote, "SELECT 1", check=False)
    assert "password authentication failed" in refused.stderr
    assert images.sh(container, "stat", "-c", "%u", "/proc/1").stdout.strip() == "999"
    code, seconds = images.stopped(container)
    assert (code, seconds < 10) == (0, True)
    images.run(container)
    images.until(container, "pg_isready", "-h", "127.0.0.1", "-q")
    assert images.logs(container).count("PostgreSQL init process complete") == 1


def test_postgres_takes_its_account_from_files(images: Images, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("shop\n")
    file.chmod(0o600)
    options = tuple(part for name in ("USER", "PASSWORD") for part in ("-e", f"POSTGRES_{name}_FILE=/run/secret"))
    container = images.create("POSTGRES_IMAGE", options=options, alias="secretive")
    images.copy(file, container, "/run/secret")
    images.run(container)
    images.until(container, "pg_isready", "-h", "127.0.0.1", "-q")
    query = ["psql", "-h", "secretive", "-U", "shop", "-tAc", "SELECT current_database()"]
    assert images.sh(container, "env", "PGPASSWORD=shop", *query).stdout.strip() == "shop"


def test_redis_takes_options_and_serves_the_network(images: Images) -> None:
    container = images.start("REDIS_IMAGE", "--maxmemory", "64mb", alias="cache")
    images.until(container, "redis-cli", "-h", "cache", "ping")
    assert (
        images.sh(container, "redis-cli", "-h", "cache", "config", "get", "maxmemory").stdout.split()[1] == "67108864"
    )
    assert images.sh(container, "stat", "-c", "%u", "/proc/1").stdout.strip() == "999"
    assert images.sh(container, "stat", "-c", "%U", "/data").stdout.strip() == "redis"
    assert images.sh(container, "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline").stdout.startswith("redis-server")
    code, seconds = images.stopped(container)
    assert (code, seconds < 10) == (0, True)


def test_redis_takes_a_configuration_file_and_other_commands(images: Images, tmp_path: Path) -> None:
    file = tmp_path / "redis.conf"
    file.write_text("maxmemory 32mb\nappendonly yes\n")
    file.chmod(0o644)
    container = images.create("REDIS_IMAGE", "/data/redis.conf")
    images.copy(file, container, "/data/redis.conf")
    images.run(container)
    images.until(container, "redis-cli", "ping")
    assert images.sh(container, "redis-cli", "config", "get", "appendonly").stdout.split()[1] == "yes"
    assert images.once("REDIS_IMAGE", "id", "-u").strip() == "0"


@pytest.fixture(scope="module")
def schema(images: Images) -> tuple[str, ...]:
    """Run a database with Temporal's schema, set up by the admin tools; give the options of a server for it."""
    account = ("-e", "POSTGRES_USER=temporal", "-e", "POSTGRES_PASSWORD=secret")
    database = images.start("POSTGRES_IMAGE", options=account, alias="temporal-db")
    images.until(database, "psql", "-h", "127.0.0.1", "-U", "temporal", "-c", "SELECT 1")
    for store, name in (("temporal", "temporal"), ("visibility", "temporal_visibility")):
        tool = "temporal-sql-tool --plugin postgres12 --ep temporal-db -p 5432 -u temporal --pw secret"
        folder = f"/etc/temporal/schema/postgresql/v12/{store}/versioned"
        steps = f"{tool} --db {name} create; {tool} --db {name} setup-schema -v 0.0"
        images.once(
            "TEMPORAL_ADMIN_TOOLS_IMAGE", "sh", "-c", f"{steps} && {tool} --db {name} update-schema -d {folder}"
        )
    variables = {
        "DB": "postgres12",
        "DB_PORT": "5432",
        "POSTGRES_SEEDS": "temporal-db",
        "POSTGRES_USER": "temporal",
        "POSTGRES_PWD": "secret",
        "NUM_HISTORY_SHARDS": "1",
        "DYNAMIC_CONFIG_FILE_PATH": "/tmp/dynamic.yaml",
    }
    return tuple(option for item in variables.items() for option in ("-e", "=".join(item)))


@pytest.mark.parametrize("bound", [False, True])
def test_the_server_listens_where_it_is_told(
    images: Images, schema: tuple[str, ...], tmp_path: Path, bound: bool
) -> None:
    options = (*schema, "-e", "BIND_ON_IP=0.0.0.0") if bound else schema
    server = images.create("TEMPORAL_IMAGE", options=options)
    # As in the official image, whoever runs it brings this file.
    file = tmp_path / "dynamic.yaml"
    file.write_text("{}\n")
    file.chmod(0o644)
    images.copy(file, server, "/tmp/dynamic.yaml")
    images.run(server)
    images.until(server, "sh", "-c", "netstat -ltn | grep -q ':7233 '")
    listening = images.sh(server, "netstat", "-ltn").stdout
    own = images.sh(server, "hostname", "-i").stdout.split()[0]
    everywhere = ":::7233 " in listening or "0.0.0.0:7233 " in listening
    assert (everywhere, f"{own}:7233 " in listening) == (bound, not bound), listening
    assert images.sh(server, "cat", "/proc/1/comm").stdout.strip().startswith("temporal-server")
    assert images.sh(server, "id", "-u").stdout.strip() == "1000"
    assert images.sh(server, "sh", "-c", "command -v temporal tctl", check=False).stdout == ""
    code, seconds = images.stopped(server)
    assert (code, seconds < 15) == (0, True)


def test_admin_tools_have_the_command_line_and_the_schema(images: Images) -> None:
    assert "temporal version" in images.once("TEMPORAL_ADMIN_TOOLS_IMAGE", "temporal", "--version")
    listed = images.once("TEMPORAL_ADMIN_TOOLS_IMAGE", "ls", "/etc/temporal/schema/postgresql/v12")
    assert {"temporal", "visibility"} <= set(listed.split())


def test_the_ui_serves_its_pages(images: Images) -> None:
    ui = images.start("TEMPORAL_UI_IMAGE", options=("-e", "TEMPORAL_ADDRESS=nowhere:7233"))
    images.until(ui, "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/")
    assert images.sh(ui, "id", "-u").stdout.strip() == "1000"
    code, seconds = images.stopped(ui)
    assert (code in (0, 1, 2, 143), seconds < 10) == (True, True)
