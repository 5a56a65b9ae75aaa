# SPDX-License-Identifier: GPL-3.0-or-later
"""A new key in the shapes in which people write Compose files: exact texts, before and after."""

# ruff: noqa: E501 # whole files on one line each, before beside after
from __future__ import annotations

import pytest
from editing import MEMORY, edited

INSERTIONS: dict[str, tuple[str, str]] = {
    "at the end of the service": (
        "services:\n  web:\n    image: x\n",
        "services:\n  web:\n    image: x\n    mem_limit: 512m\n",
    ),
    "before the blank line and the comment of the next service": (
        "services:\n  web:\n    image: x\n\n  # the database\n  db:\n    image: y\n",
        "services:\n  web:\n    image: x\n    mem_limit: 512m\n\n  # the database\n  db:\n    image: y\n",
    ),
    "no final newline": (
        "services:\n  web:\n    image: x",
        "services:\n  web:\n    image: x\n    mem_limit: 512m",
    ),
    "trailing blanks and no final newline": (
        "services:\n  web:\n    image: x   ",
        "services:\n  web:\n    image: x   \n    mem_limit: 512m",
    ),
    "trailing blank lines": (
        "services:\n  web:\n    image: x\n\n\n",
        "services:\n  web:\n    image: x\n    mem_limit: 512m\n\n\n",
    ),
    "comment at the end of the file": (
        "services:\n  web:\n    image: x\n# vim: set ft=yaml",
        "services:\n  web:\n    image: x\n    mem_limit: 512m\n# vim: set ft=yaml",
    ),
    "CRLF": (
        "services:\r\n  web:\r\n    image: x\r\nvolumes: {}\r\n",
        "services:\r\n  web:\r\n    image: x\r\n    mem_limit: 512m\r\nvolumes: {}\r\n",
    ),
    "mixed line ends follow the line above": (
        "services:\n  web:\n    image: x\r\n    init: true\r\n  db:\n    image: y\n",
        "services:\n  web:\n    image: x\r\n    init: true\r\n    mem_limit: 512m\r\n  db:\n    image: y\n",
    ),
    "lone CR": (
        "services:\r  web:\r    image: x\rvolumes: {}\r",
        "services:\r  web:\r    image: x\r    mem_limit: 512m\rvolumes: {}\r",
    ),
    "CRLF without a final line end": (
        "services:\r\n  web:\r\n    image: x",
        "services:\r\n  web:\r\n    image: x\r\n    mem_limit: 512m",
    ),
    "BOM": (
        "\ufeffservices:\n  web:\n    image: x\n",
        "\ufeffservices:\n  web:\n    image: x\n    mem_limit: 512m\n",
    ),
    "BOM and a flow root": (
        "\ufeff{services: {web: {image: x}}}\n",
        "\ufeff{services: {web: {image: x, mem_limit: 512m}}}\n",
    ),
    "characters outside the BMP before the place": (
        "services:\n  web:\n    labels: {who: '🚀🚀', 名: é}\n    image: x # 🚀\n  db: {}\n",
        "services:\n  web:\n    labels: {who: '🚀🚀', 名: é}\n    image: x # 🚀\n    mem_limit: 512m\n  db: {}\n",
    ),
    "line separators of YAML 1.1": (
        "services:\n  web:\n    image: x # a\u2028    init: true\u0085  db:\n    image: y\n",
        "services:\n  web:\n    image: x # a\u2028    init: true\u0085    mem_limit: 512m\n  db:\n    image: y\n",
    ),
    "tab after the value": (
        "services:\n  web:\n    image: x\t\n    init: true\t# yes\n",
        "services:\n  web:\n    image: x\t\n    init: true\t# yes\n    mem_limit: 512m\n",
    ),
    "indentless list at the end": (
        "services:\n  web:\n    ports:\n    - '80:80'\n    # - '443:443'\n  db:\n    image: y\n",
        "services:\n  web:\n    ports:\n    - '80:80'\n    # - '443:443'\n    mem_limit: 512m\n  db:\n    image: y\n",
    ),
    "commented-out block deeper than the keys": (
        "services:\n  web:\n    environment:\n      A: b\n      # C: d\n      #   e\n  db:\n    image: y\n",
        "services:\n  web:\n    environment:\n      A: b\n      # C: d\n      #   e\n    mem_limit: 512m\n  db:\n    image: y\n",
    ),
    "block commented out at the margin": (
        "services:\n  web:\n    ports:\n      - 80:80\n#      - 81:81\n\n  db:\n    image: y\n",
        "services:\n  web:\n    ports:\n      - 80:80\n#      - 81:81\n    mem_limit: 512m\n\n  db:\n    image: y\n",
    ),
    "flow service on one line": (
        "services:\n  web: {image: x, init: true} # small\n",
        "services:\n  web: {image: x, init: true, mem_limit: 512m} # small\n",
    ),
    "flow service with a trailing comma": (
        "services:\n  web: {image: x, init: true,}\n",
        "services:\n  web: {image: x, init: true, mem_limit: 512m,}\n",
    ),
    "flow service on several lines": (
        "services:\n  web: {\n    image: x,\n    init: true # on\n  }\n",
        "services:\n  web: {\n    image: x,\n    init: true, # on\n    mem_limit: 512m\n  }\n",
    ),
    "flow service on several lines with a trailing comma": (
        "services:\n  web: {\n    image: x,\n    init: true, # on\n  }\n",
        "services:\n  web: {\n    image: x,\n    init: true, # on\n    mem_limit: 512m,\n  }\n",
    ),
    "flow service closed on its last line": (
        "services:\n  web: { image: x,\n         init: true }\n",
        "services:\n  web: { image: x,\n         init: true,\n         mem_limit: 512m }\n",
    ),
    "JSON": (
        '{"services": {"web": {"image": "x"}}}',
        '{"services": {"web": {"image": "x", "mem_limit": "512m"}}}',
    ),
    "JSON on several lines": (
        '{\n  "services": {\n    "web": {\n      "image": "x"\n    }\n  }\n}\n',
        '{\n  "services": {\n    "web": {\n      "image": "x",\n      "mem_limit": "512m"\n    }\n  }\n}\n',
    ),
    "explicit keys": (
        "? services\n:\n  ? web\n  : image: x\n    init: true\n",
        "? services\n:\n  ? web\n  : image: x\n    init: true\n    mem_limit: 512m\n",
    ),
    "quoted keys": (
        '"services":\n  "web":\n    "image": "x"\n',
        '"services":\n  "web":\n    "image": "x"\n    mem_limit: 512m\n',
    ),
    "folded scalar at the end": (
        "services:\n  web:\n    command: >\n      a\n      b\n\n\n  db:\n    image: y\n",
        "services:\n  web:\n    command: >\n      a\n      b\n    mem_limit: 512m\n\n\n  db:\n    image: y\n",
    ),
    "block scalar that keeps its blank lines": (
        "services:\n  web:\n    command: |+\n      a\n\n\n  db:\n    image: y\n",
        "services:\n  web:\n    command: |+\n      a\n\n\n    mem_limit: 512m\n  db:\n    image: y\n",
    ),
    "file that ends inside a block scalar": (
        "services:\n  web:\n    image: x\n    command: |\n      a\n      b",
        "services:\n  web:\n    image: x\n    mem_limit: 512m\n    command: |\n      a\n      b",
    ),
    "file that ends inside the only key, a block scalar": (
        "services:\n  web:\n    command: |\n      a",
        "services:\n  web:\n    mem_limit: 512m\n    command: |\n      a",
    ),
    "file that ends inside a stripped block scalar": (
        "services:\n  web:\n    command: |-\n      a",
        "services:\n  web:\n    command: |-\n      a\n    mem_limit: 512m",
    ),
    "empty service": (
        "services:\n  web: # nothing yet\n    # image: x\n  db:\n    image: y\n",
        "services:\n  web: # nothing yet\n    mem_limit: 512m\n    # image: x\n  db:\n    image: y\n",
    ),
    "empty service at the end of the file": ("services:\n  web:", "services:\n  web:\n    mem_limit: 512m"),
    "null service": (
        "services:\n  web: ~\n  db: null # d\n",
        "services:\n  web:\n    mem_limit: 512m\n  db: null # d\n",
    ),
    "service that is an empty mapping": (
        "services:\n  web: {} # later\n",
        "services:\n  web: # later\n    mem_limit: 512m\n",
    ),
    "empty service with an anchor": (
        "services:\n  web: &w\n  db:\n    image: y\n",
        "services:\n  web: &w\n    mem_limit: 512m\n  db:\n    image: y\n",
    ),
    "service with an anchor on its own line": (
        "services:\n  web:\n    &w\n    image: x\n  db:\n    image: y\n",
        "services:\n  web:\n    &w\n    image: x\n    mem_limit: 512m\n  db:\n    image: y\n",
    ),
    "empty values at the end": (
        "services:\n  web:\n    environment:\n      A:\n      B:\n  db:\n    image: y\n",
        "services:\n  web:\n    environment:\n      A:\n      B:\n    mem_limit: 512m\n  db:\n    image: y\n",
    ),
    "documents before and after": (
        "---\nx-a: 1\n---\nservices:\n  web:\n    image: x\n...\n---\nx-b: 2\n",
        "---\nx-a: 1\n---\nservices:\n  web:\n    image: x\n    mem_limit: 512m\n...\n---\nx-b: 2\n",
    ),
    "several quoted lines": (
        'services:\n  web:\n    command: "a\n      # not a comment\n\n      b" # c\n  db:\n    image: y\n',
        'services:\n  web:\n    command: "a\n      # not a comment\n\n      b" # c\n    mem_limit: 512m\n  db:\n    image: y\n',
    ),
    "several plain lines": (
        "services:\n  web:\n    command: a\n      b: c\n  db:\n    image: y\n".replace("b: c", "b c"),
        "services:\n  web:\n    command: a\n      b c\n    mem_limit: 512m\n  db:\n    image: y\n",
    ),
    "override tag on the service": (
        "services:\n  web: !override\n    image: x\n",
        "services:\n  web: !override\n    image: x\n    mem_limit: 512m\n",
    ),
    "beside the limits that the service has": (
        "services:\n  web:\n    cpus: 1\n    image: x\n",
        "services:\n  web:\n    mem_limit: 512m\n    cpus: 1\n    image: x\n",
    ),
    "where the other services keep it": (
        "services:\n  db:\n    image: y\n    mem_limit: 1g\n    ports: []\n  web:\n    image: x\n    ports: []\n",
        "services:\n  db:\n    image: y\n    mem_limit: 1g\n    ports: []\n  web:\n    image: x\n    mem_limit: 512m\n    ports: []\n",
    ),
    "merge key in the service": (
        "x-a: &a\n  restart: always\nservices:\n  web:\n    <<: *a\n    image: x\n  db:\n    <<: *a\n",
        "x-a: &a\n  restart: always\nservices:\n  web:\n    <<: *a\n    image: x\n    mem_limit: 512m\n  db:\n    <<: *a\n",
    ),
    "two levels of merge keys": (
        "x-a: &a\n  init: true\nx-b: &b\n  <<: *a\n  restart: always\nservices:\n  web:\n    <<: *b\n  db:\n    <<: *b\n",
        "x-a: &a\n  init: true\nx-b: &b\n  <<: *a\n  restart: always\nservices:\n  web:\n    <<: *b\n    mem_limit: 512m\n  db:\n    <<: *b\n",
    ),
    "list of merge keys": (
        "x-a: &a {init: true}\nx-b: &b {tty: true}\nservices:\n  web:\n    <<: [*a, *b]\n  db: {<<: [*a, *b]}\n",
        "x-a: &a {init: true}\nx-b: &b {tty: true}\nservices:\n  web:\n    <<: [*a, *b]\n    mem_limit: 512m\n  db: {<<: [*a, *b]}\n",
    ),
    "alias of a whole service": (
        "services:\n  db: &d\n    image: y\n  web: *d # as db\n",
        "services:\n  db: &d\n    image: y\n  web: # as db\n    <<: *d\n    mem_limit: 512m\n",
    ),
    "alias of a whole service in flow": (
        "services: {db: &d {image: y}, web: *d }\n",
        "services: {db: &d {image: y}, web: {<<: *d, mem_limit: 512m} }\n",
    ),
    "service that extends another": (
        "services:\n  db:\n    image: y\n  web:\n    extends:\n      service: db\n",
        "services:\n  db:\n    image: y\n  web:\n    extends:\n      service: db\n    mem_limit: 512m\n",
    ),
}
for _width in range(1, 9):
    _one, _two = " " * _width, " " * (2 * _width)
    _text = f"services:\n{_one}web:\n{_two}image: x\n{_one}db:\n{_two}image: y\n"
    INSERTIONS[f"indent of {_width}"] = (_text, _text.replace("image: x\n", f"image: x\n{_two}mem_limit: 512m\n"))


@pytest.mark.parametrize("case", INSERTIONS)
def test_a_limit_is_inserted(case: str) -> None:
    before, after = INSERTIONS[case]
    assert edited(before, MEMORY) == after
