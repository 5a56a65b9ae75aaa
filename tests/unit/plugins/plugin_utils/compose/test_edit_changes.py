# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of what stands there already: exact texts, before and after."""

# ruff: noqa: E501, ISC004 # whole files on one line each, before beside after
from __future__ import annotations

import pytest
from editing import MEMORY, edited, put

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.edit import Edit

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
