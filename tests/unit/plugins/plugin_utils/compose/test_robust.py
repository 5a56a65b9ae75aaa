# SPDX-License-Identifier: GPL-3.0-or-later
"""Nonsense in a file ends in a ComposeError with its file, never in another exception, and never in an accessor."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.checks import _SHAPES
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.service import Service

WORDS = st.sampled_from(
    [
        "",
        "a",
        "1",
        "80:80",
        "1g",
        "a=b",
        "30s",
        "${X}",
        "${X:-1}",
        "true",
        "-1",
        "CMD",
        "condition",
        "/x:/y",
        "limits",
        "b",
    ]
)
VALUES = st.recursive(
    st.one_of(WORDS, st.none(), st.booleans(), st.integers(-5, 99), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "test",
                    "limits",
                    "resources",
                    "memory",
                    "a",
                    "target",
                    "source",
                    "options",
                    "driver",
                    "condition",
                    "path",
                ]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)
KEYS = st.sampled_from([*sorted(_SHAPES), "extends", "links", "gpus", "x-any"])
SERVICES = st.dictionaries(st.sampled_from(["a", "b"]), st.one_of(st.dictionaries(KEYS, VALUES, max_size=5), VALUES))
FILES = st.fixed_dictionaries(
    {}, optional={"services": st.one_of(SERVICES, VALUES), "include": VALUES, "volumes": VALUES, "name": VALUES}
)
ACCESSORS = [name for name in dir(Service) if isinstance(getattr(Service, name), property)]


def read_everything(service: Service) -> None:
    for name in ACCESSORS:
        getattr(service, name)
    for key, value in service.config.items():
        assert service.origin((key,)) is not None
        for step in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            assert service.origin((key, step)) is not None
    for resource in ("memory", "memory_reservation", "cpus", "pids", "replicas"):
        service.resource_place(resource)
        service.resource_home(resource)


def load_and_read(sources: list[SourceFile], strict: bool) -> ComposeError | None:
    """Load and read everything; give the refusal."""
    refusal = None
    try:
        project = load_project(sources, strict=strict)
    except ComposeError as error:
        refusal = error
    if refusal is None:
        for service in project.services.values():
            read_everything(service)
    return refusal


def is_placed(refusal: ComposeError) -> bool:
    """Say whether a refusal is one line about a file."""
    return refusal.file.endswith(".yml") and "\n" not in str(refusal)


@settings(max_examples=300, deadline=None)
@given(files=st.lists(FILES, min_size=1, max_size=2), strict=st.booleans())
def test_nonsense_is_refused_with_its_place(files: list[Any], strict: bool) -> None:
    sources = [SourceFile(f"{index}.yml", json.dumps(content)) for index, content in enumerate(files)]
    refusal = load_and_read(sources, strict)
    assert refusal is None or is_placed(refusal)


@settings(max_examples=300, deadline=None)
@given(key=KEYS, first=VALUES, second=VALUES)
def test_one_key_over_another(key: str, first: Any, second: Any) -> None:
    sources = [
        SourceFile(f"{index}.yml", json.dumps({"services": {"a": {"image": "a", key: value}}}))
        for index, value in enumerate((first, second))
    ]
    refusal = load_and_read(sources, strict=False)
    assert refusal is None or is_placed(refusal)


def chain(length: int) -> str:
    links = "".join(f"  s{index}: {{extends: s{index + 1}}}\n" for index in range(length))
    return f"services:\n{links}  s{length}: {{image: x}}\n"


def test_a_chain_of_extends_is_followed_to_a_bound() -> None:
    assert load_project([SourceFile("a.yml", chain(50))]).services["s0"].image == "x"
    with pytest.raises(ComposeError, match=r"a.yml:\d+: more than \d+ services extend one another"):
        load_project([SourceFile("a.yml", chain(3000))])


def test_a_chain_of_includes_is_followed_to_a_bound() -> None:
    def read(name: str) -> str:
        if name == ".env":
            raise FileNotFoundError(name)
        return f"include: [i{int(name[1:-4]) + 1}.yml]\nservices: {{{name[:-4]}: {{image: x}}}}\n"

    with pytest.raises(ComposeError, match=r"i\d+.yml:1: more than \d+ files include one another"):
        load_project([SourceFile("i0.yml", read("i0.yml"))], read=read)


def test_what_extends_copies_is_bounded() -> None:
    variables = "".join(f"      - V{index}=1\n" for index in range(2000))
    heirs = "".join(f"  h{index}: {{extends: big}}\n" for index in range(2000))
    text = f"services:\n  big:\n    image: x\n    environment:\n{variables}{heirs}"
    with pytest.raises(ComposeError, match="copies more than"):
        load_project([SourceFile("a.yml", text)])


def test_many_unknown_variables_take_no_time() -> None:
    variables = "".join(f"      - V{index}=${{V{index}}}\n" for index in range(20000))
    project = load_project([SourceFile("a.yml", f"services:\n  a:\n    environment:\n{variables}")])
    assert len(project.unknown) == 20000
