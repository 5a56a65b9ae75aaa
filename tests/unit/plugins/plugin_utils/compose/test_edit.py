# SPDX-License-Identifier: GPL-3.0-or-later
"""apply_edits: anchors, refusals and the document as a whole."""

# ruff: noqa: E501 # whole files on one line each, before beside after
from __future__ import annotations

import pytest
from editing import MEMORY, edited, put

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit import Edit, apply_edits, unified_diff
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import RefusedEdit

ANCHORS: dict[str, tuple[str, list[Edit], str]] = {
    "both the service and its merger get a value of their own": (
        "services:\n  a: &a\n    image: x\n  b:\n    <<: *a\n",
        [put("a.mem_limit", "1g"), put("b.mem_limit", "2g")],
        "services:\n  a: &a\n    image: x\n    mem_limit: 1g\n  b:\n    <<: *a\n    mem_limit: 2g\n",
    ),
    "both get the same: the merger inherits it": (
        "services:\n  a: &a\n    image: x\n  b:\n    <<: *a\n",
        [put("a.mem_limit", "1g"), put("b.mem_limit", "1g")],
        "services:\n  a: &a\n    image: x\n    mem_limit: 1g\n  b:\n    <<: *a\n",
    ),
    "a merger that has its own value is no leak": (
        "services:\n  a: &a\n    image: x\n  b:\n    <<: *a\n    mem_limit: 2g\n",
        [put("a.mem_limit", "1g")],
        "services:\n  a: &a\n    image: x\n    mem_limit: 1g\n  b:\n    <<: *a\n    mem_limit: 2g\n",
    ),
    "an inherited value changes in the service only": (
        "x-a: &a\n  restart: always\nservices:\n  a:\n    <<: *a\n    image: x\n  b:\n    <<: *a\n",
        [put("a.restart", "no")],
        'x-a: &a\n  restart: always\nservices:\n  a:\n    <<: *a\n    image: x\n    restart: "no"\n  b:\n    <<: *a\n',
    ),
    "a replaced value stays what it was in the merger": (
        "services:\n  a: &a\n    restart: always\n  b:\n    <<: *a\n    image: x\n",
        [put("a.restart", "on-failure")],
        "services:\n  a: &a\n    restart: on-failure\n  b:\n    <<: *a\n    image: x\n    restart: always\n",
    ),
    "an inherited mapping is copied": (
        "x-a: &a\n  environment:\n    A: '1'\nservices:\n  a:\n    <<: *a\n  b:\n    <<: *a\n",
        [put("a.environment.B", "x")],
        "x-a: &a\n  environment:\n    A: '1'\nservices:\n  a:\n    <<: *a\n    environment:\n      A: '1'\n      B: x\n  b:\n    <<: *a\n",
    ),
    "an inherited mapping with an anchor is merged": (
        "x-a: &a\n  environment: &env\n    A: '1'\nservices:\n  a:\n    <<: *a\n  b:\n    <<: *a\n",
        [put("a.environment.B", "x")],
        "x-a: &a\n  environment: &env\n    A: '1'\nservices:\n  a:\n    <<: *a\n    environment:\n      <<: *env\n      B: x\n  b:\n    <<: *a\n",
    ),
    "an alias is extended": (
        "x-env: &env\n  A: b\nservices:\n  a:\n    environment: *env # shared\n  b:\n    environment: *env\n",
        [put("a.environment.X", "z")],
        "x-env: &env\n  A: b\nservices:\n  a:\n    environment: # shared\n      <<: *env\n      X: z\n  b:\n    environment: *env\n",
    ),
    "an alias of a list is written out": (
        "x-p: &p [a, 'b']\nservices:\n  a:\n    cap_add: *p\n  b:\n    cap_add: *p\n",
        [Edit("append", ("services", "a", "cap_add"), "c")],
        "x-p: &p [a, 'b']\nservices:\n  a:\n    cap_add:\n      - a\n      - b\n      - c\n  b:\n    cap_add: *p\n",
    ),
    "an alias of a scalar is replaced": (
        "x-m: &m 1g\nservices:\n  a:\n    mem_limit: *m # m\n  b:\n    mem_limit: *m\n",
        [put("a.mem_limit", "2g")],
        "x-m: &m 1g\nservices:\n  a:\n    mem_limit: 2g # m\n  b:\n    mem_limit: *m\n",
    ),
    "the anchor of a scalar is changed where all should change": (
        "x-m: &m 1g\nservices:\n  a:\n    mem_limit: *m\n  b:\n    mem_limit: *m\n",
        [put("a.mem_limit", "2g"), put("b.mem_limit", "2g")],
        "x-m: &m 2g\nservices:\n  a:\n    mem_limit: *m\n  b:\n    mem_limit: *m\n",
    ),
    "a fragment is changed where all its users should change": (
        "x-log: &log\n  driver: json-file\n  options: {max-size: 1m}\nservices:\n  a:\n    logging: *log\n  b:\n    logging: *log\n",
        [put("a.logging.options.max-file", "3"), put("b.logging.options.max-file", "3")],
        'x-log: &log\n  driver: json-file\n  options: {max-size: 1m, max-file: "3"}\nservices:\n  a:\n    logging: *log\n  b:\n    logging: *log\n',
    ),
    "a merged fragment is changed where all its users should change": (
        "x-a: &a\n  restart: always\nservices:\n  a:\n    <<: *a\n  b:\n    <<: *a\n    image: x\n",
        [put("a.restart", "no"), put("b.restart", "no")],
        'x-a: &a\n  restart: "no"\nservices:\n  a:\n    <<: *a\n  b:\n    <<: *a\n    image: x\n',
    ),
    "a fragment of one thing gets nothing else": (
        "x-h: &h\n  extra_hosts: [a]\nservices:\n  a:\n    <<: *h\n  b:\n    <<: *h\n",
        [put("a.mem_limit", "1g"), put("b.mem_limit", "1g")],
        "x-h: &h\n  extra_hosts: [a]\nservices:\n  a:\n    <<: *h\n    mem_limit: 1g\n  b:\n    <<: *h\n    mem_limit: 1g\n",
    ),
    "a value that merged an anchor is set as a whole": (
        "x-h: &h\n  timeout: 3s\nservices:\n  a:\n    healthcheck:\n      <<: *h\n      test: a\n  b:\n    healthcheck: *h\n",
        [put("a.healthcheck", {"test": "b"})],
        "x-h: &h\n  timeout: 3s\nservices:\n  a:\n    healthcheck:\n      test: b\n  b:\n    healthcheck: *h\n",
    ),
    "extends: both get their own": (
        "services:\n  a:\n    image: x\n  b:\n    extends: {service: a}\n",
        [put("a.mem_limit", "1g"), put("b.mem_limit", "2g")],
        "services:\n  a:\n    image: x\n    mem_limit: 1g\n  b:\n    extends: {service: a}\n    mem_limit: 2g\n",
    ),
}


@pytest.mark.parametrize("case", ANCHORS)
def test_an_anchor_is_respected(case: str) -> None:
    before, edits, after = ANCHORS[case]
    assert edited(before, *edits) == after


REFUSALS: dict[str, tuple[str, Edit, int | None, str]] = {
    "leak to a merger": (
        "services:\n  a: &a\n    image: x\n  b:\n    <<: *a\n",
        put("a.mem_limit", "1g"),
        2,
        "mem_limit under anchor &a would also reach services.b",
    ),
    "leak to an alias": (
        "services:\n  a: &a\n    image: x\n  b: *a\n",
        put("a.mem_limit", "1g"),
        2,
        "mem_limit under anchor &a would also reach services.b",
    ),
    "leak through two levels": (
        "services:\n  a: &a\n    image: x\n  b: &b\n    <<: *a\n  c:\n    <<: *b\n",
        put("a.mem_limit", "1g"),
        2,
        "would also reach services.b",
    ),
    "leak by extends": (
        "services:\n  a:\n    image: x\n  b:\n    extends:\n      service: a\n",
        put("a.mem_limit", "1g"),
        4,
        "service b extends another one of this file",
    ),
    "leak by extends in short form": (
        "services:\n  a:\n    image: x\n  b:\n    extends: a\n",
        put("a.mem_limit", "1g"),
        4,
        "service b extends another one of this file",
    ),
    "removal of an inherited key": (
        "x-a: &a\n  init: true\nservices:\n  web:\n    <<: *a\n",
        Edit("remove", ("services", "web", "init")),
        5,
        "is inherited by a merge key and cannot be removed here",
    ),
    "removal that would reveal an inherited key": (
        "x-a: &a\n  init: true\nservices:\n  web:\n    <<: *a\n    init: false\n",
        Edit("remove", ("services", "web", "init")),
        6,
        "would be inherited by a merge key once removed here",
    ),
    "removal of an anchor in use": (
        "services:\n  a:\n    environment: &e\n      A: b\n    image: x\n  b:\n    environment: *e\n",
        Edit("remove", ("services", "a", "environment")),
        3,
        "no anchor",
    ),
    "unknown service": (
        "services:\n  a:\n    image: x\n",
        put("web.mem_limit", "1g"),
        1,
        "the file has no service 'web'",
    ),
    "version 1 file": (
        "web:\n  image: x\n",
        Edit("set", ("services", "web"), {"image": "x"}),
        None,
        "this is a file of Compose version 1",
    ),
    "no content": ("# nothing\n", Edit("append", ("include",), "a.yml"), None, "the file has no content to edit"),
    "tag in the way": (
        "services:\n  web:\n    environment: !reset null\n",
        put("web.environment.A", "b"),
        3,
        "environment carries the tag !reset",
    ),
    "tag of a replaced value": (
        "services:\n  web:\n    ports: !override\n      - '80'\n",
        put("web.ports", ["81"]),
        3,
        "carries the tag !override",
    ),
    "append to a value": (
        "services:\n  web:\n    env_file: a\n",
        Edit("append", ("services", "web", "env_file"), "b"),
        3,
        "append needs a list",
    ),
    "below a value": ("services:\n  web:\n    deploy: x\n", put("web.deploy.mode", "y"), 3, "is a single value"),
    "index out of range": (
        "services:\n  web:\n    ports: []\n",
        Edit("set", ("services", "web", "ports", 0), "80"),
        3,
        "0 items",
    ),
    "name that is listed twice": (
        "services:\n  web:\n    environment: [A=1, A=2]\n",
        put("web.environment.A", "3"),
        3,
        "A is listed 2 times",
    ),
    "not a number": ("services:\n  web:\n    image: x\n", put("web.cpus", float("nan")), 2, "cannot be written"),
    "an object": ("services:\n  web:\n    image: x\n", put("web.cpus", object()), 2, "a value of type object"),
    "append inside the last block scalar": (
        "services:\n  web:\n    command:\n      - |\n        a",
        Edit("append", ("services", "web", "command"), "b"),
        4,
        "ends inside a block scalar",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_proven_is_refused_with_line_and_reason(case: str) -> None:
    text, edit, line, reason = REFUSALS[case]
    with pytest.raises(RefusedEdit) as refusal:
        apply_edits(parse(text, "compose.yml"), [edit])
    assert reason in refusal.value.reason
    assert refusal.value.line == line
    assert "\n" not in str(refusal.value)


def test_edits_that_are_in_force_return_the_document_itself() -> None:
    document = parse("services:\n  web:\n    mem_limit: 512m\n    cpus: '0.50'\n    restart: \"no\"\n", "compose.yml")
    edits = [MEMORY, put("web.cpus", "0.50"), put("web.restart", "no"), Edit("remove", ("services", "web", "init"))]
    assert apply_edits(document, edits) is document


def test_all_or_nothing() -> None:
    document = parse("services:\n  web:\n    image: x\n", "compose.yml")
    with pytest.raises(RefusedEdit):
        apply_edits(document, [MEMORY, put("nobody.mem_limit", "1g")])
    assert document.text == "services:\n  web:\n    image: x\n"


def test_a_line_of_ten_thousand_characters() -> None:
    long = "x" * 10_000
    text = f"services:\n  web:\n    command: '{long}' # {long}\n    image: x\n"
    assert edited(text, put("web.command", "y")) == text.replace(f"'{long}'", "'y'")


def test_the_diff_is_one_that_patch_reads() -> None:
    old = parse("services:\n  web:\n    image: x", "compose.yml")
    new = apply_edits(old, [MEMORY])
    assert unified_diff(old, new) == (
        "--- a/compose.yml\n+++ b/compose.yml\n@@ -1,3 +1,4 @@\n services:\n   web:\n-    image: x\n"
        "\\ No newline at end of file\n+    image: x\n+    mem_limit: 512m\n\\ No newline at end of file\n"
    )
    assert unified_diff(old, old) == ""
