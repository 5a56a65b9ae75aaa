# SPDX-License-Identifier: GPL-3.0-or-later
"""Which containers and servers the removal of a pool concerns."""

from __future__ import annotations

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.pooling import poolers_and_servers


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("a1 db\n", (["a1"], ["db"])),
        ("a1 db\nb2 db\n", (["a1", "b2"], ["db"])),
        ("a1 \n", (["a1"], ["db", "other"])),
        ("a1 renamed\n", (["a1"], ["db", "other"])),
        ("", ([], ["db", "other"])),
    ],
)
def test_only_the_server_behind_the_pool_is_asked(printed: str, expected: tuple[list[str], list[str]]) -> None:
    assert poolers_and_servers(printed, ["db", "other"]) == expected
