# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.module_utils import _transport
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError


@given(st.binary())
def test_bytes_come_back(content: bytes) -> None:
    assert _transport.unpack_bytes(_transport.pack_bytes(content)) == content
    assert _transport.decode(_transport.encode(content)) == content


def test_values_come_back_and_cannot_be_read_by_the_way() -> None:
    value = {"PASSWORD": "canary", "list": [1, None, True, "ü"]}
    packed = _transport.pack(value)
    assert _transport.unpack(packed) == value
    assert "canary" not in packed


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        ("", "cut short"),
        ("not base64!", "damaged"),
        ("ü", "damaged"),
        (base64.b64encode(b"not zlib").decode(), "damaged"),
        (base64.b64encode(zlib.compress(b"x" * 1000)[:-6]).decode(), "cut short"),
        (base64.b64encode(zlib.compress(bytes(129 * 1024 * 1024), 9)).decode(), "larger than 128 MiB"),
    ],
)
def test_damage_is_said(packed: str, reason: str) -> None:
    with pytest.raises(StackError, match=reason):
        _transport.unpack_bytes(packed)


def test_not_json_is_said() -> None:
    with pytest.raises(StackError, match="not JSON"):
        _transport.unpack(_transport.pack_bytes(b"{"))
