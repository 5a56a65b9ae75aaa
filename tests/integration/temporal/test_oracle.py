# SPDX-License-Identifier: GPL-3.0-or-later
"""The lint says of a file what the server says: on every key, every type, every constraint, and on files at random."""

from __future__ import annotations

import json
import random
from typing import Any

from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.config import read_config
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.constraints import HISTORY_TASK_TYPES, NAMES
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.keys import CONSTRAINTS, TABLE, keys_of
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.lint import lint

from .conftest import Server, Verdict

KEYS = keys_of("1.31.2")
ALL = KEYS.names()
VALUES: list[Any] = [
    0, 3, 1.5, True, None, "", "text", "true", "10s", "1.5d", "7", "-5s", "5 min", [], ["a"], [1], {}, {"a": "b"},
    {"Enabled": "yes"}, {"MaximumAttempts": "ten"}, {"MaximumAttempts": 2.5, "InitialIntervalInSeconds": "2s"},
    {"Pattern": "*"}, [{"Pattern": "*", "AllowInsecure": True}], {"Old": 1, "New": 2},
]  # fmt: skip
CONSTRAINT_VALUES: list[Any] = [
    "a",
    1,
    0,
    True,
    "Workflow",
    "TASK_QUEUE_TYPE_NEXUS",
    "activity",
    "ActivityTimeout",
    [],
    {},
]


def of_lint(text: str) -> Verdict:
    """Put the findings of the lint as the server puts its own."""
    config = read_config(text, "dynamic.yaml")
    findings = lint(config, KEYS)
    unfit = {
        (entry.key.lower(), constraint.name.lower())
        for entry in config.entries
        for value in entry.values
        for constraint in value.constraints
        if (setting := KEYS.get(entry.key)) and NAMES.get(constraint.name.lower()) not in CONSTRAINTS[setting.scope]
        if constraint.name.lower() in NAMES
    }
    by_key = {finding.key.lower() for finding in findings if finding.code == "TL030"}
    assert by_key == {key for key, _constraint in unfit}
    return Verdict(
        any(finding.severity == "critical" and finding.code in ("TL001", "TL002") for finding in findings),
        frozenset(finding.key.lower() for finding in findings if finding.code in ("TL010", "TL011", "TL012")),
        frozenset(
            finding.key.lower()
            for finding in findings
            if finding.code == "TL020" or (finding.code == "TL004" and finding.message == "an entry has no value")
        ),
        frozenset(unfit),
    )


def differences(name: str, ours: Verdict, theirs: Verdict) -> list[str]:
    """Say what only one of the two says."""
    lines = [f"{name}: refused: {ours.refused} != {theirs.refused}"] if ours.refused != theirs.refused else []
    for field in ("unknown", "unconverted", "unfit"):
        mine, its = getattr(ours, field), getattr(theirs, field)
        lines += [f"{name}: {field}: only the lint: {item}" for item in sorted(mine - its)]
        lines += [f"{name}: {field}: only the server: {item}" for item in sorted(its - mine)]
    return lines


def compare(server: Server, texts: dict[str, str]) -> list[Verdict]:
    """Compare the two verdicts on each file; gives the server's."""
    found = server(texts)
    differing = [line for name, text in texts.items() for line in differences(name, of_lint(text), found[name])]
    assert not differing, "\n".join(differing)
    return list(found.values())


def entry(value: Any, **constraints: Any) -> dict[str, Any]:
    return {"value": value, "constraints": constraints}


def test_every_key_of_the_table_and_no_other(server: Server) -> None:
    everywhere = {line.split("\t")[0] for line in TABLE.read_text().splitlines() if not line.startswith("#")}
    verdicts = compare(server, {"keys.yaml": json.dumps({name: [] for name in [*everywhere, "Frontend.Nothing"]})})
    known = {name.lower() for name in ALL}
    assert verdicts[0].unknown == {name.lower() for name in everywhere} - known | {"frontend.nothing"}
    assert len(known) > 600


def test_every_key_with_values_of_every_type(server: Server) -> None:
    texts = {
        f"value-{number}.yaml": json.dumps({name: [entry(value)] for name in ALL})
        for number, value in enumerate(VALUES)
    }
    verdicts = compare(server, texts)
    assert all(0 < len(verdict.unconverted) < len(ALL) for verdict in verdicts)


def test_every_constraint_on_a_key_of_every_scope(server: Server) -> None:
    by_scope = {setting.scope: name for name in ALL if (setting := KEYS.get(name))}
    assert set(by_scope) == set(CONSTRAINTS)
    texts = {}
    for scope, name in by_scope.items():
        for constraint in [*NAMES.values(), "NAMESPACE", "nothing"]:
            for number, value in enumerate(CONSTRAINT_VALUES):
                text = json.dumps({name: [entry(1, **{constraint: value})]})
                texts[f"{scope}-{constraint}-{number}.yaml"] = text
    task = by_scope["taskType"]
    for name in [*HISTORY_TASK_TYPES, "Unspecified", "TASK_TYPE_UNSPECIFIED"]:
        texts[f"history-{name}.yaml"] = json.dumps({task: [entry("1s", historyTaskType=name)]})
    verdicts = compare(server, texts)
    assert {verdict.refused for verdict in verdicts} == {True, False}
    assert {bool(verdict.unfit) for verdict in verdicts} == {True, False}


FORMS = {
    "empty.yaml": "",
    "comments.yaml": "# nothing\n",
    "single.yaml": "frontend.rps: 9\n",
    "mapping.yaml": "frontend.rps: {value: 9}\n",
    "null.yaml": "frontend.rps:\n",
    "null-entry.yaml": "frontend.rps:\n  -\n",
    "no-value.yaml": "frontend.rps:\n  - constraints: {}\n",
    "text-entry.yaml": "frontend.rps: [text]\n",
    "list-entry.yaml": "frontend.rps: [[1]]\n",
    "constraints-list.yaml": "frontend.rps: [{value: 1, constraints: [a]}]\n",
    "constraints-text.yaml": "frontend.rps: [{value: 1, constraints: a}]\n",
    "constraints-null.yaml": "frontend.rps: [{value: 1, constraints: }]\n",
    "capitals.yaml": "frontend.rps: [{Value: 1}]\n",
    "field.yaml": "frontend.rps: [{value: 1, constraint: {nothing: 1}}]\n",
    "quoted.yaml": "frontend.rps: [{value: '1'}]\nfrontend.namespaceRPS: [{value: !!str 1}]\n",
    "numbers.yaml": "frontend.rps: [{value: 0x1f}]\nhistory.rps: [{value: 1_000}]\nmatching.rps: [{value: 1e3}]\n",
    "yes.yaml": "admin.enableListHistoryTasks: [{value: yes}]\nfrontend.rps: [{value: 010}]\n",
    "anchor.yaml": "frontend.rps: &a [{value: 1}]\nhistory.rps: *a\nmatching.rps: [{value: 1, constraints: &c {}}]\n",
    "merge.yaml": "frontend.rps:\n  - &a {value: 1}\n  - {<<: *a, constraints: {nothing: x}}\n",
    "documents.yaml": "frontend.rps: [{value: 1}]\n---\nnothing: [{value: 1}]\n",
    "case.yaml": "FRONTEND.RPS: [{value: x, constraints: {NameSpace: a}}]\n",
    "timeouts.yaml": "history.defaultWorkflowExecutionTimeout: [{value: 10m}]\n",
}


def test_forms_of_files(server: Server) -> None:
    verdicts = compare(server, FORMS)
    assert [verdict.refused for verdict in verdicts].count(True) == 7


def test_files_at_random(server: Server) -> None:
    chance = random.Random(20)

    def some_value() -> Any:
        return chance.choice(VALUES)

    def some_constraints() -> dict[str, Any]:
        names = chance.sample([*NAMES.values(), "Namespace", "nmespace"], chance.choice((0, 0, 1, 1, 2)))
        return {name: chance.choice(CONSTRAINT_VALUES[:6]) for name in names}

    def some_file() -> str:
        names = chance.sample([*ALL, "nothing.here", "history.namespaceRPS"], chance.randint(1, 12))
        data = {
            chance.choice((str, str.upper))(name): [
                entry(some_value(), **some_constraints()) for _number in range(chance.randint(0, 3))
            ]
            for name in names
        }
        return json.dumps(data, indent=chance.choice((None, 2)))

    verdicts = compare(server, {f"random-{number}.yaml": some_file() for number in range(300)})
    assert 30 < sum(verdict.refused for verdict in verdicts) < 290
