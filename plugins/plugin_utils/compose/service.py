# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One service as Compose will run it: files merged, `extends` followed, both syntaxes of every setting understood."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ...module_utils._units import parse_cpus, parse_duration, parse_size
from .document import Document
from .expand import resolve
from .origins import Map, Seq
from .short_forms import ImageRef, Port, Volume, key_values, parse_image, strings, text_of
from .values import is_unresolved, read_flag, read_integer, read_ports, read_volume, style_of, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Where a resource is stated: the short place of the service, and the place in the `deploy` section, which wins.
_PLACES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "memory": (("mem_limit",), ("deploy", "resources", "limits", "memory")),
    "memory_reservation": (("mem_reservation",), ("deploy", "resources", "reservations", "memory")),
    "cpus": (("cpus",), ("deploy", "resources", "limits", "cpus")),
    "pids": (("pids_limit",), ("deploy", "resources", "limits", "pids")),
    "replicas": (("scale",), ("deploy", "replicas")),
}
_RESTART_CONDITIONS = {"none": "no", "any": "always"}


class Service:
    """A service of a project.

    Accessors never raise: load_project has checked everything that they read. A value that hangs on a variable
    without value and default cannot be known: numbers, durations and booleans are then None (see is_unknown), texts
    keep the ``${VARIABLE}``.

    Attributes:
        name: the service's name.
        config: the effective mapping. Forms are those of the files (a port stays ``"80:80"``); scalars are Scalar,
            see resolve.
        defined_in: indexes into Project.files of the files in which the service appears, weakest first.
    """

    __slots__ = ("_documents", "_environment", "config", "defined_in", "name")

    def __init__(
        self,
        name: str,
        config: Map,
        defined_in: list[int],
        documents: Sequence[Document],
        environment: Callable[[str], str | None],
    ) -> None:
        self.name = name
        self.config = config
        self.defined_in = defined_in
        self._documents = documents
        self._environment = environment

    # Places

    def get(self, path: Sequence[str | int]) -> Any:
        """Return the effective value at a path of the service, or None."""
        value: Any = self.config
        if not path:
            return value
        value = value.get(path[0])
        if value is None or len(path) == 1:
            return value
        for step in path[1:]:
            if isinstance(value, Map) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, Seq) and isinstance(step, int) and -len(value) <= step < len(value):
                value = value[step]
            else:
                return None
        return value

    def origin(self, path: Sequence[str | int] = ()) -> tuple[int, int | None] | None:
        """Return the index of the file that sets the effective value last, and the line there; None if nothing does.

        A path is one of the effective config: ``("mem_limit",)``, ``("ports", 0)``. The key of an item in a
        ``KEY=VALUE`` list may stand for its index: ``("environment", "POSTGRES_USER")``.
        """
        if not path:
            index = self.defined_in[-1]
            return index, self._documents[index].line_of(("services", self.name))
        parent = self.get(path[:-1])
        step = path[-1]
        if isinstance(parent, Map) and step in parent.origins:
            found = parent.origins[str(step)]
        elif isinstance(parent, Seq):
            if isinstance(step, str):
                keys = [(text_of(item) or "").partition("=")[0] for item in parent]
                step = max((index for index, key in enumerate(keys) if key == step), default=len(keys))
            if not -len(parent) <= step < len(parent):
                return None
            found = parent.origins[step]
        else:
            return None
        return found.file, self._documents[found.file].line_of(found.path)

    def own(self, index: int) -> Any:
        """Return what one file itself says about the service (no variables replaced, nothing merged), or None."""
        data = self._documents[index].data
        services = data.get("services") if isinstance(data, dict) else None
        return services.get(self.name) if isinstance(services, dict) else None

    def is_unknown(self, path: Sequence[str | int]) -> bool:
        """Return True when the value at a path, or a part of it, hangs on a variable that has no value."""
        return is_unresolved(self.get(path))

    def resource_place(self, resource: str) -> tuple[str, ...] | None:
        """Return the path that states a resource now, or None.

        Args:
            resource: memory, memory_reservation, cpus, pids or replicas.
        """
        short, deploy = _PLACES[resource]
        for place in (deploy, short):
            if self.get(place) is not None:
                return place
        return None

    def resource_home(self, resource: str) -> tuple[str, ...]:
        """Return the path at which Compose accepts a new value for a resource.

        It is where the resource stands already. Otherwise it is in ``deploy.resources`` when the service has that
        section: next to a section of limits, Compose refuses a value in the short place ("can't set distinct values").
        """
        short, deploy = _PLACES[resource]
        return self.resource_place(resource) or (deploy if isinstance(self.get(deploy[:-1]), Map) else short)

    # Values

    def text(self, *path: str) -> str | None:
        """Return the text at a path, or None."""
        value = self.get(path)
        return None if isinstance(value, (Map, Seq)) else text_of(value)

    def flag(self, *path: str) -> bool | None:
        """Return the boolean at a path, or None."""
        return read_flag(self.get(path))

    def number(self, *path: str) -> int | None:
        """Return the integer at a path, or None."""
        return read_integer(self.get(path))

    def size(self, *path: str) -> int | None:
        """Return the bytes at a path, or None."""
        value = self.get(path)
        return None if value is None or is_unresolved(value) else parse_size(resolve(value))

    def seconds(self, *path: str) -> float | None:
        """Return the duration at a path in seconds, or None."""
        value = self.get(path)
        return None if value is None or is_unresolved(value) else parse_duration(text_of(value))

    def _resource(self, resource: str, read: Callable[[Any], Any]) -> Any:
        """Read a resource as Compose gives it to the engine: `deploy` wins unless it says 0; 0 is no limit."""
        short, deploy = _PLACES[resource]
        for place in (deploy, short):
            value = self.get(place)
            if is_unresolved(value):
                return None
            number = None if value is None else read(resolve(value))
            if number:
                return number
        return None

    @property
    def image(self) -> str | None:
        """The image as written, None for a service that is only built."""
        return self.text("image")

    @property
    def image_ref(self) -> ImageRef | None:
        """The parts of the image reference."""
        return parse_image(self.image) if self.image else None

    @property
    def memory_limit(self) -> int | None:
        """Memory limit in bytes, None for no limit."""
        return _as_int(self._resource("memory", parse_size))

    @property
    def memory_reservation(self) -> int | None:
        """Memory reservation in bytes, None for none."""
        return _as_int(self._resource("memory_reservation", parse_size))

    @property
    def cpus(self) -> float | None:
        """CPU limit in CPUs, None for no limit; `cpu_quota` and `cpu_shares` are not looked at."""
        value = self._resource("cpus", parse_cpus)
        return None if value is None else float(value)

    @property
    def pids_limit(self) -> int | None:
        """Limit of processes and threads, None for no limit (0 and -1 mean that)."""
        value = _as_int(self._resource("pids", read_integer))
        return value if value is not None and value > 0 else None

    @property
    def replicas(self) -> int:
        """Number of containers: `scale` or `deploy.replicas`, else 1."""
        short, deploy = _PLACES["replicas"]
        for place in (deploy, short):
            count = read_integer(self.get(place))
            if count is not None:
                return count
        return 1

    @property
    def shm_size(self) -> int | None:
        """Size of /dev/shm in bytes, None for the engine's default (64 MiB)."""
        return self.size("shm_size")

    @property
    def environment(self) -> dict[str, str | None]:
        """Variables of `environment` (not of `env_file`). None: taken from Compose's environment, and not set there."""
        pairs = key_values(self.get(("environment",)))
        return {key: self._environment(key) if value is None else value for key, value in pairs.items()}

    @property
    def environment_style(self) -> str | None:
        """Form of `environment`: list or map, None without it."""
        return style_of(self.get(("environment",)))

    @property
    def env_files(self) -> list[str]:
        """Paths of `env_file`, as written."""
        value = self.get(("env_file",))
        items = value if isinstance(value, list) else [value]
        paths = [text_of(item.get("path")) if isinstance(item, dict) else text_of(item) for item in items]
        return [path for path in paths if path]

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the container."""
        return {key: value or "" for key, value in key_values(self.get(("labels",))).items()}

    @property
    def command(self) -> list[str] | None:
        """The command's words; None where the image decides."""
        return words(self.get(("command",)))

    @property
    def command_style(self) -> str | None:
        """Form of `command`: list or string, None without it."""
        return style_of(self.get(("command",)))

    @property
    def entrypoint(self) -> list[str] | None:
        """The entry point's words; None where the image decides."""
        return words(self.get(("entrypoint",)))

    @property
    def entrypoint_style(self) -> str | None:
        """Form of `entrypoint`: list or string, None without it."""
        return style_of(self.get(("entrypoint",)))

    @property
    def healthcheck(self) -> dict[str, Any] | None:
        """The health check, None where the image decides.

        Keys, each only when stated: ``test`` (list of words that begins with CMD, CMD-SHELL or NONE), ``interval``,
        ``timeout``, ``start_period``, ``start_interval`` (seconds), ``retries`` (int); always ``disable`` (bool: by
        ``disable: true`` or by the test NONE).
        """
        section = self.get(("healthcheck",))
        if not isinstance(section, Map):
            return None
        check: dict[str, Any] = {}
        test = section.get("test")
        if test is not None:
            check["test"] = strings(test) if isinstance(test, Seq) else ["CMD-SHELL", text_of(test) or ""]
        for key in ("interval", "timeout", "start_period", "start_interval"):
            seconds = self.seconds("healthcheck", key)
            if seconds is not None:
                check[key] = seconds
        retries = self.number("healthcheck", "retries")
        if retries is not None:
            check["retries"] = retries
        check["disable"] = bool(self.flag("healthcheck", "disable")) or check.get("test", [])[:1] == ["NONE"]
        return check

    @property
    def depends_on(self) -> dict[str, dict[str, Any]]:
        """Services that this one waits for, each with ``condition`` (str), ``required`` and ``restart`` (bool)."""
        section = self.get(("depends_on",))
        names = strings(section) if isinstance(section, Seq) else list(section or ())
        found: dict[str, dict[str, Any]] = {}
        for name in names:
            stated = section.get(name) if isinstance(section, Map) else None
            stated = stated if isinstance(stated, Map) else {}
            found[name] = {
                "condition": text_of(stated.get("condition")) or "service_started",
                "required": read_flag(stated.get("required")) is not False,
                "restart": read_flag(stated.get("restart")) is True,
            }
        return found

    @property
    def ports(self) -> list[Port]:
        """Ports, ranges expanded. What hangs on an unknown variable is left out (see is_unknown)."""
        ports: dict[tuple[str, str, int, str], Port] = {}
        for index, item in enumerate(self.get(("ports",)) or ()):
            if is_unresolved(item):
                continue
            origin = self.origin(("ports", index))
            for port in read_ports(item, origin[1] if origin else None):
                ports[port[:4]] = port
        return list(ports.values())

    @property
    def volumes(self) -> list[Volume]:
        """Mounts. Texts keep variables without value."""
        found: dict[str, Volume] = {}
        for index, item in enumerate(self.get(("volumes",)) or ()):
            origin = self.origin(("volumes", index))
            volume = read_volume(item, origin[1] if origin else None)
            target = os.path.normpath(volume.target)
            found[target] = volume._replace(target=target)
        return list(found.values())

    @property
    def restart(self) -> str | None:
        """Restart policy as the engine gets it: no, always, unless-stopped, on-failure[:N]; None when not stated."""
        policy = self.get(("deploy", "restart_policy"))
        if not isinstance(policy, Map):
            return self.text("restart")
        condition = text_of(policy.get("condition")) or ""
        condition = _RESTART_CONDITIONS.get(condition, condition)
        attempts = read_integer(policy.get("max_attempts"))
        return f"{condition}:{attempts}" if attempts and condition == "on-failure" else condition or None

    @property
    def ulimits(self) -> dict[str, tuple[int | None, int | None]]:
        """Limits of resources by name: soft and hard."""
        section = self.get(("ulimits",))
        limits: dict[str, tuple[int | None, int | None]] = {}
        for name, value in (section or {}).items():
            if isinstance(value, Map):
                limits[name] = (read_integer(value.get("soft")), read_integer(value.get("hard")))
            else:
                limits[name] = (read_integer(value), read_integer(value))
        return limits

    @property
    def logging(self) -> tuple[str | None, dict[str, str | None]]:
        """Log driver (None for the engine's default) and its options."""
        return self.text("logging", "driver"), key_values(self.get(("logging", "options")))

    def strings(self, *path: str) -> list[str]:
        """Return a list of texts: `cap_add`, `cap_drop`, `security_opt`, `profiles`, `tmpfs`, `expose`, `devices`..."""
        value = self.get(path)
        return list(value) if isinstance(value, Map) else strings(value)

    @property
    def profiles(self) -> list[str]:
        """Profiles that start the service; without any it always starts."""
        return self.strings("profiles")

    @property
    def stop_grace_period(self) -> float | None:
        """Seconds between the stop signal and the kill, None for the default (10)."""
        return self.seconds("stop_grace_period")


def _as_int(value: Any) -> int | None:
    return None if value is None else int(value)
