# SPDX-License-Identifier: GPL-3.0-or-later
"""Random Compose files in random styles, random edits: what must hold for all of them."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import Document, parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit import Edit, apply_edits
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import RefusedEdit
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.layout import Layout, is_block_scalar
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.nodes import ALIAS, MAPPING, SCALAR, Node

NAMES = ["web", "db", "temporal", "über", "名前", "redis-1"]
WORDS = [
    "always",
    "x",
    "${MEM:-512m}",
    "postgres:17",
    "a b",
    "é🚀",
    "/var/run",
    "22:22",
    "0440",
    "on",
    "~",
    "a: b",
    "# c",
    "",
    "'",
    '"',
    "1.5",
    "-",
]
LIMIT = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Writer:
    """Writes a Compose file in a random style; keeps no model: the editor's own data is checked against ruamel.yaml."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.step = draw(st.integers(1, 8))
        self.dash = draw(st.sampled_from([0, self.step]))
        self.eol = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
        self.anchored = False
        self.lines: list[str] = []

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def scalar(self, flow: bool = False) -> str:
        word: str = self.draw(st.sampled_from(WORDS))
        form = self.pick("plain", "single", "double")
        risky = any(mark in word for mark in ":#'\"{}") or word in ("", "-", "~")
        if form == "single" or (form == "plain" and (risky or flow)):
            return "'" + word.replace("'", "''") + "'"
        if form == "double":
            return '"' + word.replace('"', '\\"') + '"'
        return word

    def comment(self) -> str:
        return str(self.pick("", "", "", "  # why: é", "\t# tab", " "))

    def noise(self, column: int) -> None:
        kind = self.pick(None, None, None, None, "blank", "comment", "deep", "margin")
        if kind == "blank":
            self.lines.append(self.pick("", "  "))
        elif kind is not None:
            width = {"comment": column, "deep": column + self.step, "margin": 0}[kind]
            self.lines.append(" " * width + self.pick("# note", "#   - item", "# key: value"))

    def service(self, name: str) -> None:
        one, two = " " * self.step, " " * (2 * self.step)
        quoted = self.pick(name, f'"{name}"', name)
        form = self.pick("block", "block", "block", "block", "flow", "empty", "alias")
        if form == "flow":
            self.lines.append(f"{one}{quoted}: {{image: x, command: [{self.scalar(True)}, b]}}{self.comment()}")
        elif form == "empty":
            self.lines.append(f"{one}{quoted}:{self.pick('', ' {}', ' ~')}{self.comment()}")
        elif form == "alias" and self.anchored:
            self.lines.append(f"{one}{quoted}: *shared{self.comment()}")
        else:
            self.lines.append(f"{one}{quoted}:{self.comment()}")
            if self.anchored and self.pick(True, False):
                self.lines.append(f"{two}<<: *shared")
            self.lines.append(f"{two}image: {self.scalar() or 'x'}{self.comment()}")
            for key in self.draw(
                st.lists(
                    st.sampled_from(["restart", "command", "ports", "environment", "labels", "deploy", "build"]),
                    unique=True,
                )
            ):
                self.noise(2 * self.step)
                self.key(key)
        self.noise(self.step)

    def key(self, key: str) -> None:
        two, three = " " * (2 * self.step), " " * (3 * self.step)
        if key == "restart":
            self.lines.append(f"{two}{key}: {self.scalar()}{self.comment()}")
        elif key == "command":
            style = self.pick("|", ">", "|-", ">+", "|+")
            self.lines += [f"{two}{key}: {style}", f"{three}run é", f"{three}  # no comment", f"{three}end"]
            self.lines += self.pick([], [""], ["", ""])
        elif key in ("ports", "environment"):
            self.lines.append(f"{two}{key}:{self.comment()}")
            dash = " " * (2 * self.step + self.dash)
            for index in range(self.pick(1, 2)):
                item = self.pick(f"A{index}=b", f'"B{index}=🚀"')
            self.lines.append(f"{dash}- {item}{self.comment()}")
        elif key == "labels":
            self.lines.append(f"{two}{key}: {{a: {self.scalar(True)}, 'b': c}}{self.comment()}")
        else:
            self.lines.append(f"{two}{key}:")
            self.noise(3 * self.step)
            self.lines.append(f"{three}{'replicas' if key == 'deploy' else 'context'}: {self.scalar()}{self.comment()}")

    def text(self) -> str:
        self.lines += self.pick([], ["# header"], ["---"], ["version: '3'", ""])
        if self.pick(True, False):
            self.anchored = True
            self.lines += ["x-shared: &shared", " init: true", " restart: always"]
        self.noise(0)
        self.lines.append("services:")
        for name in self.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)):
            self.service(name)
        self.lines += self.pick([], ["volumes:", "  data:"], ["# end"])
        final = self.pick(self.eol, self.eol, "")
        bom: str = self.pick("", "", "", "\ufeff")
        return f"{bom}{self.eol.join(self.lines)}{final}"


@st.composite
def files(draw: Any) -> str:
    return Writer(draw).text()


def edits_for(name: str) -> list[Edit]:
    def put(value: Any, *steps: str) -> Edit:
        return Edit("set", ("services", name, *steps), value)

    return [
        put("512m", "mem_limit"),
        put(1.5, "cpus"),
        put("no", "restart"),
        put({"test": ["CMD", "true"], "interval": "10s"}, "healthcheck"),
        put("512M", "deploy", "resources", "limits", "memory"),
        put("22:22", "environment", "PORT"),
        put("x: y # z", "labels", "note"),
        put(None, "networks", "front"),
    ]


def load(text: str) -> Any:
    """Return what ruamel.yaml (YAML 1.2, pure Python) makes of a text, without shared objects and x- keys."""
    # It takes no tab before a comment, which libyaml and go-yaml do.
    data = YAML(typ="safe", pure=True).load(text.replace("\t#", " #"))
    return {key: plain(value) for key, value in data.items() if not str(key).startswith("x-")}


def plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(key): plain(value) for key, value in data.items()}
    return [plain(value) for value in data] if isinstance(data, list) else data


def intended(data: Any, edits: list[Edit]) -> Any:
    """Apply sets independently of the code under test."""
    for edit in edits:
        here = data
        *steps, last = edit.path
        for step in steps:
            if isinstance(here, dict) and here.get(step) is None:
                here[step] = {}
            here = here[step]
        if isinstance(here, list):
            assert isinstance(last, str)
            pair = f"{last}={edit.value}"
            if pair not in here:
                here.append(pair)
        else:
            here[last] = edit.value
    return data


@LIMIT
@given(files())
def test_every_node_maps_back_to_its_text(text: str) -> None:
    document = parse(text, "compose.yml")
    layout = Layout(document, "\n")
    assert document.root is not None
    waiting: list[Node] = [document.root]
    while waiting:
        node = waiting.pop()
        check_marks(document, layout, node)
        waiting.extend(node.items)
        for key, value in node.entries:
            assert text[layout.colon(key) - 1] == ":"
            waiting.extend((key, value))


def check_marks(document: Document, layout: Layout, node: Node) -> None:
    inside = document.text[node.inner : node.end]
    if node.kind == ALIAS:
        assert inside == "*" + node.text
    elif node.kind == SCALAR and is_block_scalar(node):
        assert inside[0] in "|>"
        assert document.text[node.inner : layout.content_end(node)].split()[-1] == node.text.split()[-1]
    elif node.kind == SCALAR:
        assert (
            not inside or YAML(typ="base", pure=True).load(inside) == (node.text or None) or inside in ("''", '""', "~")
        )
    elif node.flow:
        assert inside[0] + inside[-1] in ("{}", "[]")
    elif node.kind == MAPPING:
        assert inside.startswith(document.text[node.entries[0][0].start : node.entries[0][0].end])
    else:
        assert all(document.text[layout.dash(node, index)] == "-" for index in range(len(node.items)))


@LIMIT
@given(files(), st.data())
def test_edits_are_right_or_refused(text: str, data: st.DataObject) -> None:
    document = parse(text, "compose.yml")
    edits: list[Edit] = []
    for name in document.data["services"]:
        edits += data.draw(st.lists(st.sampled_from(edits_for(name)), max_size=4, unique_by=lambda edit: edit.path))
    new = apply_edits(document, edits)
    before = load(text.removeprefix("\ufeff"))
    assert load(new.text.removeprefix("\ufeff")) == intended(before, edits)
    assert apply_edits(new, edits) is new, "editing twice is editing once"
    assert new.text.startswith("\ufeff") == text.startswith("\ufeff")
    kept = [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip().startswith("#")]
    found = [line.strip() for line in new.text.replace("\r", "\n").split("\n") if line.strip().startswith("#")]
    assert found == kept, "a comment was lost or moved"


@LIMIT
@given(files(), st.data())
def test_an_inverse_edit_gives_the_old_data(text: str, data: st.DataObject) -> None:
    document = parse(text, "compose.yml")
    name = data.draw(st.sampled_from(list(document.data["services"])))
    old = document.data["services"][name]
    new = apply_edits(document, [Edit("set", ("services", name, "x-mark"), {"a": ["b"]})])
    assert new.text != text
    back = apply_edits(new, [Edit("remove", ("services", name, "x-mark"))])
    services = {key: value for key, value in document.data["services"].items() if value}
    assert {key: value for key, value in back.data["services"].items() if value} == services
    if old:
        assert back.data["services"][name] == old


@LIMIT
@given(files(), st.data())
@example("services:\n  web:\n    image: x\n    command: |\n      a", None)
def test_a_key_that_is_removed_is_the_only_thing_that_goes(text: str, data: st.DataObject | None) -> None:
    document = parse(text, "compose.yml")
    services = document.data["services"]
    choices = [(name, key) for name, config in services.items() for key in config or {}]
    if not choices:
        return
    name, key = choices[-1] if data is None else data.draw(st.sampled_from(choices))
    try:
        new = apply_edits(document, [Edit("remove", ("services", name, key))])
    except RefusedEdit as refused:
        # A comment below the key would become part of a block scalar above it: proven wrong, so refused.
        reason = refused.reason
    else:
        reason = ""
    if reason:
        swallowed = "not give exactly" in reason and ("|" in text or ">" in text) and "#" in text
        assert "inherited" in reason or swallowed
        return
    wanted = {
        one: (
            {other: value for other, value in (config or {}).items() if (one, other) != (name, key)}
            if one == name
            else config
        )
        for one, config in services.items()
    }
    assert new.data["services"] == wanted


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=400, deadline=None)
@given(TEXT, st.sampled_from(["block", "flow", "list"]))
@example("=", "block")
@example("<<", "block")
@example("0o17", "flow")
@example("1_000", "block")
@example("\ufeff", "block")
@example("a:b", "flow")
@example("-a", "list")
def test_any_text_is_read_back_as_it_was_written(value: str, where: str) -> None:
    text = {
        "block": "services:\n  a:\n    k: v\n",
        "flow": "services: {a: {k: v}}\n",
        "list": "services:\n  a:\n    k: [v]\n",
    }[where]
    document = parse(text, "compose.yml")
    edit = (
        Edit("append", ("services", "a", "k"), value)
        if where == "list"
        else Edit("set", ("services", "a", value), value)
    )
    new = apply_edits(document, [edit])
    found = YAML(typ="safe", pure=True).load(new.text)["services"]["a"]
    assert found == (
        {"k": ["v", value]} if where == "list" else {"k": "v", value: value} if value != "k" else {"k": "k"}
    )
    assert yaml.safe_load(new.text)["services"]["a"] == found, "YAML 1.1 reads the same"
