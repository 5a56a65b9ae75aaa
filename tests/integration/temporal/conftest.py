# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's own validation of dynamic configuration files, in one container for many files."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
IMAGES = Path(os.environ.get("BREAKWATER_CACHE", ROOT / ".cache")) / "ground" / "images.env"


class Verdict(NamedTuple):
    """What the server says of a file; keys are in lower case, as it prints them.

    Attributes:
        refused: it would not take the file.
        unknown: keys that it does not know.
        unconverted: keys of which it cannot convert a value.
        unfit: keys with a constraint that they do not depend on, and the constraint.
    """

    refused: bool
    unknown: frozenset[str]
    unconverted: frozenset[str]
    unfit: frozenset[tuple[str, str]]


Server = Callable[[dict[str, str]], dict[str, Verdict]]


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def image() -> str:
    """Name the ground's image of the server."""
    if not IMAGES.exists() or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs an engine with the ground's images: start the ground (make ground)")
    return dict(line.split("=", 1) for line in IMAGES.read_text().splitlines())["TEMPORAL_IMAGE"]


@pytest.fixture(scope="session")
def server(image: str, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """Validate files, given as texts by name, with ``temporal-server validate-dynamic-config``."""

    def validate(texts: dict[str, str]) -> dict[str, Verdict]:
        folder = tmp_path_factory.mktemp("files") / "files"
        folder.mkdir(mode=0o755)
        for name, text in texts.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o644)
        names = [f"/files/{name}" for name in texts]
        command = ["docker", "create", "--network", "none", image, "temporal-server", "validate-dynamic-config"]
        container = run(*command, *names).strip()
        try:
            run("docker", "cp", str(folder), f"{container}:/")
            # Its exit code says nothing.
            said = run("docker", "start", "--attach", container)
        finally:
            run("docker", "rm", "--force", container)
        parts = re.split(r"^/files/(.+)$", said, flags=re.MULTILINE)[1:]
        found = {name: _verdict(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}
        assert list(found) == list(texts)
        return found

    return validate


def _verdict(text: str) -> Verdict:
    def keys(pattern: str) -> frozenset[str]:
        return frozenset(re.findall(rf"^  warning: {pattern}", text, flags=re.MULTILINE))

    unfit = re.findall(
        r'^  warning: constraint "(.+?)" isn\'t valid for dynamic config key "(.+?)"', text, re.MULTILINE
    )
    return Verdict(
        bool(re.search(r"^  error: ", text, flags=re.MULTILINE)),
        keys(r'unregistered key "(.+?)"'),
        keys(r'validation failed: key "(.+?)" value'),
        frozenset((key, constraint.lower()) for constraint, key in unfit),
    )
