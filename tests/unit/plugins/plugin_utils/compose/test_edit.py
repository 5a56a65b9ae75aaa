# SPDX-License-Identifier: GPL-3.0-or-later
"""apply_edits on the shapes in which people write Compose files: exact texts, before and after."""

# ruff: noqa: E501, ISC004 # whole files on one line each, before beside after
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit import Edit, apply_edits, unified_diff
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import RefusedEdit


def edited(text: str, *edits: Edit) -> str:
    """Return the edited text, having checked that the same edits on it change nothing more (what adds or counts items aside)."""
    new = apply_edits(parse(text, "compose.yml"), edits)
    again = [edit for edit in edits if edit.op == "set" or (edit.op == "remove" and isinstance(edit.path[-1], str))]
    assert apply_edits(new, again).text == new.text
    return new.text


def put(path: str, value: Any) -> Edit:
    """Return a set of a path below services."""
    return Edit("set", ("services", *path.split(".")), value)


MEMORY = put("web.mem_limit", "512m")

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


CHANGES: dict[str, tuple[str, list[Edit], str]] = {
    "replace a plain value": (
        "services:\n  web:\n    restart:  always   # ever\n",
        [put("web.restart", "on-failure")],
        "services:\n  web:\n    restart:  on-failure   # ever\n",
    ),
    "quotes of the replaced value stay": (
        "services:\n  web:\n    restart: 'always'\n",
        [put("web.restart", "on-failure")],
        "services:\n  web:\n    restart: 'on-failure'\n",
    ),
    "a value that YAML 1.1 misreads is quoted": (
        "services:\n  web:\n    restart: always\n",
        [put("web.restart", "no")],
        'services:\n  web:\n    restart: "no"\n',
    ),
    "quotes as the file has them": (
        "services:\n  web:\n    image: 'x'\n    ports: ['1', '2']\n",
        [put("web.restart", "no")],
        "services:\n  web:\n    image: 'x'\n    ports: ['1', '2']\n    restart: 'no'\n",
    ),
    "interpolated value": (
        "services:\n  web:\n    mem_limit: ${MEM:-512m}\n",
        [put("web.mem_limit", "${MEM:-1g}")],
        "services:\n  web:\n    mem_limit: ${MEM:-1g}\n",
    ),
    "traps of YAML 1.1 nearby stay": (
        "services:\n  web:\n    ports: [22:22, 0x1F]\n    configs:\n      - mode: 0440\n    tty: on\n",
        [MEMORY],
        "services:\n  web:\n    ports: [22:22, 0x1F]\n    configs:\n      - mode: 0440\n    tty: on\n    mem_limit: 512m\n",
    ),
    "numbers and booleans": (
        "services:\n  web:\n    image: x\n",
        [put("web.cpus", 0.5), put("web.pids_limit", 200), put("web.init", True)],
        "services:\n  web:\n    image: x\n    cpus: 0.5\n    pids_limit: 200\n    init: true\n",
    ),
    "text that looks like a number": (
        "services:\n  web:\n    image: x\n",
        [put("web.cpus", "0.50")],
        'services:\n  web:\n    image: x\n    cpus: "0.50"\n',
    ),
    "health check in the usual form": (
        "services:\n  web:\n    image: x\n",
        [put("web.healthcheck", {"test": ["CMD", "true"], "interval": "10s", "retries": 5})],
        "services:\n  web:\n    image: x\n    healthcheck:\n"
        '      test: ["CMD", "true"]\n      interval: 10s\n      retries: 5\n',
    ),
    "health check in the form of the others": (
        "services:\n  db:\n    healthcheck:\n      test:\n      - CMD\n      - a\n  web:\n    image: x\n",
        [put("web.healthcheck", {"test": ["CMD", "true"]})],
        "services:\n  db:\n    healthcheck:\n      test:\n      - CMD\n      - a\n  web:\n    image: x\n"
        '    healthcheck:\n      test:\n      - CMD\n      - "true"\n',
    ),
    "health check replaced: only what differs": (
        "services:\n  web:\n    healthcheck:\n      test: [CMD, a] # lies\n      interval: 5s\n      timeout: 3s\n",
        [put("web.healthcheck", {"test": ["CMD", "b"], "interval": "5s", "retries": 2})],
        "services:\n  web:\n    healthcheck:\n      test: [CMD, b] # lies\n      interval: 5s\n      retries: 2\n",
    ),
    "missing parents are created": (
        "services:\n  web:\n    image: x\n",
        [put("web.deploy.resources.limits.memory", "1g"), put("web.deploy.resources.limits.pids", 9)],
        "services:\n  web:\n    image: x\n    deploy:\n      resources:\n        limits:\n          memory: 1g\n          pids: 9\n",
    ),
    "below parents that exist": (
        "services:\n  web:\n    deploy:\n        resources:\n            limits:\n                cpus: '1'\n    image: x\n",
        [put("web.deploy.resources.limits.memory", "1g"), put("web.deploy.resources.reservations.memory", "1g")],
        "services:\n  web:\n    deploy:\n        resources:\n            limits:\n                cpus: '1'\n"
        "                memory: '1g'\n            reservations:\n                memory: 1g\n    image: x\n",
    ),
    "a null parent": (
        "services:\n  web:\n    deploy:\n    image: x\n",
        [put("web.deploy.replicas", 2)],
        "services:\n  web:\n    deploy:\n      replicas: 2\n    image: x\n",
    ),
    "environment as a mapping": (
        "services:\n  web:\n    environment:\n      A: '1'\n      B: '2'\n    image: x\n",
        [put("web.environment.GOMEMLIMIT", "460MiB")],
        "services:\n  web:\n    environment:\n      A: '1'\n      B: '2'\n      GOMEMLIMIT: '460MiB'\n    image: x\n",
    ),
    "environment as a list": (
        'services:\n  web:\n    environment:\n      - "A=1"\n    image: x\n',
        [put("web.environment.GOMEMLIMIT", "460MiB")],
        'services:\n  web:\n    environment:\n      - "A=1"\n      - "GOMEMLIMIT=460MiB"\n    image: x\n',
    ),
    "a variable of a list is replaced": (
        "services:\n  web:\n    environment:\n      - A=1 # a\n      - B=2\n",
        [put("web.environment.A", 3)],
        "services:\n  web:\n    environment:\n      - A=3 # a\n      - B=2\n",
    ),
    "a variable of a list is removed": (
        "services:\n  web:\n    environment:\n      - A=1 # a\n      - B=2\n",
        [Edit("remove", ("services", "web", "environment", "A"))],
        "services:\n  web:\n    environment:\n      - B=2\n",
    ),
    "append to a block list": (
        "services:\n  web:\n    security_opt:\n      - label:disable\n      # - other\n    image: x\n",
        [Edit("append", ("services", "web", "security_opt"), "no-new-privileges:true")],
        "services:\n  web:\n    security_opt:\n      - label:disable\n      # - other\n      - no-new-privileges:true\n    image: x\n",
    ),
    "append keeps the width of the dash": (
        "services:\n  web:\n    security_opt:\n    -   label:disable\n",
        [Edit("append", ("services", "web", "security_opt"), "no-new-privileges:true")],
        "services:\n  web:\n    security_opt:\n    -   label:disable\n    -   no-new-privileges:true\n",
    ),
    "append to a flow list": (
        "services:\n  web:\n    cap_drop: [A, B]\n",
        [Edit("append", ("services", "web", "cap_drop"), "C")],
        "services:\n  web:\n    cap_drop: [A, B, C]\n",
    ),
    "append to an empty list": (
        "services:\n  web:\n    cap_drop: []\n",
        [Edit("append", ("services", "web", "cap_drop"), "C")],
        "services:\n  web:\n    cap_drop:\n      - C\n",
    ),
    "append to a missing list": (
        "services:\n  web:\n    ports:\n    - 80:80\n",
        [Edit("append", ("services", "web", "cap_drop"), "ALL")],
        "services:\n  web:\n    ports:\n    - 80:80\n    cap_drop:\n    - ALL\n",
    ),
    "append a mapping": (
        "services:\n  web:\n    volumes:\n      - a:/b\n",
        [Edit("append", ("services", "web", "volumes"), {"type": "tmpfs", "target": "/t"})],
        "services:\n  web:\n    volumes:\n      - a:/b\n      - type: tmpfs\n        target: /t\n",
    ),
    "an item is replaced": (
        "services:\n  web:\n    ports:\n      - '80:80' # http\n      - '443:443'\n",
        [Edit("set", ("services", "web", "ports", 0), "127.0.0.1:80:80")],
        "services:\n  web:\n    ports:\n      - '127.0.0.1:80:80' # http\n      - '443:443'\n",
    ),
    "an item is removed": (
        "services:\n  web:\n    cap_add: [A, B, C]\n    cap_drop:\n      - A\n      # b\n      - B\n",
        [Edit("remove", ("services", "web", "cap_add", 0)), Edit("remove", ("services", "web", "cap_drop", 0))],
        "services:\n  web:\n    cap_add: [B, C]\n    cap_drop:\n      # b\n      - B\n",
    ),
    "a key of a list item": (
        "services:\n  web:\n    ports:\n      - target: 80\n        published: 80\n",
        [Edit("set", ("services", "web", "ports", 0, "host_ip"), "127.0.0.1")],
        "services:\n  web:\n    ports:\n      - target: 80\n        published: 80\n        host_ip: 127.0.0.1\n",
    ),
    "depends_on from list to mapping": (
        "services:\n  web:\n    depends_on:\n      - db # data\n      # the cache\n      - 'redis'\n    image: x\n",
        [put("web.depends_on", {"db": {"condition": "service_healthy"}, "redis": {"condition": "service_started"}})],
        "services:\n  web:\n    depends_on:\n      db: # data\n        condition: service_healthy\n      # the cache\n"
        "      redis:\n        condition: service_started\n    image: x\n",
    ),
    "depends_on from indentless list to mapping": (
        "services:\n  web:\n    depends_on:\n    - db\n    image: x\n",
        [put("web.depends_on", {"db": {"condition": "service_healthy"}})],
        "services:\n  web:\n    depends_on:\n      db:\n        condition: service_healthy\n    image: x\n",
    ),
    "depends_on from flow list to mapping": (
        "services:\n  web:\n    depends_on: [db] # data\n    image: x\n",
        [put("web.depends_on", {"db": {"condition": "service_healthy"}})],
        "services:\n  web:\n    depends_on: # data\n      db:\n        condition: service_healthy\n    image: x\n",
    ),
    "include goes to the top": (
        "# header\nversion: '3'\nservices:\n  web:\n    image: x\n",
        [Edit("append", ("include",), "breakwater/pgbouncer.yml")],
        "# header\nversion: '3'\ninclude:\n  - breakwater/pgbouncer.yml\nservices:\n  web:\n    image: x\n",
    ),
    "include above the comment of the first key": (
        "# header\n\n# services\nservices:\n  web:\n    image: x\n",
        [Edit("append", ("include",), "b.yml")],
        "# header\n\ninclude:\n  - b.yml\n\n# services\nservices:\n  web:\n    image: x\n",
    ),
    "include below the header": (
        "# header\nservices:\n  web:\n    image: x\n",
        [Edit("append", ("include",), "b.yml")],
        "# header\ninclude:\n  - b.yml\n\nservices:\n  web:\n    image: x\n",
    ),
    "include joins those that exist": (
        "include:\n- a.yml\nservices:\n  web:\n    image: x\n",
        [Edit("append", ("include",), "b.yml")],
        "include:\n- a.yml\n- b.yml\nservices:\n  web:\n    image: x\n",
    ),
    "a top-level key with a blank line like the others": (
        "services:\n  web:\n    image: x\n\nnetworks:\n  a:\n",
        [Edit("set", ("volumes", "data"), None)],
        "services:\n  web:\n    image: x\n\nnetworks:\n  a:\n\nvolumes:\n  data:\n",
    ),
    "a new service": (
        "services:\n  web:\n    image: x\n\n  db:\n    image: y\n",
        [put("redis", {"image": "z"})],
        "services:\n  web:\n    image: x\n\n  db:\n    image: y\n\n  redis:\n    image: z\n",
    ),
    "remove a key with its block": (
        "services:\n  web:\n    image: x\n    healthcheck: # h\n      test: a\n      # inner\n      retries: 1\n    init: true\n",
        [Edit("remove", ("services", "web", "healthcheck"))],
        "services:\n  web:\n    image: x\n    init: true\n",
    ),
    "remove the last key": (
        "services:\n  web:\n    image: x\n    init: true",
        [Edit("remove", ("services", "web", "init"))],
        "services:\n  web:\n    image: x",
    ),
    "remove the last key before a new one": (
        "services:\n  web:\n    image: x\n    init: true",
        [Edit("remove", ("services", "web", "init")), MEMORY],
        "services:\n  web:\n    image: x\n    mem_limit: 512m",
    ),
    "remove the only key": (
        "services:\n  web:\n    environment:\n      A: b\n    image: x\n",
        [Edit("remove", ("services", "web", "environment", "A"))],
        "services:\n  web:\n    environment: {}\n    image: x\n",
    ),
    "remove a key that is not there": (
        "services:\n  web:\n    image: x\n",
        [Edit("remove", ("services", "web", "init")), Edit("remove", ("services", "web", "a", "b"))],
        "services:\n  web:\n    image: x\n",
    ),
    "remove from a flow mapping": (
        "services:\n  web: {image: x, init: true, tty: true}\n",
        [Edit("remove", ("services", "web", "image")), Edit("remove", ("services", "web", "tty"))],
        "services:\n  web: {init: true}\n",
    ),
    "replace a block by a value": (
        "services:\n  web:\n    command: # c\n      - a\n      - b\n    image: x\n",
        [put("web.command", "a b")],
        "services:\n  web:\n    command: a b # c\n    image: x\n",
    ),
    "replace a value by a block": (
        "services:\n  web:\n    networks: ${N} # c\n    image: x\n",
        [put("web.networks", {"front": None})],
        "services:\n  web:\n    networks: # c\n      front:\n    image: x\n",
    ),
    "replace a block scalar": (
        "services:\n  web:\n    command: |\n      a\n      b\n\n    image: x\n",
        [put("web.command", "c")],
        "services:\n  web:\n    command: c\n\n    image: x\n",
    ),
    "empty value in flow": (
        "services: {web: , db: {image: y}}\n",
        [MEMORY],
        "services: {web: {mem_limit: 512m} , db: {image: y}}\n",
    ),
    "a key without value in flow": (
        "services: {db: {image: y}, web}\n",
        [MEMORY],
        "services: {db: {image: y}, web: {mem_limit: 512m}}\n",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_made(case: str) -> None:
    before, edits, after = CHANGES[case]
    assert edited(before, *edits) == after


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
