# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.breakwater.stack.plugins.action import temporal_lint as action
from ansible_collections.breakwater.stack.plugins.modules import temporal_lint as module


def test_the_module_says_that_it_runs_on_the_controller(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({"path": "/a"}), pytest.raises(SystemExit):
        module.main()
    assert "runs on the controller" in json.loads(capsys.readouterr().out)["msg"]


def test_the_action_takes_what_the_module_documents() -> None:
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    plain = {
        name: {key: value for key, value in option.items() if key != "description"}
        for name, option in documented.items()
    }
    assert plain == action.ActionModule.OPTIONS
