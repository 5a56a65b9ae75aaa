# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables in Compose files and ``.env`` files, as Compose substitutes them.

Ported from the packages ``template`` and ``dotenv`` of github.com/compose-spec/compose-go v2.4.8, oddities included:
a difference here would be a value that we judge and Compose does not run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..lean_typing import NamedTuple

# Patterns are kept as text and compiled by their first use.
_PATTERN = (
    r"\$(?:(?P<escaped>\$)|(?P<named>[_a-zA-Z][_a-zA-Z0-9]*)"
    r"|\{(?:(?P<braced>[_a-zA-Z][_a-zA-Z0-9]*(?::?[-+?].*)?)\}|(?P<invalid>)))"
)
_BRACE = r"(?s)\{.?|\}"
_OPERATOR = r"(?s)([_a-zA-Z][_a-zA-Z0-9]*)(:?[-+?])(.*)"
_ESCAPE = r'\\(?:[abcfnrtv$"\\]|0[0-9]{0,3})'
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
# Go's isSpace of the dotenv parser: white space that does not end a line.
_BLANKS = "\t\v\f\r \u0085\u00a0"


class Missing(NamedTuple):
    """A variable without value and without default.

    Attributes:
        variable: its name.
        required: True for ``${VAR:?message}`` and ``${VAR?message}``, which make Compose stop.
        message: the message of a required variable, else "".
    """

    variable: str
    required: bool
    message: str


class Substituted(NamedTuple):
    """A text after substitution, and the variables that had no value."""

    text: str
    missing: tuple[Missing, ...]


class EnvValue(NamedTuple):
    """Where the value of a variable stands in a ``.env`` file.

    Attributes:
        line: 1-based line on which it begins.
        start: offset of its first character; of the quote, where it is quoted.
        end: offset behind its last character, quotes included, comments and blanks not.
    """

    line: int
    start: int
    end: int


class TemplateError(ValueError):
    """A ``${...}`` that Compose rejects. ``str()`` is the reason."""


class EnvFileError(ValueError):
    """A ``.env`` file that Compose rejects. ``line`` is 1-based, ``str()`` is the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def substitute(text: str, environment: Mapping[str, str], keep_missing: bool = True) -> Substituted:
    """Replace ``$VAR``, ``${VAR}``, ``${VAR:-default}`` and their relatives; ``$$`` becomes ``$``.

    Args:
        text: the value as it stands in the file.
        environment: the variables that have a value.
        keep_missing: leave ``${VAR}`` in the text where there is neither value nor default. Otherwise it becomes
            empty, which is what Compose does after a warning.

    Raises:
        TemplateError: the text holds a ``${`` that is no variable.
    """
    if "$" not in text:
        return Substituted(text, ())
    missing: list[Missing] = []
    return Substituted(_substitute(text, environment, missing, keep_missing), tuple(missing))


def _substitute(text: str, environment: Mapping[str, str], missing: list[Missing], keep: bool) -> str:
    """Replace every variable of a text; see substitute."""
    return re.sub(_PATTERN, lambda match: _replace(match.group(), environment, missing, keep), text)


def _closing_brace(text: str) -> int:
    """Find where the first ``${`` closes, as compose-go counts: the character after each ``{`` is never looked at."""
    depth = 0
    for match in re.finditer(_BRACE, text):
        depth += 1 if match[0] != "}" else -1
        if depth == 0:
            return match.start()
    return -1


def _replace(text: str, environment: Mapping[str, str], missing: list[Missing], keep: bool) -> str:
    """Give the value of one match of the pattern, which may run on to the last brace of the line."""
    closing = _closing_brace(text)
    rest = ""
    if closing >= 0:
        text, rest = text[: closing + 1], text[closing + 1 :]
    match = re.match(_PATTERN, text)
    if match is None or match.group("invalid") is not None:
        raise TemplateError(f"{text[:60]!r} is not a variable")
    if match.group("escaped"):
        return "$"
    inner = match.group("named") or match.group("braced")
    operation = re.fullmatch(_OPERATOR, inner)
    if operation is not None:
        value = _operate(text, operation, environment, missing, keep)
        return value + _substitute(rest, environment, missing, keep)
    if inner in environment:
        return environment[inner]
    missing.append(Missing(inner, False, ""))
    return text if keep else ""


def _operate(
    text: str, operation: re.Match[str], environment: Mapping[str, str], missing: list[Missing], keep: bool
) -> str:
    """Give the value of ``${NAME<operator>argument}``."""
    name, operator, argument = operation.groups()
    value = environment.get(name)
    present = value is not None and (value != "" or not operator.startswith(":"))
    # The argument is substituted even where it is not used, because it may be malformed; then it does not count.
    unused: list[Missing] = []
    if operator.endswith("-"):
        default = _substitute(argument, environment, unused if present else missing, keep)
        return value or "" if present else default
    if operator.endswith("+"):
        alternative = _substitute(argument, environment, missing if present else unused, keep)
        return alternative if present else value or ""
    message = _substitute(argument, environment, unused, keep)
    if present:
        return value or ""
    missing.append(Missing(name, True, message))
    return text if keep else ""


def parse_env(text: str, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Read a ``.env`` file as Compose does.

    Args:
        text: the content of the file.
        environment: variables that are set already. They win where a value refers to a variable; the result holds
            only what the file says, so the caller gives them precedence (``{**parsed, **environment}``).

    Raises:
        EnvFileError: a line that Compose rejects.
    """
    return _EnvParser(text.removeprefix("\ufeff"), environment or {}).parse()


def locate_env(text: str, environment: Mapping[str, str] | None = None) -> dict[str, EnvValue]:
    """Say where the values of a ``.env`` file stand; of a name that is set twice, the last one, which counts.

    Args:
        text: the content of the file.
        environment: see parse_env.

    Raises:
        EnvFileError: a line that Compose rejects.
    """
    mark = len(text) - len(text.removeprefix("\ufeff"))
    parser = _EnvParser(text[mark:], environment or {})
    parser.parse()
    return {
        name: EnvValue(text.count("\n", 0, start + mark) + 1, start + mark, end + mark)
        for name, (start, end) in parser.spans.items()
    }


class _EnvParser:
    """The state of reading one ``.env`` file."""

    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        self.text = text
        self.position = 0
        self.environment = environment
        self.variables: dict[str, str] = {}
        self.spans: dict[str, tuple[int, int]] = {}
        self._span = (0, 0)

    def parse(self) -> dict[str, str]:
        """Read all statements."""
        while self._next_statement():
            key, inherited = self._key()
            if " " in key:
                raise self._error(f"the variable name {key[:60]!r} contains a space")
            if inherited:
                if key in self.environment:
                    self.variables[key] = self.environment[key]
                    self.spans.pop(key, None)
                continue
            value = self._value()
            if key:
                self.variables[key] = value
                self.spans[key] = self._span
        return self.variables

    def _error(self, reason: str) -> EnvFileError:
        """Name the line of the current position."""
        return EnvFileError(self.text.count("\n", 0, self.position) + 1, reason)

    def _next_statement(self) -> bool:
        """Skip blanks, empty lines and comment lines."""
        while True:
            self._skip(str.isspace)
            if self.position >= len(self.text):
                return False
            if self.text[self.position] != "#":
                return True
            end = self.text.find("\n", self.position)
            self.position = len(self.text) if end < 0 else end

    def _skip(self, blank: Callable[[str], bool]) -> None:
        """Move past the characters that are blank."""
        while self.position < len(self.text) and blank(self.text[self.position]):
            self.position += 1

    def _key(self) -> tuple[str, bool]:
        """Read a name and its ``=`` or ``:``; a name alone on its line is inherited from the environment."""
        export = re.compile(r"export[\t\n\f\r ]+").match(self.text, self.position)
        if export is not None:
            self.position += len("export")
            self._skip(_BLANKS.__contains__)
        start = index = self.position
        while index < len(self.text):
            character = self.text[index]
            if character in "=:\n":
                self.position = index + 1
                key = self.text[start:index].rstrip()
                self._skip(_BLANKS.__contains__)
                return key, character == "\n"
            if character not in _BLANKS and character not in "_.-[]" and not character.isalnum():
                shown = self.text[start:].split("\n", 1)[0][:60]
                raise self._error(f"unexpected character {character!r} in the variable name {shown!r}")
            index += 1
        return "", False

    def _value(self) -> str:
        """Read the value after a name."""
        quote = self.text[self.position : self.position + 1]
        if quote not in ("'", '"'):
            end = self.text.find("\n", self.position)
            end = len(self.text) if end < 0 else end
            raw = self.text[self.position : end].split(" #", 1)[0].rstrip()
            self._span = (self.position, self.position + len(raw))
            value = self._expand(raw)
            self.position = min(end + 1, len(self.text))
            return value
        raw, end = self._quoted(quote)
        self._span = (self.position, end)
        value = self._expand(re.sub(_ESCAPE, _unescape, raw)) if quote == '"' else raw
        self.position = end
        return value

    def _quoted(self, quote: str) -> tuple[str, int]:
        """Return the text between quotes, which may span lines, and the position behind it."""
        characters: list[str] = []
        escaped = False
        for index in range(self.position + 1, len(self.text)):
            character = self.text[index]
            if character == quote and not escaped:
                return "".join(characters), index + 1
            if character == "\\" and not escaped:
                escaped = True
                continue
            if escaped and character != quote:
                characters.append("\\")
            escaped = False
            characters.append(character)
        raise self._error("a quoted value is not closed")

    def _expand(self, value: str) -> str:
        """Substitute the variables of a value: those set before win over those of the file."""
        if "$" not in value:
            return value
        try:
            expanded = substitute(value, {**self.variables, **self.environment}, keep_missing=False)
        except TemplateError as error:
            raise self._error(str(error)) from None
        for missing in expanded.missing:
            if missing.required:
                raise self._error(f"the required variable {missing.variable} has no value: {missing.message}")
        return expanded.text


def _unescape(match: re.Match[str]) -> str:
    """Give the character of an escape sequence in double quotes."""
    sequence = match.group()
    if sequence == "\\$":
        # Left for the substitution that follows, in which `$$` is a literal dollar.
        return "$$"
    if sequence.startswith("\\0"):
        digits = sequence[2:]
        if re.fullmatch(r"[0-3][0-7]{2}", digits):
            return chr(int(digits, 8))
        return "\\" + digits
    return _ESCAPED.get(sequence[1:], sequence)
