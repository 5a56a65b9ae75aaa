# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How file contents and readings travel between controller and target: packed, so that no output shows them by chance.

This module util is PRIVATE to the collection. Packing hides nothing from someone who wants to look: results that
carry packed contents belong into no log and no artefact.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any

from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError

# Compose files are refused above 8 MiB each; a reading holds some of them, twice when a generation is open.
_MAX_UNPACKED = 128 * 1024 * 1024


def pack_bytes(content: bytes) -> str:
    """Compress bytes and give them as ASCII text."""
    return base64.b64encode(zlib.compress(content, 6)).decode("ascii")


def unpack_bytes(packed: str) -> bytes:
    """Reverse pack_bytes.

    Raises:
        StackError: the text was not made by pack_bytes, or holds more than 128 MiB.
    """
    try:
        decompressor = zlib.decompressobj()
        content = decompressor.decompress(base64.b64decode(packed, validate=True), _MAX_UNPACKED)
    except (binascii.Error, zlib.error, ValueError):
        raise StackError("packed content is damaged: pass what pack_bytes of _transport.py returns") from None
    if decompressor.unconsumed_tail:
        raise StackError("packed content is larger than 128 MiB")
    if not decompressor.eof:
        raise StackError("packed content is cut short: pass what pack_bytes of _transport.py returns")
    return content


def pack(value: Any) -> str:
    """Pack a JSON value (see pack_bytes)."""
    return pack_bytes(json.dumps(value, separators=(",", ":")).encode("ascii"))


def unpack(packed: str) -> Any:
    """Reverse pack.

    Raises:
        StackError: as unpack_bytes, or the content is not JSON.
    """
    try:
        return json.loads(unpack_bytes(packed))
    except ValueError:
        raise StackError("packed content is not JSON") from None


def encode(content: bytes) -> str:
    """Give the bytes of a file as they stand inside a reading (``content`` and its relatives): base64."""
    return base64.b64encode(content).decode("ascii")


def decode(encoded: str) -> bytes:
    """Reverse encode."""
    return base64.b64decode(encoded)
