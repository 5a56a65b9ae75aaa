# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables are substituted as Compose does it (the cases against Compose itself are in test_oracle.py)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.interpolate import (
    EnvFileError,
    Missing,
    TemplateError,
    parse_env,
    substitute,
)

ENVIRONMENT = {"FOO": "foo", "EMPTY": "", "Mixed_1": "m"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$FOO", "foo"),
        ("${FOO}", "foo"),
        ("a${FOO}b$FOO-c", "afoobfoo-c"),
        ("$Mixed_1", "m"),
        ("$$FOO", "$FOO"),
        ("$$$FOO", "$foo"),
        ("$${FOO}", "${FOO}"),
        ("costs $5, $(date) and $", "costs $5, $(date) and $"),
        ("${FOO:-x}", "foo"),
        ("${FOO-x}", "foo"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${NONE:-x}", "x"),
        ("${NONE-x}", "x"),
        ("${NONE:-}", ""),
        ("${NONE-}", ""),
        ("${FOO:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${NONE+x}", ""),
        ("${NONE:+x}", ""),
        ("${FOO:?must}", "foo"),
        ("${EMPTY?must}", ""),
        ("${NONE:-${FOO}}", "foo"),
        ("${NONE:-${OTHER:-deep}}", "deep"),
        ("${NONE:-a-b:c?d}", "a-b:c?d"),
        ("${NONE:-x} and ${FOO} and ${OTHER:-y}", "x and foo and y"),
        ("${FOO} ${NONE:-x}", "foo x"),
        ("${NONE:-{}}", "{}"),
        ("${NONE:-http://h:80/}", "http://h:80/"),
        ("${NONE:-x}\n${FOO}", "x\nfoo"),
        ("${FOO:-${UNUSED}}", "foo"),
        ("}${FOO}{", "}foo{"),
    ],
)
def test_substitution(text: str, expected: str) -> None:
    assert substitute(text, ENVIRONMENT) == (expected, ())


@pytest.mark.parametrize(
    ("text", "kept", "missing"),
    [
        ("${NONE}", "${NONE}", Missing("NONE", False, "")),
        ("$NONE", "$NONE", Missing("NONE", False, "")),
        ("a/$FOO/${NONE}", "a/foo/${NONE}", Missing("NONE", False, "")),
        ("${NONE:?set it}", "${NONE:?set it}", Missing("NONE", True, "set it")),
        ("${EMPTY:?set it}", "${EMPTY:?set it}", Missing("EMPTY", True, "set it")),
        ("${NONE?}", "${NONE?}", Missing("NONE", True, "")),
        ("${NONE:-${OTHER}}", "${OTHER}", Missing("OTHER", False, "")),
        ("${NONE:?$FOO}", "${NONE:?$FOO}", Missing("NONE", True, "foo")),
    ],
)
def test_a_variable_without_value_stays_and_is_listed(text: str, kept: str, missing: Missing) -> None:
    assert substitute(text, ENVIRONMENT) == (kept, (missing,))


def test_as_compose_a_missing_variable_is_empty() -> None:
    assert substitute("a${NONE}b$NONE", {}, keep_missing=False).text == "ab"


@pytest.mark.parametrize("text", ["${}", "${", "${5}", "${A B}", "${FOO", "a ${-x}", "${NONE:-a\nb}", "${FOO.BAR}"])
def test_malformed_variables_are_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="is not a variable"):
        substitute(text, ENVIRONMENT)


@given(st.text(alphabet="ab$", max_size=12))
def test_doubled_dollars_always_give_the_text_back(text: str) -> None:
    assert substitute(text.replace("$", "$$"), ENVIRONMENT) == (text, ())


@given(st.text(alphabet="AB${}:-+? \n", max_size=20))
def test_any_text_is_substituted_or_refused(text: str) -> None:
    try:
        result = substitute(text, {"A": "1"})
    except TemplateError:
        return
    assert isinstance(result.text, str)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("", {}),
        ("A=1", {"A": "1"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1\n", {"A": "1"}),
        ("# comment\n\n  A = 1  \n", {"A": "1"}),
        ("A: yaml\n", {"A": "yaml"}),
        ("export A=1\nexport   B=2", {"A": "1", "B": "2"}),
        ("A=1 # comment", {"A": "1"}),
        ("A=1# no comment", {"A": "1# no comment"}),
        ("A=", {"A": ""}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ("A='$B \\n'\nC=3", {"A": "$B \\n", "C": "3"}),
        ('A="a\\nb\\t\\"q\\" \\$X \\\\"', {"A": 'a\nb\t"q" $X \\'}),
        ('A="two\nlines"\nB=2', {"A": "two\nlines", "B": "2"}),
        ("A='two\nlines'\nB=2", {"A": "two\nlines", "B": "2"}),
        ("A='it\\'s'", {"A": "it's"}),
        ('A="\\0101"', {"A": "A"}),
        ("A=1\nB=${A}2\nC=$B", {"A": "1", "B": "12", "C": "12"}),
        ("B=${SHELL_SET}", {"B": "shell"}),
        ("SHELL_SET=file\nB=$SHELL_SET", {"SHELL_SET": "file", "B": "shell"}),
        ("B=${NONE}x\nC=${NONE:-d}", {"B": "x", "C": "d"}),
        ("SHELL_SET\nNONE\nA=1", {"SHELL_SET": "shell", "A": "1"}),
        ("A.B-C=1", {"A.B-C": "1"}),
        ("A=http://x:1/?a=b&c=d#e", {"A": "http://x:1/?a=b&c=d#e"}),
    ],
)
def test_env_files(text: str, variables: dict[str, str]) -> None:
    assert parse_env(text, {"SHELL_SET": "shell"}) == variables


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("A=1\nB='open", 2, "not closed"),
        ("A B=1", 1, "contains a space"),
        ("A=1\n\n*=2", 3, "unexpected character '\\*'"),
        ("A=${", 1, "is not a variable"),
        ("A=1\nB=${X:?gone}", 2, "X has no value: gone"),
    ],
)
def test_refused_env_files_name_the_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(EnvFileError, match=reason) as caught:
        parse_env(text)
    assert caught.value.line == line
