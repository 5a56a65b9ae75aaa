# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest
import yaml

from ansible_collections.breakwater.stack.plugins.plugin_utils import requirements

ROOT = Path(__file__).resolve().parents[4]


def installed(folder: Path, version: str | None) -> types.ModuleType:
    """A stand-in for the imported collection: its folder with or without a manifest."""
    package = types.ModuleType("docker")
    package.__path__ = [str(folder)]
    (folder / "plugins").mkdir()
    if version is not None:
        text = json.dumps({"collection_info": {"version": version}})
        (folder / "MANIFEST.json").write_text(text, encoding="utf-8")
    return package


def test_the_installed_one_serves() -> None:
    assert requirements.community_docker_problem() == ""


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("4.8.5", ""),
        ("4.10.0", ""),
        ("5.0.0-beta.1", ""),
        ("4.8.4", "community.docker 4.8.4 is too old, 4.8.5 is needed"),
        ("3.13.1", "community.docker 3.13.1 is too old, 4.8.5 is needed"),
        (None, ""),
    ],
)
def test_versions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str | None, expected: str) -> None:
    package = installed(tmp_path, version)
    monkeypatch.setitem(sys.modules, "ansible_collections.community.docker", package)
    assert requirements.community_docker_problem().startswith(expected)
    assert bool(requirements.community_docker_problem()) == bool(expected)


def test_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ansible_collections.community.docker", None)
    problem = requirements.community_docker_problem()
    assert problem.startswith("the collection community.docker is missing")
    assert "ansible-galaxy collection install community.docker" in problem


def test_same_version_as_galaxy_asks_for() -> None:
    wanted = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["dependencies"]["community.docker"]
    assert wanted == f">={requirements.COMMUNITY_DOCKER_OLDEST}"
