# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading: data, lines, comments, and input that is hostile or broken."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose import nodes
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import (
    Scalar,
    TaggedList,
    TaggedMap,
    TaggedNull,
    decode,
    parse,
    resolve,
    tag_of,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError

TEXT = """\
# breakwater: header
x-base: &base
  restart: always
  environment: &env {A: "1"}
services:
  # breakwater: ignore BW-LIM-001
  #  owner=ops
  web: &web  # until=2027
    <<: *base
    image: x  # "pinned" # later
    command: "echo # no comment"
    entrypoint: [a, # why
      b]
    script: |  # block
      # text
    ports:
    - 80:80
    - target: 1 # one
  db:
    <<: [*web, {init: true}]
    environment: *env
"""


def test_data_has_merge_keys_and_aliases_expanded() -> None:
    services = parse(TEXT, "c.yml").data["services"]
    assert services["db"]["image"] == "x"
    assert services["db"]["restart"] == "always"
    assert services["db"]["init"] == "true"
    assert services["db"]["environment"] == {"A": "1"}
    assert "<<" not in services["db"]


def test_the_first_of_a_list_of_merged_mappings_wins_and_own_keys_win_over_all() -> None:
    data = parse("a: &a {k: 1}\nb: &b {k: 2, l: 2}\nc:\n  l: 3\n  <<: [*a, *b]\n", "c.yml").data
    assert data["c"] == {"k": "1", "l": "3"}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 2),
        (("services",), 5),
        (("services", "web"), 8),
        (("services", "web", "image"), 10),
        (("services", "web", "ports", 1), 18),
        (("services", "web", "ports", 1, "target"), 18),
        (("services", "web", "restart"), 3),
        (("services", "db", "image"), 10),
        (("services", "db", "environment", "A"), 4),
        (("services", "db", "init"), 20),
        (("services", "nobody"), None),
        (("services", "web", "ports", 7), None),
        (("services", "web", "image", "x"), None),
    ],
)
def test_lines(path: tuple[str | int, ...], line: int | None) -> None:
    assert parse(TEXT, "c.yml").line_of(path) == line


@pytest.mark.parametrize(
    ("path", "comment"),
    [
        (("services", "web"), "breakwater: ignore BW-LIM-001\nowner=ops\nuntil=2027"),
        (("services", "web", "image"), '"pinned" # later'),
        (("services", "web", "command"), ""),
        (("services", "web", "entrypoint"), "why"),
        (("services", "web", "script"), "block"),
        (("services", "web", "ports", 1, "target"), "one"),
        (("services", "db"), ""),
        (("x-base",), "breakwater: header"),
        (("nothing",), ""),
    ],
)
def test_comments(path: tuple[str | int, ...], comment: str) -> None:
    assert parse(TEXT, "c.yml").comment_on(path) == comment


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_lines_and_comments_with_any_line_end(eol: str) -> None:
    document = parse("\ufeff" + TEXT.replace("\n", eol), "c.yml")
    assert document.line_of(("services", "web", "image")) == 10
    assert document.comment_on(("services", "web")) == "breakwater: ignore BW-LIM-001\nowner=ops\nuntil=2027"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("~", None),
        ("null", None),
        ("", None),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("n", "n"),
        ("12", 12),
        ("+12", 12),
        ("0x1F", 31),
        ("0o17", 15),
        ("0440", 288),
        ("0b11", 3),
        ("1_000", 1000),
        ("08", 8.0),
        ("-0.5", -0.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("22:22", "22:22"),
        ("1.2.3", "1.2.3"),
        ("512m", "512m"),
        ("2024-01-01", "2024-01-01"),
        ("18446744073709551616", 18446744073709551616.0),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
    ],
)
def test_values_are_what_compose_sees(text: str, value: object) -> None:
    found = resolve(parse(f"k: {text}\n", "c.yml").data["k"])
    assert found == value
    assert type(found) is type(value)


def test_tags_are_kept_as_text() -> None:
    data = parse(
        "a: !reset null\nb: !override {c: d}\ne: !override [f]\ng: !x h\ni: !reset\nj: !!map {}\n", "c.yml"
    ).data
    assert isinstance(data["a"], TaggedNull)
    assert isinstance(data["b"], TaggedMap)
    assert isinstance(data["e"], TaggedList)
    assert isinstance(data["g"], Scalar)
    tags = ["!reset", "!override", "!override", "!x", "!reset", None]
    assert [tag_of(data[key]) for key in "abegij"] == tags


def test_the_document_with_services_is_the_one() -> None:
    assert list(parse("a: 1\n---\nservices:\n  web: {}\n---\nb: 2\n", "c.yml").data) == ["services"]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "~\n", "\ufeff"])
def test_a_file_without_content_has_no_data(text: str) -> None:
    document = parse(text, "c.yml")
    assert document.data is None
    assert document.root is None


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{', '.join(['*' + chr(97 + level)] * 9)}]\n" for level in range(20)
)
MERGE_BOMB = "x0: &x0 {a0: 1}\n" + "".join(f"x{n}: &x{n}\n  <<: *x{n - 1}\n  a{n}: 1\n" for n in range(1, 3000))
BAD = {
    "alias bomb": (BOMB, 6, "aliases expand to more than"),
    "merge bomb": (MERGE_BOMB, 2324, "aliases expand to more than"),
    "flow lists of depth 10,000": ("a: " + "[" * 10_000, 1, "nested deeper than 200 levels"),
    "flow mappings of depth 10,000": ("{a: " * 10_000, 1, "nested deeper than 200 levels"),
    "block lists of depth 10,000": ("- " * 10_000, 1, "nested deeper than 200 levels"),
    "recursion": ("services:\n  a: &a\n    b: *a\n", 3, "alias *a stands inside what it names"),
    "recursive merge": ("services:\n  a: &a\n    <<: *a\n", 3, "alias *a stands inside what it names"),
    "unknown alias": ("a: *b\n", 1, "alias *b has no anchor before it"),
    "merge of a number": ("a:\n  <<: 3\n", 2, "the merge key << takes a mapping"),
    "merge of a list of numbers": ("a:\n  <<: [1]\n", 2, "the merge key << takes a mapping"),
    "duplicate service": ("services:\n  a: {}\n  b: {}\n  a: {}\n", 4, "key 'a' is given twice, first on line 2"),
    "duplicate merge key": ("a: &a {}\nb:\n  <<: *a\n  <<: *a\n", 4, "key '<<' is given twice, first on line 3"),
    "tab": ("services:\n\ta: 1\n", 2, "a tab stands where YAML allows only spaces"),
    "tag that would execute": ("services: !!python/object/apply:os.system [x]\n", 1, "services must be a mapping"),
    "services as a list": ("services: [a]\n", 1, "services must be a mapping, found a list"),
    "services as text": ("services: abc\n", 1, "services must be a mapping, found a single value"),
    "services as a number": ("services: 3\n", 1, "services must be a mapping, found a single value"),
    "service as text": ("services:\n  web: nginx\n", 2, "service web must be a mapping, found a single value"),
    "root as a list": ("- a\n", 1, "the file must be a mapping, found a list"),
    "control character": ("a: 1\nb: \x07\n", 2, "character U+0007 is not allowed in YAML"),
    "lone surrogate": ("a: \ud800\n", 1, "character U+D800 is not allowed in YAML"),
    "key that is a list": ("? [a]\n: b\n", 1, "a mapping or list is used as a key"),
    "Jinja": ("services:\n  {{ name }}:\n    image: x\n", 2, "a mapping or list is used as a key"),
    "two documents with services": (
        "services: {a: {}}\n---\nservices: {b: {}}\n",
        3,
        "several YAML documents hold services",
    ),
    "many keys": ("".join(f"k{n}: 1\n" for n in range(60_000)), 50_000, "more than 100000 values"),
    "wrong indentation": ("services:\n  a:\n   b: 1\n  c: 2\n d: 3\n", 5, "not valid YAML"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_in_bounded_time(case: str) -> None:
    text, line, reason = BAD[case]
    start = time.perf_counter()
    with pytest.raises(ComposeError) as error:
        parse(text, "c.yml")
    assert time.perf_counter() - start < 20, "seconds, with room for a loaded machine"
    assert reason in error.value.reason
    assert error.value.line == line
    assert str(error.value).startswith(f"c.yml:{line}: ")
    assert "\n" not in str(error.value)


def test_nothing_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    data = parse(f"services:\n  a:\n    b: !!python/object/apply:os.system ['touch {mark}']\n", "c.yml").data
    assert tag_of(data["services"]["a"]["b"]) == "!!python/object/apply:os.system"
    assert not mark.exists()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("services: {}".encode("utf-16"), "c.yml:1: the file is UTF-16 or UTF-32"),
        ("services: {}".encode("utf-32"), "c.yml:1: the file is UTF-16 or UTF-32"),
        (b"a: 1\nb: \0\n", "c.yml:2: the file contains NUL bytes"),
        (b"a: 1\n\nb: \xe9\n", "c.yml:3: byte 0xe9 is not UTF-8"),
        (b"#" * 100_000_000, "c.yml: the file has 100000000 bytes, more than 8388608"),
    ],
)
def test_bytes_that_are_no_compose_file(raw: bytes, reason: str) -> None:
    with pytest.raises(ComposeError) as error:
        decode(raw, "c.yml")
    assert str(error.value).startswith(reason)


def test_a_long_text_is_refused_before_it_is_read() -> None:
    with pytest.raises(ComposeError, match="more than 8388608"):
        parse("#" * (8 * 1024 * 1024 + 1), "c.yml")


def test_utf8_with_bom_is_kept() -> None:
    assert decode("\ufeffa: é\n".encode(), "c.yml") == "\ufeffa: é\n"


@pytest.mark.parametrize(
    "text", [TEXT, "\ufeffa: 1\nb: é🚀 # c\n", "? a\n: - b\n  -\n- \n"[:9], "{a: , b, c: [d, ]}", "a: |+\n  x\n\n"]
)
def test_the_pure_python_parser_gives_the_same_nodes(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def shape(name: str) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = []
        waiting = [parse(text, name).root]
        while waiting:
            node = waiting.pop()
            assert node is not None
            found.append(
                (node.kind, node.start, node.inner, node.end, node.anchor, node.tag, node.text, node.style, node.flow)
            )
            waiting.extend(node.items)
            for entry in node.entries:
                waiting.extend(entry)
        return found

    fast = shape("fast")
    from yaml.loader import SafeLoader

    monkeypatch.setattr(nodes, "_Parser", SafeLoader)
    assert shape("slow") == fast


def test_only_light_modules_are_imported() -> None:
    code = (
        "import sys; import ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit;"
        "print([name for name in ('ansible', 'ruamel', 'pathlib', 'json', 'dataclasses', 'inspect', 'difflib')"
        " if name in sys.modules])"
    )
    path = f"{Path(nodes.__file__).parents[6]}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    assert done.stdout.strip() == "[]"
