# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that come from hosts, made safe to show: without secrets, colours and characters that act on a terminal."""

from __future__ import annotations

import re
import unicodedata

from breakwater.mask import masked

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
#: Enough for any sentence of ours; what a program prints may be longer than a report should be.
LONGEST = 600


def tidy(text: object) -> str:
    """Return a text of any number of lines without secrets, and with control characters shown as ``?``.

    The characters that turn the direction of writing are control characters here, too: they make a line look like
    another one.
    """
    plain = _COLOUR.sub("", str(text)).replace("\r\n", "\n")
    return masked("".join("?" if _acts(character) else character for character in plain))


def _acts(character: str) -> bool:
    """Say whether a character does something instead of being seen."""
    return character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def one_line(text: object) -> str:
    """Return a text as one line, cut where it gets longer than a sentence."""
    line = "; ".join(part.strip() for part in tidy(text).splitlines() if part.strip())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
