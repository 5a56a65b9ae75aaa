# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of taking the changes of a generation back from files that were edited since."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.rollback import (
    TakeBackRefused,
    take_back,
    take_back_what_stands,
)

BEFORE = """services:
  cache:
    image: redis:8
    restart: always

  app:
    image: app:1
"""
AFTER = BEFORE.replace("    restart: always\n", "    restart: always\n    mem_limit: 96m\n    cpus: 0.5\n").replace(
    "    image: app:1\n", "    image: app:1\n    mem_limit: 1g\n"
)


def test_an_untouched_file_comes_back_byte_for_byte() -> None:
    assert take_back("f", BEFORE, AFTER, AFTER) == BEFORE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("image: redis:8", "image: redis:8.2"),
        ("services:\n", "# edited\nservices:\n"),
        ("    image: app:1\n", "    image: app:1\n    environment: {A: b}\n"),
        ("  app:\n", "  other:\n    image: other:2\n\n  app:\n"),
    ],
)
def test_an_edit_elsewhere_stays(old: str, new: str) -> None:
    assert take_back("f", BEFORE, AFTER, AFTER.replace(old, new)) == BEFORE.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mem_limit: 96m", "mem_limit: 128m"),
        ("    cpus: 0.5\n", ""),
        ("    mem_limit: 96m\n    cpus: 0.5\n", "    mem_limit: 96m\n    init: true\n    cpus: 0.5\n"),
        ("    mem_limit: 1g\n", "    mem_limit: 1g # why?\n"),
    ],
)
def test_an_edit_of_the_generations_own_lines_is_refused(old: str, new: str) -> None:
    with pytest.raises(TakeBackRefused, match="since"):
        take_back("f", BEFORE, AFTER, AFTER.replace(old, new))


def test_a_service_that_was_removed_since_is_refused() -> None:
    with pytest.raises(TakeBackRefused):
        take_back("f", BEFORE, AFTER, AFTER[: AFTER.index("  app:")])


@pytest.mark.parametrize(("old", "new"), [("96m", "128m"), ("    cpus: 0.5\n", ""), ("1g", "1g # why?"), ("a", "a")])
def test_what_stands_is_taken_back_and_an_edited_hunk_stays(old: str, new: str) -> None:
    parts = zip(AFTER.split("  app:\n"), BEFORE.split("  app:\n"), strict=True)
    expected = [part.replace(old, new) if old in part and new != old else plain for part, plain in parts]
    assert take_back_what_stands("f", BEFORE, AFTER, AFTER.replace(old, new)) == "  app:\n".join(expected)


LIST = "services:\n  app:\n    environment:\n      - A=1\n      - HOST=db\n    command: [run]\n"
LIST_AFTER = LIST.replace("HOST=db\n", "HOST=pool\n      - PORT=6432\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    command", "      - MINE=2\n    command"),
        ("      - A=1\n", ""),
        ("      - A=1\n", "      - A=2\n      - A3=3\n"),
        ("[run]", "[run, more]"),
    ],
)
def test_edits_of_a_lists_other_items_stay(old: str, new: str) -> None:
    assert take_back("f.yml", LIST, LIST_AFTER, LIST_AFTER.replace(old, new)) == LIST.replace(old, new)


@pytest.mark.parametrize(("old", "new"), [("pool", "other"), ("      - PORT=6432\n", ""), ("HOST=pool", "HOST=pool:1")])
def test_edits_of_the_generations_own_items_are_refused(old: str, new: str) -> None:
    with pytest.raises(TakeBackRefused, match="since"):
        take_back("f.yml", LIST, LIST_AFTER, LIST_AFTER.replace(old, new))


@given(st.lists(st.sampled_from(["a: 1", "b: 2", "c: 3", "d: 4", "e: 5"]), unique=True, min_size=1, max_size=5))
def test_lines_that_people_add_survive(added: list[str]) -> None:
    tail = "x-more:\n" + "".join(f"  {line}\n" for line in added)
    assert take_back("f", BEFORE, AFTER, AFTER + tail) == BEFORE + tail
