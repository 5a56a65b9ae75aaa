# SPDX-License-Identifier: GPL-3.0-or-later
"""Every health check that the policy writes turns unhealthy on the real fault, and healthy again after it."""

from __future__ import annotations

import subprocess
import time

import pytest

from .conftest import NAME, Example


@pytest.mark.parametrize("service", ["postgres", "redis", "temporal", "temporal-ui"])
def test_a_process_that_hangs_is_unhealthy(example: Example, service: str) -> None:
    example.signal(service, "STOP")
    try:
        example.wait_for(service, "unhealthy")
    finally:
        example.signal(service, "CONT")
    example.wait_for(service, "healthy")
    example.wait_for("temporal", "healthy")


def test_temporal_without_its_database_is_unhealthy_and_comes_back(example: Example) -> None:
    example.compose("stop", "--timeout", "10", "postgres")
    try:
        example.wait_for("temporal", "unhealthy")
    finally:
        example.compose("start", "postgres")
    example.wait_for("postgres", "healthy")
    example.wait_for("temporal", "healthy", 90)


def test_temporal_cut_off_from_its_database_is_unhealthy(example: Example) -> None:
    network, container = f"{NAME}_default", f"{NAME}-postgres-1"
    subprocess.run(["docker", "network", "disconnect", network, container], check=True)
    try:
        example.wait_for("temporal", "unhealthy")
    finally:
        subprocess.run(["docker", "network", "connect", "--alias", "postgres", network, container], check=True)
    example.wait_for("temporal", "healthy", 90)


def test_a_short_restart_of_the_database_does_not_flap(example: Example) -> None:
    """Asked every second here; the policy asks every 10 s and believes the third failure: that is 20 s and more."""
    failed: dict[str, float] = {}
    restart = subprocess.Popen(["docker", "restart", "--time", "10", f"{NAME}-postgres-1"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 25
    while time.monotonic() < deadline:
        for entry in example.container("temporal")["State"]["Health"]["Log"]:
            if entry["ExitCode"] != 0:
                failed.setdefault(entry["Start"], time.monotonic())
        time.sleep(0.2)
    assert restart.wait(timeout=30) == 0
    example.wait_for("postgres", "healthy")
    example.wait_for("temporal", "healthy")
    span = max(failed.values()) - min(failed.values()) if failed else 0.0
    assert span < 20


def test_system_info_does_not_ask_the_database(example: Example) -> None:
    """Why the check describes a namespace: the endpoint that looks better for it stays green without a database."""

    def answers(path: str) -> bool:
        command = ["wget", "-q", "-T", "4", "-O", "/dev/null", f"http://127.0.0.1:7243/api/v1/{path}"]
        done = subprocess.run(["docker", "exec", f"{NAME}-temporal-1", *command], capture_output=True, check=False)
        return done.returncode == 0

    assert answers("system-info")
    assert answers("namespaces/temporal-system")
    example.compose("stop", "--timeout", "10", "postgres")
    try:
        time.sleep(2)
        assert answers("system-info")
        assert not answers("namespaces/temporal-system")
    finally:
        example.compose("start", "postgres")
    example.wait_for("temporal", "healthy", 90)


def test_postgres_that_initialises_is_not_ready(example: Example) -> None:
    """The socket answers while the scripts of the first start run; TCP, which the check asks, does not."""
    (example.folder / "initdb" / "99-slow.sql").write_text("SELECT pg_sleep(6);\n")
    image = example.container("postgres")["Config"]["Image"]
    name = f"{NAME}-initialising"
    check = example.container("postgres")["Config"]["Healthcheck"]["Test"][1:]
    probe = ["sh", "-c", *check] if len(check) == 1 else check
    initdb = f"{example.folder}/initdb:/docker-entrypoint-initdb.d:ro"
    user = ["-e", "POSTGRES_USER=temporal", "-e", "POSTGRES_PASSWORD=x", "-e", "POSTGRES_DB=app"]
    subprocess.run(["docker", "run", "-d", "--name", name, *user, "-v", initdb, image], check=True, capture_output=True)
    try:
        socket = ["docker", "exec", name, "pg_isready", "-U", "temporal"]
        deadline = time.monotonic() + 30
        while subprocess.run(socket, capture_output=True, check=False).returncode != 0:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        asked = subprocess.run(["docker", "exec", name, *probe], capture_output=True, check=False)
        assert asked.returncode != 0, "the socket answers already, the check must not"
        while subprocess.run(["docker", "exec", name, *probe], capture_output=True, check=False).returncode != 0:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        subprocess.run(["docker", "rm", "-f", "-v", name], check=False, capture_output=True)
