# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import PolicyError
from breakwater.arguments import Options
from breakwater.exits import UsageError
from breakwater.settings import COMMAND_LINE, SettingsFinder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "deploy/prod").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)


def options(**given: object) -> Options:
    made = Options()
    for name, value in given.items():
        setattr(made, name, value)
    return made


def test_without_a_file_the_command_line_is_the_source() -> None:
    settings = SettingsFinder(options(select=["BW-LIM"])).for_folder(".")
    assert (settings.source, settings.select) == (COMMAND_LINE, frozenset({"BW-LIM"}))
    assert settings.today


def test_beside_the_compose_file_wins_over_the_root() -> None:
    Path("breakwater.yml").write_text("severity: high\n")
    finder = SettingsFinder(options())
    assert finder.for_folder("deploy/prod").source == "breakwater.yml"
    Path("deploy/prod/breakwater.yml").write_text("severity: low\n")
    found = SettingsFinder(options()).for_folder("deploy/prod")
    assert (found.source, found.severity) == ("deploy/prod/breakwater.yml", "low")


def test_the_search_ends_at_the_root_of_the_repository() -> None:
    Path("deploy/prod/.git").mkdir()
    Path("breakwater.yml").write_text("severity: high\n")
    assert SettingsFinder(options()).for_folder("deploy/prod").source == COMMAND_LINE


def test_a_stated_file_wins_over_all() -> None:
    Path("breakwater.yml").write_text("severity: high\n")
    Path("mine.yml").write_text("severity: low\n")
    assert SettingsFinder(options(config="mine.yml")).for_folder(".").severity == "low"


def test_options_win_over_the_file_and_add_to_its_lists() -> None:
    Path("breakwater.yml").write_text("severity: high\nignore: [BW-SEC]\nkinds: {a: redis, b: redis}\n")
    given = options(severity="low", ignore=["BW-LIM"], kind=["b=worker"])
    settings = SettingsFinder(given).for_folder(".")
    assert settings.severity == "low"
    assert settings.ignore == {"BW-SEC", "BW-LIM"}
    assert settings.kinds == {"a": "redis", "b": "worker"}


def test_an_option_that_names_nothing_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="no control 'BW-XYZ'"):
        SettingsFinder(options(select=["BW-XYZ"]))
    with pytest.raises(UsageError, match="is not one of"):
        SettingsFinder(options(kind=["a=oracle"]))


@pytest.mark.parametrize(
    ("text", "message"), [("severty: high\n", "severty: unknown name"), ("limits: 3\n", "not a mapping")]
)
def test_a_wrong_file_names_file_and_key(text: str, message: str) -> None:
    Path("breakwater.yml").write_text(text)
    with pytest.raises(PolicyError, match=message) as caught:
        SettingsFinder(options()).for_folder(".")
    assert str(caught.value).startswith("breakwater.yml: ")


def test_a_missing_or_broken_file_is_an_error() -> None:
    with pytest.raises(ComposeError, match="cannot be read"):
        SettingsFinder(options(config="none.yml")).for_folder(".")
    Path("bad.yml").write_text("a: 1\na: 2\n")
    with pytest.raises(ComposeError, match=r"^bad\.yml:2: "):
        SettingsFinder(options(config="bad.yml")).for_folder(".")
