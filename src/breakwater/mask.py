# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets never show in output; the collection's masking does it, loaded only for texts that may hold one.

Its patterns cost 5 ms to compile, and hardly any message of a scan has anything to hide.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Finding

#: Every text that the masking changes holds one of these, whatever the case; a test compares the two.
SMELLS = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "dsn",
    "salt",
    "masterauth",
    "redis-cli",
    "authorization",
    "@",
)


def masked(text: str) -> str:
    """Return a text with its secrets masked."""
    lower = text.lower()
    if not any(smell in lower for smell in SMELLS):
        return text
    from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.masking import mask_text

    return mask_text(text)


def masked_finding(finding: Finding) -> Finding:
    """Return a finding whose texts have their secrets masked; they may quote the file."""
    fix = finding.fix
    if fix is not None:
        fix = fix._replace(summary=masked(fix.summary), reason=masked(fix.reason))
    return finding._replace(message=masked(finding.message), withheld=masked(finding.withheld), fix=fix)
