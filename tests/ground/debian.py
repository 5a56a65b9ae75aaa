# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian trixie without touching the system's own apt: packages and a root file system."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from shell import CACHE, GroundError, run, say

SUITE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def mirror() -> str:
    """Find the mirror that the system's own apt uses.

    Raises:
        GroundError: apt has no Debian source.
    """
    folder = Path("/etc/apt")
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        if path.is_file():
            found = re.search(r"https?://\S*debian\b(?!-security)/?", path.read_text(errors="replace"))
            if found:
                return found.group(0).rstrip("/")
    raise GroundError("the system's apt has no Debian mirror, so no image can be built here")


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
    run(["env", "-C", str(folder / "packages"), *apt, "download", name])
    return max((folder / "packages").glob(f"{name}_*.deb"))


def root_file_system() -> Path:
    """Build a minimal trixie root file system in the cache (about 25 seconds) and return its folder."""
    folder = CACHE / SUITE
    if (folder / "etc/debian_version").exists() and not (folder / "debootstrap").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    say("bootstrapping Debian trixie")
    run(["debootstrap", "--variant=minbase", SUITE, str(folder), mirror()])
    return folder
