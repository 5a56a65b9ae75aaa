# SPDX-License-Identifier: GPL-3.0-or-later
"""Image references, ports, volumes and command lines in their short forms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.expand import Scalar
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.short_forms import (
    ImageRef,
    Port,
    Volume,
    key_values,
    parse_image,
    parse_port,
    parse_volume,
    split_command,
    strings,
    text_of,
)

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("postgres", ("docker.io", "postgres", None, None)),
        ("postgres:17.2-alpine", ("docker.io", "postgres", "17.2-alpine", None)),
        ("library/postgres:17", ("docker.io", "postgres", "17", None)),
        ("docker.io/library/postgres:17", ("docker.io", "postgres", "17", None)),
        ("index.docker.io/library/postgres", ("docker.io", "postgres", None, None)),
        ("temporalio/server:1.31.2", ("docker.io", "temporalio/server", "1.31.2", None)),
        ("docker.io/bitnami/postgresql:16", ("docker.io", "bitnami/postgresql", "16", None)),
        ("ghcr.io/a/b/c:1", ("ghcr.io", "a/b/c", "1", None)),
        ("localhost/x", ("localhost", "x", None, None)),
        ("localhost:5000/x:1", ("localhost:5000", "x", "1", None)),
        ("registry:5000/x", ("registry:5000", "x", None, None)),
        ("breakwater.test/redis:8", ("breakwater.test", "redis", "8", None)),
        (f"postgres@{DIGEST}", ("docker.io", "postgres", None, DIGEST)),
        (f"quay.io/x:1@{DIGEST}", ("quay.io", "x", "1", DIGEST)),
        ("postgres:${TAG}", ("docker.io", "postgres", "${TAG}", None)),
        ("postgres:${TAG:?set it}", ("docker.io", "postgres", "${TAG:?set it}", None)),
        ("${REGISTRY}/postgres:17", ("docker.io", "${REGISTRY}/postgres", "17", None)),
        ("${IMAGE}", ("docker.io", "${IMAGE}", None, None)),
    ],
)
def test_images(text: str, parts: tuple[str, str, str | None, str | None]) -> None:
    assert parse_image(text) == ImageRef(*parts)


def test_the_name_of_an_image_is_the_last_part_of_its_path() -> None:
    assert parse_image("ghcr.io/team/postgres:17").name == "postgres"
    assert parse_image("${REGISTRY}/postgres:17").name == "postgres"


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("80", [("", "", 80, "tcp")]),
        ("8080:80", [("", "8080", 80, "tcp")]),
        ("8080:80/UDP", [("", "8080", 80, "udp")]),
        ("127.0.0.1:8080:80", [("127.0.0.1", "8080", 80, "tcp")]),
        ("127.0.0.1::80", [("127.0.0.1", "", 80, "tcp")]),
        ("[::1]:8080:80", [("::1", "8080", 80, "tcp")]),
        ("1-2:3-4", [("", "1", 3, "tcp"), ("", "2", 4, "tcp")]),
        ("3-4", [("", "", 3, "tcp"), ("", "", 4, "tcp")]),
        ("8000-8010:80", [("", "8000-8010", 80, "tcp")]),
    ],
)
def test_ports(text: str, ports: list[tuple[str, str, int, str]]) -> None:
    assert parse_port(text, 7) == [Port(*port, 7) for port in ports]


@pytest.mark.parametrize(
    "text", ["", "http", "80/http", "1-3:1-2", "70000", "9-8", ":80:", "::1:80:80", "host:80:80", "[::1:80:80", "-1"]
)
def test_refused_ports_name_the_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"^port '"):
        parse_port(text)


@pytest.mark.parametrize(
    ("text", "volume"),
    [
        ("/data", ("", "/data", False, "volume")),
        ("data:/data", ("data", "/data", False, "volume")),
        ("./d:/data:ro", ("./d", "/data", True, "bind")),
        ("/d:/data:ro,z", ("/d", "/data", True, "bind")),
        ("~/d:/data:ro,rw", ("~/d", "/data", False, "bind")),
        ("C:\\d:/data", ("C:\\d", "/data", False, "bind")),
        ("/", ("", "/", False, "volume")),
    ],
)
def test_volumes(text: str, volume: tuple[str, str, bool, str]) -> None:
    assert parse_volume(text, 3) == Volume(*volume, 3)


@pytest.mark.parametrize("text", ["", "aa:bb:cc:dd", ":/x", "data:"])
def test_refused_volumes(text: str) -> None:
    with pytest.raises(ValueError, match="volume"):
        parse_volume(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("a  b\tc\n", ["a", "b", "c"]),
        ("sh -c \"echo 'hi there'\"", ["sh", "-c", "echo 'hi there'"]),
        ("a '' b", ["a", "", "b"]),
        ('a\\ b \'c\\d\' "e\\"f"', ["a b", "c\\d", 'e"f']),
        ("run; rm", ["run"]),
        ("a && b", ["a"]),
        ("a 2> err", ["a"]),
        ("x $(date +%s) `a b`", ["x", "$(date +%s)", "`a b`"]),
        ("--config={a:1}", ["--config={a:1}"]),
    ],
)
def test_command_lines(text: str, words: list[str]) -> None:
    assert split_command(text) == words


@pytest.mark.parametrize("text", ["'open", 'a "b', "a\\", "f(x)", "$(a", "`a"])
def test_refused_command_lines(text: str) -> None:
    with pytest.raises(ValueError, match="not a valid command line"):
        split_command(text)


@given(st.lists(st.text(alphabet="ab '\"\\$;", max_size=5), max_size=5))
def test_quoted_words_come_back(words: list[str]) -> None:
    line = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
    assert split_command(line) == words


@given(st.text(alphabet="ab$\u00a0\v \t\r\n{}-=/."))
def test_a_command_without_signs_of_a_shell_splits_as_one_that_is_read_sign_by_sign(text: str) -> None:
    assert [*split_command(text), ""] == split_command(f"{text} ''")


def test_pairs_are_read_from_both_forms() -> None:
    wanted = {"A": "1.1", "B": "", "C": None, "D": "x=y"}
    mapping = {"A": Scalar("1.10"), "B": Scalar("", plain=False), "C": None, "D": Scalar("x=y")}
    assert key_values(mapping) == wanted
    assert key_values([Scalar("A=1.1"), Scalar("B="), Scalar("C"), Scalar("D=x=y")]) == wanted
    assert key_values(None) == {}


@pytest.mark.parametrize(
    ("scalar", "text"),
    [
        (Scalar("true"), "true"),
        (Scalar("True"), "true"),
        (Scalar("0x10"), "16"),
        (Scalar("1e6"), "1e+06"),
        (Scalar("123456.5"), "123456.5"),
        (Scalar("-1.5e-7"), "-1.5e-07"),
        (Scalar(".inf"), "+Inf"),
        (Scalar(".nan"), "NaN"),
        (Scalar("0x10", plain=False), "0x10"),
        (Scalar("2024-1-2"), "2024-01-02 00:00:00 +0000 UTC"),
        (Scalar("2024-1-2", plain=False), "2024-1-2"),
        (None, None),
    ],
)
def test_scalars_become_the_text_that_compose_makes_of_them(scalar: Scalar | None, text: str | None) -> None:
    assert text_of(scalar) == text


def test_a_text_or_a_list_is_a_list() -> None:
    assert strings(Scalar("x")) == ["x"]
    assert strings([Scalar("x"), Scalar("1.10")]) == ["x", "1.1"]
    assert strings(None) == []
