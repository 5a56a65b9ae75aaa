# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hiding secrets in what people and logs see: whole Compose files, and single lines of output.

A value is hidden when its key looks like a secret's, or when it is the password of a URL or of a well-known option.
`${VARIABLE}` is no secret, only its default is. Files are masked as a whole before they are compared, because a hunk of
a diff may show the middle of a block without the key that gives it away.
"""

from __future__ import annotations

import re

MASK = "********"

_NAME = (
    r"[\w.-]*(?:passw(?:or)?d|passwd|passphrase|pwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|"
    r"encryption[_-]?key|credentials?|dsn|salt)[\w.-]*"
)
# Names that only lead to a secret: a file, a reference, a switch.
_HARMLESS = re.compile(
    r"(?:_file|_path|_name|_type|_length|_ttl|_expiry|_url_template|_enabled|_command)$|^(?:secrets?|tokens?)$",
    re.IGNORECASE,
)
_PAIR = re.compile(
    rf"(?P<key>(?<![\w$-])[\"']?(?P<name>{_NAME})[\"']?)(?P<sep>\s*:\s+|\s*=\s*|\s*:(?=[\"']))(?P<value>.*)$",
    re.IGNORECASE,
)
_URL = re.compile(
    r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@\"']*:)(?P<secret>(?:\$\{[^}]*\}|[^\s@\"'/])+)(?=@)", re.IGNORECASE
)
_OPTION = re.compile(
    r"(?P<head>(?:--?(?:requirepass|masterauth|passw(?:or)?d|pass|token|secret|api-key)(?:[=\s]+|[\"'],\s*[\"']?)|"
    r"\bredis-cli\b[^|;&]*?\s-a\s+|\brequirepass\s+|"
    r"\bAuthorization:\s*(?:Bearer|Basic)\s+))"
    r"(?P<secret>\"[^\"]*\"|'[^']*'|[^\s\"',\]]+)",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::?[?+][^}]*)?\}|\$(?P<bare>\w+)")
_DEFAULTED = re.compile(r"(\$\{\w+:?-)([^}]*)(\})")
_BLOCK = re.compile(r"^[|>][-+0-9]*\s*(?:#.*)?$")


def mask_text(text: str) -> str:
    """Return a text with every secret replaced by ``********``.

    Args:
        text: a Compose file, a diff of masked files, a log or an error; any number of lines.
    """
    result = []
    hidden_below = -1
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        if hidden_below >= 0 and (indent > hidden_below or not line.strip()):
            result.append(f"{line[:indent]}{MASK}" if line.strip() else line)
            continue
        masked, opens_block = _mask_line(line)
        hidden_below = indent if opens_block else -1
        result.append(masked)
    return "\n".join(result)


def _mask_line(line: str) -> tuple[str, bool]:
    """Mask one line; say whether a block scalar or a folded value with a secret begins with it."""
    line = _URL.sub(lambda found: found["head"] + _mask_value(found["secret"]), line)
    line = _OPTION.sub(lambda found: found["head"] + _mask_value(found["secret"]), line)
    return _mask_pairs(line)


def _mask_pairs(line: str) -> tuple[str, bool]:
    """Mask the values behind keys that look like a secret's."""
    found = _PAIR.search(line)
    if found is None:
        return line, False
    head = line[: found.start("value")]
    value = found["value"]
    if _HARMLESS.search(found["name"]):
        rest, opens = _mask_pairs(value)
        return head + rest, opens
    if _BLOCK.match(value.strip()):
        return line, True
    secret, rest = _split_value(value)
    tail, opens = _mask_pairs(rest)
    return head + _mask_value(secret) + tail, opens


def _split_value(value: str) -> tuple[str, str]:
    """Split what follows a key into its value and the rest of the line (a comment, the next pair of a flow mapping)."""
    if value[:1] in ("'", '"'):
        end = value.find(value[0], 1)
        while end > 0 and value[end - 1] == "\\" and value[0] == '"':
            end = value.find('"', end + 1)
        return (value[: end + 1], value[end + 1 :]) if end > 0 else (value, "")
    found = re.match(r"(?:\$\{[^}]*\}|[^\s,}\]]|,(?!\s)|\}(?=[^\s,}\]]))*", value)
    end = found.end() if found else 0
    comment = re.search(r"\s#|,\s|\s*[}\]]\s*$", value[end:])
    stop = end + comment.start() if comment else len(value)
    return value[:stop], value[stop:]


def _mask_value(value: str) -> str:
    """Mask a value, quotes kept; variables without default are shown, for they are no secret."""
    quote = value[0] if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0] else ""
    inner = value[1:-1] if quote else value
    stripped = inner.strip()
    if not stripped or stripped == MASK or _VARIABLE.fullmatch(stripped):
        return value
    default = _DEFAULTED.fullmatch(stripped)
    if default:
        shown = default[1] + (MASK if default[2] and not _VARIABLE.fullmatch(default[2]) else default[2]) + default[3]
        return f"{quote}{shown}{quote}"
    if stripped.lower() in ("true", "false", "yes", "no", "null", "~", "{", "[", "{}", "[]"):
        return value
    return f"{quote}{MASK}{quote}"
