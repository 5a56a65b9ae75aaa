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


#: Most messages of a scan are the same few: each is looked at once.
_known: dict[str, str] = {}


def masked(text: str) -> str:
    """Return a text with its secrets masked."""
    found = _known.get(text)
    if found is None:
        lower = text.lower()
        found = _known[text] = _mask(text) if any(smell in lower for smell in SMELLS) else text
    return found


def _mask(text: str) -> str:
    from ansible_collections.breakwater.stack.plugins.plugin_utils.stack.masking import mask_text

    return mask_text(text)


def masked_finding(finding: Finding) -> Finding:
    """Return a finding whose texts have their secrets masked; they may quote the file."""
    fix = finding.fix
    if fix is not None:
        summary, reason = masked(fix.summary), masked(fix.reason)
        if (summary, reason) != (fix.summary, fix.reason):
            finding = finding._replace(fix=fix._replace(summary=summary, reason=reason))
    message, withheld = masked(finding.message), masked(finding.withheld)
    if (message, withheld) != (finding.message, finding.withheld):
        finding = finding._replace(message=message, withheld=withheld)
    return finding
