# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``docker`` command line: started without a shell, with time limits, and with errors that say what to do.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO, NamedTuple

from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError

# Engine 20.10: the first with cgroup v2. Compose 2.18.0: what community.docker's docker_compose_v2 deploys with.
MINIMUM_ENGINE = (20, 10)
MINIMUM_COMPOSE = (2, 18, 0)
DEFAULT_TIMEOUT = 60.0
#: How the failure begins where there is no daemon, or not yet.
NO_ANSWER = "Docker: the daemon does not answer"


class Result(NamedTuple):
    """What a command left: exit code and both outputs."""

    code: int
    stdout: str
    stderr: str


class Process:
    """A command that runs; take its result with wait()."""

    def __init__(self, command: Sequence[str], popen: subprocess.Popen[bytes]) -> None:
        self._command = command
        self._popen = popen

    def take_output(self) -> IO[bytes] | None:
        """Give the end from which another command reads."""
        return self._popen.stdout

    def close_output(self) -> None:
        """Let go of our end of the output: another command has it now."""
        if self._popen.stdout is not None:
            self._popen.stdout.close()
            self._popen.stdout = None

    def wait(self, timeout: float = DEFAULT_TIMEOUT) -> Result:
        """Wait for the end.

        Args:
            timeout: seconds from now; then the command and its children are killed.

        Raises:
            StackError: it took too long.
        """
        try:
            stdout, stderr = self._popen.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.stop()
            raise StackError(
                f"{' '.join(self._command[:3])}: gave no answer within {timeout:.0f} s; does the Docker daemon hang?"
            ) from None
        except BaseException:
            self.stop()
            raise
        return Result(
            self._popen.returncode, (stdout or b"").decode("utf-8", "replace"), stderr.decode("utf-8", "replace")
        )

    def stop(self) -> None:
        """Kill the command with its children, if it still runs, and drop its output."""
        if self._popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()
        for pipe in (self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                pipe.close()


class Docker:
    """The docker command line of this host."""

    def __init__(self, binary: str | None = None, host: str | None = None) -> None:
        """Find the command.

        Args:
            binary: path of docker; None searches PATH.
            host: address of the engine (DOCKER_HOST); None leaves it to the environment.

        Raises:
            StackError: there is no docker command.
        """
        found = shutil.which(binary or "docker")
        if found is None:
            raise StackError(
                f"{binary or 'docker'}: command not found on this host; install Docker Engine with the Compose plugin, "
                "or set docker_cli to its path"
            )
        self._binary = found
        self._environment = dict(os.environ)
        if host:
            self._environment["DOCKER_HOST"] = host
            self._environment.pop("DOCKER_CONTEXT", None)

    def start(
        self,
        arguments: Sequence[str],
        cwd: str | None = None,
        source: Process | None = None,
        text: bytes | None = None,
    ) -> Process:
        """Start a command without waiting for it.

        Args:
            arguments: of docker.
            cwd: folder to run in.
            source: a command whose output it reads; that one then gives only its errors.
            text: what it reads instead; nothing by default.

        Raises:
            StackError: it cannot be started.
        """
        command = [self._binary, *arguments]
        try:
            # A file and not a pipe, which could fill up before the command reads.
            with tempfile.TemporaryFile() as given:
                given.write(text or b"")
                given.seek(0)
                popen = subprocess.Popen(
                    command,
                    stdin=source.take_output() if source else given,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=cwd,
                    env=self._environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise StackError(f"{self._binary}: cannot be started: {error.strerror or error}") from None
        finally:
            if source is not None:
                source.close_output()
        return Process(command, popen)

    def run(
        self,
        arguments: Sequence[str],
        cwd: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        text: bytes | None = None,
    ) -> Result:
        """Run a command to its end."""
        return self.start(arguments, cwd, text=text).wait(timeout)


def failure(what: str, result: Result) -> StackError:
    """Say why a docker command failed and what to do.

    Args:
        what: what was to be found out, as it follows "cannot".
        result: the failed command.
    """
    text = result.stderr.strip()
    last = text.splitlines()[-1].strip() if text else f"exit code {result.code}"
    lowered = text.lower()
    if "permission denied" in lowered and ("docker.sock" in lowered or "daemon socket" in lowered):
        return StackError(
            "Docker: this user may not talk to the Docker daemon; use become: true, or add the user to the group docker"
        )
    if any(
        sign in lowered
        for sign in (
            "cannot connect to the docker daemon",
            "is the docker daemon running",
            "error during connect",
            "connection refused",
        )
    ):
        return StackError(f"{NO_ANSWER} ({last}); start it (systemctl start docker) or check docker_host")
    if (
        "is not a docker command" in lowered
        or "unknown command: docker compose" in lowered
        or "unknown shorthand flag" in lowered
    ):
        return no_compose()
    return StackError(f"Docker: cannot {what}: {last}")


def no_compose() -> StackError:
    """Say that the Compose plugin is missing."""
    return StackError(
        "Docker: the Compose plugin is missing (docker compose); install docker-compose-plugin "
        f"{_dotted(MINIMUM_COMPOSE)} or newer"
    )


def parse_version(text: str) -> tuple[int, ...] | None:
    """Give the numbers at the start of a version ("v2.26.1-4" is 2, 26, 1); None where there are none."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", text.strip())
    return tuple(int(number) for number in match.group(1).split(".")) if match else None


def _dotted(version: Sequence[int]) -> str:
    return ".".join(str(number) for number in version)


def check_versions(engine: str, compose: str | None) -> None:
    """Refuse an engine or a Compose plugin that is too old. A version that is no number (a development build) passes.

    Raises:
        StackError: too old, or no Compose plugin; names both versions.
    """
    if compose is None:
        raise no_compose()
    for name, found, minimum in (
        ("Docker Engine", engine, MINIMUM_ENGINE),
        ("Docker Compose", compose, MINIMUM_COMPOSE),
    ):
        version = parse_version(found)
        if version is not None and version < minimum:
            raise StackError(f"Docker: {name} {found} is too old; install {_dotted(minimum)} or newer")


def compose_arguments(
    directory: str, files: Sequence[str], project_name: str | None, env_files: Sequence[str], profiles: Sequence[str]
) -> list[str]:
    """Give the arguments that name a project to ``docker``, in the way in which docker_compose_v2 names it."""
    arguments = ["compose", "--project-directory", directory]
    if project_name:
        arguments += ["--project-name", project_name]
    for file in files:
        arguments += ["--file", file]
    for file in env_files:
        arguments += ["--env-file", file]
    for profile in profiles:
        arguments += ["--profile", profile]
    return arguments


def parse_config_hashes(stdout: str) -> Mapping[str, str]:
    """Parse ``docker compose config --hash '*'``: a line of service and hash each."""
    pairs = (line.split() for line in stdout.splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
