# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakwater.guard.durations import parse, text


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("10m", 600),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("90s", 90),
        ("250ms", 0.25),
        ("1m250ms", 60.25),
        ("0h5s", 5),
        (90, 90),
        (0.5, 0.5),
    ],
)
def test_what_is_a_duration(written: object, seconds: float) -> None:
    assert parse(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written",
    [
        *("", "10", "10 m", "m", "0s", "-5m", "5m1h", "1d", "5M", "10m\n", "٥m", "99999999h"),
        *(0, -1, 1e12, True, None, float("inf"), float("nan"), [5]),
    ],
)
def test_what_is_none(written: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse(written)


@given(st.integers(1, 10**10))
def test_what_is_written_is_read_again(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse(text(duration)) == duration


def test_text_is_short() -> None:
    assert [text(timedelta(seconds=s)) for s in (600, 5400, 90, 0.25)] == ["10m", "1h30m", "1m30s", "250ms"]
