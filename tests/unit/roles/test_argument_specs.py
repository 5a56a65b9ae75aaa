# SPDX-License-Identifier: GPL-3.0-or-later
"""Every role is documented, and its argument specification says what its defaults say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir()) if (ROOT / "roles").is_dir() else []
MAIN_LINES = 80
TASK_FILE_LINES = 150

every_role = pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)


def load(path: Path) -> Any:
    """The data of a YAML file; an empty mapping when there is no file."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.exists() else {}


def options(role: Path) -> dict[str, dict[str, Any]]:
    """Options of all entry points of a role."""
    specs = load(role / "meta" / "argument_specs.yml")["argument_specs"]
    assert specs, "no entry point"
    return {name: option for spec in specs.values() for name, option in (spec.get("options") or {}).items()}


@every_role
def test_specification_equals_defaults(role: Path) -> None:
    specified = options(role)
    defaults = load(role / "defaults" / "main.yml")
    required = {name for name, option in specified.items() if option.get("required")}
    # Every option but the required ones has its default, if only an empty one, in defaults/main.yml.
    assert set(specified) - required == set(defaults)
    said = {name: option["default"] for name, option in specified.items() if "default" in option}
    assert said == {name: defaults[name] for name in said}
    empty_or_computed = {name for name, value in defaults.items() if value in (None, "", [], {}) or "{{" in str(value)}
    assert set(defaults) - set(said) - empty_or_computed == set(), "the specification leaves out a default"


@every_role
def test_options_are_described_typed_and_prefixed(role: Path) -> None:
    specs = load(role / "meta" / "argument_specs.yml")["argument_specs"]
    for entry, spec in specs.items():
        assert spec.get("short_description"), entry
        for name, option in (spec.get("options") or {}).items():
            assert name.startswith((f"{role.name}_", "breakwater_")), name
            assert option.get("description"), name
            assert option.get("type"), name
            assert option["type"] != "list" or option.get("elements"), f"{name}: elements of the list"


@every_role
def test_task_files_stay_readable(role: Path) -> None:
    assert (role / "tasks" / "main.yml").exists()
    lines = {
        path.relative_to(role).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (role / "tasks").rglob("*.yml")
    }
    long = {name: n for name, n in lines.items() if n > (MAIN_LINES if name == "tasks/main.yml" else TASK_FILE_LINES)}
    assert long == {}


@every_role
def test_role_has_a_page_and_a_scenario(role: Path) -> None:
    page = (role / "README.md").read_text(encoding="utf-8")
    unexplained = [name for name in options(role) if name not in page]
    assert unexplained == [], "options that the page does not name"
    scenario = ROOT / "extensions" / "molecule" / role.name
    steps = {path.stem for path in scenario.glob("*.yml")}
    assert steps >= {"molecule", "converge", "verify", "side_effect", "drift"}, "no Molecule scenario"
