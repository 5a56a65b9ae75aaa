# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import SEVERITIES
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.config import read_config
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.keys import keys_of
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.lint import lint
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.rules import RULES, Finding


def judged(text: str, version: str = "1.31.2") -> list[Finding]:
    return lint(read_config(text, "dynamic.yaml"), keys_of(version))


def codes(text: str, version: str = "1.31.2") -> list[tuple[int, str]]:
    return [(finding.line, finding.code) for finding in judged(text, version)]


def one(text: str, version: str = "1.31.2") -> Finding:
    (finding,) = judged(text, version)
    return finding


GOOD = """\
# limits
frontend.namespaceRPS:
  - value: 400
  - value: 100000
    constraints: {namespace: temporal-system}
FRONTEND.rps:
  - value: 1000
    constraints:
matching.numTaskqueueReadPartitions:
  - value: 1
    constraints: {namespace: a, taskQueueName: q, taskType: Activity}
  - value: 1
    constraints: {TaskQueueName: q, NAMESPACE: a, taskType: 1}
  - value: 2
    constraints: {namespace: b}
  - {value: 4, constraints: {}}
matching.longPollExpirationInterval:
  - value: 1m30s
  - value: 1.5d
    constraints: {namespace: a}
history.defaultActivityRetryPolicy:
  - value: {InitialIntervalInSeconds: 1, maximumattempts: 10, BackoffCoefficient: 2}
matching.enableFairness:
  - value: {Old: false, New: true, Start: 2026-01-01T00:00:00Z, End: 2026-01-02T00:00:00Z}
matching.useNewMatcher:
  - value: "true"
worker.protectedNamespaces:
  - value: [a, b]
component.callbacks.allowedAddresses:
  - value:
      - {Pattern: "*", AllowInsecure: true}
history.defaultWorkflowTaskTimeout: []
frontend.visibilityMaxPageSize:
"""


def test_a_good_file_has_no_findings() -> None:
    assert judged(GOOD) == []
    assert judged("") == judged("# nothing\n") == judged("{}\n") == []


CASES = {
    "a single value for a list": ("frontend.rps: 100\n", 1, "TL001"),
    "a mapping for a list": ("frontend.rps: {value: 100}\n", 1, "TL001"),
    "a single value for an entry": ("frontend.rps:\n  - 100\n", 2, "TL001"),
    "constraints as a list": ("frontend.rps:\n  - value: 1\n    constraints: [a]\n", 3, "TL001"),
    "unknown constraint": ("frontend.namespaceRPS:\n  - value: 9\n    constraints: {namespce: a}\n", 3, "TL002"),
    "a number for a namespace": ("frontend.namespaceRPS:\n  - value: 9\n    constraints: {namespace: 5}\n", 3, "TL002"),
    "no such task type": (
        (
            "matching.updateAckInterval:\n  - value: 9s\n"
            "    constraints: {namespace: a, taskQueueName: q, taskType: workflow}\n"
        ),
        3,
        "TL002",
    ),
    "text for a shard": (
        "history.ReplicationTaskProcessorErrorRetryWait:\n  - value: 1s\n    constraints: {shardID: one}\n",
        3,
        "TL002",
    ),
    "second document": ("frontend.rps:\n  - value: 9\n---\nfrontend.rps:\n  - value: 8\n", 4, "TL003"),
    "unknown field": ("frontend.rps:\n  - value: 9\n    constraint: {namespace: a}\n", 3, "TL004"),
    "field in capitals": ("frontend.rps:\n  - value: 9\n    Value: 9\n", 3, "TL004"),
    "no value": ("frontend.rps:\n  - constraints: {}\n", 2, "TL004"),
    "key twice": ("frontend.rps:\n  - value: 9\nFrontend.RPS:\n  - value: 8\n", 3, "TL005"),
    "misspelt key": ("frontend.namspaceRPS:\n  - value: 9\n", 1, "TL010"),
    "key of later releases": ("history.namespaceRPS:\n  - value: 9\n", 1, "TL011"),
    "key of earlier releases": ("dynamicconfig.subscriptionCallback:\n  - value: {}\n", 1, "TL011"),
    "removed timeout": ("history.defaultWorkflowExecutionTimeout:\n  - value: 600s\n", 1, "TL012"),
    "text for int": ('frontend.rps:\n  - value: "9"\n', 2, "TL020"),
    "float for int": ("frontend.rps:\n  - value: 9.0\n", 2, "TL020"),
    "bool for int": ("frontend.rps:\n  - value: true\n", 2, "TL020"),
    "null for int": ("frontend.rps:\n  - value:\n", 2, "TL020"),
    "yes for bool": ("admin.enableListHistoryTasks:\n  - value: yes\n", 2, "TL020"),
    "int for bool": ("admin.enableListHistoryTasks:\n  - value: 1\n", 2, "TL020"),
    "no such unit": ("matching.longPollExpirationInterval:\n  - value: 5 min\n", 2, "TL020"),
    "mapping for duration": ("matching.longPollExpirationInterval:\n  - value: {seconds: 5}\n", 2, "TL020"),
    "int for string": ("system.secondaryVisibilityWritingMode:\n  - value: 1\n", 2, "TL020"),
    "list for struct": ("history.defaultActivityRetryPolicy:\n  - value: [1]\n", 2, "TL020"),
    "text in a struct": ("history.defaultActivityRetryPolicy:\n  - value: {MaximumAttempts: ten}\n", 2, "TL020"),
    "text for list": ("worker.protectedNamespaces:\n  - value: a\n", 2, "TL020"),
    "numbers in a list of texts": ("worker.protectedNamespaces:\n  - value: [1]\n", 2, "TL020"),
    "no unit": ("matching.longPollExpirationInterval:\n  - value: 60\n", 2, "TL021"),
    "rate of 0": ("frontend.rps:\n  - value: 0\n", 2, "TL022"),
    "negative duration": ("matching.longPollExpirationInterval:\n  - value: -5s\n", 2, "TL022"),
    "ids longer than columns": ("limit.maxIDLength:\n  - value: 1000\n", 2, "TL022"),
    "above what gRPC takes": ("limit.blobSize.error:\n  - value: 10485760\n", 2, "TL022"),
    "above the server's cap": ("history.defaultWorkflowTaskTimeout:\n  - value: 5m\n", 2, "TL022"),
    "unknown field of a struct": (
        "history.defaultActivityRetryPolicy:\n  - value: {InitialInterval: 1s}\n",
        2,
        "TL023",
    ),
    "constraint on a global key": ("frontend.rps:\n  - value: 9\n    constraints: {namespace: a}\n", 3, "TL030"),
    "task queue on a namespace key": (
        "frontend.namespaceRPS:\n  - value: 9\n    constraints: {namespace: a, taskQueueName: q}\n",
        3,
        "TL030",
    ),
    "task type alone": (
        "matching.updateAckInterval:\n  - value: 9s\n    constraints: {taskType: Activity}\n",
        3,
        "TL031",
    ),
    "same constraints twice": (
        (
            "frontend.namespaceRPS:\n  - value: 9\n    constraints: {namespace: a}\n"
            "  - value: 8\n    constraints: {Namespace: a}\n"
        ),
        4,
        "TL032",
    ),
    "the same task type as text and as number": (
        (
            "matching.updateAckInterval:\n  - value: 9s\n"
            "    constraints: {namespace: a, taskQueueName: q, taskType: 2}\n  - value: 8s\n"
            "    constraints: {namespace: a, taskQueueName: q, taskType: Activity}\n"
        ),
        4,
        "TL032",
    ),
    "queue before namespace": (
        (
            "matching.updateAckInterval:\n  - value: 9s\n    constraints: {taskQueueName: q}\n"
            "  - value: 8s\n    constraints: {namespace: a}\n"
        ),
        4,
        "TL033",
    ),
    "read at start": ("history.cacheNonUserContextLockTimeout:\n  - value: 1s\n", 1, "TL050"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_finding_at_its_line(case: str) -> None:
    text, line, code = CASES[case]
    assert codes(text) == [(line, code)]


def test_every_rule_is_met_by_a_case() -> None:
    in_consequences = {"TL040", "TL041", "TL042", "TL043"}
    assert {code for _text, _line, code in CASES.values()} | in_consequences == set(RULES)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("frontend.namspaceRPS:\n", 'did you mean "frontend.namespaceRPS"?'),
        ("FRONTEND.NAMESPACERPSS:\n", 'did you mean "frontend.namespaceRPS"?'),
        ("callbacks.nothing:\n", "check its name in the reference"),
        ("history.maximumWorkflowRunTimeout:\n", "workers and clients enforce timeouts"),
        ("frontend.rps:\n  - value: 9\n    constraint: {}\n", 'write "constraints"'),
        ("frontend.namespaceRPS:\n  - value: 9\n    constraints: {namespce: a}\n", 'did you mean "namespace"?'),
    ],
)
def test_the_remedy_names_what_was_meant(text: str, remedy: str) -> None:
    assert remedy in one(text).remedy


def test_keys_depend_on_the_version() -> None:
    text = "matching.enableMigration:\n  - value: true\n"
    assert codes(text, "1.31.2") == codes(text, "v1.30.4") == []
    assert one(text, "1.32.0").message == "is not a key of Temporal 1.32, only of the releases 1.30 to 1.31"
    assert one(text, "1.29").code == "TL011"
    renamed = "chasm.callback.allowedAddresses:\n  - value: []\n"
    assert codes(renamed, "1.31") == []
    assert one(renamed, "1.32").remedy == 'use "callback.allowedAddresses"'


def test_a_constraint_that_came_later_is_refused_before() -> None:
    text = "frontend.rps:\n  - value: 9\n    constraints: {chasmTaskType: a}\n"
    assert [code for _line, code in codes(text, "1.30.4")] == ["TL002", "TL030"]
    assert [code for _line, code in codes(text, "1.31.2")] == ["TL030"]


def test_merge_keys_and_aliases_count_where_they_are_written() -> None:
    text = "frontend.rps: &rate\n  - value: '9'\nhistory.rps: *rate\n"
    assert codes(text) == [(2, "TL020"), (2, "TL020")]


@pytest.mark.parametrize("text", ["- a\n", "text\n", "3\n", "a: 1\na: 2\n", "a: [\n", "a: &a [*a]\n"])
def test_what_is_no_configuration_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ComposeError) as caught:
        judged(text)
    assert "\n" not in str(caught.value)
    assert "Compose" not in str(caught.value)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "a", "10s", "true", "Workflow", "temporal-system", "~", "0x1f", "1e3"]),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["namespace", "taskType", "Enabled", "x", "shardID"]), inner, max_size=3),
    ),
    max_leaves=6,
)
ENTRIES = st.one_of(
    TREES,
    st.lists(st.fixed_dictionaries({}, optional={"value": TREES, "constraints": TREES, "Value": TREES}), max_size=3),
)
NAMES = st.sampled_from(
    [*keys_of("1.31.2").names()[::40], "frontend.namespaceCount", "matching.enableFairness", "nope"]
)


@given(st.dictionaries(NAMES, ENTRIES, max_size=4))
def test_no_file_is_too_odd_to_be_judged(data: dict[str, object]) -> None:
    import json

    text = json.dumps(data)
    findings = judged(text)
    lines = text.count("\n") + 1
    assert all(1 <= finding.line <= lines for finding in findings)
    assert all(finding.code in RULES and finding.severity in SEVERITIES for finding in findings)
    assert all("\n" not in finding.message + finding.remedy for finding in findings)
    assert findings == judged(text)
