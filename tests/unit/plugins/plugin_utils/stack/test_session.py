# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what one run keeps on the controller."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack import session as sessions

SESSION = sessions.Session("r1", "/srv/app", {"project": {}}, {"engine": True}, {"f": "text"}, [], [], [])


def test_saved_and_loaded(tmp_path: Path) -> None:
    sessions.save(str(tmp_path), "host", SESSION)
    assert sessions.load(str(tmp_path), "host", "/srv/app/") == SESSION
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(("host", "directory"), [("other", "/srv/app"), ("host", "/srv/other")])
def test_each_host_and_folder_has_its_own(tmp_path: Path, host: str, directory: str) -> None:
    sessions.save(str(tmp_path), "host", SESSION)
    with pytest.raises(sessions.SessionError, match="start-at-task"):
        sessions.load(str(tmp_path), host, directory)


def test_forgotten_once_and_twice(tmp_path: Path) -> None:
    sessions.save(str(tmp_path), "host", SESSION)
    for _time in range(2):
        sessions.forget(str(tmp_path), "host", "/srv/app")
    assert list(tmp_path.iterdir()) == []
