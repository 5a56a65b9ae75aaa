# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of finding the Debian archive that apt asks."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

GROUND = Path(__file__).resolve().parents[2] / "ground"
ADDRESS = "http://mirror.example/debian"


@pytest.fixture
def debian(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The ground's module, whose neighbours are found by name."""
    monkeypatch.syspath_prepend(str(GROUND))
    spec = importlib.util.spec_from_file_location("ground_debian", GROUND / "debian.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "ground_debian", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (f"deb {ADDRESS} bookworm main\n", ADDRESS),
        (f"Types: deb\n# http://snapshot.example/archive/debian/2025\nURIs: {ADDRESS}/\nSuites: bookworm\n", ADDRESS),
        (f"URIs: {ADDRESS}-security\n\nURIs: {ADDRESS}\n", ADDRESS),
        (f"# deb {ADDRESS} bookworm main\n", ""),
        ("deb http://archive.example/ubuntu noble main\n", ""),
    ],
)
def test_the_archive_that_apt_asks(debian: ModuleType, sources: str, expected: str) -> None:
    assert debian.find_mirror(sources) == expected
