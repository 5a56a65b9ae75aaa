# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose files that cannot be judged: content, line that must be named, part of the reason."""

from __future__ import annotations

from typing import NamedTuple


class Bad(NamedTuple):
    content: bytes
    line: int | None
    reason: str


def service(text: str) -> bytes:
    """A file whose service ``a`` has one more line."""
    return f"services:\n  a:\n    image: redis:8\n    {text}\n".encode()


def _alias_bomb(levels: int) -> bytes:
    lines = ["x-0: &l0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x-{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join([*lines, "services:", "  a:", "    image: redis:8", f"    labels: *l{levels - 1}", ""]).encode()


def _merge_bomb(levels: int) -> bytes:
    lines = ["x-0: &m0 {k: v}"]
    lines += [f"x-{n}: &m{n} {{a{n}: *m{n - 1}, b{n}: *m{n - 1}, c{n}: *m{n - 1}}}" for n in range(1, levels)]
    return "\n".join([*lines, "services:", "  a:", "    image: redis:8", f"    x-b: *m{levels - 1}", ""]).encode()


BAD = {
    "not UTF-8": Bad(b"services:\n  a:\n    image: \xff\xfe\n", 3, "not UTF-8"),
    "Latin-1": Bad("services:\n  a:\n    image: é\n".encode("latin-1"), 3, "not UTF-8"),
    "UTF-16": Bad("services: {}\n".encode("utf-16"), 1, "UTF-16"),
    "UTF-16 without mark": Bad("services: {}\n".encode("utf-16-le"), 1, "NUL"),
    "NUL": Bad(b"services:\n  a:\n    image: a\0b\n", 3, "NUL"),
    "control character": Bad(b"services:\n  a:\n    image: a\x01b\n", 3, "character"),
    "empty": Bad(b"", None, "no services"),
    "only comments": Bad(b"# nothing\n\n", None, "no services"),
    "null services": Bad(b"services:\n", 1, "services"),
    "no services": Bad(b"version: '3'\n", None, "no services"),
    "alias bomb": Bad(_alias_bomb(12), None, ""),
    "merge bomb": Bad(_merge_bomb(40), None, ""),
    "recursive alias": Bad(b"services:\n  a: &a\n    image: redis:8\n    x-self: *a\n", 4, ""),
    "recursive merge": Bad(b"services:\n  a: &a\n    <<: *a\n", 3, ""),
    "depth 10,000, flow": Bad(b"services: " + b"[" * 10000 + b"]" * 10000 + b"\n", 1, "deep"),
    "depth 10,000, open": Bad(b"services: " + b"{a: " * 10000, 1, "deep"),
    "depth 10,000, block": Bad(b"\n".join(b" " * n + b"a:" for n in range(1000)) + b"\n", None, "deep"),
    "duplicate key": Bad(b"services:\n  a:\n    image: x\n    image: y\n", 4, "image"),
    "duplicate service": Bad(b"services:\n  a:\n    image: x\n  a:\n    image: y\n", 4, "a"),
    "tab": Bad(b"services:\n\ta:\n\t\timage: x\n", 2, "tab"),
    "unclosed quote": Bad(b'services:\n  a:\n    image: "x\n', None, ""),
    "unknown alias": Bad(b"services:\n  a: *nope\n", 2, "nope"),
    "two documents with services": Bad(b"services: {a: {image: x}}\n---\nservices: {b: {image: y}}\n", 3, "documents"),
    "services is a list": Bad(b"services:\n  - a\n", 2, "list"),
    "services is a text": Bad(b"services: hello\n", 1, "single value"),
    "services is a number": Bad(b"services: 3\n", 1, "single value"),
    "a service is a list": Bad(b"services:\n  a: [image]\n", 2, "list"),
    "a service is a text": Bad(b"services:\n  a: hello\n", 2, "single value"),
    "a service is a number": Bad(b"services:\n  a: 3\n", 2, "single value"),
    "an empty service": Bad(b"services:\n  a:\n", 2, "empty"),
    "the root is a list": Bad(b"- services\n", 1, "list"),
    "negative size": Bad(service("mem_limit: -1g"), 4, "-1g"),
    "absurd size": Bad(service("mem_limit: lots"), 4, "lots"),
    "size beyond all memory": Bad(service("mem_limit: 99999999999999999999g"), 4, ""),
    "limit as a list": Bad(service("mem_limit: [512m]"), 4, "list"),
    "limit as a mapping": Bad(service("cpus: {a: 1}"), 4, "mapping"),
    "resources as a list": Bad(service("deploy: {resources: [a]}"), 4, "list"),
    "missing include": Bad(b"include: [nope.yml]\nservices: {a: {image: x}}\n", 1, "nope.yml"),
    "missing extends file": Bad(service("extends: {file: nope.yml, service: b}"), 4, "nope.yml"),
    "missing extends service": Bad(service("extends: b"), 4, "b"),
    "extends itself": Bad(service("extends: a"), 4, "a"),
    "extends in a circle": Bad(b"services:\n  a: {extends: b}\n  b: {extends: a}\n", None, "extends"),
    "includes itself": Bad(b"include: [docker-compose.yml]\nservices: {a: {image: x}}\n", None, "include"),
    "a waiver without owner": Bad(
        b'services:\n  # breakwater: ignore BW-LIM-001 reason="x" until=2027-01-01\n  a: {image: x}\n', 3, "owner"
    ),
}
