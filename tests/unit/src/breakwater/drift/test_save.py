# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from breakwater.drift.save import refuse_unwritable, save
from breakwater.exits import CommandError


@pytest.mark.parametrize("there", [True, False])
def test_a_report_is_replaced_in_one_step(tmp_path: Path, there: bool) -> None:
    file = tmp_path / "report"
    if there:
        file.write_text("old")
    save("new", str(file))
    assert file.read_text() == "new"
    assert os.listdir(tmp_path) == ["report"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~umask


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "report")
    save("new", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "report").read_text() == "new"


def test_a_device_is_written_to() -> None:
    save("new", os.devnull)
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("name", [".", "none/report"])
def test_what_cannot_be_written_is_refused_before_and_after(tmp_path: Path, name: str) -> None:
    file = str(tmp_path / name)
    with pytest.raises(CommandError, match="folder"):
        refuse_unwritable(file)
    with pytest.raises(CommandError, match="cannot be written"):
        save("new", file)
    assert list(tmp_path.iterdir()) == []
