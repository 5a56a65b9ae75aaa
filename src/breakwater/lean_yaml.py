# SPDX-License-Identifier: GPL-3.0-or-later
"""Start libyaml without the parts of PyYAML that a scan never uses.

``import yaml`` costs 14 ms here, as much as the interpreter itself: it compiles the regular expressions of a reader
and a resolver written in Python, and loads date and base64 support, before the first file is read. All that
:mod:`yaml._yaml` (libyaml's binding) needs from them are eight exception classes. :func:`install` puts a package in
place that has those, loads the binding, and becomes the real PyYAML as soon as anybody asks it for anything else.

Nothing is copied or replaced: the binding, the events and the error module are PyYAML's own.
"""

from __future__ import annotations

import sys
from types import ModuleType

#: Modules that are loaded as they are; small, without regular expressions.
_REAL = ("error", "tokens", "events", "nodes")

#: Module and exception class that the binding looks up when it is loaded.
_ERRORS = {
    "reader": "ReaderError",
    "scanner": "ScannerError",
    "parser": "ParserError",
    "composer": "ComposerError",
    "constructor": "ConstructorError",
    "emitter": "EmitterError",
    "serializer": "SerializerError",
    "representer": "RepresenterError",
}

#: Those that say where in the text they happened, as in PyYAML.
_MARKED = frozenset({"scanner", "parser", "composer", "constructor"})


class _LeanPackage(ModuleType):
    """The package ``yaml`` until somebody needs the whole of it."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        for module in ("_yaml", *_REAL):
            found = getattr(sys.modules.get(f"yaml.{module}"), name, None)
            if found is not None:
                setattr(self, name, found)
                return found
        become_real(self)
        return getattr(self, name)


def become_real(package: ModuleType) -> None:
    """Turn the lean package into PyYAML, in place, so that references to it stay valid."""
    package.__class__ = ModuleType
    for name in _ERRORS:
        sys.modules.pop(f"yaml.{name}", None)
        vars(package).pop(name, None)
    spec = package.__spec__
    if spec is None or spec.loader is None:
        raise ImportError("PyYAML cannot be loaded", name="yaml")
    spec.loader.exec_module(package)


def _reader_error(base: type[Exception]) -> type[Exception]:
    """Make the one exception class that is raised with arguments of its own."""

    def initialise(self: Exception, name: str, position: int, character: int, encoding: str, reason: str) -> None:
        vars(self).update(name=name, position=position, character=character, encoding=encoding, reason=reason)
        Exception.__init__(self, f"{reason} at character {position}")

    return type("ReaderError", (base,), {"__init__": initialise})


def install() -> bool:
    """Put the lean package in place of ``yaml``.

    Returns:
        False when PyYAML was loaded before, is missing or has another shape than the one known here: then the
        ordinary import does the work, only slower.
    """
    if "yaml" in sys.modules:
        return False
    for finder in sys.meta_path:
        spec = finder.find_spec("yaml", None)
        if spec is not None:
            break
    else:
        return False
    package = _LeanPackage("yaml")
    package.__spec__ = spec
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules["yaml"] = package
    try:
        _load_binding(package)
    except (ImportError, AttributeError, TypeError):
        for name in [name for name in sys.modules if name == "yaml" or name.startswith("yaml.")]:
            del sys.modules[name]
        return False
    return True


def _load_binding(package: ModuleType) -> None:
    """Load the small modules and libyaml's binding, with stand-ins for the modules that hold the exceptions."""
    for name in _REAL:
        __import__(f"yaml.{name}")
    error = sys.modules["yaml.error"]
    for name, exception in _ERRORS.items():
        module = ModuleType(f"yaml.{name}")
        base = error.MarkedYAMLError if name in _MARKED else error.YAMLError
        made = _reader_error(base) if name == "reader" else type(exception, (base,), {})
        setattr(module, exception, made)
        sys.modules[f"yaml.{name}"] = module
        setattr(package, name, module)
    __import__("yaml._yaml")
