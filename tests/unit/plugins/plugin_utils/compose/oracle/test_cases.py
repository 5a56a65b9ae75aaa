# SPDX-License-Identifier: GPL-3.0-or-later
"""Handcrafted projects of several files: our model equals that of Docker Compose, and what it refuses we refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.interpolate import parse_env
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import configured_files, default_files

pytestmark = pytest.mark.compose

BASE = """
services:
  web:
    image: nginx:1
    command: ["a", "b"]
    entrypoint: /entry one
    environment:
      A: base
      B: 1.10
      C:
    labels: [x=1, y=2]
    ports: ["80:80", "127.0.0.1:8000-8002:9000-9002/udp", {target: 7, published: "70"}]
    volumes: [data:/data:ro, ./conf:/conf]
    depends_on: [db]
    networks: [front]
    healthcheck: {test: [CMD, "true"], interval: 30s, retries: 3}
    logging: {driver: json-file, options: {max-size: 10m}}
    ulimits: {nofile: 1000, nproc: {soft: 1, hard: 2}}
    cap_add: [NET_ADMIN]
    dns: 1.1.1.1
    tmpfs: /tmp
    security_opt: ["no-new-privileges:true"]
    mem_limit: 1g
    restart: always
    extra_hosts: ["a:1.1.1.1"]
  db:
    image: postgres:17
    healthcheck: {test: pg_isready}
volumes: {data: {}}
networks: {front: {}, back: {}}
"""

OVERRIDES = {
    "scalars": ("image: nginx:2\nrestart: 'no'\nmem_limit: 512m\ncpus: 0.5\npids_limit: 100\ninit: true"),
    "command-null": "command:\nentrypoint:",
    "command-string": "command: sh -c \"echo $$HOME 'a b'\"\nentrypoint: []",
    "environment-list": "environment: [A=over, D=4, B, E]",
    "environment-map": "environment: {A: over, D: 0x10, C: set, E: }",
    "labels-map": "labels: {x: over, z: true}",
    "ports-same": 'ports: ["80:80", 443]',
    "ports-range": 'ports: ["127.0.0.1:8001:9001/udp", "9000-9001:90"]',
    "ports-ipv6": 'ports: ["[::1]:80:80", "0.0.0.0:81:81", {target: 7, published: "70", protocol: tcp}]',
    "volumes": ("volumes: [other:/data, './conf:/new:rw,z', {type: bind, source: /x, target: /conf, read_only: true}]"),
    "depends-list": "depends_on: [db, cache]",
    "depends-map": (
        "depends_on: {db: {condition: service_healthy, restart: true}, cache: {required: false, "
        "condition: service_started}}"
    ),
    "networks": "networks: {back: {aliases: [w]}}",
    "health": "healthcheck: {test: 'exit 0', timeout: 5s, start_period: 1m30s, disable: true}",
    "health-none": "healthcheck: {test: [NONE]}",
    "logging-same": "logging: {driver: json-file, options: {max-file: '3'}}",
    "logging-other": "logging: {driver: local, options: {max-file: '3'}}",
    "logging-no-driver": "logging: {options: {max-file: '3'}}",
    "ulimits": "ulimits: {nofile: {soft: 5, hard: 6}, nproc: 7, core: -1}",
    "lists": (
        "cap_add: [NET_ADMIN, SYS_TIME]\ncap_drop: [ALL]\n"
        "dns: [1.1.1.1, 8.8.8.8]\ntmpfs: [/tmp, /run]\nexpose: [80, '81']"
    ),
    "security": ("security_opt: ['seccomp:unconfined', 'apparmor:unconfined']\nprivileged: 'true'\nread_only: yes"),
    "deploy": (
        "mem_limit: !reset null\n"
        "deploy: {resources: {limits: {memory: 256M, cpus: '0.25', pids: 50}, "
        "reservations: {memory: 64m}}, replicas: 2}"
    ),
    "deploy-restart": "deploy: {restart_policy: {condition: on-failure, max_attempts: 3}}",
    "reset": ("mem_limit: !reset null\nports: !reset []\nenvironment: !reset {}\ndepends_on: !reset []"),
    "reset-deep": (
        "environment: {B: !reset null, C: !reset x}\n"
        "healthcheck: {interval: !reset null}\nlogging: {options: !reset {}}"
    ),
    "override": (
        "ports: !override ['1:1']\nenvironment: !override {Z: 1}\n"
        "logging: !override {driver: local}\n"
        "healthcheck: !override {test: [CMD, x]}"
    ),
    "override-scalars": "command: !override null\npids_limit: !override 7\nimage: !override 1.10\nuser: !!str 10",
    "grace": ("stop_grace_period: 1m30s\nstop_signal: SIGINT\nshm_size: 128mb\nuser: '1000:1000'"),
    "nulls": ("environment:\nports:\nvolumes:\nlabels:\nmem_limit:\nhealthcheck:\ndepends_on:"),
    "variables": (
        "image: ${REPO:-nginx}:${TAG-9}\nmem_limit: ${MEM:-300m}\n"
        "environment: {A: '${SET}', F: '${UNSET}', G: '${SET:+yes}', H: '$${SET}'}"
    ),
    "extends": "extends: {file: a.yml, service: db}\nmem_limit: 5m",
    "hosts": "extra_hosts: {b: 2.2.2.2, a: 1.1.1.1}",
    "durations": "healthcheck: {interval: 1h2m3s4ms, timeout: 1500us, start_interval: 0.5s}",
    "sizes": "mem_limit: 1.5GB\nmem_reservation: 1000000\nshm_size: 1 m",
    "empty-service": "{}",
    "profile": "profiles: [debug, ops]\ncontainer_name: web-1",
    "json": '{"image": "json:1", "environment": {"A": "j"}, "ports": ["5:5"]}',
}
EXTRA = "\n  cache: {image: 'redis:8'}\nvolumes: {other: {}}\n"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize("case", OVERRIDES)
def test_an_override_file_has_the_effect_that_compose_gives_it(oracle: Any, tmp_path: Path, case: str) -> None:
    body = OVERRIDES[case]
    block = f" {body}" if body.startswith("{") else "\n    " + body.replace("\n", "\n    ")
    write(tmp_path, {"a.yml": BASE, "b.yml": "services:\n  web:" + block + EXTRA})
    environment = {"SET": "shell", "E": "from-shell"}
    config = oracle.config(tmp_path, ["a.yml", "b.yml"], environment)
    assert isinstance(config, dict), config
    assert oracle.differences(config, oracle.project(tmp_path, ["a.yml", "b.yml"], environment)) == []


PROJECTS: dict[str, tuple[list[str], dict[str, str]]] = {
    "extends-chain": (
        ["a.yml"],
        {
            "a.yml": (
                "services:\n  a: {extends: {service: b}, environment: [A=a]}\n"
                "  b: {extends: c, mem_limit: 2g, ports: ['2:2']}\n"
                "  c: {image: i:1, environment: {A: c, B: c}, command: x, ports: ['1:1'], depends_on: [d], "
                "volumes: ['/v']}\n  d: {image: d}"
            ),
        },
    ),
    "extends-file": (
        ["a.yml"],
        {
            "a.yml": "services: {a: {extends: {file: sub/c.yml, service: b}, labels: {x: 1}, environment: [E]}}",
            "sub/c.yml": "services: {b: {extends: {file: d.yml, service: e}, labels: [x=2, y=3], mem_limit: 1g}}",
            "sub/d.yml": "services: {e: {image: 'e:${TAG:-1}', command: [x], volumes: ['./v:/v']}}",
        },
    ),
    "extends-in-override": (
        ["a.yml", "b.yml"],
        {
            "a.yml": "services: {a: {image: i, mem_limit: 1g}, z: {image: z, cpus: 1.5}}",
            "b.yml": "services: {a: {extends: {file: a.yml, service: z}, command: y}}",
        },
    ),
    "extends-reset": (
        ["a.yml"],
        {
            "a.yml": (
                "services:\n  a:\n    extends: b\n    ports: !reset []\n"
                "    environment: !override {N: 1}\n"
                "  b: {image: i, ports: ['1:1'], environment: {A: 1}}"
            ),
        },
    ),
    "include-short": (
        ["a.yml"],
        {
            "a.yml": "include: [sub/c.yml]\nservices: {a: {image: a, depends_on: [c]}}",
            "sub/c.yml": (
                "services: {c: {image: 'c:${TAG:-none}', environment: ['V=${V}', 'S=${SET}'], networks: [n]}}\n"
                "networks: {n: {}}"
            ),
            "sub/.env": "TAG=fromenv\nV=sub\nSET=lost",
        },
    ),
    "include-long": (
        ["a.yml", "o.yml"],
        {
            "a.yml": (
                "include:\n  - path: [sub/c.yml, sub/d.yml]\n"
                "    project_directory: other\n    env_file: [one.env, two.env]\n"
                "services: {a: {image: a}}"
            ),
            "sub/c.yml": "services: {c: {image: 'c:${ONE}${TWO}', mem_limit: 1g, extends: {file: e.yml, service: e}}}",
            "sub/d.yml": "services: {c: {mem_limit: 2g}}",
            "other/e.yml": "services: {e: {image: e, labels: {from: e}}}",
            "one.env": "ONE=1\nTWO=x",
            "two.env": "TWO=$ONE$ONE",
            "o.yml": "services: {c: {cpus: 0.5}}",
        },
    ),
    "include-nested": (
        ["a.yml"],
        {
            "a.yml": "include: [{path: sub/b.yml}]\nservices: {a: {image: a}}",
            "sub/b.yml": "include: [deep/c.yml]\nservices: {b: {image: b}}",
            "sub/deep/c.yml": "services: {c: {image: c}}",
        },
    ),
    "name": (
        ["a.yml", "b.yml"],
        {
            "a.yml": "name: One-${SET}\nservices: {a: {image: a}}",
            "b.yml": "name: Two_${SET}.x\nservices: {}",
        },
    ),
    "project-name-variable": (
        ["a.yml"],
        {
            "a.yml": "services: {a: {image: 'a:${COMPOSE_PROJECT_NAME}', environment: [COMPOSE_PROJECT_NAME]}}",
        },
    ),
    "three-files": (
        ["a.yml", "b.yml", "c.yml"],
        {
            "a.yml": "services: {a: {image: a, ports: ['1:1', '2:2'], environment: {A: 1}}}",
            "b.yml": "services: {a: {ports: !override ['3:3'], environment: [B=2]}}",
            "c.yml": "services: {a: {ports: ['4:4'], environment: {A: , B: 3}}, b: {image: b}}",
        },
    ),
    "anchors": (
        ["a.yml"],
        {
            "a.yml": (
                "x-base: &base {image: x, environment: &env {A: 1}, mem_limit: 1g}\n"
                "services:\n  a: {<<: *base, mem_limit: 2g}\n"
                "  b: {<<: [*base], environment: {<<: *env, B: 2}}\n  c: *base"
            ),
        },
    ),
    "commands": (
        ["a.yml"],
        {
            "a.yml": (
                "services:\n"
                "  a: {image: a, command: 'sh -c \"a  b\" ''c d'' e\\ f x=\"y z\"'}\n"
                "  b: {image: b, command: echo hi > /dev/null; ls}\n"
                "  c: {image: c, command: 'run $$(date +%s) `x y` 2>&1'}\n"
                "  d: {image: d, command: '\"\" x', entrypoint: ''}\n"
                "  e: {image: e, command: ''}"
            ),
        },
    ),
    "folded": (
        ["a.yml"],
        {
            "a.yml": (
                "services:\n  a:\n    image: a\n    command: >\n      one two\n      three\n"
                "    environment:\n      T: |\n        l1\n        l2\n"
            ),
        },
    ),
    "numbers": (
        ["a.yml"],
        {
            "a.yml": (
                "services: {a: {image: a, environment: {A: 010, B: 0o10, C: 1_000, D: 1e3, E: .5, F: 1.0, "
                "G: 12:30, H: 1e25, I: 0.00001, J: 123456789012345678, K: True, L: ~, M: '', N: 2024-1-2, "
                "O: 1.10, P: -0, Q: +5, R: 1e6, S: 100000000000000000000.0, T: 12345678.5, U: 1234567.0, "
                "V: 1e20, W: 0.0001, X: 999999.5, Y: -1.5e300, Z: 123456789.125, ZA: 1.5e-7}}}"
            ),
        },
    ),
    "json": (
        ["a.json"],
        {
            "a.json": (
                '{"services": {"a": {"image": "a", "ports": ["80:80"],\n"mem_limit": "1g", "environment": {"A": 1}}}}'
            ),
        },
    ),
}


@pytest.mark.parametrize("case", PROJECTS)
def test_projects_of_several_files(oracle: Any, tmp_path: Path, case: str) -> None:
    files, texts = PROJECTS[case]
    folder = tmp_path / "My.Proj_1"
    folder.mkdir()
    write(folder, texts)
    environment = {"SET": "shell", "E": "from-shell"}
    config = oracle.config(folder, files, environment)
    assert isinstance(config, dict), config
    assert oracle.differences(config, oracle.project(folder, files, environment)) == []


REFUSED = {
    "services-list": "services: [a]",
    "services-text": "services: a",
    "services-number": "services: 1",
    "services-null": "services:",
    "service-text": "services: {a: b}",
    "service-list": "services: {a: [b]}",
    "service-null": "services: {a: }",
    "limit-list": "services: {a: {image: a, mem_limit: [1g]}}",
    "limit-word": "services: {a: {image: a, mem_limit: much}}",
    "limit-unit": "services: {a: {image: a, mem_limit: 1x}}",
    "limit-negative": "services: {a: {image: a, mem_limit: -1m}}",
    "limit-empty": "services: {a: {image: a, mem_limit: ''}}",
    "limits-list": "services: {a: {image: a, deploy: {resources: {limits: [memory]}}}}",
    "cpus-word": "services: {a: {image: a, cpus: many}}",
    "duration": "services: {a: {image: a, stop_grace_period: 60}}",
    "duration-days": "services: {a: {image: a, stop_grace_period: 1d}}",
    "ports-text": "services: {a: {image: a, ports: '80:80'}}",
    "port-word": "services: {a: {image: a, ports: [http]}}",
    "port-ranges": "services: {a: {image: a, ports: ['1-3:1-2']}}",
    "port-range": "services: {a: {image: a, ports: ['70000']}}",
    "port-address": "services: {a: {image: a, ports: ['::1:81:81']}}",
    "port-host": "services: {a: {image: a, ports: ['host:81:81']}}",
    "port-bracket": "services: {a: {image: a, ports: ['[1.2.3.4:81:81']}}",
    "port-protocol": "services: {a: {image: a, ports: ['81:81/http']}}",
    "volume": "services: {a: {image: a, volumes: ['aa:bb:cc:dd']}}",
    "volume-empty": "services: {a: {image: a, volumes: [':/x']}}",
    "environment-text": "services: {a: {image: a, environment: A=1}}",
    "command-open": "services: {a: {image: a, command: 'echo \"open'}}",
    "flag": "services: {a: {image: a, privileged: perhaps}}",
    "template": "services: {a: {image: 'a:${'}}",
    "required": "services: {a: {image: 'a:${TAG:?say which}'}}",
    "extends-missing": "services: {a: {image: a, extends: nobody}}",
    "extends-self": "services: {a: {image: a, extends: b}, b: {extends: a}}",
    "extends-file": "services: {a: {extends: {file: nowhere.yml, service: b}}}",
    "include-missing": "include: [nowhere.yml]\nservices: {a: {image: a}}",
    "include-text": "include: a.yml\nservices: {a: {image: a}}",
    "include-self": "include: [a.yml]\nservices: {a: {image: a}}",
    "include-conflict": "include: [b.yml]\nservices: {a: {image: a}}",
    "root-list": "- a",
    "empty": "",
    "health-test": "services: {a: {image: a, healthcheck: {test: {a: b}}}}",
    "default-lines": 'services: {a: {image: "a:${X:-1\\n2}"}}',
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_compose_refuses_is_refused_in_one_line(oracle: Any, tmp_path: Path, case: str) -> None:
    write(tmp_path, {"a.yml": REFUSED[case], "b.yml": "services: {a: {image: other}}"})
    assert isinstance(oracle.config(tmp_path, ["a.yml"]), str)
    with pytest.raises(ComposeError) as caught:
        oracle.project(tmp_path, ["a.yml"])
    assert "\n" not in str(caught.value)
    assert caught.value.file.endswith("a.yml")
    assert caught.value.line == 1 or case == "empty"


ENV_FILES = {
    "plain": "A=1\nB = two words # c\nC=x#y\n\n# comment\nexport D=4\r\nE: yaml\nF=\n",
    "quotes": (
        'A=\'single $X \\n it\\\'s\'\nB="double \\"q\\" $A \\$A \\n \\t \\x \\0101 \\07"\n'
        "C=\"two\nlines\"\nD='a\nb' \nE=''\n"
    ),
    "variables": "A=1\nB=${A}2\nC=${X:-d}${SET}\nSET=file\nD=$SET$A\nE=$$A\n",
    "inherited": "SET\nNONE\nA=1\n",
    "equals": "A=b=c==\nURL=http://u:p@h:1/?a=b&c=d#f\nB.C=1\nG='x'y=2\n",
}


@pytest.mark.parametrize("case", ENV_FILES)
def test_env_files_are_read_as_compose_reads_them(oracle: Any, tmp_path: Path, case: str) -> None:
    names = ["A", "B", "C", "D", "E", "F", "URL", "SET", "NONE", "B.C", "y"]
    write(tmp_path, {".env": ENV_FILES[case], "a.yml": f"services: {{a: {{image: a, environment: {names}}}}}"})
    config = oracle.config(tmp_path, ["a.yml"], {"SET": "shell"})
    assert isinstance(config, dict), config
    environment = {**parse_env((tmp_path / ".env").read_bytes().decode(), {"SET": "shell"}), "SET": "shell"}
    assert oracle.differences(config, oracle.project(tmp_path, ["a.yml"], environment)) == []


@pytest.mark.parametrize(
    ("names", "environment"),
    [
        (["docker-compose.yml"], {}),
        (["docker-compose.yaml", "docker-compose.yml"], {}),
        (["compose.yml", "compose.yaml", "docker-compose.yml"], {}),
        (["docker-compose.yml", "compose.override.yaml", "docker-compose.override.yml"], {}),
        (["compose.yaml", "docker-compose.override.yaml", "docker-compose.override.yml"], {}),
        (["compose.yaml", "other.yml"], {"COMPOSE_FILE": "other.yml"}),
        (["compose.yaml", "other.yml", "third.yml"], {"COMPOSE_FILE": "third.yml:other.yml"}),
        (["compose.yaml", "other.yml"], {"COMPOSE_FILE": "compose.yaml,other.yml", "COMPOSE_PATH_SEPARATOR": ","}),
        (["compose.yaml"], {"COMPOSE_PROJECT_NAME": "named"}),
    ],
)
def test_files_and_name_are_found_as_compose_finds_them(
    oracle: Any, tmp_path: Path, names: list[str], environment: dict[str, str]
) -> None:
    write(tmp_path, {name: f"services: {{s{index}: {{image: '{name}'}}}}" for index, name in enumerate(names)})
    config = oracle.config(tmp_path, [], environment)
    assert isinstance(config, dict), config
    found = configured_files(environment) or default_files(names)
    assert oracle.differences(config, oracle.project(tmp_path, found, environment)) == []
