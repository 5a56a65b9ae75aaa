# SPDX-License-Identifier: GPL-3.0-or-later
"""Breakwater: hardens Temporal stacks that run on Docker Compose."""

from __future__ import annotations


def version() -> str:
    """Return the version of the collection that is in use; ``galaxy.yml`` is the only place that holds it."""
    from importlib.util import find_spec

    spec = find_spec("ansible_collections.breakwater.stack")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        try:
            with open(f"{folder}/galaxy.yml", encoding="utf-8") as file:
                for line in file:
                    if line.startswith("version:"):
                        return line.partition(":")[2].strip()
        except FileNotFoundError:
            continue
    return "unknown"
