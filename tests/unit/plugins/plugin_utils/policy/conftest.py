# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of Compose files that stand in the tests as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import (
    Project,
    SourceFile,
    load_project,
)
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import HostFacts, Plan, Usage
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.plan import apply_plan, make_plan
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.settings import load_settings

TODAY = "2026-11-24"
HOST = HostFacts(24 * 2**30, 2, 0, "--host-memory")


def load(*texts: str, environment: Mapping[str, str] | None = None) -> Project:
    """Load files; the second and later ones are overrides."""
    names = ["docker-compose.yml", *(f"override-{number}.yml" for number in range(1, len(texts)))]
    return load_project([SourceFile(name, text) for name, text in zip(names, texts, strict=True)], environment)


def plan(
    project: Project | str,
    host: HostFacts | None = HOST,
    usage: Mapping[str, Usage] | None = None,
    **settings: Any,
) -> Plan:
    """Plan a project, or one file, with settings as the user would state them."""
    loaded = load(project) if isinstance(project, str) else project
    return make_plan(loaded, host, usage or {}, load_settings({"today": TODAY, **settings}, "breakwater.yml"))


def harden(text: str, host: HostFacts | None = HOST, usage: Mapping[str, Usage] | None = None, **settings: Any) -> str:
    """Return a file as the plan leaves it."""
    project = load(text)
    return apply_plan(project, plan(project, host, usage, **settings)).files[0].text


@pytest.fixture(scope="session")
def load_files() -> Callable[..., Project]:
    """Give the function that loads files."""
    return load


@pytest.fixture(scope="session")
def plan_of() -> Callable[..., Plan]:
    """Give the function that plans."""
    return plan


@pytest.fixture(scope="session")
def hardened() -> Callable[..., str]:
    """Give the function that plans and applies."""
    return harden
