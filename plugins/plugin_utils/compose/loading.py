# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From files to one effective model: variables, `extends`, `include`, overrides, in the order in which Compose does it.

Rules: package ``loader`` of github.com/compose-spec/compose-go v2.4.8 (loader.go, extends.go, include.go).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from ..lean_typing import NamedTuple
from .document import Document, parse
from .errors import ComposeError
from .expand import Scalar
from .interpolate import EnvFileError, TemplateError, parse_env, substitute
from .merge import Conflict, merge_section, merge_service
from .origins import Map, Origin, Path, Seq, Unresolved, clear, copy, locate, size
from .short_forms import strings, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_REMOTE = ("http://", "https://", "git@", "git://", "ssh://", "oci://", "github.com/")
# Far above what people write (three links, and some hundred values); it keeps hostile files from filling the stack
# and the memory.
MAX_CHAIN = 100
MAX_COPIED = 1_000_000
_SECTIONS = ("services", "volumes", "networks", "secrets", "configs")


class UnknownVariable(NamedTuple):
    """A variable without value and default.

    Attributes:
        variable: its name.
        required: True where Compose stops (``${VAR:?message}``); otherwise it warns and takes an empty text.
        message: the message of a required variable.
        file: index of the file in the project.
        line: line of the value, or None.
        path: the place of the value in its document.
    """

    variable: str
    required: bool
    message: str
    file: int
    line: int | None
    path: Path


class Scope(NamedTuple):
    """What relative paths and variables refer to; an included file has its own.

    Attributes:
        directory: folder of the project, "" for the folder of the caller.
        environment: variables with a value.
    """

    directory: str
    environment: Mapping[str, str]


class _Source(NamedTuple):
    """One file with its variables replaced."""

    file: int
    config: Map
    cleared: list[Path]
    scope: Scope


class Loader:
    """Loads files into one model.

    Args:
        documents: the files given, weakest first; files that are followed are appended.
        read: returns the text of a file by its path, raising OSError; None where nothing can be followed.
        strict: the environment is complete, so a variable without value is empty, as in Compose; a required one is an
            error. Otherwise such values are kept as unknown.
        replaced: documents by name that stand in for what `read` would give.
        directory: the folder that the names of the files given are relative to; None: names and paths agree.
    """

    def __init__(
        self,
        documents: list[Document],
        read: Callable[[str], str] | None,
        strict: bool,
        replaced: Mapping[str, Document] | None = None,
        directory: str | None = None,
    ) -> None:
        self.documents = documents
        # A dict as an ordered set.
        self.unknown: dict[UnknownVariable, None] = {}
        self.defined_in: dict[str, list[int]] = {}
        self._read = read
        self._strict = strict
        self._replaced = replaced or {}
        self._directory = directory
        self._sources: dict[int, _Source] = {}
        self._copied = 0
        self._paths = [os.path.normpath(os.path.join(directory or "", document.name)) for document in documents]
        self._index_of = {path: index for index, path in enumerate(self._paths)}
        for index, document in enumerate(documents):
            self._index_of.setdefault(os.path.normpath(document.name), index)

    def model(self, indexes: Sequence[int], scope: Scope, including: tuple[int, ...] = ()) -> Map:
        """Return the effective content of files that are laid over each other.

        Raises:
            ComposeError: anything that Compose would refuse, or that cannot be followed.
        """
        total = Map()
        for index in indexes:
            source = self._source(index, scope)
            services = source.config.get("services")
            if isinstance(services, Map):
                for name in services:
                    self._extended(name, source, services, ())
                    found = self.defined_in.setdefault(name, [])
                    if index not in found:
                        found.append(index)
            clear(total, source.cleared)
            self._include(source, (*including, index))
            self._lay_over(total, source.config)
        return total

    def fail(self, index: int, path: Path, reason: str, hint: str = "") -> ComposeError:
        """Return the error for a place in a file."""
        document = self.documents[index]
        return ComposeError(document.name, document.line_of(path), reason, hint)

    def _source(self, index: int, scope: Scope) -> _Source:
        """Copy a file with its origins and replace its variables."""
        document = self.documents[index]
        cleared: list[Path] = []

        def text(value: Scalar, path: Path) -> Scalar:
            return self._substitute(index, value, path, scope.environment) if "$" in value else value

        config = Map()
        if isinstance(document.data, dict):
            config = locate(document.data, index, (), cleared, text)
        for name, service in _items(config.get("services")):
            if not isinstance(service, Map) and service is not None:
                raise self.fail(
                    index,
                    ("services", name),
                    f"service {name!r} is {_shape(service)}",
                    "write its settings as a mapping below its name",
                )
        return _Source(index, config, cleared, scope)

    def _substitute(self, index: int, value: Scalar, path: Path, environment: Mapping[str, str]) -> Scalar:
        """Replace the variables of a text."""
        try:
            made = substitute(value, environment, keep_missing=not self._strict)
        except TemplateError as error:
            raise self.fail(index, path, str(error), "write $$ for a dollar sign that is meant as such") from None
        if not made.missing:
            return Scalar(made.text, plain=False, tag=value.tag)
        line = self.documents[index].line_of(path)
        for missing in made.missing:
            if missing.required and self._strict:
                reason = f"the required variable {missing.variable} has no value"
                raise self.fail(index, path, reason + (f": {missing.message}" if missing.message else ""), "set it")
            self.unknown[UnknownVariable(*missing, index, line, path)] = None
        kind = Scalar if self._strict else Unresolved
        return kind(made.text, plain=False, tag=value.tag)

    def _lay_over(self, total: Map, over: Map) -> None:
        """Merge the content of a file into the content of those before it."""
        for key, value in over.items():
            base = total.get(key)
            if key == "services" and isinstance(base, Map) and isinstance(value, Map):
                for name, service in value.items():
                    self._merge_service(base, name, service, value.origins[name])
            elif isinstance(base, Map) and isinstance(value, Map) and not key.startswith("x-"):
                self._over(base, value, key, merge_section)
            elif value is not None or key not in total:
                total.put(key, value, over.origins[key])

    def _merge_service(self, services: Map, name: str, service: Any, origin: Origin) -> None:
        """Merge one service into those of the files before."""
        base = services.get(name)
        if not isinstance(base, Map):
            services.put(name, service, origin)
        elif isinstance(service, Map):
            services.put(name, self._over(base, service, f"service {name!r}"), origin)

    def _over(self, base: Map, over: Map, what: str, merge: Callable[[Map, Map], Map] = merge_service) -> Map:
        """Lay one service (or another section) over another."""
        try:
            return merge(base, over)
        except Conflict as conflict:
            raise self.fail(
                conflict.origin.file,
                conflict.origin.path,
                f"{conflict} of {what} has another shape in a file or service that it is merged with",
                "use the same form in both",
            ) from None

    # extends

    def _extended(self, name: str, source: _Source, services: Map, trail: tuple[tuple[int, str], ...]) -> Any:
        """Merge a service with what it extends, in place, and return it."""
        service = services[name]
        if not isinstance(service, Map) or "extends" not in service:
            return service
        extends = service["extends"]
        path: Path = (*service.origins["extends"].path,)
        if (source.file, name) in trail:
            chain = " -> ".join(part for _other, part in (*trail, (source.file, name)))
            raise self.fail(source.file, path, f"service {name!r} extends itself: {chain}", "break the cycle")
        if len(trail) >= MAX_CHAIN:
            raise self.fail(
                source.file, path, f"more than {MAX_CHAIN} services extend one another", "shorten the chain"
            )
        reference = text_of(extends.get("service")) if isinstance(extends, Map) else text_of(extends)
        if isinstance(extends, Seq) or not reference:
            raise self.fail(source.file, path, f"extends of service {name!r} names no service", "write `service: NAME`")
        file = text_of(extends.get("file")) if isinstance(extends, Map) else None
        base_source = source
        base_services: Any = services
        if file is not None:
            target = self._follow(source, path, file)
            base_source = self._base_source(target, source.scope.environment)
            base_services = base_source.config.get("services")
        if not isinstance(base_services, Map) or reference not in base_services:
            where = self.documents[base_source.file].name
            raise self.fail(
                source.file,
                path,
                f"service {name!r} extends {reference!r}, which {where} does not have",
                "name an existing service",
            )
        base = self._extended(reference, base_source, base_services, (*trail, (source.file, name)))
        if base is None:
            return service
        self._copied += size(base)
        if self._copied > MAX_COPIED:
            raise self.fail(
                source.file, path, f"extends copies more than {MAX_COPIED} values", "this is no project of people"
            )
        base = copy(base)
        cleared = source.cleared if base_source is source else [*source.cleared, *base_source.cleared]
        clear(base, [place[2:] for place in cleared if len(place) > 2 and place[:2] == ("services", name)])
        merged = self._over(base, service, f"service {name!r}")
        merged.pop("extends", None)
        merged.origins.pop("extends", None)
        services[name] = merged
        return merged

    def _base_source(self, index: int, environment: Mapping[str, str]) -> _Source:
        """Return a file that services extend from. It is kept, with the services resolved so far."""
        known = self._sources.get(index)
        if known is None or known.scope.environment is not environment:
            known = self._source(index, Scope(os.path.dirname(self._paths[index]), environment))
            self._sources[index] = known
        return known

    # include

    def _include(self, source: _Source, including: tuple[int, ...]) -> None:
        """Import the content of included files into a file."""
        includes = source.config.get("include")
        if includes is None:
            return
        if not isinstance(includes, Seq):
            raise self.fail(source.file, ("include",), "include is not a list", "write each file as an item")
        for item, origin in zip(includes, includes.origins, strict=True):
            self._include_one(source, item, origin.path, including)
        del source.config["include"], source.config.origins["include"]

    def _include_one(self, source: _Source, item: Any, path: Path, including: tuple[int, ...]) -> None:
        """Import one entry of `include` in either form."""
        long = item if isinstance(item, Map) else {}
        files = strings(long.get("path")) if isinstance(item, Map) else strings(item)
        if isinstance(item, Seq) or not files:
            raise self.fail(source.file, path, "an include names no file", "write a path, or `path:` with one")
        indexes = [self._follow(source, path, file) for file in files]
        if len(including) >= MAX_CHAIN:
            raise self.fail(source.file, path, f"more than {MAX_CHAIN} files include one another", "shorten the chain")
        if indexes[0] in including:
            chain = " -> ".join(self.documents[index].name for index in (*including, indexes[0]))
            raise self.fail(source.file, path, f"included files include each other: {chain}", "break the cycle")
        stated = text_of(long.get("project_directory"))
        directory = os.path.dirname(self._paths[indexes[0]])
        if stated is not None:
            directory = os.path.join(source.scope.directory, stated)
        environment = self._include_environment(source, path, strings(long.get("env_file")), directory)
        imported = self.model(indexes, Scope(directory, environment), including)
        for section in _SECTIONS:
            self._import(source, imported, section, path)

    def _include_environment(
        self, source: _Source, path: Path, env_files: list[str], directory: str
    ) -> Mapping[str, str]:
        """Return the variables for an included project: ours, then those of its env files or its `.env`."""
        environment = dict(source.scope.environment)
        found: dict[str, str] = {}
        for file in env_files or [os.path.join(directory, ".env")]:
            name = os.path.normpath(os.path.join(source.scope.directory, file)) if env_files else file
            text = self._read_file(source.file, path, name, optional=not env_files)
            if text is None:
                continue
            try:
                found.update(parse_env(text, {**found, **environment}))
            except EnvFileError as error:
                raise ComposeError(self._shown(name), error.line, str(error), "correct the line") from None
        return {**found, **environment}

    def _import(self, source: _Source, imported: Map, section: str, path: Path) -> None:
        """Take over one section of an included project; a name must not mean two things."""
        content = imported.get(section)
        if not isinstance(content, Map):
            return
        target = source.config.get(section)
        if not isinstance(target, Map):
            target = Map()
            source.config.put(section, target, Origin(source.file, path))
        for name, value in content.items():
            if name in target and target[name] != value:
                raise self.fail(
                    source.file,
                    path,
                    f"{section}.{name} is defined here and differently in an included file",
                    "rename one of them, or change the included one in an override file",
                )
            target.put(name, value, content.origins[name])

    # files

    def _follow(self, source: _Source, path: Path, file: str) -> int:
        """Return the index of a file that another one names, reading it when it is new."""
        if file.startswith(_REMOTE):
            raise self.fail(
                source.file, path, f"cannot follow {file!r}: it is not a file on this machine", "keep a copy"
            )
        target = os.path.normpath(os.path.join(source.scope.directory, file))
        known = self._index_of.get(target)
        if known is not None:
            return known
        name = self._shown(target)
        document = self._replaced.get(name)
        if document is None:
            text = self._read_file(source.file, path, target, optional=False)
            document = parse(text or "", name)
        self.documents.append(document)
        self._paths.append(target)
        self._index_of[target] = len(self.documents) - 1
        return self._index_of[target]

    def _shown(self, path: str) -> str:
        """Return the name under which people see a file: relative to the project's folder where it lies inside."""
        inside = os.path.join(self._directory or "", "")
        return path[len(inside) :] if inside and path.startswith(inside) else path

    def _read_file(self, index: int, path: Path, name: str, optional: bool) -> str | None:
        """Read a file that another one names."""
        if self._read is None:
            if optional:
                return None
            raise self.fail(
                index, path, f"cannot follow {self._shown(name)!r}: only the files given are read here", "give it too"
            )
        try:
            return self._read(name)
        except OSError as error:
            if optional:
                return None
            reason = error.strerror or str(error) or type(error).__name__
            raise self.fail(
                index, path, f"cannot read {self._shown(name)!r}: {reason}", "correct the path or add the file"
            ) from None


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, Map) else []


def _shape(value: Any) -> str:
    return "a list" if isinstance(value, Seq) else "a single value"
