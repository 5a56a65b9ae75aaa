# SPDX-License-Identifier: GPL-3.0-or-later
"""The editor on a corpus of public Compose files: no-op, many kinds of edits, independent oracles, lines touched.

Run as a script it prints the figures: python tests/unit/plugins/plugin_utils/compose/test_edit_corpus.py
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import Document, decode, parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit import Edit, apply_edits
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError, RefusedEdit

CORPUS = Path(os.environ.get("BREAKWATER_CORPUS") or Path(__file__).resolve().parents[6] / "shared" / "compose-corpus")
FILES = sorted(path for path in CORPUS.glob("*.y*ml")) if CORPUS.is_dir() else []
# A template with Jinja blocks is no YAML: the only file that is refused as a whole.
NOT_YAML = {"synthetic__jinja.yml"}
# Edits of one service that other services of the file merge, and that would therefore reach them.
SHARED = {
    "langfuse__langfuse__docker-compose.build.yml",
    "langfuse__langfuse__docker-compose.yml",
    "netbox-community__netbox-docker__docker-compose.test.yml",
    "netbox-community__netbox-docker__docker-compose.yml",
    "synthetic__anchor_on_service_and_ext.yml",
}
HEALTHCHECK = {"test": ["CMD", "pg_isready", "-h", "127.0.0.1"], "interval": "10s", "timeout": "5s", "retries": 5}
LOGGING = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}

needs_corpus = pytest.mark.skipif(not FILES, reason=f"no corpus of Compose files at {CORPUS} (BREAKWATER_CORPUS)")


def load(path: Path) -> Document:
    return parse(decode(path.read_bytes(), path.name), path.name)


def service_edits(name: str, config: Any) -> Iterator[tuple[str, list[Edit]]]:
    """Yield kind and edits for one service."""

    def put(value: Any, *steps: str | int) -> Edit:
        return Edit("set", ("services", name, *steps), value)

    config = config if isinstance(config, dict) else {}
    yield "limits", [put("512m", "mem_limit"), put(1.5, "cpus"), put(200, "pids_limit")]
    yield "healthcheck", [put(HEALTHCHECK, "healthcheck")]
    yield "environment", [put("460MiB", "environment", "GOMEMLIMIT")]
    yield "deploy", [put("512M", "deploy", "resources", "limits", "memory")]
    yield "restart", [put("on-failure", "restart")]
    yield "security_opt", [Edit("append", ("services", name, "security_opt"), "no-new-privileges:true")]
    yield "logging", [put(LOGGING, "logging"), put("60s", "stop_grace_period")]
    if isinstance(config.get("depends_on"), list):
        yield (
            "depends_on",
            [put({service: {"condition": "service_healthy"} for service in config["depends_on"]}, "depends_on")],
        )
    if isinstance(config.get("ports"), list) and config["ports"]:
        yield "port", [put("127.0.0.1:80:80", "ports", 0)]
        yield "remove item", [Edit("remove", ("services", name, "ports", 0))]
    if "image" in config:
        yield "image", [put("example.test/image:1", "image")]


def removals(document: Document) -> list[Edit]:
    """Return the removal of the last own key of each service that has another and on which no other place depends."""
    services = document.root.get("services") if document.root is not None else None
    made: list[Edit] = []
    for key, service in services[1].resolved().entries if services else []:
        own = [
            name
            for name, value in service.entries
            if value.target is None and "&" not in document.text[value.start : value.end]
        ]
        if len(own) > 1 and service.get("<<") is None and all(name.text != "<<" for name, _ in service.entries):
            made.append(Edit("remove", ("services", key.text, own[-1].text)))
    return made


def unshared(data: Any) -> Any:
    """Return plain data in which no object occurs twice."""
    if isinstance(data, dict):
        return {str(key): unshared(value) for key, value in data.items()}
    return [unshared(value) for value in data] if isinstance(data, list) else data


def expected(data: Any, edits: list[Edit]) -> Any:
    """Apply edits to an oracle's data, independently of the code under test."""
    data = unshared(data)
    for op, path, value in edits:
        here = data
        for step, following in pairwise(path):
            if isinstance(here, dict) and here.get(step) is None:
                here[step] = {}
            here = here[step]
            if isinstance(here, list) and isinstance(following, str):
                found = [index for index, item in enumerate(here) if str(item).split("=")[0] == following]
                here[found[0] if found else len(here) : len(here) + 1 if not found else found[0] + 1] = [
                    f"{following}={value}"
                ]
                break
        else:
            last = path[-1]
            if op == "set":
                here[last] = value
            elif op == "append":
                here[last] = [*(here.get(last) or []), value]
            else:
                del here[last]
    return data


def without_fragments(data: Any) -> Any:
    """Leave out x- keys: a change that all users of a fragment get may be made there, and shows in its users."""
    return {key: value for key, value in unshared(data).items() if key[:2] != "x-"} if isinstance(data, dict) else data


class Oracle(yaml.CSafeLoader):
    """PyYAML's own constructor, with unknown tags kept beside the value."""


def _unknown(loader: Any, suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {f"!{suffix}": loader.construct_mapping(node, deep=True)}
    if isinstance(node, yaml.SequenceNode):
        return [f"!{suffix}", *loader.construct_sequence(node, deep=True)]
    return f"!{suffix} {node.value}"


Oracle.add_multi_constructor("!", _unknown)
Oracle.add_constructor("tag:yaml.org,2002:value", lambda _loader, node: node.value)


def oracle(text: str) -> Any:
    """Return what PyYAML makes of the document that holds services."""
    documents = list(yaml.load_all(text, Loader=Oracle))  # a safe loader
    return next(
        (one for one in documents if isinstance(one, dict) and "services" in one), documents[0] if documents else None
    )


def changed_lines(old: str, new: str) -> list[str]:
    """Return the lines of the old text that the new one lacks."""
    before, after = old.split("\n"), new.split("\n")
    gone: list[str] = []
    for tag, start, end, _, _ in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag in ("replace", "delete"):
            gone += before[start:end]
    return gone


def is_insertion(document: Document, edit: Edit) -> bool:
    """Return True when an edit only adds to what the file holds, at a place that needs no other line to change."""
    if edit.op == "remove" or (edit.op == "set" and document.line_of(edit.path) is not None):
        return False
    here: Any = document.root
    for step in edit.path:
        if here.target is not None or here.flow or (here.text and here.kind == "scalar"):
            return False
        if here.items:
            # A variable in a list of NAME=value.
            return not any(item.text.partition("=")[0] == step for item in here.items)
        entry = here.get(step)
        if entry is None:
            # An inherited value may be changed where it is defined.
            return document.line_of(edit.path) is None
        here = entry[1]
    return here.target is None and not here.flow and not (here.text and here.kind == "scalar")


def check(document: Document, kind: str, edits: list[Edit], figures: Counter[str]) -> Document | None:
    """Make edits and check the result; count it. Return None when refused."""
    figures[f"{kind}: tried"] += 1
    try:
        new = apply_edits(document, edits)
    except RefusedEdit:
        figures[f"{kind}: refused"] += 1
        return None
    try:
        before = oracle(document.text)
    except yaml.composer.ComposerError:
        figures["unread by the oracle (an anchor is defined twice)"] += 1
    else:
        found, wanted = without_fragments(oracle(new.text)), without_fragments(expected(before, edits))
        assert found == wanted, f"wrong edit: {document.name} {kind}"
    # A first key after a BOM shares its line.
    gone = changed_lines(document.text.removeprefix("\ufeff"), new.text.removeprefix("\ufeff"))
    if document.text.endswith("\n") and all(is_insertion(document, edit) for edit in edits):
        assert not gone, f"an insertion changed lines: {document.name} {kind}: {gone}"
        figures[f"{kind}: pure insertion"] += 1
    assert not any(line.lstrip().startswith("#") for line in gone) or kind in ("remove", "healthcheck", "logging")
    return new


@needs_corpus
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_op_is_identical(path: Path) -> None:
    if path.name in NOT_YAML:
        with pytest.raises(ComposeError):
            load(path)
        return
    raw = path.read_bytes()
    document = load(path)
    assert document.text.encode() == raw
    assert apply_edits(document, []) is document
    services = (document.data or {}).get("services") or {}
    keep = [
        Edit("set", ("services", name, key), config[key]) for name, config in services.items() for key in config or {}
    ]
    assert apply_edits(document, keep).text.encode() == raw


@needs_corpus
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_kind_of_edit_on_all_services(path: Path) -> None:
    figures: Counter[str] = Counter()
    campaign(path, figures, single=False)
    assert not [kind for kind in figures if kind.endswith("refused")] or path.name == "synthetic__only_comments.yml"


@needs_corpus
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_kind_of_edit_on_single_services(path: Path) -> None:
    figures: Counter[str] = Counter()
    campaign(path, figures, single=True, most=2)
    assert not [kind for kind in figures if kind.endswith("refused")] or path.name in SHARED


@needs_corpus
@pytest.mark.parametrize("path", FILES[::4], ids=lambda path: path.name)
def test_ruamel_agrees(path: Path) -> None:
    if path.name in NOT_YAML or path.stat().st_size > 8000:
        pytest.skip("not YAML, or too long for this oracle")
    document = load(path)
    services = (document.data or {}).get("services") or {}
    edits = [
        edit
        for name, config in services.items()
        for kind, made in service_edits(name, config)
        if kind != "remove item"
        for edit in made
    ]
    new = apply_edits(document, edits)
    ruamel = YAML(typ="safe", pure=True)
    try:
        old_data = next(
            data
            for data in ruamel.load_all(document.text)
            if isinstance(data, dict) and (not services or "services" in data)
        )
    except StopIteration:
        pytest.skip("no content")
    except YAMLError as error:  # its safe loader refuses unknown tags
        pytest.skip(f"ruamel cannot read it: {error}")
    new_data = next(
        data for data in YAML(typ="safe", pure=True).load_all(new.text) if not services or "services" in data
    )
    assert without_fragments(unshared(new_data)) == without_fragments(expected(old_data, edits))


def campaign(path: Path, figures: Counter[str], single: bool, most: int = 10_000) -> None:
    """Try every kind of edit on a file, on each service alone or on all together."""
    if path.name in NOT_YAML:
        return
    document = load(path)
    services = (document.data or {}).get("services") or {}
    if not single:
        joint: dict[str, list[Edit]] = {}
        for name, config in services.items():
            for kind, edits in service_edits(name, config):
                joint.setdefault(kind, []).extend(edits)
        joint["remove"] = removals(document)
        if document.data is not None:
            check(document, "include", [Edit("set", ("include",), ["breakwater/pgbouncer.yml"])], figures)
        for kind, edits in joint.items():
            check(document, kind, edits, figures)
        return
    for name, config in list(services.items())[:most]:
        for kind, edits in service_edits(name, config):
            check(document, kind, edits, figures)
    for edit in removals(document)[:most]:
        check(document, "remove", [edit], figures)


def main() -> None:
    """Run the whole campaign and print its figures."""
    for single in (False, True):
        figures: Counter[str] = Counter()
        refused: set[str] = set()
        start = time.perf_counter()
        for path in FILES:
            before = sum(count for kind, count in figures.items() if kind.endswith("refused"))
            campaign(path, figures, single)
            if sum(count for kind, count in figures.items() if kind.endswith("refused")) > before:
                refused.add(path.name)
        print(
            "each service alone" if single else "all services in one call",
            f"({time.perf_counter() - start:.0f} s, oracle included)",
        )
        for kind, count in sorted(figures.items()):
            print(f"  {kind:30} {count}")
        print(f"  files with a refusal: {len(refused)} of {len(FILES)}: {', '.join(sorted(refused))}")


if __name__ == "__main__":
    main()
