# SPDX-License-Identifier: GPL-3.0-or-later
"""The distribution's packages, and of Debian trixie, beside the system's own apt, single packages and a file system."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from shell import CACHE, GroundError, run, say, workshop

SUITE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
#: Package of each program that the ground may need.
PACKAGES = {
    "dockerd": "docker.io",
    "iptables": "iptables",
    "debootstrap": "debootstrap",
    "ssh-keygen": "openssh-client",
}


def install_packages(programs: list[str]) -> None:
    """Install the distribution's packages of programs that are missing, said beforehand.

    Raises:
        GroundError: they cannot be installed here (code 3).
    """
    missing = [program for program in programs if not shutil.which(program)]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise GroundError(
            f"{', '.join(missing)}: not found, and can only be installed here as root on Debian or Ubuntu; install "
            "them (or start a Docker Engine) and run this again",
            code=3,
        )
    packages = [PACKAGES[program] for program in missing]
    say(f"installing the distribution's packages: {' '.join(packages)}")
    run(["apt-get", "update", "-q"])
    run(
        ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages],
        env={"DEBIAN_FRONTEND": "noninteractive"},
    )


def mirror() -> str:
    """Find the mirror that the system's own apt uses.

    Raises:
        GroundError: apt has no Debian source.
    """
    folder = Path("/etc/apt")
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        if path.is_file():
            address = find_mirror(path.read_text(errors="replace"))
            if address:
                return address
    raise GroundError("the system's apt has no Debian mirror, so no image can be built here")


def find_mirror(sources: str) -> str:
    """Return the address of a Debian archive in a file of apt's sources, "" when there is none.

    Comments do not count: images of Debian name a snapshot there that is not what apt asks.
    """
    lines = (line for line in sources.splitlines() if not line.lstrip().startswith("#"))
    found = re.search(r"https?://\S*/debian/?(?=\s|$)", "\n".join(lines))
    return found.group(0).rstrip("/") if found else ""


def download_package(name: str) -> Path:
    """Fetch a trixie package into the cache and return its file."""
    folder = CACHE / "apt"
    for part in ("etc", "state/lists/partial", "cache/archives/partial", "packages"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    found = sorted((folder / "packages").glob(f"{name}_*.deb"))
    if found:
        return found[-1]
    (folder / "etc/sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main\n")
    apt = ["apt-get", "-q"]
    for option in (
        f"Dir::Etc::sourcelist={folder}/etc/sources.list",
        "Dir::Etc::sourceparts=-",
        f"Dir::State::lists={folder}/state/lists",
        f"Dir::Cache={folder}/cache",
        "APT::Sandbox::User=root",
    ):
        apt += ["-o", option]
    run([*apt, "update"])
    with workshop() as place:
        run(["env", "-C", str(place), *apt, "download", name])
        package = next(place.glob(f"{name}_*.deb"))
        return package.replace(folder / "packages" / package.name)


def root_file_system() -> Path:
    """Build a minimal trixie root file system in the cache (about 25 seconds) and return its folder."""
    folder = CACHE / SUITE
    if not folder.exists():
        install_packages(["debootstrap"])
        say("bootstrapping Debian trixie")
        with workshop() as place:
            run(["debootstrap", "--variant=minbase", SUITE, str(place / SUITE), mirror()])
            (place / SUITE).replace(folder)
    return folder
