# SPDX-License-Identifier: GPL-3.0-or-later
"""The small stack of the pool's tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from pooled import IMAGES, Stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack, running and without a pool; the tests of a module tell one story in their order."""
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0 or not IMAGES.exists():
        pytest.skip("no Docker Engine answers, or `tests/ground/ground up` has not named its images")
    one = Stack(tmp_path_factory.mktemp("pool"), connections=40)
    try:
        one.up()
        yield one
    finally:
        one.down()
