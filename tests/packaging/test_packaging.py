# SPDX-License-Identifier: GPL-3.0-or-later
"""The wheel and the Galaxy tarball work on their own, far from the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
VERSION = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
SYNTAX_CHECK = ("--syntax-check", "-i", "localhost,", "breakwater.stack.harden")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Output of a command that has to succeed, with nothing of this session's Ansible or Python settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "PYTHON"))}
    kept |= {"HOME": str(cwd), "LC_ALL": "C.UTF-8"} | environment
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tracked files, links kept: what a clone holds."""
    copy = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.split("\0") if name and os.path.lexists(ROOT / name)]
    for name in names:
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            target.symlink_to((ROOT / name).readlink())
        else:
            target.write_bytes((ROOT / name).read_bytes())
    return copy


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by way of the source distribution as an index would."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", out, cwd=tree)
    sdist = next(out.glob("*.tar.gz"))
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", out, sdist, cwd=tree)
    return next(out.glob("*.whl"))


def fresh_environment(home: Path) -> Path:
    """The folder of commands of a new environment with what breakwater-stack requires, but not breakwater-stack."""
    venv = home / "venv"
    run(sys.executable, "-m", "venv", venv, cwd=home)
    link_requirements(next(venv.glob("lib/python3*/site-packages")))
    for command in ("ansible-playbook", "ansible-doc", "ansible-galaxy"):
        script = (BIN / command).read_text(encoding="utf-8")
        (venv / "bin" / command).write_text(re.sub(r"\A#!.*", f"#!{venv}/bin/python", script), encoding="utf-8")
        (venv / "bin" / command).chmod(0o755)
    return venv / "bin"


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose environment holds the wheel."""
    home = tmp_path_factory.mktemp("elsewhere")
    python = fresh_environment(home) / "python"
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=home)
    return home


def link_requirements(site: Path) -> None:
    """Link into `site` the installed distributions that breakwater-stack requires, and community.docker."""
    from importlib.metadata import distribution

    from packaging.requirements import Requirement

    names, seen = ["breakwater-stack"], set()
    while names:
        name = names.pop()
        for line in distribution(name).requires or []:
            wanted = Requirement(line)
            if wanted.name in seen or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
                continue
            seen.add(wanted.name)
            names.append(wanted.name)
            link_distribution(wanted.name, site)
    collection = site / "ansible_collections" / "community" / "docker"
    collection.parent.mkdir(parents=True, exist_ok=True)
    here = community() / "docker"
    collection.symlink_to(here)
    (collection.parent / "library_inventory_filtering_v1").symlink_to(here.parent / "library_inventory_filtering_v1")


def link_distribution(name: str, site: Path) -> None:
    """Link the top-level files and folders of one installed distribution into `site`."""
    from importlib.metadata import distribution

    found = distribution(name)
    for top in {file.parts[0] for file in found.files or [] if file.parts[0] not in ("..", "__pycache__")}:
        if not (site / top).exists():
            (site / top).symlink_to(str(found.locate_file(top)))


def test_wheel_holds_the_package_and_the_collection_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "ansible_collections",
        "breakwater",
        f"breakwater_stack-{VERSION}.dist-info",
    }
    kinds = ("galaxy.yml", "meta/runtime.yml", "playbooks/harden.yml", "plugins/modules/compose_patch.py")
    for wanted in (*kinds, "plugins/plugin_utils/temporal/keys.tsv"):
        assert f"ansible_collections/breakwater/stack/{wanted}" in names
    assert [name for name in names if "__pycache__" in name or name.startswith("tests")] == []


def test_wheel_runs_the_command_line(elsewhere: Path) -> None:
    assert VERSION in run(elsewhere / "venv/bin/breakwater", "--version", cwd=elsewhere)
    where = "import breakwater, ansible_collections.breakwater.stack as s; print(breakwater.__file__, *s.__path__)"
    paths = run(elsewhere / "venv/bin/python", "-c", where, cwd=elsewhere).split()
    assert [path for path in paths if not path.startswith(str(elsewhere))] == []


def test_wheel_brings_the_collection_to_ansible(elsewhere: Path) -> None:
    bin_ = elsewhere / "venv/bin"
    assert "compose_patch" in run(bin_ / "ansible-doc", "-t", "module", "breakwater.stack.compose_patch", cwd=elsewhere)
    assert "playbook: " in run(bin_ / "ansible-playbook", *SYNTAX_CHECK, cwd=elsewhere)
    assert VERSION in run(bin_ / "ansible-galaxy", "collection", "list", "breakwater.stack", cwd=elsewhere)


@pytest.fixture(scope="module")
def tarball(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Galaxy tarball of the tracked files."""
    out = tmp_path_factory.mktemp("galaxy")
    run(BIN / "ansible-galaxy", "collection", "build", "--output-path", out, cwd=tree)
    return next(out.glob("*.tar.gz"))


def test_tarball_holds_the_collection_and_nothing_else(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = archive.getnames()
    top = {name.split("/")[0] for name in names}
    assert "plugins/plugin_utils/temporal/keys.tsv" in names
    assert {"plugins", "roles", "playbooks", "meta", "README.md", "LICENSE", "MANIFEST.json"} <= top
    assert top & {"src", "tests", "examples", "extensions", ".collections", "pyproject.toml", "harden.yml"} == set()


def test_tarball_works_in_an_installation_of_its_own(tarball: Path, tmp_path: Path) -> None:
    commands = fresh_environment(tmp_path)
    installed = tmp_path / "collections"
    galaxy = (commands / "ansible-galaxy", "collection", "install", "--offline", "--no-deps", "-p", installed)
    run(*galaxy, tarball, cwd=tmp_path)
    own = str(installed / "ansible_collections" / "breakwater" / "stack")
    paths = {"ANSIBLE_COLLECTIONS_PATH": str(installed)}
    described = run(commands / "ansible-doc", "-t", "module", "breakwater.stack.compose_patch", cwd=tmp_path, **paths)
    assert own in described
    assert own in run(commands / "ansible-playbook", *SYNTAX_CHECK, cwd=tmp_path, **paths)


def community() -> Path:
    """Where the `ansible` package keeps the community's collections."""
    from importlib.metadata import distribution

    return Path(str(distribution("ansible").locate_file("ansible_collections/community")))
