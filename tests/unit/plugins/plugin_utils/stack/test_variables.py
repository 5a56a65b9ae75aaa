# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the public variables."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import PolicyError
from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.variables import PUBLIC, refuse_unknown

ROOT = Path(__file__).resolve().parents[5]
#: Used by the playbooks, so in no role's specs.
PLAYBOOKS = {"breakwater_hosts"}


def test_every_variable_of_the_roles_is_known() -> None:
    stated = set(PLAYBOOKS)
    for specs in ROOT.glob("roles/*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(specs.read_text())["argument_specs"].values():
            stated |= set(entry["options"])
    assert {name for names in PUBLIC.values() for name in names} == stated


def test_a_misspelt_variable_is_named_with_what_was_meant() -> None:
    with pytest.raises(PolicyError, match="did you mean compose_limits_waivers"):
        refuse_unknown(["compose_limits_waiver"])


def test_variables_of_others_are_theirs() -> None:
    refuse_unknown(["ansible_host", "compose_file", *PUBLIC["breakwater_"]])
