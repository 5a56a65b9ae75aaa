# SPDX-License-Identifier: GPL-3.0-or-later
"""A Docker Engine and Compose: the ones that answer, or those of the distribution."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from debian import download_package
from shell import CACHE, GroundError, answers, run, say

PACKAGES = ["docker.io", "iptables", "debootstrap"]
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


def install_packages(programs: list[str]) -> None:
    """Install the distribution's packages when one of their programs is missing, said beforehand."""
    if all(shutil.which(program) for program in programs):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise GroundError(
            f"no Docker Engine answers, and {', '.join(programs)} can only be installed here as root on Debian or "
            "Ubuntu; start an engine and run this again",
            code=3,
        )
    say(f"installing the distribution's packages: {' '.join(PACKAGES)}")
    run(["apt-get", "update", "-q"])
    run(
        ["apt-get", "install", "-q", "-y", "--no-install-recommends", *PACKAGES],
        env={"DEBIAN_FRONTEND": "noninteractive"},
    )


def start() -> None:
    """Start dockerd with its state in the cache folder and wait until it answers."""
    if os.geteuid() != 0:
        raise GroundError(
            "no Docker Engine answers, and dockerd needs root; start an engine and run this again", code=3
        )
    CACHE.mkdir(parents=True, exist_ok=True)
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
    unpacked = CACHE / "docker-compose"
    run(["dpkg-deb", "-x", str(package), str(unpacked)])
    PLUGIN.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(unpacked / "usr/libexec/docker/cli-plugins/docker-compose", PLUGIN)


def status() -> None:
    """Print the versions that answer."""
    for command in (
        ["docker", "version", "--format", "{{.Server.Version}}"],
        ["docker", "compose", "version", "--short"],
    ):
        say(f"{' '.join(command[:2])}: {run(command).strip() if answers(command) else 'does not answer'}")


def down() -> None:
    """Stop the engine if the ground started it."""
    if not PID_FILE.exists():
        say("the engine is not the ground's, it stays")
        return
    pid = int(PID_FILE.read_text())
    say(f"stopping dockerd ({pid})")
    os.kill(pid, signal.SIGTERM)
    for _attempt in range(60):
        if not PID_FILE.exists():
            return
        time.sleep(0.5)
