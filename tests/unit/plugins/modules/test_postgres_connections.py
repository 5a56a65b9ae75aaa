# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's half that needs no engine; what it reads is tested in tests/integration/connections."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.breakwater.stack.plugins.modules import postgres_connections
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.connections import Thresholds


def test_without_its_action_it_says_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({"project_dir": "/srv/corp"}), pytest.raises(SystemExit):
        postgres_connections.main()
    result = json.loads(capsys.readouterr().out)
    assert result["failed"] is True
    assert "breakwater.stack.postgres_connections" in result["msg"]


def test_its_thresholds_are_those_of_the_judgement() -> None:
    stated = {name: option["default"] for name, option in postgres_connections.thresholds_options().items()}
    assert stated == Thresholds()._asdict()
