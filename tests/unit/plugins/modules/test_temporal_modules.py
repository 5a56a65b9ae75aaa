# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

PLUGINS = "ansible_collections.breakwater.stack.plugins"
every_module = pytest.mark.parametrize("name", ["temporal_config", "temporal_lint"])


@every_module
def test_the_module_says_that_it_runs_on_the_controller(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    with patch_module_args({"path": "/a"}), pytest.raises(SystemExit):
        module.main()
    assert "runs on the controller" in json.loads(capsys.readouterr().out)["msg"]


def spec(options: dict[str, Any]) -> dict[str, Any]:
    """Turn documented options into an argument spec."""
    found = {}
    for name, option in options.items():
        kept = {key: value for key, value in option.items() if key not in ("description", "suboptions")}
        if "suboptions" in option:
            kept["options"] = spec(option["suboptions"])
        found[name] = kept
    return found


def without_no_log(options: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        json.dumps(options), object_hook=lambda found: {k: v for k, v in found.items() if k != "no_log"}
    )
    return found


@every_module
def test_the_action_takes_what_the_module_documents(name: str) -> None:
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    action = importlib.import_module(f"{PLUGINS}.action.{name}").ActionModule
    assert spec(yaml.safe_load(module.DOCUMENTATION)["options"]) == without_no_log(action.OPTIONS)
