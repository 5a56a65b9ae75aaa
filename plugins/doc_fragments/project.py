# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that name a Compose project."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment."""

    DOCUMENTATION = r"""
options:
  project_dir:
    description: Folder of the Compose project on the target.
    type: path
    required: true
  files:
    description:
      - Compose files, relative to O(project_dir), in the order in which Compose merges them.
      - When empty, E(COMPOSE_FILE) of the environment or of C(.env) decides, else Compose's default names.
    type: list
    elements: path
    default: []
  project_name:
    description: Name of the project. When not set, Compose's own rules decide.
    type: str
  env_files:
    description: Files with variables in place of C(.env), relative to O(project_dir).
    type: list
    elements: path
    default: []
  profiles:
    description: Profiles that are active.
    type: list
    elements: str
    default: []
  docker_host:
    description:
      - Address of the Docker daemon, for instance V(unix:///var/run/docker.sock). When not set, the environment
        decides.
      - The daemon must run on the target itself; what containers use is read from the target's kernel.
    type: str
  docker_cli:
    description: Path of the C(docker) command. When not set, it is searched in E(PATH).
    type: path
  engine:
    description:
      - Whether to ask the Docker Engine. Without it only the files and the host are read, so files can be planned and
        written on a host without Docker.
    type: bool
    default: true
  generation:
    description:
      - A generation whose contents are to be part of the reading, V(latest), V(latest_kept) or its id.
      - When not set, the reading holds the open generation with contents, else the latest without.
    type: str
  usage:
    description: Whether to measure what containers use. Costs up to 0.15 seconds.
    type: bool
    default: true
requirements:
  - Python 3.9 or newer on the target
  - Docker Engine 20.10 or newer
  - Docker Compose plugin 2.18.0 or newer
"""
