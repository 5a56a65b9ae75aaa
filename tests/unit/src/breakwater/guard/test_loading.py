# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakwater.guard import Policy, PolicyContradiction, PolicyError, load, load_file
from breakwater.guard.policy import UNBOUND, Bound, Heartbeat, Retry, Workspace

EXAMPLE = Path(__file__).parents[5] / "examples/generic-corp/breakwater-policy.yml"
MINUTE = timedelta(minutes=1)


def read(text: str) -> Policy:
    return load(f"schema_version: 1\n{text}".encode(), "p.yml")


def test_without_a_word_the_defaults_hold() -> None:
    policy = read("")
    workflow = policy.workflows.rule_for("Any", "any-1")
    activity = policy.activities.rule_for("any")
    assert workflow.execution_timeout == Bound(10 * MINUTE, None)
    assert activity.start_to_close_timeout == Bound(5 * MINUTE, None)
    assert (policy.workflows.mode, policy.activities.mode, policy.workspaces.mode) == ("enforce",) * 3


def test_the_example_is_a_policy() -> None:
    policy = load_file(EXAMPLE)
    assert policy.workflows.rule_for("Task", "task-1").execution_timeout.default == 10 * MINUTE
    assert policy.workflows.rule_for("AgentLifecycle", "agent-lifecycle-1").execution_timeout == UNBOUND


def test_the_policy_of_the_documentation_is_one() -> None:
    text = (EXAMPLE.parents[2] / "docs/guard.md").read_text(encoding="utf-8")
    policy = load(text.split("```yaml\n")[1].split("```")[0].encode())
    assert policy.activities.rule_for("render_scene").heartbeat.timeout == MINUTE / 2


@pytest.mark.parametrize(
    ("written", "bound"),
    [
        ("10m", Bound(10 * MINUTE, 10 * MINUTE)),
        ("60", Bound(MINUTE, MINUTE)),
        ("{default: 1m}", Bound(MINUTE, None)),
        ("{maximum: 1m}", Bound(MINUTE, MINUTE)),
        ("{default: 1m, maximum: 5m}", Bound(MINUTE, 5 * MINUTE)),
        ("none\n  reason: it lives long", UNBOUND),
    ],
)
def test_forms_of_a_bound(written: str, bound: Bound) -> None:
    assert read(f"workflows:\n  execution_timeout: {written}").workflows.rule.execution_timeout == bound


@pytest.mark.parametrize(
    ("written", "heartbeat"),
    [
        ("30s", Heartbeat(MINUTE / 2, True)),
        ("{timeout: 30s}", Heartbeat(MINUTE / 2, True)),
        ("{timeout: 30s, required: false}", Heartbeat(MINUTE / 2, False)),
        ("none\n  reason: seconds only", Heartbeat()),
    ],
)
def test_forms_of_a_heartbeat(written: str, heartbeat: Heartbeat) -> None:
    assert read(f"activities:\n  heartbeat: {written}").activities.rule.heartbeat == heartbeat


def test_a_mode_for_the_file_and_for_a_section() -> None:
    policy = read("mode: observe\nworkflows: {mode: enforce}\nactivities: {retry: {maximum_attempts: 3}}")
    assert (policy.workflows.mode, policy.activities.mode, policy.workspaces.mode) == ("enforce", "observe", "observe")


def test_an_override_builds_on_the_section() -> None:
    policy = read(
        "activities:\n"
        "  retry: {initial_interval: 2s, maximum_attempts: 5}\n"
        "  types:\n"
        "    slow: {start_to_close_timeout: 1h, retry: {maximum_attempts: 2}}\n"
        "    import*: {beyond: refuse}\n"
    )
    slow = policy.activities.rule_for("slow")
    assert slow.start_to_close_timeout == Bound(60 * MINUTE, 60 * MINUTE)
    assert slow.retry == Retry(timedelta(seconds=2), None, None, 2)
    assert policy.activities.rule_for("import_rows").beyond == "refuse"
    assert policy.activities.rule_for("other").retry.maximum_attempts == 5


def test_workspaces() -> None:
    policy = read(
        "workspaces:\n"
        "  default: {weight: 0.5}\n"
        "  named:\n"
        "    acme:\n"
        "      match: {namespaces: [acme], task_queues: [agents-acme, acme-*], id_prefixes: [task-acme-],\n"
        "              search_attributes: {WorkspaceId: acme}}\n"
        "      weight: 2\n"
        "      rps: 20\n"
        "      concurrency: 10\n"
        "      share: 0.25\n"
    )
    acme = Workspace("acme", 2.0, 20.0, 10, 0.25)
    find = policy.workspaces.find
    assert find(namespace="acme") == find(task_queue="acme-7") == find(workflow_id="task-acme-1") == acme
    assert find(search_attributes={"WorkspaceId": "acme"}) == acme
    assert find(namespace="other", task_queue="agents") == Workspace("", 0.5)


WRONG = [
    ("nonsense: 1", "p.yml:2: the key 'nonsense' is not known here; known are schema_version, mode"),
    ("workflow: {}", "p.yml:2: the key 'workflow' is not known here; did you mean 'workflows'?"),
    ("mode: enforced", "p.yml:2: mode: 'enforced' is not known here; did you mean 'enforce'?"),
    (
        "workflows:\n  execution_timeout: 10x",
        "p.yml:3: workflows.execution_timeout: '10x' does not fit; write 90s",
    ),
    ("workflows:\n  execution_timeout: none", "p.yml:3: workflows: execution_timeout is none without a reason; add"),
    ("workflows:\n  execution_timeout: no\n  reason: r", "p.yml:3: workflows.execution_timeout: False does not fit"),
    ("workflows:\n  types:\n    A*B: {run_timeout: 1m}", "p.yml:4: workflows.types.A*B: 'A*B' is no pattern; write"),
    ("workflows:\n  types:\n    '*': {run_timeout: 1m}", "'*' is no pattern; write a name"),
    ("workflows:\n  id_prefixes:\n    task-*: {run_timeout: 1m}", "'task-*' is no beginning of an id; write"),
    ("workflows: {types: {A: {}}}", "workflows.types.A: nothing is stated here"),
    ("workflows: {retry: {initial_interval: 1s}}", "the key 'initial_interval' is not known here"),
    ("activities: {heartbeat: {required: true}}", "activities.heartbeat: the key 'timeout' is missing; add it"),
    ("activities: {heartbeat: {timeout: 1s, required: yess}}", "'yess' does not fit; write true or false"),
    ("activities: {retry: {maximum_attempts: 0}}", "0 does not fit; a whole number from 1"),
    ("activities: {retry: {backoff_coefficient: 0.5}}", "0.5 does not fit; a number from 1 to 100"),
    ("activities: {reason: ' '}", "' ' does not fit; say why"),
    ("workspaces: {named: {a: {weight: 1}}}", "workspaces.named.a: the key 'match' is missing"),
    ("workspaces: {named: {'a b': {match: {namespaces: [x]}}}}", "'a b' is no name; letters"),
    ("workspaces: {named: {a: {match: {namespaces: []}}}}", "a list with at least one entry belongs here"),
    ("workspaces: {named: {a: {match: {namespaces: [1]}}}}", "workspaces.named.a.match.namespaces[0]: 1 does not fit"),
    ("mode: [a]", "p.yml:2: mode: a single value belongs here"),
    ("mode: enforce\nmode: observe", "p.yml:3: the key 'mode' is there twice; keep one; the first is in line 2"),
    ("1: 2", "p.yml:2: the key 1 is not text; put it in quotes"),
    ("mode: !!int x", "mode: this value cannot be read"),
    ("mode: !!python/object:os.system x", "mode: this value cannot be read"),
    ("mode: [", "p.yml:2: not YAML"),
    ("a: " + "[" * 5000, "p.yml: the file is nested too deep"),
    ("mode: \x07", "p.yml: the file has characters that YAML forbids"),
    ("---\nmode: observe", "p.yml:2: not YAML: but found another document"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[text[:40].replace("\n", "|") for text, _ in WRONG])
def test_errors_say_where_and_what_to_do(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as raised:
        read(text)
    assert message in str(raised.value)
    assert str(raised.value).startswith("p.yml")
    assert "\n" not in str(raised.value)
    assert not isinstance(raised.value, PolicyContradiction)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"mode: enforce", "p.yml:1: the key 'schema_version' is missing"),
        (b"schema_version: 2", "schema_version: 2 does not fit; this release reads version 1"),
        (b"schema_version: true", "schema_version: True does not fit"),
        (b"- a", "p.yml:1: keys with values belong here"),
        (b"\xff\xfe", "the file is not UTF-8"),
        (b"# " + b"x" * 300_000, "the file is larger than 256 KiB"),
        (b"&a [*a]", "keys with values belong here"),
    ],
)
def test_what_is_no_policy_at_all(content: bytes, message: str) -> None:
    with pytest.raises(PolicyError) as raised:
        load(content, "p.yml")
    assert message in str(raised.value)


CONTRADICTIONS = [
    ("workflows: {execution_timeout: {default: 2h, maximum: 1h}}", "the default is beyond the maximum"),
    ("workflows: {execution_timeout: 10m, run_timeout: 11m}", "run_timeout is beyond execution_timeout"),
    (
        "workflows:\n  run_timeout: 9m\n  types:\n    A: {execution_timeout: 5m}",
        "p.yml:5: workflows.types.A: run_timeout is beyond",
    ),
    ("workflows: {task_timeout: 3m}", "task_timeout is beyond what the server allows; at most 2m"),
    (
        "activities: {start_to_close_timeout: 5m, schedule_to_close_timeout: 4m}",
        "start_to_close_timeout is beyond schedule_to_close_timeout",
    ),
    ("activities: {start_to_close_timeout: 30s, heartbeat: 30s}", "the heartbeat timeout is not below"),
    ("activities: {retry: {maximum_interval: 500ms}}", "maximum_interval is below initial_interval"),
    (
        "workspaces: {named: {a: {match: {task_queues: [q]}}, b: {match: {task_queues: [q]}}}}",
        "workspaces.named.b.match.task_queues[0]: it recognises 'a' already",
    ),
    (
        "workspaces: {named: {a: {share: 0.6, match: {namespaces: [a]}}, b: {share: 0.5, match: {namespaces: [b]}}}}",
        "the shares add up to 1.1; at most 1",
    ),
]


@pytest.mark.parametrize(("text", "message"), CONTRADICTIONS)
def test_contradictions(text: str, message: str) -> None:
    with pytest.raises(PolicyContradiction) as raised:
        read(text)
    assert message in str(raised.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"missing\.yml: No such file or directory; name a readable policy file"):
        load_file(tmp_path / "missing.yml")
    with pytest.raises(PolicyError, match="Is a directory"):
        load_file(tmp_path)


@given(st.binary(max_size=200) | st.text(st.characters(codec="utf-8"), max_size=200).map(str.encode))
def test_whatever_the_bytes_only_a_policy_error_comes_out(content: bytes) -> None:
    with contextlib.suppress(PolicyError):
        load(content)
