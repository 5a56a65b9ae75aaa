# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Compose project: one or several files as Compose sees them together.

``load_project([SourceFile("docker-compose.yml", text)]).services["temporal"].memory_limit`` are bytes, whichever syntax
the files use; ``.origin(("mem_limit",))`` is the index of the file and the line that set it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..lean_typing import NamedTuple
from .checks import check_services
from .document import Document, parse
from .errors import ComposeError
from .interpolate import TemplateError, substitute
from .loading import Loader, Scope, UnknownVariable
from .origins import Map
from .service import Service
from .short_forms import text_of

# Order of preference of compose-go v2.4.8 (cli.DefaultFileNames, cli.DefaultOverrideFileNames).
_DEFAULT_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
_OTHER_SECTIONS = frozenset(("volumes", "networks", "secrets", "configs"))


class SourceFile(NamedTuple):
    """A file of a project.

    Attributes:
        name: its path as shown to people; paths in the first file are relative to that file's folder.
        text: its content.
    """

    name: str
    text: str


class Project:
    """A loaded project.

    Attributes:
        files: the files given, weakest first, followed by those that `include` and `extends` led to.
        given: how many of the files were given.
        services: the services by name, in the order of the files, those of inactive profiles too.
        name: name of the project as Compose derives it, None where only the folder could say and it is not known.
        config: the effective top-level content.
        unknown: variables that have neither value nor default.
        environment: the variables that were given.
    """

    __slots__ = (
        "_directory",
        "_read",
        "_strict",
        "config",
        "environment",
        "files",
        "given",
        "name",
        "services",
        "unknown",
    )

    def __init__(
        self,
        files: list[Document],
        environment: Mapping[str, str],
        read: Callable[[str], str] | None,
        strict: bool,
        directory: str | None,
        followed: Sequence[Document] = (),
    ) -> None:
        self.files = list(files)
        self.given = len(files)
        self.environment = environment
        self._read = read
        self._strict = strict
        self._directory = directory
        self.name = project_name(_stated_name(files, environment), environment, directory)
        # Compose tells the files their project's name by this variable.
        known = {"COMPOSE_PROJECT_NAME": self.name, **environment} if self.name else environment
        replaced = {document.name: document for document in followed}
        loader = Loader(self.files, read, strict, replaced, directory)
        scope = Scope(directory if directory is not None else os.path.dirname(files[0].name), known)
        self.config: Map = loader.model(range(self.given), scope)
        self.unknown: list[UnknownVariable] = list(loader.unknown)
        self.services = self._services(loader, known)

    def _services(self, loader: Loader, environment: Mapping[str, str]) -> dict[str, Service]:
        """Make the services of the effective content and check them."""
        section = self.config.get("services")
        if "services" not in self.config and not _OTHER_SECTIONS & self.config.keys():
            legacy = any(isinstance(value, Map) and {"image", "build"} & value.keys() for value in self.config.values())
            reason = "no services in it" + (": this is the format of Compose version 1" if legacy else "")
            raise ComposeError(self.files[0].name, None, reason, "put the services into a `services:` mapping")
        if not isinstance(section, Map):
            if "services" not in self.config:
                return {}
            raise loader.fail(
                self.config.origins["services"].file,
                ("services",),
                "services is not a mapping",
                "write each service as `name:` with its settings below",
            )
        services = {}
        for name, config in section.items():
            if not isinstance(config, Map):
                origin = section.origins[name]
                raise loader.fail(origin.file, origin.path, f"service {name!r} is empty", "give it an image or a build")
            services[name] = Service(name, config, loader.defined_in[name], self.files, environment.get)
        check_services(services.values(), self.files)
        return services

    def active_services(self, profiles: Iterable[str] = ()) -> list[str]:
        """Return the names of the services that `docker compose up` starts with these profiles (`*` stands for all).

        Services that need another profile still start when something that starts depends on them by name on the
        command line; that is not looked at here.
        """
        wanted = set(profiles)
        return [
            name
            for name, service in self.services.items()
            if not service.profiles or "*" in wanted or wanted & set(service.profiles)
        ]


def load_project(
    files: Sequence[SourceFile],
    environment: Mapping[str, str] | None = None,
    read: Callable[[str], str] | None = None,
    strict: bool = False,
    directory: str | None = None,
) -> Project:
    """Load the files of a project.

    Args:
        files: the files in Compose's order: later ones override earlier ones.
        environment: variables for substitution: the shell's over those of `.env` (see interpolate.parse_env).
        read: returns the text of a file that `include` or `extends` names, raising OSError when it cannot. The path is
            relative as the names of the files are. None: such files are errors.
        strict: the environment is complete. A variable without value and default is then empty, and a required one an
            error, as in Compose. Otherwise the value is kept as unknown text.
        directory: folder of the project: the names of the files and all paths in them are relative to it, and its last
            part names the project. Default: names are relative to the caller's folder, paths to the folder of the first
            file, and the project has no name unless a file or the environment states it.

    Raises:
        ComposeError: the first thing that is wrong, with file, line and what to do.
    """
    if not files:
        raise ComposeError("(no file)", None, "no Compose file is given", "name at least one")
    documents = [parse(file.text, file.name) for file in files]
    return Project(documents, environment or {}, read, strict, directory)


def replace_document(project: Project, index: int, document: Document) -> Project:
    """Return the project with one of its files edited. Other files are not read again.

    Raises:
        ComposeError: the project is not valid with that file.
    """
    files = list(project.files)
    files[index] = document
    return Project(
        files[: project.given],
        project.environment,
        project._read,
        project._strict,
        project._directory,
        followed=files[project.given :],
    )


def replace_environment(project: Project, environment: Mapping[str, str]) -> Project:
    """Return the project with other variables for substitution. Files are not read again.

    Raises:
        ComposeError: the project is not valid with them.
    """
    return Project(
        project.files[: project.given],
        environment,
        project._read,
        project._strict,
        project._directory,
        followed=project.files[project.given :],
    )


def default_files(names: Iterable[str]) -> list[str]:
    """Return the files that Compose takes from a folder by itself: one file, and one override file beside it.

    Args:
        names: the names in the folder.

    Returns:
        One or two names; none when there is no Compose file.
    """
    present = set(names)
    found = next((name for name in _DEFAULT_NAMES if name in present), None)
    if found is None:
        return []
    override = next((name for name in _OVERRIDE_NAMES if name in present), None)
    return [found] if override is None else [found, override]


def configured_files(environment: Mapping[str, str], separator: str = ":") -> list[str] | None:
    """Return the files of `COMPOSE_FILE`, None when it is not set.

    Args:
        environment: the shell's variables over those of `.env`.
        separator: of lists of paths on the target, used unless `COMPOSE_PATH_SEPARATOR` says otherwise.
    """
    value = environment.get("COMPOSE_FILE")
    if value is None:
        return None
    return value.split(environment.get("COMPOSE_PATH_SEPARATOR") or separator)


def configured_profiles(environment: Mapping[str, str]) -> list[str]:
    """Return the profiles of `COMPOSE_PROFILES`."""
    return [name.strip() for name in environment.get("COMPOSE_PROFILES", "").split(",") if name.strip()]


def normalize_project_name(text: str) -> str:
    """Return a name as Compose makes it of a folder's name: lower case, only letters, digits, `_` and `-`."""
    return re.sub(r"[^a-z0-9_-]", "", text.lower()).lstrip("_-")


def _stated_name(files: Sequence[Document], environment: Mapping[str, str]) -> str | None:
    """Return the `name:` of the last file that has one, its variables replaced."""
    for document in reversed(files):
        name = text_of(document.data.get("name")) if isinstance(document.data, dict) else None
        if name:
            try:
                return substitute(name, environment, keep_missing=False).text
            except TemplateError as error:
                raise ComposeError(document.name, document.line_of(("name",)), str(error)) from None
    return None


def project_name(stated: str | None, environment: Mapping[str, str], directory: str | None) -> str | None:
    """Return the project's name: `COMPOSE_PROJECT_NAME`, else what the files state, else the folder's."""
    if environment.get("COMPOSE_PROJECT_NAME"):
        return environment["COMPOSE_PROJECT_NAME"]
    folder = os.path.basename(os.path.normpath(directory)) if directory else ""
    return normalize_project_name(stated or "") or normalize_project_name(folder) or None
