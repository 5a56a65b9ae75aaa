# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Change, Finding
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.masking import mask_text
from breakwater.mask import SMELLS, masked, masked_finding

NAMES = ["POSTGRES_PASSWORD", "PGPWD", "API_KEY", "s3cret", "Secret", "DSN", "SALT", "ACCESS_TOKEN", "credentials"]
OPTIONS = ["--requirepass", "--masterauth", "redis-cli", "-a", "Authorization:", "Bearer", "postgres://u:p@h/d"]
WORDS = st.sampled_from([*NAMES, *OPTIONS, "=", ":", '"', "'", ",", "x1"])


@given(st.lists(WORDS, max_size=6).map(" ".join) | st.lists(WORDS, max_size=6).map("".join) | st.text(max_size=30))
def test_whatever_the_masking_changes_smells(text: str) -> None:
    assert masked(text) == mask_text(text)


@pytest.mark.parametrize("smell", SMELLS)
def test_case_does_not_matter(smell: str) -> None:
    assert masked(f"x{smell.upper()}=hunter2") == mask_text(f"x{smell.upper()}=hunter2")


def test_every_text_of_a_finding_is_masked() -> None:
    secret = "redis-server --requirepass hunter2"
    fix = Change("BW-CPL-004", "redis", 0, (), secret, secret, "recreate", 3.0)
    made = masked_finding(Finding("BW-CPL-004", "redis", 0, 1, "high", secret, fix, None, secret))
    assert "hunter2" not in repr(made)
    assert made.message == "redis-server --requirepass ********"
