# SPDX-License-Identifier: Apache-2.0
"""The published schema and the loader take and refuse the same documents."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import event, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft202012Validator

from breakwater.guard import PolicyContradiction, PolicyError, load
from breakwater.guard.durations import PATTERN

SCHEMA = json.loads((Path(__file__).parents[5] / "docs/schemas/policy-1.json").read_text(encoding="utf-8"))
VALIDATOR: Any = Draft202012Validator(SCHEMA)

Documents = SearchStrategy[Any]

JUNK = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 1.5, 2, 10**9]),
    st.sampled_from(["", " ", "none", "10m", "5x", "0s", "cap", "enforce"]),
    st.sampled_from([[], {}, ["a"], {"default": "1m"}, {"timeout": "1s"}, {"maximum_attempts": 3}]),
)


def table(fields: dict[str, Documents], *required: str) -> Documents:
    """A mapping with some of the fields."""
    optional = {name: good for name, good in fields.items() if name not in required}
    return st.fixed_dictionaries({name: fields[name] for name in required}, optional=optional)


def names(keys: list[str], values: Documents) -> Documents:
    return st.dictionaries(st.sampled_from(keys), values, min_size=1, max_size=2)


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """A document that is mostly right, or has one thing in one place that is not."""
    document = copy.deepcopy(draw(DOCUMENT))
    places: list[tuple[Any, Any]] = []
    _collect(document, places)
    change = draw(st.sampled_from(["none", "replace", "remove", "add"]))
    container, key = draw(st.sampled_from(places))
    if change == "replace":
        container[key] = draw(JUNK)
    elif change == "remove":
        del container[key]
    elif change == "add" and isinstance(container, dict):
        container[draw(st.sampled_from(["stranger", "*", "", "mode", "match"]))] = draw(JUNK)
    return document


def _collect(value: Any, places: list[tuple[Any, Any]]) -> None:
    for key, below in value.items() if isinstance(value, dict) else enumerate(value):
        places.append((value, key))
        if isinstance(below, (dict, list)):
            _collect(below, places)


DURATION = st.sampled_from(["1s", "10m", "1h30m", "1.5h", "250ms", 1, 0.5, 600, 315360000])
BOUND = st.one_of(DURATION, st.just("none"), table({"default": DURATION, "maximum": DURATION}, "default"))
SILENCE = table({"timeout": DURATION, "required": st.booleans()}, "timeout")
ATTEMPTS = st.sampled_from([1, 2.0, 5, 1000000])
REASON = st.just("it must")
MODE = st.sampled_from(["enforce", "observe"])
BEYOND = st.sampled_from(["cap", "refuse"])
RETRY = {
    "initial_interval": DURATION,
    "backoff_coefficient": st.sampled_from([1, 2.5, 100]),
    "maximum_interval": DURATION,
    "maximum_attempts": ATTEMPTS,
}
WORKFLOW = {
    "beyond": BEYOND,
    "execution_timeout": BOUND,
    "run_timeout": BOUND,
    "task_timeout": BOUND,
    "retry": table({"maximum_attempts": ATTEMPTS}, "maximum_attempts"),
    "reason": REASON,
}
ACTIVITY = {
    "beyond": BEYOND,
    "start_to_close_timeout": BOUND,
    "schedule_to_close_timeout": BOUND,
    "heartbeat": st.one_of(
        DURATION, st.just("none"), table({"timeout": DURATION, "required": st.booleans()}, "timeout")
    ),
    "retry": table(RETRY, "maximum_attempts"),
    "reason": REASON,
}
WORKSPACE = {
    "weight": st.sampled_from([0.001, 1, 1000]),
    "rps": st.sampled_from([0.5, 20]),
    "concurrency": ATTEMPTS,
    "share": st.sampled_from([0.1, 1]),
}
LIST = st.lists(st.sampled_from(["acme", "agents-acme", "acme-*"]), min_size=1, max_size=2)
MATCH = table(
    {
        "namespaces": LIST,
        "task_queues": LIST,
        "id_prefixes": LIST,
        "search_attributes": names(["WorkspaceId", "Team"], st.just("acme")),
    }
).filter(bool)
TYPES = ["Import", "Import*", "a.b", "x" * 256]
PREFIXES = ["task-", "task-acme-", "agent-", "task-*"]
DOCUMENT = table(
    {
        "schema_version": st.just(1),
        "mode": MODE,
        "workflows": table(
            {
                "mode": MODE,
                **WORKFLOW,
                "types": names(TYPES, table(WORKFLOW, "reason")),
                "id_prefixes": names(PREFIXES, table(WORKFLOW, "reason")),
            },
            "mode",
        ),
        "activities": table({"mode": MODE, **ACTIVITY, "types": names(TYPES, table(ACTIVITY, "reason"))}, "mode"),
        "workspaces": table(
            {
                "mode": MODE,
                "default": table(WORKSPACE, "weight"),
                "named": names(["acme", "globex", "x.y-z_1", "a b"], table({**WORKSPACE, "match": MATCH}, "match")),
            },
            "mode",
        ),
    },
    "schema_version",
)


def accepts(document: Any) -> bool:
    """Say whether the loader takes the shape of a document; what contradicts itself has the right shape."""
    try:
        load(yaml.dump(document, Dumper=yaml.CSafeDumper).encode())
    except PolicyContradiction:
        return True
    except PolicyError:
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(documents())
def test_both_take_and_refuse_the_same(document: Any) -> None:
    valid = VALIDATOR.is_valid(document)
    event(f"valid: {valid}")
    assert accepts(document) == valid, [error.message for error in VALIDATOR.iter_errors(document)]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["duration"]["anyOf"][0]["pattern"] == f"^(?:{PATTERN})$"
