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
    r"encryption[_-]?key|signing[_-]?key|credentials?|webhook|dsn|salt|(?<=[_-])auth(?![\w-])|requirepass|masterauth)"
    r"[\w.-]*"
)
# Names that only lead to a secret: a file, a reference, a switch.
_HARMLESS = re.compile(
    r"(?:_file|_path|_name|_type|_length|_ttl|_expiry|_url_template|_enabled|_command)$|^(?:secrets?|tokens?)$",
    re.IGNORECASE,
)
_PAIR = re.compile(
    rf"(?P<key>(?<![\w$-])[\"']?(?P<name>{_NAME})[\"']?)(?P<sep>\s*:\s+|\s*=\s*|\s*:(?=[\"'])|\s*:$)(?P<value>.*)$",
    re.IGNORECASE,
)
# The password of a URL may hold "@"; it ends at the last one before the path.
_URL = re.compile(
    r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@\"']*:)(?P<secret>(?:\$\{[^}]*\}|[^\s\"'/])+)(?=@)", re.IGNORECASE
)
# A secret in the path of a URL: the hooks of chat services.
_HOOK = re.compile(r"(?P<head>\bhttps://hooks?\.[^\s/\"']+/)(?P<secret>[^\s\"']+)", re.IGNORECASE)
_VALUE = r"(?P<secret>\"[^\"]*\"|'[^']*'|[^\s\"',\]]+)"
_NEXT = r"(?:[=\s]+|[\"'],\s*)[\"']?"
_OPTIONS = tuple(
    re.compile(f"(?P<head>{head}){_VALUE}", re.IGNORECASE)
    for head in (
        rf"--?(?:requirepass|masterauth|passw(?:or)?d|pass|token|secret|api-key){_NEXT}",
        rf"\bredis-cli\b[^|;&]*?\s?[\"']?-a{_NEXT}",
        rf"\bcurl\b[^|;&]*?(?:-u|--user){_NEXT}[^\s:\"']+:",
        r"\b(?:mysql|mariadb)[\w-]*\b[^|;&]*?[\s\"']-p(?=[^\s\"',])",
        r"\brequirepass\s+",
        r"\bAuthorization:\s*(?:Bearer|Basic)\s+",
    )
)
# An option whose value is the next item of a list in block form.
_OPTION_ITEM = re.compile(
    r"^[-+ ]?\s*-\s+[\"']?(?:--?(?:requirepass|masterauth|passw(?:or)?d|pass|token|secret|api-key))[\"']?\s*$",
    re.IGNORECASE,
)
_ITEM = re.compile(r"^(?P<head>[-+ ]?\s*-\s+)(?P<value>.*?)\s*$")
_CHILD = re.compile(r"^\s*(?:-\s|[\"']?[\w.$<-][^:]*[\"']?:(?:\s|$)|#)")
#: Shorter values, and words of letters alone, are too common to be looked for elsewhere.
_KNOWN_LENGTH = 8
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::?[?+][^}]*)?\}|\$(?P<bare>\w+)")
_DEFAULTED = re.compile(r"(\$\{\w+:?-)([^}]*)(\})")
_BLOCK = re.compile(r"^[|>][-+0-9]*\s*(?:#.*)?$")


def mask_text(text: str) -> str:
    """Return a text with every secret replaced by ``********``, wherever in the text it stands.

    Args:
        text: a Compose file, a diff of masked files, a log or an error; any number of lines.
    """
    known: set[str] = set()
    masked = "\n".join(_mask_lines(text.split("\n"), known))
    for secret in sorted(known, key=len, reverse=True):
        masked = masked.replace(secret, MASK)
    return masked


def _mask_lines(lines: list[str], known: set[str]) -> list[str]:
    """Mask line by line; the secrets that are found are added to `known`."""
    result = []
    below = -1
    block = False
    next_item = False
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        item = _ITEM.match(line) if next_item else None
        if below >= 0 and not line.strip():
            result.append(line)
            continue
        if below >= 0 and indent > below and (block or not _CHILD.match(line)):
            _remember(line.strip(), known)
            result.append(f"{line[:indent]}{MASK}")
            continue
        shown = item["head"] + _mask_value(item["value"], known) if item else line
        masked, continues, block = _mask_line(shown, known)
        below = indent if continues else -1
        next_item = bool(_OPTION_ITEM.match(line))
        result.append(masked)
    return result


def _mask_line(line: str, known: set[str]) -> tuple[str, bool, bool]:
    """Mask one line.

    Returns:
        The line; whether a secret may go on in deeper lines below it; whether those are the text of a block scalar.
    """
    for pattern in (_URL, _HOOK, *_OPTIONS):
        line = pattern.sub(lambda found: found["head"] + _mask_value(found["secret"], known), line)
    masked, block = _mask_pairs(line, known)
    found = _PAIR.search(line)
    harmless = found is None or bool(_HARMLESS.search(found["name"]))
    return masked, not harmless and ":" in (found["sep"] if found else ""), block


def _remember(value: str, known: set[str]) -> None:
    """Note a secret that is distinctive enough to be looked for elsewhere in the text."""
    value = value.strip("\"' ")
    if len(value) >= _KNOWN_LENGTH and not value.isalpha() and "$" not in value and MASK not in value:
        known.add(value)


def _mask_pairs(line: str, known: set[str]) -> tuple[str, bool]:
    """Mask the values behind keys that look like a secret's."""
    found = _PAIR.search(line)
    if found is None:
        return line, False
    head = line[: found.start("value")]
    value = found["value"]
    if _HARMLESS.search(found["name"]):
        rest, opens = _mask_pairs(value, known)
        return head + rest, opens
    if _BLOCK.match(value.strip()):
        return line, True
    secret, rest = _split_value(value)
    tail, opens = _mask_pairs(rest, known)
    return head + _mask_value(secret, known) + tail, opens


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


def _mask_value(value: str, known: set[str]) -> str:
    """Mask a value, quotes kept; variables without default are shown, for they are no secret."""
    quote = value[0] if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0] else ""
    inner = value[1:-1] if quote else value
    stripped = inner.strip()
    if not stripped or stripped == MASK or _VARIABLE.fullmatch(stripped):
        return value
    default = _DEFAULTED.fullmatch(stripped)
    if default:
        _remember(default[2], known)
        shown = default[1] + (MASK if default[2] and not _VARIABLE.fullmatch(default[2]) else default[2]) + default[3]
        return f"{quote}{shown}{quote}"
    if stripped.lower() in ("true", "false", "yes", "no", "null", "~", "{", "[", "{}", "[]"):
        return value
    _remember(stripped, known)
    return f"{quote}{MASK}{quote}"
