# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what the accessors of Service read, so that they never meet a value that makes no sense.

Unknown keys are left alone: this is not a schema of Compose, only a guard for what is judged and changed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ...module_utils._units import parse_cpus, parse_duration, parse_size
from .document import Document
from .errors import ComposeError
from .expand import resolve
from .origins import Map, Path, Seq, Unresolved
from .service import Service
from .short_forms import split_command, text_of
from .values import read_flag, read_integer, read_ports, read_volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAP, _SEQ, _ONE = "a mapping", "a list", "a single value"

# Shapes that each key may have; null is always allowed.
_SHAPES: dict[str, tuple[str, ...]] = {
    "build": (_ONE, _MAP),
    "cap_add": (_SEQ,),
    "cap_drop": (_SEQ,),
    "command": (_ONE, _SEQ),
    "container_name": (_ONE,),
    "cpus": (_ONE,),
    "depends_on": (_SEQ, _MAP),
    "deploy": (_MAP,),
    "entrypoint": (_ONE, _SEQ),
    "env_file": (_ONE, _SEQ),
    "environment": (_SEQ, _MAP),
    "expose": (_SEQ,),
    "healthcheck": (_MAP,),
    "image": (_ONE,),
    "init": (_ONE,),
    "labels": (_SEQ, _MAP),
    "logging": (_MAP,),
    "mem_limit": (_ONE,),
    "mem_reservation": (_ONE,),
    "network_mode": (_ONE,),
    "networks": (_SEQ, _MAP),
    "pids_limit": (_ONE,),
    "ports": (_SEQ,),
    "privileged": (_ONE,),
    "profiles": (_SEQ,),
    "read_only": (_ONE,),
    "restart": (_ONE,),
    "scale": (_ONE,),
    "security_opt": (_SEQ,),
    "shm_size": (_ONE,),
    "stop_grace_period": (_ONE,),
    "stop_signal": (_ONE,),
    "sysctls": (_SEQ, _MAP),
    "tmpfs": (_ONE, _SEQ),
    "ulimits": (_MAP,),
    "user": (_ONE,),
    "volumes": (_SEQ,),
}
_DEEP_SHAPES: tuple[tuple[Path, tuple[str, ...]], ...] = (
    (("deploy", "resources"), (_MAP,)),
    (("deploy", "resources", "limits"), (_MAP,)),
    (("deploy", "resources", "reservations"), (_MAP,)),
    (("deploy", "restart_policy"), (_MAP,)),
    (("healthcheck", "test"), (_ONE, _SEQ)),
    (("logging", "driver"), (_ONE,)),
    (("logging", "options"), (_MAP,)),
)


def _size(value: Any) -> None:
    parse_size(resolve(value))


def _cpus(value: Any) -> None:
    parse_cpus(resolve(value))


def _duration(value: Any) -> None:
    parse_duration(text_of(value))


def _command(value: Any) -> None:
    if not isinstance(value, Seq):
        split_command(text_of(value) or "")


_VALUES: tuple[tuple[Path, Callable[[Any], object]], ...] = (
    (("mem_limit",), _size),
    (("mem_reservation",), _size),
    (("shm_size",), _size),
    (("cpus",), _cpus),
    (("pids_limit",), read_integer),
    (("scale",), read_integer),
    (("stop_grace_period",), _duration),
    (("init",), read_flag),
    (("privileged",), read_flag),
    (("read_only",), read_flag),
    (("command",), _command),
    (("entrypoint",), _command),
    (("deploy", "resources", "limits", "memory"), _size),
    (("deploy", "resources", "limits", "cpus"), _cpus),
    (("deploy", "resources", "limits", "pids"), read_integer),
    (("deploy", "resources", "reservations", "memory"), _size),
    (("deploy", "replicas"), read_integer),
    (("deploy", "restart_policy", "max_attempts"), read_integer),
    (("healthcheck", "interval"), _duration),
    (("healthcheck", "timeout"), _duration),
    (("healthcheck", "start_period"), _duration),
    (("healthcheck", "start_interval"), _duration),
    (("healthcheck", "retries"), read_integer),
    (("healthcheck", "disable"), read_flag),
)


def check_services(services: Iterable[Service], files: Sequence[Document]) -> None:
    """Check every service.

    Raises:
        ComposeError: the first value that cannot be read, with file, line and what was expected.
    """
    for service in services:
        for key in service.config:
            allowed = _SHAPES.get(key)
            if allowed is not None:
                _check_shape(service, files, (key,), allowed)
        for path, allowed in _DEEP_SHAPES:
            if path[0] in service.config:
                _check_shape(service, files, path, allowed)
        for path, read in _VALUES:
            if path[0] in service.config:
                _check_value(service, files, path, read)
        for path, read in _item_checks(service):
            _check_value(service, files, path, read)


def _item_checks(service: Service) -> Iterable[tuple[Path, Callable[[Any], object]]]:
    """Return the checks of the items of lists and mappings."""
    for index in range(len(service.config.get("ports") or ())):
        yield ("ports", index), lambda item: read_ports(item, None)
    for index in range(len(service.config.get("volumes") or ())):
        yield ("volumes", index), lambda item: read_volume(item, None)
    for name, value in (service.config.get("ulimits") or {}).items():
        if isinstance(value, Map):
            for key in value:
                yield ("ulimits", name, key), read_integer
        else:
            yield ("ulimits", name), read_integer


def _check_shape(service: Service, files: Sequence[Document], path: Path, allowed: tuple[str, ...]) -> None:
    """Check that a value is a mapping, a list or a single value, as its key asks for."""
    value = service.get(path)
    if value is None:
        return
    shape = _MAP if isinstance(value, Map) else _SEQ if isinstance(value, Seq) else _ONE
    if shape not in allowed and not isinstance(value, Unresolved):
        raise _error(service, files, path, f"is {shape}", "write it as " + " or ".join(allowed))


def _check_value(service: Service, files: Sequence[Document], path: Path, read: Callable[[Any], object]) -> None:
    """Check that a value can be read."""
    value = service.get(path)
    if service.is_unknown(path) or (value is None and isinstance(path[-1], str)):
        return
    try:
        read(value)
    except ValueError as error:
        reason, _other, expected = str(error).partition(": ")
        raise _error(service, files, path, reason, expected) from None


def _error(service: Service, files: Sequence[Document], path: Path, reason: str, hint: str) -> ComposeError:
    """Return the error for a value of a service."""
    file, line = service.origin(path) or service.origin() or (0, None)
    name = ".".join(str(part) for part in path if isinstance(part, str))
    return ComposeError(files[file].name, line, f"{name} of service {service.name!r}: {reason}", hint)
