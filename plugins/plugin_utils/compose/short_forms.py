# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The short forms of Compose: image references, ports, volumes, commands, KEY=VALUE lists.

Rules: github.com/compose-spec/compose-go v2.4.8 (``format.ParseVolume``), github.com/docker/go-connections v0.4.0
(``nat.ParsePortSpec``), github.com/mattn/go-shellwords v1.0.12, github.com/distribution/reference. Every parser
raises ValueError with a reason that names the value.
"""

from __future__ import annotations

import math
import re

from ..lean_typing import NamedTuple
from .expand import Scalar, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Patterns are kept as text and compiled by their first use: a scan of one file pays only for those that it needs.
_VARIABLE = r"\$\{[^}]*\}"
_PORT_RANGE = r"([0-9]{1,5})(?:-([0-9]{1,5}))?"
_ADDRESS = r"\[([0-9a-fA-F:.%]*)\]|([0-9]{1,3}(?:\.[0-9]{1,3}){3})"
# go-yaml reads a plain date as a time, and Compose prints it as one.
_DAY = r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
_BLANKS = r"[ \t\r\n]+"
# What a shell would read as more than a part of a word; a dollar sign only does before a bracket.
_SHELL_SIGN = r"""[\\"'`();&|<>]"""
_PROTOCOLS = ("tcp", "udp", "sctp")


class ImageRef(NamedTuple):
    """The parts of an image reference.

    Attributes:
        registry: host of the registry, ``docker.io`` where the reference names none.
        repository: path in the registry; ``library/`` of Docker Hub's official images is left out.
        tag: None where the reference has none (Docker then takes ``latest``, unless there is a digest).
        digest: such as ``sha256:...``, or None.
    """

    registry: str
    repository: str
    tag: str | None
    digest: str | None

    @property
    def name(self) -> str:
        """The last part of the repository: ``postgres`` for ``ghcr.io/team/postgres``."""
        return self.repository.rsplit("/", 1)[-1]


class Port(NamedTuple):
    """One port of a service.

    Attributes:
        host_ip: address on the host, "" for all.
        published: port or range on the host as text, "" where Docker chooses one.
        target: port in the container.
        protocol: tcp, udp or sctp.
        line: line of the entry in the file that sets it, or None.
    """

    host_ip: str
    published: str
    target: int
    protocol: str
    line: int | None = None


class Volume(NamedTuple):
    """One mount of a service.

    Attributes:
        source: path on the host or name of a volume, "" for an anonymous one.
        target: path in the container.
        read_only: True for ``ro``.
        kind: bind, volume, tmpfs, npipe, cluster or image.
        line: line of the entry in the file that sets it, or None.
    """

    source: str
    target: str
    read_only: bool
    kind: str = "volume"
    line: int | None = None


def parse_image(text: str) -> ImageRef:
    """Split an image reference. Variables that are still in it are kept whole where they stand."""
    held = re.findall(_VARIABLE, text) if "$" in text else []
    plain = re.sub(_VARIABLE, "\0", text) if held else text
    rest, _other, digest = plain.partition("@")
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        head, tag = rest, ""
    first, slash, path = head.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, repository = first, path
    else:
        registry, repository = "docker.io", head
    registry = "docker.io" if registry == "index.docker.io" else registry
    if registry == "docker.io":
        repository = repository.removeprefix("library/")
    # The variables come back in the order in which they stood; the registry that was filled in has none.
    parts = []
    for part in (registry, repository, tag, digest):
        pieces = part.split("\0")
        parts.append(pieces[0] + "".join(held.pop(0) + piece for piece in pieces[1:]))
    return ImageRef(parts[0], parts[1], parts[2] or None, parts[3] or None)


def text_of(value: Any) -> str | None:
    """Return a scalar as Compose turns it into text where it wants text (Go's ``%v``): 1.10 becomes ``1.1``."""
    resolved = resolve(value)
    if isinstance(resolved, str):
        if isinstance(value, Scalar) and value.plain and resolved[:4].isdigit():
            day = re.fullmatch(_DAY, resolved, re.ASCII)
            return resolved if day is None else "{}-{:0>2}-{:0>2} 00:00:00 +0000 UTC".format(*day.groups())
        return resolved
    if resolved is None:
        return None
    if isinstance(resolved, bool):
        return "true" if resolved else "false"
    if isinstance(resolved, float):
        return _go_float(resolved)
    return str(resolved)


def _go_float(value: float) -> str:
    """Format a float as Go's ``%v``: the shortest digits, an exponent below 1e-4 and from 1e6 on."""
    if not math.isfinite(value):
        return {"inf": "+Inf", "-inf": "-Inf"}.get(str(value), "NaN")
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return repr(value).removesuffix(".0")
    # repr gives the shortest digits that read back, as Go does; they only have to be set in the form d.ddde+XX.
    digits, _other, exponent = repr(value).partition("e")
    sign = "-" if digits.startswith("-") else ""
    whole, _other, fraction = digits.lstrip("-").partition(".")
    power = int(exponent or 0) + len(whole) - 1
    significant = (whole + fraction).rstrip("0").lstrip("0")
    tail = "." + significant[1:] if len(significant) > 1 else ""
    return f"{sign}{significant[0]}{tail}e{'-' if power < 0 else '+'}{abs(power):02d}"


def key_values(value: Any) -> dict[str, str | None]:
    """Read a mapping, or a list of ``KEY=VALUE``, as ``environment`` and ``labels`` take it.

    None stands for a key without value: a bare ``KEY`` in a list, or an empty value in a mapping.
    """
    if isinstance(value, dict):
        return {str(key): text_of(item) for key, item in value.items()}
    if not isinstance(value, list):
        return {}
    pairs: dict[str, str | None] = {}
    for item in value:
        key, found, text = (text_of(item) or "").partition("=")
        pairs[key] = text if found else None
    return pairs


def strings(value: Any) -> list[str]:
    """Read a text or a list of texts as a list."""
    if isinstance(value, list):
        return [text_of(item) or "" for item in value]
    text = None if isinstance(value, dict) else text_of(value)
    return [] if text is None else [text]


def parse_port(text: str, line: int | None = None) -> list[Port]:
    """Expand the short form of a port: ``[HOST_IP:][PUBLISHED:]TARGET[/PROTOCOL]``, each a number or a range."""
    host, _other, target = text.rpartition(":")
    host_ip, _other, published = host.rpartition(":")
    target, _other, protocol = target.partition("/")
    protocol = protocol.lower() or "tcp"
    if protocol not in _PROTOCOLS:
        raise ValueError(f"port {text!r} has the unknown protocol {protocol!r}")
    first, last = _port_range(target, text)
    host_first, host_last = _port_range(published, text) if published else (0, 0)
    if published and last - first != host_last - host_first and first != last:
        raise ValueError(f"port {text!r} maps ranges of different length")
    if host_ip:
        address = re.fullmatch(_ADDRESS, host_ip, re.ASCII)
        if address is None:
            raise ValueError(f"port {text!r} has an invalid address: expected IPv4, or IPv6 in brackets")
        host_ip = address.group(1) or address.group(2) or ""
    ports = []
    for offset in range(last - first + 1):
        shown = str(host_first + offset) if published else ""
        if published and first == last and host_first != host_last:
            shown = f"{host_first}-{host_last}"
        ports.append(Port(host_ip, shown, first + offset, protocol, line))
    return ports


def _port_range(text: str, whole: str) -> tuple[int, int]:
    """Read ``8000`` or ``8000-8010``."""
    match = re.fullmatch(_PORT_RANGE, text, re.ASCII)
    if match is None:
        raise ValueError(f"port {whole!r} is not understood: expected [IP:][PUBLISHED:]TARGET[/PROTOCOL]")
    first = int(match.group(1))
    last = int(match.group(2) or first)
    if last < first or last > 65535:
        raise ValueError(f"port {whole!r} is out of range")
    return first, last


def parse_volume(text: str, line: int | None = None) -> Volume:
    """Read the short form of a volume: ``[SOURCE:]TARGET[:OPTIONS]``."""
    if len(text) <= 2:
        if not text:
            raise ValueError("an empty volume")
        return Volume("", text, False, "volume", line)
    parts = [""]
    for character in text:
        drive = character == ":" and len(parts[-1]) == 1 and parts[-1].isalpha()
        if character == ":" and not drive:
            parts.append("")
        else:
            parts[-1] += character
    if "" in parts:
        raise ValueError(f"volume {text!r} has an empty part")
    if len(parts) > 3:
        raise ValueError(f"volume {text!r} has too many colons")
    if len(parts) == 1:
        return Volume("", parts[0], False, "volume", line)
    source = parts[0]
    options = parts[2].split(",") if len(parts) == 3 else []
    modes = [option for option in options if option in ("ro", "rw")]
    is_path = source[0] in "./~" or source.startswith("\\\\") or (source[0].isalpha() and source[1:2] == ":")
    return Volume(source, parts[1], modes[-1:] == ["ro"], "bind" if is_path else "volume", line)


def split_command(text: str) -> list[str]:
    """Split a command line as Compose does: quotes and backslashes count; ``; & | < >`` end it."""
    if re.search(_SHELL_SIGN, text) is None:
        return [word for word in re.split(_BLANKS, text) if word]
    return _CommandLine(text).split()


class _CommandLine:
    """The state of splitting one command line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[str] = []
        self.word = ""
        self.started = False
        self.escaped = False
        self.quote = ""
        self.in_dollar = False
        self.in_backquote = False

    def split(self) -> list[str]:
        """Return the words."""
        for character in self.text:
            if not self._take(character):
                break
        self._end_word()
        if self.escaped or self.quote or self.in_dollar or self.in_backquote:
            raise self._invalid()
        return self.words

    def _invalid(self) -> ValueError:
        return ValueError(f"{self.text[:60]!r} is not a valid command line")

    def _end_word(self) -> None:
        if self.started:
            self.words.append(self.word)
        self.word, self.started = "", False

    def _add(self, character: str) -> bool:
        self.word, self.started = self.word + character, True
        return True

    def _take(self, character: str) -> bool:
        """Take one character; return False where the command ends."""
        if self.escaped:
            self.escaped = False
            return self._add(character)
        if character == "\\" and self.quote != "'":
            self.escaped = True
        elif character in " \t\r\n":
            if self.quote or self.in_dollar or self.in_backquote:
                self.word += character
            else:
                self._end_word()
        elif character in "\"'" and self.quote in ("", character) and not self.in_dollar:
            self.started = self.started or bool(self.quote)
            self.quote = "" if self.quote else character
        elif self.quote:
            return self._add(character)
        else:
            return self._take_unquoted(character)
        return True

    def _take_unquoted(self, character: str) -> bool:
        """Take a character that may be an operator of the shell."""
        if character == "`" and not self.in_dollar:
            self.in_backquote = not self.in_backquote
        elif character == ")" and not self.in_backquote:
            self.in_dollar = not self.in_dollar
        elif character == "(" and not self.in_backquote:
            if self.in_dollar or not self.word.endswith("$"):
                raise self._invalid()
            self.in_dollar = True
        elif character in ";&|<>" and not (self.in_dollar or self.in_backquote):
            if character == ">" and self.word[:1].isdigit():
                # The number of a redirected stream is no word.
                self.started = False
            return False
        return self._add(character)
