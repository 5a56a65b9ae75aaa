# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects with PostgreSQL's clients, that stand in the tests as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.interpolate import parse_env
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import Project, SourceFile, load_project
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.context import Stack
from ansible_collections.breakwater.stack.plugins.plugin_utils.policy.model import Settings
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.clients import find_clients
from ansible_collections.breakwater.stack.plugins.plugin_utils.postgres.records import Clients, Sources

Found = tuple[Project, Clients]


def find(text: str, sources: Sources | None = None, read: Mapping[str, str] | None = None) -> Found:
    """Load a project of one file and find its clients; `read` holds the files that it includes."""
    sources = sources or Sources()
    environment: dict[str, str] = {}
    for content in sources.dotenv.values():
        environment.update(parse_env(content, sources.shell))
    environment.update(sources.shell)
    others = dict(read or {})

    def read_file(name: str) -> str:
        if name not in others:
            raise FileNotFoundError(name)
        return others[name]

    files = [SourceFile("docker-compose.yml", text)]
    project = load_project(files, environment, read_file, strict=True)
    return project, find_clients(project, Stack(project, None, {}, Settings()).roles, sources)


@pytest.fixture(scope="session")
def found() -> Callable[..., Found]:
    """Give the function that loads a project and finds its clients."""
    return find
