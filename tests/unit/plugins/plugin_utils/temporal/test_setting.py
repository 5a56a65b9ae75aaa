# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError, RefusedEdit
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.config import read_config
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.keys import keys_of
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.lint import lint
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.profiles import PROFILES, profile
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.setting import (
    Wanted,
    merged,
    problems,
    set_values,
)

KEYS = keys_of("1.31.2")
TENANT = {"namespace": "tenant-a"}


def written(text: str, *wanted: Wanted) -> str:
    return set_values(read_config(text, "dynamic.yaml"), wanted, KEYS).text


MINE = """\
# limits of our platform
Frontend.NamespaceRPS:   # agreed with ops
- value: 400
  constraints: {}      # everybody

matching.longPollExpirationInterval:
- value: 60
"""


def test_a_changed_value_keeps_everything_around_it() -> None:
    wanted = Wanted("frontend.namespaceRPS", 300, {}, "few cores")
    assert written(MINE, wanted) == MINE.replace("- value: 400", "- value: 300").replace(
        "Frontend.Name", "# breakwater: few cores\nFrontend.Name"
    )


def test_what_holds_already_changes_nothing() -> None:
    config = read_config(MINE, "dynamic.yaml")
    same = [Wanted("frontend.namespacerps", 400), Wanted("matching.longPollExpirationInterval", "1m")]
    assert set_values(config, same, KEYS) == (MINE, ())


def test_a_value_for_others_is_added_under_its_reason() -> None:
    text = written(MINE, Wanted("frontend.namespaceRPS", 100, TENANT, "trial"))
    assert text == MINE.replace(
        "# everybody\n",
        "# everybody\n# breakwater: trial\n- value: 100\n  constraints:\n    namespace: tenant-a\n",
    )


def test_a_new_key_comes_under_its_reason() -> None:
    text = written(MINE, Wanted("history.rps", 1000, {}, "one host"), Wanted("history.namespaceRPS", 5, TENANT))
    assert text.startswith(MINE.split("matching", maxsplit=1)[0])
    assert "# breakwater: one host\nhistory.rps:\n- value: 1000\n" in text


def test_reasons_replace_older_reasons_of_ours_only() -> None:
    first = written("# mine\nhistory.rps:\n  - value: 1\n", Wanted("history.rps", 2, {}, "first"))
    second = written(first, Wanted("history.rps", 3, {}, "second"))
    assert second == "# mine\n# breakwater: second\nhistory.rps:\n  - value: 3\n"


@pytest.mark.parametrize(
    "text", ["", "# nothing yet", "# nothing yet\n", "{}\n", "history.rps:\n", "history.rps: []\n"]
)
def test_a_file_without_values(text: str) -> None:
    result = written(text, Wanted("history.rps", 9, {}, "why"), Wanted("frontend.rps", 8))
    assert yaml.safe_load(result) == {"history.rps": [{"value": 9}], "frontend.rps": [{"value": 8}]}
    assert text.strip("{}\n").split(":")[0] in result
    assert result.count("# breakwater: why\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "history.rps: [{value: 1}]\n",
        "{history.rps: [{value: 1}], frontend.rps: [{value: 2}]}\n",
        '{"history.rps": [{"value": 1}]}',
        "history.rps:\r\n  - value: 1\r\n",
        "\ufeffhistory.rps:\n  - {value: 1, constraints: {}}\n",
        "history.rps: &a\n  - value: 1\nmatching.rps: *a\n",
        "history.rps:\n  -\n  - value: 1\n",
        "---\nhistory.rps:\n  - value: 1\n...\n",
        "history.rps:\n  - constraints: {}\n    value: 1  # mine",
    ],
)
def test_every_layout_gets_exactly_what_is_wanted(text: str) -> None:
    before = yaml.safe_load(text.lstrip("\ufeff"))
    result = written(text, Wanted("history.rps", 7, {}, "why"))
    after = yaml.safe_load(result.lstrip("\ufeff"))
    changed = [item for item in after["history.rps"] if item]
    assert [item["value"] for item in changed] == [7]
    assert {k: v for k, v in after.items() if k != "history.rps"} == {
        k: v for k, v in before.items() if k != "history.rps"
    }
    assert "# breakwater: why" in result
    assert result.count("\r\n") in (0, result.count("\n"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("history.rps: 5\n", 1),
        ("history.rps: [{value: 1}]\nHistory.RPS: [{value: 2}]\n", 2),
        ("history.rps:\n  - 5\n", 2),
    ],
)
def test_what_the_server_would_not_read_is_not_edited(text: str, line: int) -> None:
    with pytest.raises(RefusedEdit) as caught:
        written(text, Wanted("history.rps", 7))
    assert caught.value.line == line


def test_values_of_ours_are_judged_first() -> None:
    assert problems([Wanted("history.rps", 7), Wanted("frontend.namespaceRPS", 7, TENANT)], KEYS) == []
    bad = [Wanted("history.rsp", 7), Wanted("frontend.rps", "7"), Wanted("frontend.rps", 7, TENANT)]
    assert [finding.code for finding in problems(bad, KEYS)] == ["TL010", "TL020", "TL030"]


def test_stated_values_win_over_a_profile() -> None:
    base = [Wanted("a.b", 1), Wanted("a.b", 2, TENANT)]
    over = [Wanted("A.B", 3, {"Namespace": "tenant-a"}), Wanted("c.d", 4)]
    assert merged(base, over) == [base[0], over[0], over[1]]


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("version", ["1.25.2", "1.28.0", "1.31.2", "1.32.0"])
def test_profiles_have_no_findings_and_reasons_for_all(name: str, version: str) -> None:
    keys = keys_of(version)
    wanted = profile(name, keys, fresh=True)
    text = set_values(read_config("# ours\n", "dynamic.yaml"), wanted, keys).text
    findings = lint(read_config(text, "dynamic.yaml"), keys)
    assert [f for f in findings if f.severity != "low"] == []
    assert all(row.wanted.reason and row.source for row in PROFILES[name])
    assert len(profile(name, keys)) < len(PROFILES[name])
    assert set_values(read_config(text, "dynamic.yaml"), wanted, keys).changes == ()


VALUES = st.one_of(st.integers(0, 99), st.booleans(), st.sampled_from(["10s", "a: b", "# no", "'", "yes", "1"]))
PLACES = st.sampled_from([{}, {"namespace": "a"}, {"namespace": "b"}, {"namespace": "a", "taskQueueName": "q"}])
NAMES = st.sampled_from(["history.rps", "frontend.rps", "matching.updateAckInterval", "worker.x"])
ITEMS = st.lists(st.fixed_dictionaries({"value": VALUES}, optional={"constraints": PLACES}), max_size=3)


def shape(item: dict[str, Any]) -> str:
    return json.dumps(item, sort_keys=True)


@given(
    st.dictionaries(NAMES, ITEMS, max_size=3),
    st.lists(st.tuples(NAMES, VALUES, PLACES), min_size=1, max_size=3, unique_by=lambda one: (one[0], str(one[2]))),
    st.sampled_from([True, False, None]),
)
def test_only_the_wanted_values_change(
    data: dict[str, list[dict[str, Any]]], triples: list[tuple[str, Any, dict[str, str]]], flow: bool | None
) -> None:
    text = "# mine\n" + yaml.safe_dump(data, default_flow_style=flow)
    wanted = [Wanted(key, value, where, f"reason {index}") for index, (key, value, where) in enumerate(triples)]
    try:
        result = set_values(read_config(text, "d.yaml"), wanted, KEYS)
    except ComposeError:
        return
    expected = json.loads(json.dumps(data))
    for one in wanted:
        items = expected.setdefault(one.key, [])
        there = [item for item in items if item.get("constraints", {}) == one.constraints]
        if not there:
            items.append(one.item())
        elif "10s" not in (there[0]["value"], one.value):
            there[0]["value"] = one.value
        else:
            return  # text that means the same duration is left alone
    found = yaml.safe_load(result.text)
    assert {key: sorted(map(shape, items)) for key, items in found.items()} == {
        key: sorted(map(shape, items)) for key, items in expected.items()
    }
    assert result.text.startswith("# mine\n")
    again = set_values(read_config(result.text, "d.yaml"), wanted, KEYS)
    assert again == (result.text, ())
