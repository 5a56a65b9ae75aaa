# SPDX-License-Identifier: GPL-3.0-or-later
"""The small stack, one for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks import Stack, running_stack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """The stack, running and never hardened."""
    with running_stack(tmp_path) as one:
        yield one
