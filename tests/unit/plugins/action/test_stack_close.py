# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that releases a lock does what the module's function does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.action.stack_close import release_command
from ansible_collections.breakwater.stack.plugins.module_utils import _lock


def release(folder: Path, run_id: str) -> int:
    return subprocess.run(release_command(str(folder), run_id), shell=True, capture_output=True, check=False).returncode


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of the locks of a project whose name needs quoting."""
    folder = tmp_path / "it's a $HOME" / ".breakwater"
    folder.mkdir(parents=True)
    return folder


def test_a_run_releases_its_own_lock(root: Path) -> None:
    _lock.take(str(root), "0123456789ab", "ops", {}, 60)
    assert release(root.parent, "0123456789ab") == 0
    assert _lock.read(str(root)) is None


def test_the_lock_of_another_run_stays(root: Path) -> None:
    _lock.take(str(root), "0123456789ab", 'ops "run_id": "ba9876543210"', {}, 60)
    assert release(root.parent, "ba9876543210") != 0
    held = _lock.read(str(root))
    assert held is not None
    assert held.run_id == "0123456789ab"


def test_a_link_in_place_of_the_lock_stays(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text('"run_id": "0123456789ab"')
    (root / _lock.FILE_NAME).symlink_to(elsewhere)
    assert release(root.parent, "0123456789ab") != 0
    assert (root / _lock.FILE_NAME).is_symlink()


def test_nothing_to_release_is_no_success(root: Path, tmp_path: Path) -> None:
    assert release(root.parent, "0123456789ab") != 0
    assert release(tmp_path / "missing", "0123456789ab") != 0
