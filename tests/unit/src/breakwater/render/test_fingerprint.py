# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest

from breakwater.render.fingerprint import Fingerprints, repository_path
from breakwater.report import Report


@pytest.mark.parametrize(
    ("name", "path"),
    [("a.yml", "a.yml"), ("./a.yml", "a.yml"), ("x/../a.yml", "a.yml"), (os.path.abspath("b/a.yml"), "b/a.yml")],
)
def test_paths_are_relative_to_the_run(name: str, path: str) -> None:
    assert repository_path(name) == path


def test_equal_findings_get_different_fingerprints(report: Report) -> None:
    fingerprints = Fingerprints()
    assert fingerprints.of(report.items[0]) != fingerprints.of(report.items[0])
