# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker Compose itself as the oracle of our model: `docker compose config --format json`, which needs no engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.module_utils._units import parse_duration
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project, SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.service import Service


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "compose: needs the Docker Compose plugin (no engine)")


def find_compose() -> list[str] | None:
    """Return the command of Docker Compose v2, or None."""
    stated = os.environ.get("BREAKWATER_COMPOSE")
    candidates = [stated.split()] if stated else [["docker", "compose"], ["docker-compose"]]
    for command in candidates:
        if shutil.which(command[0]) is None:
            continue
        answer = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.strip().lstrip("v").startswith(("2.", "3.", "4.", "5.")):
            return command
    return None


class Oracle:
    """Asks Compose, and brings its answer and our model into one form."""

    def __init__(self, command: list[str]) -> None:
        self.command = command

    def config(
        self, folder: Path, files: list[str], environment: Mapping[str, str] | None = None
    ) -> dict[str, Any] | str:
        """Return Compose's model of the files in a folder, or its error."""
        arguments = [part for file in files for part in ("-f", file)]
        known = {"PATH": os.environ["PATH"], "HOME": str(folder), **(environment or {})}
        answer = subprocess.run(
            [*self.command, *arguments, "--profile", "*", "config", "--format", "json"],
            cwd=folder,
            env=known,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if answer.returncode != 0:
            return answer.stderr.strip().splitlines()[-1] if answer.stderr.strip() else "failed without a word"
        # Compose writes every dollar sign twice, so that its output can be read again.
        return dict(_undouble(json.loads(answer.stdout)))

    def project(self, folder: Path, files: list[str], environment: Mapping[str, str] | None = None) -> Project:
        """Load the same files as Compose would."""
        known = {"PATH": os.environ["PATH"], "HOME": str(folder), **(environment or {})}
        sources = [SourceFile(str(folder / file), (folder / file).read_bytes().decode()) for file in files]
        return load_project(sources, known, lambda name: Path(name).read_text(), strict=True, directory=str(folder))

    def differences(self, config: dict[str, Any], project: Project) -> list[str]:
        """Return where our model and Compose's disagree."""
        theirs = config.get("services") or {}
        found = [] if config.get("name") == project.name else [f"name: {config.get('name')!r}, ours {project.name!r}"]
        if sorted(theirs) != sorted(project.services):
            return [*found, f"services: {sorted(theirs)}, ours {sorted(project.services)}"]
        for name, service in project.services.items():
            wanted, ours = view_of_compose(theirs[name]), view_of_ours(service)
            for view in (wanted, ours):
                # The docker command adds a value of its own to this variable of Compose's environment.
                view["environment"].pop("OTEL_RESOURCE_ATTRIBUTES", None)
            for key, value in wanted.items():
                if ours[key] != value:
                    found.append(f"{name}.{key}: {value!r}, ours {ours[key]!r}")
        return found


def _undouble(value: Any) -> Any:
    if isinstance(value, dict):
        return {_undouble(key): _undouble(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_undouble(item) for item in value]
    return value.replace("$$", "$") if isinstance(value, str) else value


def _seconds(value: str | None) -> float | None:
    return None if value is None else parse_duration(value)


def _health(section: dict[str, Any] | None) -> dict[str, Any] | None:
    if section is None:
        return None
    check: dict[str, Any] = {key: section[key] for key in ("test", "retries") if key in section}
    for key in ("interval", "timeout", "start_period", "start_interval"):
        if key in section:
            check[key] = parse_duration(section[key])
    check["disable"] = bool(section.get("disable")) or section.get("test", [])[:1] == ["NONE"]
    return check


def _restart(service: dict[str, Any]) -> str | None:
    policy = (service.get("deploy") or {}).get("restart_policy")
    if policy is None:
        return service.get("restart")
    condition = {"none": "no", "any": "always"}.get(policy.get("condition", ""), policy.get("condition"))
    attempts = policy.get("max_attempts")
    return f"{condition}:{attempts}" if attempts and condition == "on-failure" else condition


def view_of_compose(service: dict[str, Any]) -> dict[str, Any]:
    """Return what is compared, from `docker compose config`."""
    deploy = service.get("deploy") or {}
    resources = deploy.get("resources") or {}
    limits, reservations = resources.get("limits") or {}, resources.get("reservations") or {}
    implied = {link.split(":")[0] for link in service.get("links") or ()}
    implied |= {part.split(":")[0] for part in service.get("volumes_from") or ()}
    implied |= {str(service.get(key, ""))[8:] for key in ("network_mode", "ipc", "pid")}
    pids = int(limits.get("pids") or service.get("pids_limit") or 0)
    logging = service.get("logging") or {}
    return {
        "image": service.get("image"),
        "memory_limit": int(limits.get("memory") or service.get("mem_limit") or 0) or None,
        "memory_reservation": int(reservations.get("memory") or service.get("mem_reservation") or 0) or None,
        "cpus": round(float(limits.get("cpus") or service.get("cpus") or 0), 4) or None,
        "pids_limit": pids if pids > 0 else None,
        "shm_size": int(service.get("shm_size") or 0) or None,
        "replicas": deploy.get("replicas", service.get("scale", 1)),
        "environment": service.get("environment") or {},
        "labels": service.get("labels") or {},
        "command": service.get("command"),
        "entrypoint": service.get("entrypoint"),
        "depends_on": {
            name: (item["condition"], item.get("required", False), item.get("restart", False))
            for name, item in (service.get("depends_on") or {}).items()
            if name not in implied
        },
        "healthcheck": _health(service.get("healthcheck")),
        "ports": sorted(
            (port.get("host_ip", ""), port.get("published", ""), port["target"], port.get("protocol", ""))
            for port in service.get("ports") or ()
        ),
        "volumes": sorted(
            (
                volume["type"],
                volume.get("source", "") if volume["type"] == "volume" else "",
                volume["target"],
                volume.get("read_only", False),
            )
            for volume in service.get("volumes") or ()
        ),
        "restart": _restart(service),
        "stop_grace_period": _seconds(service.get("stop_grace_period")),
        "init": service.get("init"),
        "privileged": bool(service.get("privileged")),
        "read_only": bool(service.get("read_only")),
        "logging": (logging.get("driver"), logging.get("options") or {}),
        "ulimits": {
            name: (value, value) if isinstance(value, int) else (value.get("soft"), value.get("hard"))
            for name, value in (service.get("ulimits") or {}).items()
        },
        "networks": sorted(name for name in service.get("networks") or {} if name != "default"),
        **{key: service.get(key) or [] for key in LISTS},
        **{key: service.get(key) or None for key in TEXTS},
    }


LISTS = ("cap_add", "cap_drop", "security_opt", "profiles", "tmpfs", "expose", "dns", "group_add")
TEXTS = ("container_name", "user", "network_mode", "pid", "ipc", "stop_signal", "hostname", "working_dir", "platform")


def view_of_ours(service: Service) -> dict[str, Any]:
    """Return what is compared, from our model."""
    implied = {link.split(":")[0] for link in service.strings("links")}
    implied |= {part.split(":")[0] for part in service.strings("volumes_from")}
    implied |= {(service.text(key) or "")[8:] for key in ("network_mode", "ipc", "pid")}
    return {
        "image": service.image,
        "memory_limit": service.memory_limit,
        "memory_reservation": service.memory_reservation,
        "cpus": service.cpus and round(service.cpus, 4),
        "pids_limit": service.pids_limit,
        "shm_size": service.shm_size or None,
        "replicas": service.replicas,
        "environment": service.environment,
        "labels": service.labels,
        "command": service.command,
        "entrypoint": service.entrypoint,
        "depends_on": {
            name: (item["condition"], item["required"], item["restart"])
            for name, item in service.depends_on.items()
            if name not in implied
        },
        "healthcheck": service.healthcheck,
        "ports": sorted(port[:4] for port in service.ports),
        "volumes": sorted(
            (volume.kind, volume.source if volume.kind == "volume" else "", volume.target, volume.read_only)
            for volume in service.volumes
        ),
        "restart": service.restart,
        "stop_grace_period": service.stop_grace_period,
        "init": service.flag("init"),
        "privileged": bool(service.flag("privileged")),
        "read_only": bool(service.flag("read_only")),
        "logging": service.logging,
        "ulimits": service.ulimits,
        "networks": sorted(name for name in service.strings("networks") if name != "default"),
        **{key: service.strings(key) for key in LISTS},
        **{key: service.text(key) or None for key in TEXTS},
    }


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    command = find_compose()
    if command is None:
        pytest.skip(
            "Docker Compose v2 is not installed (`docker compose version` fails); it is the oracle of these tests"
        )
    return Oracle(command)


@pytest.fixture(scope="session")
def corpus() -> list[Path]:
    stated = os.environ.get("BREAKWATER_CORPUS")
    root = Path(stated) if stated else Path(__file__).resolve().parents[7] / "shared" / "compose-corpus"
    files = sorted([*root.glob("*.yml"), *root.glob("*.yaml"), *root.glob("*.json")])
    if not files:
        pytest.skip(f"the corpus of Compose files is not at {root} (set BREAKWATER_CORPUS)")
    return files
