# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes, durations and CPU counts mean what they mean to Compose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.module_utils._units import (
    MAX_SIZE,
    format_cpus,
    format_duration,
    format_size,
    parse_cpus,
    parse_duration,
    parse_size,
)

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512m", 512 * MIB),
        ("512M", 512 * MIB),
        ("512mb", 512 * MIB),
        ("512MiB", 512 * MIB),
        ("512 m", 512 * MIB),
        ("1g", 1024 * MIB),
        ("1gb", 1024 * MIB),
        ("0.5g", 512 * MIB),
        (".5g", 512 * MIB),
        ("1.g", 1024 * MIB),
        ("1e3", 1000),
        ("1e3k", 1000 * 1024),
        ("2T", 2 * 1024**4),
        ("1p", 1024**5),
        ("100b", 100),
        ("100", 100),
        ("100 ", 100),
        ("0", 0),
        (0, 0),
        (536870912, 512 * MIB),
        ("0.3k", 307),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_sizes(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "m",
        "-1m",
        -1,
        "1x",
        "1mm",
        "1mbb",
        "1bb",
        "1 mib ",
        " 1m",
        "1  m",
        "512mbytes",
        "1,5g",
        "0x10m",
        "inf",
        "nan",
        "9" * 30,
        "9999999p",
        10**40,
        MAX_SIZE + 1,
        True,
        1.5,
        None,
        [],
        {},
        "\u0665m",
        "1_000",
    ],
)
def test_refused_sizes_say_what_was_expected(value: object) -> None:
    with pytest.raises(ValueError, match="expected a size such as 512m"):
        parse_size(value)


def test_size_errors_name_the_value_and_stay_short() -> None:
    with pytest.raises(ValueError, match=r"^'-5m' is negative: expected"):
        parse_size("-5m")
    with pytest.raises(ValueError, match=r"^'1x' has the unknown unit 'x'"):
        parse_size("1x")
    with pytest.raises(ValueError, match=r"^a list is not understood"):
        parse_size(["512m"])
    with pytest.raises(ValueError, match="expected a size") as caught:
        parse_size("z" * 10000)
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize(
    ("size", "text"),
    [(512 * MIB, "512m"), (1024 * MIB, "1g"), (1536 * MIB, "1536m"), (0, "0"), (1000, "1000"), (1024, "1k")],
)
def test_sizes_are_written_as_people_write_them(size: int, text: str) -> None:
    assert format_size(size) == text


@given(st.integers(0, MAX_SIZE))
def test_formatted_sizes_read_back_exactly(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("1m30s", 90),
        ("1h5m30s20ms", 3930.02),
        ("500ms", 0.5),
        ("1.5s", 1.5),
        (".5s", 0.5),
        ("1.s", 1),
        ("100us", 0.0001),
        ("100\u00b5s", 0.0001),
        ("100\u03bcs", 0.0001),
        ("1ns", 1e-9),
        ("0", 0),
        (0, 0),
        ("+5s", 5),
        ("2s1m", 62),
    ],
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    "value", ["", "s", "30", 30, "-5s", "1d", "2w", "1m 30s", "1M", " 1s", "1s ", ".s", "9999999h", True, 1.5, None, []]
)
def test_refused_durations_say_what_was_expected(value: object) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 30s"):
        parse_duration(value)


def test_a_duration_without_unit_is_named_as_such() -> None:
    with pytest.raises(ValueError, match=r"^'30' has no unit"):
        parse_duration(30)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (60, "60s"),
        (90, "1m30s"),
        (120, "2m"),
        (5, "5s"),
        (3600, "1h"),
        (3930.02, "1h5m30.02s"),
        (0.5, "500ms"),
        (1.5, "1.5s"),
        (0, "0s"),
        (0.0001, "100us"),
        (1e-9, "1ns"),
        (3605, "1h5s"),
    ],
)
def test_durations_are_written_as_people_write_them(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(0, 10**15).map(lambda value: value / 1e6))
def test_formatted_durations_read_back(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "cpus"), [("0.5", 0.5), (1, 1.0), ("2", 2.0), (0.25, 0.25), ("0", 0.0), ("1e-1", 0.1)]
)
def test_cpus(value: object, cpus: float) -> None:
    assert parse_cpus(value) == cpus


@pytest.mark.parametrize(
    "value",
    ["", "-1", -0.5, "one", "nan", float("nan"), float("inf"), "inf", 10**400, 9000, True, None, [], "1 ", "50%"],
)
def test_refused_cpus_say_what_was_expected(value: object) -> None:
    with pytest.raises(ValueError, match=r"expected a number of CPUs such as 0.5"):
        parse_cpus(value)


@pytest.mark.parametrize(("cpus", "text"), [(1, "1.0"), (0.5, "0.5"), (1.25, "1.25"), (0.333, "0.333"), (2.0, "2.0")])
def test_cpus_are_written_with_a_decimal(cpus: float, text: str) -> None:
    assert format_cpus(cpus) == text


@pytest.mark.parametrize("write", [format_size, format_duration, format_cpus])
def test_nothing_out_of_range_is_written(write: object) -> None:
    assert callable(write)
    with pytest.raises(ValueError, match="out of range"):
        write(-1)
