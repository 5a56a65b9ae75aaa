# SPDX-License-Identifier: GPL-3.0-or-later
"""Public Compose files: each is judged or refused in one line, and fixing twice is fixing once."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from .conftest import ROOT, Program

CORPUS = Path(os.environ.get("BREAKWATER_CORPUS", ROOT.parent / "shared/compose-corpus"))
HOST = ("--host-memory", "512g", "--host-cpus", "64")

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"there is no corpus at {CORPUS}")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Copies of the files that can be judged."""
    names = sorted(path.name for path in CORPUS.glob("*.y*ml"))
    for name in names:
        shutil.copy(CORPUS / name, tmp_path / name)
    return names


def test_every_file_is_judged_or_refused_in_one_line(program: Program, files: list[str]) -> None:
    outcome = program("scan", *files)
    complaints = outcome.err.splitlines()
    assert "Traceback" not in outcome.err
    assert outcome.code == 1
    refused = [next(name for name in files if line.startswith(name)) for line in complaints]
    assert max(Counter(refused).values()) == 1
    assert f"examined {len(files) - len(refused)} files" in outcome.out
    assert len(refused) <= 0.06 * len(files), complaints


def test_fixing_twice_is_fixing_once(program: Program, files: list[str], tmp_path: Path) -> None:
    first = program("fix", *files, *HOST)
    refused = {name for name in files if any(line.startswith(name) for line in first.err.splitlines())}
    accepted = [name for name in files if name not in refused]
    assert len(refused) <= 0.08 * len(files), first.err
    assert program("fix", *accepted, *HOST, "--write").code == 0
    once = {name: (tmp_path / name).read_bytes() for name in accepted}
    changed = [name for name in accepted if once[name] != (CORPUS / name).read_bytes()]
    assert len(changed) > 0.9 * len(accepted)
    again = program("fix", *accepted, *HOST)
    assert (again.code, again.out) == (0, "")
    assert {name: (tmp_path / name).read_bytes() for name in accepted} == once
