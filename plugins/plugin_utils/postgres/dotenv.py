# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another value for variables of a ``.env`` file; everything else stays byte for byte, and is proven to."""

from __future__ import annotations

from collections.abc import Mapping

from ..compose.errors import RefusedEdit
from ..compose.interpolate import EnvFileError, EnvValue, locate_env, parse_env


def set_values(name: str, text: str, wanted: Mapping[str, str], environment: Mapping[str, str] | None = None) -> str:
    """Return the text of the file with other values.

    Quotes stay as they are. The new text is read again: what is not wanted to change must not have changed, also where
    a value refers to another variable.

    Args:
        name: of the file, for errors.
        text: its content.
        wanted: the new text by variable, as it is to stand in the file, without quotes.
        environment: variables that are set already, see parse_env.

    Raises:
        RefusedEdit: a variable is not in the file, or its value cannot be written so that nothing else changes.
    """
    try:
        before, places = parse_env(text, environment), locate_env(text, environment)
        changed = text
        for variable in sorted(wanted, key=lambda key: places[key].start if key in places else 0, reverse=True):
            place = places.get(variable)
            if place is None:
                raise RefusedEdit(name, None, f"{variable} is not set in it", "set it where it stands")
            old = text[place.start : place.end]
            quote = old[0] if old[:1] in ("'", '"') else ""
            new = f"{quote}{wanted[variable]}{quote}"
            if (quote and quote in wanted[variable]) or "\n" in new:
                raise RefusedEdit(name, place.line, f"{variable} cannot be written in its quotes", "change it by hand")
            changed = changed[: place.start] + new + changed[place.end :]
        after, moved = parse_env(changed, environment), locate_env(changed, environment)
    except EnvFileError as error:
        raise RefusedEdit(name, error.line, str(error), "correct the line") from None
    for variable, value in before.items():
        if variable not in wanted and after.get(variable) != value:
            raise RefusedEdit(
                name, None, f"{variable} would change too, because it refers to one of them", "do it by hand"
            )
    if set(after) != set(before):
        raise RefusedEdit(name, None, "another variable would come or go", "change the file by hand")
    _check_written(name, changed, wanted, moved)
    return changed


def _check_written(name: str, text: str, wanted: Mapping[str, str], places: Mapping[str, EnvValue]) -> None:
    """Refuse a text in which a value does not stand as it is wanted."""
    for variable, new in wanted.items():
        place = places.get(variable)
        if place is None or text_in_quotes(text[place.start : place.end]) != new:
            raise RefusedEdit(
                name, None, f"{variable} cannot be written without quotes", "put its value in quotes first"
            )


def text_in_quotes(text: str) -> str:
    """Return a value as it stands in a file, without the quotes around it."""
    quoted = len(text) > 1 and text[0] in ("'", '"') and text[-1] == text[0]
    return text[1:-1] if quoted else text
