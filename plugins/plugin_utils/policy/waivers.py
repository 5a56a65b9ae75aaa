# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers written as comments in a compose file, on the service's line or above it.

# breakwater: ignore BW-LIM-001 owner=ops reason="migrating" until=2027-01-31
temporal:
"""

from __future__ import annotations

import re

from .model import PolicyError, Waiver
from .settings import make_waiver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..compose.project import Project

_COMMENT = r"breakwater\s*:\s*(\w+)\s*(.*)"
_FIELD = r"(\w+)=(?:\"([^\"]*)\"|'([^']*)'|(\S+))"
_CONTROL = r"(?i)BW-[A-Z]+-\d+"


def parse_comment(text: str, service: str, source: str, key: str) -> list[Waiver]:
    """Read the waivers of one comment line.

    Args:
        text: the comment without its ``#``; other comments give nothing.
        service: the service that it stands at.
        source, key: the place, for messages.

    Raises:
        PolicyError: the comment speaks to Breakwater and cannot be understood.
    """
    match = re.match(_COMMENT, text.lstrip("# "))
    if match is None:
        return []
    if match[1].lower() != "ignore":
        raise PolicyError(
            source, key, f"breakwater: {match[1]} is not understood", "write breakwater: ignore BW-LIM-001 ..."
        )
    head = match[2].partition("owner=")[0].partition("reason=")[0].partition("until=")[0]
    controls = re.findall(_CONTROL, head)
    if not controls:
        raise PolicyError(source, key, "the waiver names no control", "write breakwater: ignore BW-LIM-001 ...")
    values = {name.lower(): quoted or single or bare for name, quoted, single, bare in re.findall(_FIELD, match[2])}
    return [make_waiver(source, key, {**values, "control": name, "service": service}) for name in controls]


def file_waivers(project: Project) -> tuple[list[Waiver], list[str]]:
    """Read the waivers of all files of a project; return them and the errors of those that cannot be used."""
    waivers: list[Waiver] = []
    errors: list[str] = []
    for name, service in project.services.items():
        for index in service.defined_in:
            document = project.files[index]
            if "breakwater" not in document.text:
                continue
            line = document.line_of(("services", name))
            for text in document.comment_on(("services", name)).splitlines():
                try:
                    waivers += parse_comment(text, name, f"{document.name}:{line}", f"comment at {name}")
                except PolicyError as error:
                    errors.append(str(error))
    return waivers, errors
