# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scan of one file loads: start-up is most of its time."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCAN = "import sys\nfrom breakwater.cli import main\nsys.argv[1:] = ['scan', sys.argv[1]]\n"
#: Called as the process ends, where the loaded modules can still be seen.
SHOW = (
    "import os\nend = os._exit\nos._exit = lambda code: (print(*sys.modules, file=sys.stderr, flush=True), end(code))\n"
)


@pytest.mark.parametrize(
    "heavy", ["typing", "dataclasses", "inspect", "json", "pathlib", "datetime", "yaml.resolver", "difflib", "pickle"]
)
def test_a_scan_does_not_load(loaded: set[str], heavy: str) -> None:
    assert heavy not in loaded


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules that a scan of one file has loaded when it ends."""
    file = tmp_path_factory.mktemp("scan") / "compose.yml"
    file.write_text("services:\n  db:\n    image: postgres:17\n")
    done = subprocess.run(
        [sys.executable, "-c", SCAN + SHOW + "main()", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    modules = set(done.stderr.split())
    assert "ansible_collections.breakwater.stack.plugins.plugin_utils.policy.plan" in modules
    return modules
