# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection needs beside itself on the controller."""

from __future__ import annotations

import importlib
import json
import os
import re

COMMUNITY_DOCKER_OLDEST = "4.8.5"
HOW_TO_INSTALL = "`pip install ansible` brings it, or `ansible-galaxy collection install community.docker`"


def community_docker_problem() -> str:
    """One line that says what is wrong with community.docker and how to get it; empty when it is there and new enough.

    Ansible resolves the names of modules only when it comes to their task, which may be after the stack was written;
    so this is asked before anything else.
    """
    version = _installed_version()
    if version is None:
        return f"the collection community.docker is missing: {HOW_TO_INSTALL}"
    if _number(version) < _number(COMMUNITY_DOCKER_OLDEST):
        return f"community.docker {version} is too old, {COMMUNITY_DOCKER_OLDEST} is needed: {HOW_TO_INSTALL}"
    return ""


def _installed_version() -> str | None:
    """Version of the collection that Ansible would use, None when there is none."""
    try:
        package = importlib.import_module("ansible_collections.community.docker")
    except ImportError:
        return None
    for folder in package.__path__:
        manifest = os.path.join(folder, "MANIFEST.json")
        if os.path.isfile(manifest):
            with open(manifest, encoding="utf-8") as stream:
                return str(json.load(stream)["collection_info"]["version"])
        if os.path.isdir(os.path.join(folder, "plugins")):
            # A checkout of its sources states no version that could be compared.
            return COMMUNITY_DOCKER_OLDEST
    return None


def _number(version: str) -> tuple[int, ...]:
    """The numbers of a version, a pre-release counted as its release."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
