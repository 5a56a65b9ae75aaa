# SPDX-License-Identifier: GPL-3.0-or-later
"""The light NamedTuple behaves as the one of `typing`, wherever either is used."""

from __future__ import annotations

import pickle
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils import lean_typing


class Light(lean_typing.NamedTuple):
    """A record of ours."""

    first: int
    second: str = "two"
    third: tuple[int, ...] = ()

    @property
    def both(self) -> str:
        """Something computed."""
        return f"{self.first}{self.second}"


class Usual(typing.NamedTuple):
    """The same record as `typing` makes it."""

    first: int
    second: str = "two"
    third: tuple[int, ...] = ()

    @property
    def both(self) -> str:
        """Something computed."""
        return f"{self.first}{self.second}"


def outcome(kind: Any, values: list[Any], named: dict[str, Any]) -> Any:
    """What comes of making a record: all that can be asked of it, or that it cannot be made."""
    try:
        made = kind(*values, **named)
    except TypeError:
        return "TypeError"
    return tuple(made), made._asdict(), made.both, made.third, hash(made), repr(made).partition("(")[2]


FIELDS = ["first", "second", "third", "fourth"]


@given(st.lists(st.integers(), max_size=4), st.dictionaries(st.sampled_from(FIELDS), st.integers(), max_size=4))
def test_made_alike(values: list[int], named: dict[str, int]) -> None:
    assert outcome(Light, values, named) == outcome(Usual, values, named)


@given(st.dictionaries(st.sampled_from(FIELDS[:3]), st.integers(), max_size=3))
def test_replaced_alike(changes: dict[str, Any]) -> None:
    assert tuple(Light(1)._replace(**changes)) == tuple(Usual(1)._replace(**changes))
    assert type(Light(1)._replace(**changes)) is Light


def test_no_other_field() -> None:
    unknown: Any = {"fourth": 4}
    with pytest.raises(TypeError, match="no field fourth"):
        Light(1)._replace(**unknown)
    record: Any = Light(1)
    with pytest.raises(AttributeError):
        record.first = 2
    with pytest.raises(AttributeError):
        record.fourth = 4


def test_unpacked_matched_and_pickled() -> None:
    first, second, third = Light(1)
    assert (first, second, third) == (1, "two", ())
    match Light(1, "x"):
        case Light(1, second=second):
            assert second == "x"
    again = pickle.loads(pickle.dumps(Light(1, "x")))
    assert again == Light(1, "x")
    assert again.both == "1x"
    assert Light._fields == Usual._fields
    assert Light._field_defaults == Usual._field_defaults
