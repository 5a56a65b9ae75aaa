# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated pairs of files: whatever is laid over whatever, our model equals that of Docker Compose."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.compose

NAMES = st.sampled_from(["A", "B", "C", "D.e"])
WORDS = st.sampled_from(["x", "y z", "$$d", "${SET}", "${NONE:-n}", "${NONE}", "1.10", "a=b", "", "#h", "é"])
PLAIN = st.sampled_from([True, False, 1, 0, 1.5, 16.0, 1e6, "on", "0x10", None])
PORTS = st.sampled_from(
    ["80", "80:80", "81:80", "80:80/udp", "127.0.0.1:80:80", "[::1]:80:80", "90-92:90-92", "91:91", "8000-8005:80"]
)
LONG_PORTS = st.fixed_dictionaries(
    {"target": st.sampled_from([80, 90, 91])},
    optional={"published": st.sampled_from(["80", "91"]), "protocol": st.sampled_from(["tcp", "udp"])},
)
VOLUMES = st.sampled_from(["/data", "v:/data", "v:/data:ro", "./d:/data/", "/h:/conf:rw,z", "w:/conf", "~/x:/x"])
LONG_VOLUMES = st.fixed_dictionaries(
    {"type": st.just("volume"), "source": st.sampled_from(["v", "w"]), "target": st.sampled_from(["/data", "/new"])},
    optional={"read_only": st.booleans()},
)
SIZES = st.sampled_from(["512m", "1g", "0.5g", "1GiB", "100000000", 268435456, "${NONE:-64m}", "1.5 gb"])
CPUS = st.sampled_from([0.5, 1, "1.25", "${NONE:-2}"])
DURATIONS = st.sampled_from(["30s", "1m30s", "1.5s", "500ms", "1h0m5s"])
COMMANDS = st.one_of(
    st.lists(WORDS, max_size=3),
    st.sampled_from(["run --x 'a b'", 'sh -c "echo hi"', "a ; b", "x\\ y", "${SET} run", ""]),
)
PAIRS = st.one_of(
    st.dictionaries(NAMES, st.one_of(WORDS, PLAIN)),
    st.lists(st.one_of(NAMES, st.tuples(NAMES, WORDS).map("=".join)), max_size=4, unique=True),
)
TESTS = st.one_of(st.sampled_from(["exit 0", "curl $$HOST"]), st.just(["CMD", "a", "b"]), st.just(["NONE"]))
HEALTH = st.fixed_dictionaries(
    {},
    optional={
        "test": TESTS,
        "interval": DURATIONS,
        "timeout": DURATIONS,
        "start_period": DURATIONS,
        "retries": st.integers(1, 9),
        "disable": st.booleans(),
    },
)
LOGGING = st.fixed_dictionaries(
    {}, optional={"driver": st.sampled_from(["json-file", "local"]), "options": st.dictionaries(NAMES, WORDS)}
)
DEPENDS = st.one_of(
    st.lists(st.sampled_from(["db", "cache"]), unique=True),
    st.dictionaries(
        st.sampled_from(["db", "cache"]),
        st.fixed_dictionaries(
            {"condition": st.sampled_from(["service_started", "service_healthy", "service_completed_successfully"])},
            optional={"restart": st.booleans(), "required": st.booleans()},
        ),
    ),
)
ULIMITS = st.dictionaries(
    st.sampled_from(["nofile", "nproc"]),
    st.one_of(st.integers(1, 99), st.fixed_dictionaries({"soft": st.integers(1, 9), "hard": st.integers(9, 99)})),
)
LISTS = st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3)

KEYS: dict[str, st.SearchStrategy[Any]] = {
    "environment": PAIRS,
    "labels": PAIRS,
    "command": COMMANDS,
    "entrypoint": COMMANDS,
    "ports": st.lists(st.one_of(PORTS, LONG_PORTS), max_size=3, unique_by=str),
    "volumes": st.lists(st.one_of(VOLUMES, LONG_VOLUMES), max_size=3, unique_by=str),
    "mem_limit": SIZES,
    "mem_reservation": SIZES,
    "shm_size": SIZES,
    "cpus": CPUS,
    "pids_limit": st.sampled_from([100, "200", -1]),
    "healthcheck": HEALTH,
    "logging": LOGGING,
    "depends_on": DEPENDS,
    "ulimits": ULIMITS,
    "restart": st.sampled_from(["always", "no", "on-failure:3", "unless-stopped"]),
    "stop_grace_period": DURATIONS,
    "init": st.sampled_from([True, False, "true", "${NONE:-false}"]),
    "cap_add": LISTS,
    "cap_drop": LISTS,
    "security_opt": LISTS,
    "dns": st.one_of(st.just("1.1.1.1"), st.just(["1.1.1.1", "8.8.8.8"])),
    "tmpfs": st.one_of(st.just("/tmp"), st.just(["/tmp", "/run"])),
    "expose": st.lists(st.sampled_from(["80", "90"]), unique=True),
    "profiles": st.lists(st.sampled_from(["p", "q"]), unique=True),
    "user": st.sampled_from(["root", "1000:1000"]),
}

# Where Compose takes a key without value.
NULLABLE = ("command", "entrypoint", "environment", "labels")


@st.composite
def services(draw: st.DrawFn, tagged: bool) -> str:
    """Write a file with the same service names each time."""
    lines = ["services:", "  db: {image: db}", "  cache: {image: cache}"]
    for name in ("s1", "s2", "s3", "s4"):
        lines += [f"  {name}:", f"    image: {name}"]
        for key in draw(st.lists(st.sampled_from(sorted(KEYS)), unique=True, max_size=8)):
            tag = draw(st.sampled_from(["", "", "", "", "!reset ", "!override "])) if tagged else ""
            value = None if key in NULLABLE and draw(st.integers(0, 9)) == 0 else draw(KEYS[key])
            lines.append(f"    {key}: {tag}{json.dumps(value, ensure_ascii=False)}")
    return "\n".join([*lines, "volumes: {v: {}, w: {}}", ""])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(base=services(tagged=False), over=services(tagged=True))
def test_any_override_of_any_file(oracle: Any, base: str, over: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.yml").write_text(base)
        (folder / "b.yml").write_text(over)
        config = oracle.config(folder, ["a.yml", "b.yml"], {"SET": "shell", "A": "from-shell"})
        # What Compose refuses is not compared: test_cases.py has the refusals.
        assume(not isinstance(config, str))
        project = oracle.project(folder, ["a.yml", "b.yml"], {"SET": "shell", "A": "from-shell"})
        assert oracle.differences(config, project) == []
