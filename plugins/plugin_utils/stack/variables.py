# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public variables of the collection, so that a misspelt one is found instead of ignored."""

from __future__ import annotations

from collections.abc import Iterable

from ..policy.model import PolicyError
from ..policy.settings import closest

#: Public variables by prefix; a test holds them against the roles' argument specs.
PUBLIC = {
    "breakwater_": (
        "breakwater_project_dir",
        "breakwater_files",
        "breakwater_project_name",
        "breakwater_env_files",
        "breakwater_profiles",
        "breakwater_docker_host",
        "breakwater_deploy",
        "breakwater_lock_wait",
        "breakwater_lock_lifetime",
        "breakwater_wait_timeout",
        "breakwater_generation",
        "breakwater_hosts",
    ),
    "compose_limits_": (
        "compose_limits_select",
        "compose_limits_ignore",
        "compose_limits_kinds",
        "compose_limits_limits",
        "compose_limits_reserve",
        "compose_limits_headroom",
        "compose_limits_max_impact",
        "compose_limits_waivers",
    ),
    "pgbouncer_": (
        "pgbouncer_state",
        "pgbouncer_image",
        "pgbouncer_server",
        "pgbouncer_applications",
        "pgbouncer_temporal_version",
    ),
    "temporal_policy_": (
        "temporal_policy_file",
        "temporal_policy_container",
        "temporal_policy_profile",
        "temporal_policy_fresh",
        "temporal_policy_values",
        "temporal_policy_server_version",
        "temporal_policy_poll_interval",
    ),
}


def refuse_unknown(names: Iterable[str]) -> None:
    """Refuse variables that carry the collection's prefixes and are not its own.

    Raises:
        PolicyError: names the variable and the one that was probably meant.
    """
    for name in names:
        for prefix, known in PUBLIC.items():
            if str(name).startswith(prefix) and name not in known:
                raise PolicyError("inventory", str(name), "unknown variable", closest(str(name), known))
