# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that every tracked file keeps."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LICENSES = {"GPL-3.0-or-later", "Apache-2.0"}
# Compose files that the tests read as people write them, and data without comments.
WITHOUT_HEADER = ("examples/", "tests/data/")
GPL_LINE = "# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)"


def tracked(*patterns: str) -> list[str]:
    """Names of the tracked files that still exist, by Git's patterns."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("needs a Git checkout")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def sources() -> list[str]:
    """Files that carry a licence header: code and configuration with comments."""
    names = tracked("*.py", "*.sh", "*.yml", "*.yaml", "*.toml", "*.cfg", "Makefile", "scripts/*", ".ci/*", "bench/*")
    commented = {"", ".py", ".sh", ".yml", ".yaml", ".toml", ".cfg"}
    return [n for n in names if not n.startswith((".collections/", *WITHOUT_HEADER)) and Path(n).suffix in commented]


def test_every_source_file_names_its_license() -> None:
    missing = []
    for name in sources():
        head = (ROOT / name).read_text(encoding="utf-8")[:600]
        found = re.search(r"SPDX-License-Identifier: (\S+)", head)
        if not found or found[1] not in LICENSES:
            missing.append(name)
    assert missing == []


def test_python_of_the_collection_carries_the_line_that_ansible_wants() -> None:
    missing = [
        name
        for name in tracked("plugins/*.py")
        if name.startswith("plugins/modules/") and GPL_LINE not in (ROOT / name).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    machine = re.compile(
        rb"/wor[k]/(?:main|shared)|/home/\w+/(?:src|git)|/tmp/bw\b|\.pyenv/versions|://[^\s/@]+:[^\s/@]+@pypi"
    )
    me = Path(__file__).relative_to(ROOT).as_posix()
    found = [name for name in tracked() if name != me and machine.search((ROOT / name).read_bytes())]
    assert found == []


def test_links_lead_somewhere_inside_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files", "-s", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    links = [line.split("\t", 1)[1] for line in listed.stdout.split("\0") if line.startswith("120000")]
    assert links
    broken = [n for n in links if not (ROOT / n).exists() or ROOT not in (ROOT / n).resolve().parents]
    assert broken == []


@pytest.mark.parametrize("name", tracked("plugins/modules/*.py"))
def test_modules_are_documented(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    texts = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    documentation = yaml.safe_load(str(texts["DOCUMENTATION"]))
    assert documentation["module"] == Path(name).stem
    assert "check_mode" in documentation.get("attributes", {})
    undescribed = [k for k, v in (documentation.get("options") or {}).items() if not v.get("description")]
    assert undescribed == []
    examples = yaml.safe_load(str(texts["EXAMPLES"]))
    assert [task for task in examples if not task.get("name")] == []
    assert any(f"breakwater.stack.{Path(name).stem}" in task for task in examples)
    assert yaml.safe_load(str(texts["RETURN"]))


@pytest.mark.parametrize("name", tracked("plugins/module_utils/*.py"))
def test_target_code_imports_the_standard_library_only(name: str) -> None:
    allowed = sys.stdlib_module_names | {"ansible", "ansible_collections"}
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    foreign = [
        module
        for node in ast.walk(tree)
        for module in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom) and node.module and not node.level
            else []
        )
        if module.split(".")[0] not in allowed
        or (module.startswith("ansible_collections.") and ".plugins.module_utils" not in module)
        or (module.startswith("ansible.") and not module.startswith("ansible.module_utils"))
    ]
    assert foreign == []


def test_requirements_say_the_same() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    wanted = yaml.safe_load((ROOT / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert galaxy["dependencies"] == {item["name"]: item["version"] for item in wanted}


def test_oldest_ansible_is_stated_once() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest = re.search(r'"ansible-core>=([\d.]+)"', project)
    assert oldest
    assert runtime == f">={oldest[1]}.0"


def test_galaxy_tarball_leaves_out_what_is_no_part_of_the_collection() -> None:
    ignored = set(yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"])
    of_the_collection = {
        "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "LICENSES", "README.md", "SECURITY.md",
        "docs", "galaxy.yml", "meta", "playbooks", "plugins", "requirements.yml", "roles",
    }  # fmt: skip
    top = {name.split("/")[0] for name in tracked()}
    assert top - ignored - of_the_collection == set()
