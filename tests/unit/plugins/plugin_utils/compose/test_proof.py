# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof by itself: a text that holds anything but what is wanted is refused, however it came about."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edits import Edit
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import RefusedEdit
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.proof import prove

TEXT = """x-common: &common
  restart: always
services:
  web:
    <<: *common
    image: web:1
  job:
    image: job:1
"""
WANTED = TEXT.replace("    image: web:1\n", "    image: web:1\n    mem_limit: 1g\n")
EDIT = Edit("set", ("services", "web", "mem_limit"), "1g")


def test_the_wanted_text_is_proven() -> None:
    assert prove(parse(TEXT, "f"), WANTED, parse(WANTED, "f").data, [EDIT]).text == WANTED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mem_limit: 1g", "mem_limit: 2g"),
        ("    mem_limit: 1g\n", ""),
        ("mem_limit: 1g", "mem_limit: 1g\n    cpus: 1.0"),
        ("    image: job:1\n", "    image: job:1\n    mem_limit: 1g\n"),
        ("image: job:1", "image: job:2"),
        ("  restart: always\n", "  restart: always\n  mem_limit: 1g\n"),
        ("restart: always", "restart: 'no'"),
        ("    <<: *common\n", ""),
        ("  job:\n    image: job:1\n", ""),
        ("image: web:1", "image: 'web:1'\n    extra:"),
    ],
)
def test_anything_else_is_refused(old: str, new: str) -> None:
    assert old in WANTED
    with pytest.raises(RefusedEdit, match="would not give exactly"):
        prove(parse(TEXT, "f"), WANTED.replace(old, new), parse(WANTED, "f").data, [EDIT])


def test_a_text_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(RefusedEdit, match="would not be valid"):
        prove(parse(TEXT, "f"), WANTED + "  bad: [\n", parse(WANTED, "f").data, [EDIT])
