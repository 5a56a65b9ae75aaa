# SPDX-License-Identifier: GPL-3.0-or-later
"""A Docker Engine and Compose: the ones that answer, or those of the distribution."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from debian import download_package, install_packages
from shell import CACHE, GroundError, answers, run, say, workshop

PID_FILE = Path("/var/run/breakwater-ground.pid")
PLUGIN = Path("/usr/local/lib/docker/cli-plugins/docker-compose")


def up() -> None:
    """Make `docker` and `docker compose` answer.

    Raises:
        GroundError: there is no engine and none can be started here (code 3).
    """
    if answers(["docker", "info"]):
        say("the Docker Engine answers")
    else:
        install_packages(["dockerd", "iptables"])
        start()
    if not answers(["docker", "compose", "version"]):
        install_compose()


def start() -> None:
    """Start dockerd with its state in the cache folder and wait until it answers."""
    if os.geteuid() != 0:
        raise GroundError(
            "no Docker Engine answers, and dockerd needs root; start an engine and run this again", code=3
        )
    if running_pid() is None:
        # Of a boot or a container before: its number may be another process's by now, which dockerd would believe.
        PID_FILE.unlink(missing_ok=True)
    log = CACHE / "dockerd.log"
    say(f"starting dockerd, its state in {CACHE / 'docker'}")
    with log.open("ab") as output:
        subprocess.Popen(
            ["dockerd", "--data-root", str(CACHE / "docker"), "--pidfile", str(PID_FILE)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    for _attempt in range(60):
        if answers(["docker", "info"], timeout=5):
            return
        time.sleep(0.5)
    tail = log.read_text(errors="replace")[-1500:]
    raise GroundError(f"dockerd did not answer within 30 seconds:\n{tail}", code=3)


def install_compose() -> None:
    """Put Debian trixie's Compose plugin where the Docker client looks for it."""
    if os.geteuid() != 0:
        raise GroundError("`docker compose` is missing; install Docker's Compose plugin and run this again", code=3)
    say(f"installing Debian's Compose plugin as {PLUGIN}")
    package = download_package("docker-compose")
    PLUGIN.parent.mkdir(parents=True, exist_ok=True)
    unfinished = PLUGIN.with_name("docker-compose.unfinished")
    with workshop() as folder:
        run(["dpkg-deb", "-x", str(package), str(folder)])
        shutil.copy2(folder / "usr/libexec/docker/cli-plugins/docker-compose", unfinished)
    unfinished.replace(PLUGIN)


def running_pid() -> int | None:
    """Return the process of the engine that the ground started, None when it does not run."""
    try:
        pid = int(PID_FILE.read_text())
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError):
        return None
    return pid if name == "dockerd" else None


def status() -> None:
    """Print the versions that answer."""
    for command in (
        ["docker", "version", "--format", "{{.Server.Version}}"],
        ["docker", "compose", "version", "--short"],
    ):
        print(f"{' '.join(command[:2])}: {run(command).strip() if answers(command) else 'does not answer'}")


def down() -> None:
    """Stop the engine if the ground started it."""
    pid = running_pid()
    if pid is None:
        say("the engine is not the ground's, or does not run")
        return
    say(f"stopping dockerd ({pid})")
    os.kill(pid, signal.SIGTERM)
    for _attempt in range(60):
        if running_pid() is None:
            return
        time.sleep(0.5)
