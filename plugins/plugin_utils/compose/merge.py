# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Compose lays one file over another, with the origin of every value kept.

Rules: package ``override`` of github.com/compose-spec/compose-go v2.4.8 (merge.go, uncity.go) and loader/reset.go.
Where Compose rewrites short forms on the way, the forms of the files are kept here: an editor must see what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .expand import Scalar, tag_of
from .short_forms import parse_port, parse_volume, text_of

Path = tuple[str | int, ...]


class Origin(NamedTuple):
    """Where a value stands: index of the file in the project, path from the root of its document."""

    file: int
    path: Path


class Map(dict[str, Any]):
    """A mapping that knows where each of its values stands (``origins`` has the same keys)."""

    __slots__ = ("origins",)

    def __init__(self) -> None:
        super().__init__()
        self.origins: dict[str, Origin] = {}

    def put(self, key: str, value: Any, origin: Origin) -> None:
        """Set a value together with its origin."""
        self[key] = value
        self.origins[key] = origin


class Seq(list[Any]):
    """A list that knows where each of its items stands (``origins`` is as long as the list)."""

    __slots__ = ("origins",)

    def __init__(self) -> None:
        super().__init__()
        self.origins: list[Origin] = []

    def put(self, value: Any, origin: Origin) -> None:
        """Append an item together with its origin."""
        self.append(value)
        self.origins.append(origin)


class Unresolved(Scalar):
    """A text with a variable that has neither value nor default: ``${VARIABLE}`` is still in it."""

    __slots__ = ()


class Conflict(Exception):
    """Two files give a value different shapes. ``path`` is the place in the service, ``origin`` the later value."""

    def __init__(self, path: Path, origin: Origin) -> None:
        super().__init__(".".join(str(part) for part in path))
        self.path = path
        self.origin = origin


def locate(
    value: Any, file: int, path: Path, cleared: list[Path], text: Callable[[Scalar, Path], Scalar] | None = None
) -> Any:
    """Copy plain data into Map and Seq with origins.

    Args:
        value: data of a document (dict, list, Scalar or None).
        file: index of the file in the project.
        path: where the value stands in its document.
        cleared: gets the path of every value tagged ``!reset`` (left out of the copy) or ``!override`` (kept): what
            earlier files say there does not count.
        text: makes the effective scalar of a scalar (substitution of variables).
    """
    if isinstance(value, dict):
        mapping = Map()
        for key, item in value.items():
            place = (*path, key)
            if not _clears(item, place, cleared):
                mapping.put(key, locate(item, file, place, cleared, text), Origin(file, place))
        return mapping
    if isinstance(value, list):
        sequence = Seq()
        for index, item in enumerate(value):
            place = (*path, index)
            if not _clears(item, place, cleared):
                sequence.put(locate(item, file, place, cleared, text), Origin(file, place))
        return sequence
    if isinstance(value, Scalar):
        return value if text is None else text(value, path)
    return None


def _clears(value: Any, path: Path, cleared: list[Path]) -> bool:
    """Note a ``!reset`` or ``!override``; return True where the value itself goes too."""
    tag = tag_of(value)
    if tag in ("!reset", "!override"):
        cleared.append(path)
    return tag == "!reset"


def clear(target: Any, paths: Sequence[Path]) -> None:
    """Remove from a tree of Map what ``!reset`` and ``!override`` of a later file take away.

    Items of lists stay, as in Compose.
    """
    for path in paths:
        parent = target
        for part in path[:-1]:
            parent = parent.get(str(part)) if isinstance(parent, Map) else None
        if isinstance(parent, Map) and path[-1] in parent:
            key = str(path[-1])
            del parent[key]
            del parent.origins[key]


def copy(value: Any) -> Any:
    """Copy a tree of Map and Seq; scalars are shared."""
    if isinstance(value, Map):
        mapping = Map()
        for key, item in value.items():
            mapping.put(key, copy(item), value.origins[key])
        return mapping
    if isinstance(value, Seq):
        sequence = Seq()
        for item, origin in zip(value, value.origins):
            sequence.put(copy(item), origin)
        return sequence
    return value


def merge_service(base: Map, over: Map) -> Map:
    """Lay a service over another, in place of the first, which is returned.

    Raises:
        Conflict: a mapping stands where the other has a list, or the like.
    """
    return _mappings(base, over, ())


def merge_section(base: Map, over: Map) -> Map:
    """Lay other top-level content (networks, volumes, ``x-``...) over another: mappings merge, lists are joined."""
    return _mappings(base, over, ("",))


def _mappings(base: Map, over: Map, path: Path) -> Map:
    """Merge key by key."""
    for key, value in over.items():
        origin = over.origins[key]
        if key not in base or key.startswith("x-"):
            base.put(key, value, origin)
            continue
        place = (*path, key)
        merged = _merge(base[key], value, place, origin, base.origins[key])
        if value is not None or merged is not base[key]:
            base.put(key, merged, origin)
    return base


def _merge(base: Any, over: Any, path: Path, origin: Origin, base_origin: Origin) -> Any:
    """Merge one value by the rule of its path."""
    rule = _rule(path)
    if rule == "replace":
        return over
    if over is None:
        return base
    if rule == "pairs":
        return _pairs(base, over, path, origin, base_origin)
    if rule == "names":
        base, over = _names(base, base_origin), _names(over, origin)
    elif rule == "dependencies":
        base, over = _dependencies(base, base_origin), _dependencies(over, origin)
    elif rule == "lists":
        return _unique(_join(_as_list(base, base_origin), _as_list(over, origin)), path)
    elif rule == "build":
        base, over = _build(base, base_origin), _build(over, origin)
    elif rule == "logging" and isinstance(base, Map) and isinstance(over, Map):
        drivers = (base.get("driver"), over.get("driver"))
        if None not in drivers and drivers[0] != drivers[1]:
            return over
    if base is None:
        return over
    if isinstance(base, Map):
        if not isinstance(over, Map):
            raise Conflict(path, origin)
        return _mappings(base, over, path)
    if isinstance(base, Seq):
        if not isinstance(over, Seq):
            raise Conflict(path, origin)
        return _unique(_join(base, over), path)
    return over


_RULES: dict[Path, str] = {
    ("command",): "replace",
    ("entrypoint",): "replace",
    ("healthcheck", "test"): "replace",
    ("build",): "build",
    ("depends_on",): "dependencies",
    ("networks",): "names",
    ("logging",): "logging",
    ("annotations",): "pairs",
    ("environment",): "pairs",
    ("labels",): "pairs",
    ("sysctls",): "pairs",
    ("deploy", "labels"): "pairs",
    ("build", "args"): "pairs",
    ("build", "additional_contexts"): "pairs",
    ("build", "labels"): "pairs",
    ("dns",): "lists",
    ("dns_opt",): "lists",
    ("dns_search",): "lists",
    ("env_file",): "lists",
    ("label_file",): "lists",
    ("extra_hosts",): "lists",
    ("build", "extra_hosts"): "lists",
    ("tmpfs",): "lists",
}


def _rule(path: Path) -> str:
    """Return the name of the rule for a path inside a service, or ""."""
    if len(path) == 2 and path[0] == "ulimits":
        return "replace"
    return _RULES.get(path, "")


def _as_list(value: Any, origin: Origin) -> Seq:
    """Give a value its list form."""
    if isinstance(value, Seq):
        return value
    sequence = Seq()
    if isinstance(value, Map):
        for key, item in value.items():
            for single in item if isinstance(item, Seq) else (item,):
                text = text_of(single)
                joined = key if text is None else f"{key}={text}"
                sequence.put(Scalar(joined, plain=False), value.origins[key])
    elif value is not None:
        sequence.put(value, origin)
    return sequence


def _join(base: Seq, over: Seq) -> Seq:
    """Append the items of one list to another."""
    for item, origin in zip(over, over.origins):
        base.put(item, origin)
    return base


def _pairs(base: Any, over: Any, path: Path, origin: Origin, base_origin: Origin) -> Any:
    """Merge ``KEY=VALUE`` by key, each side in either form. The form of the base is kept; a bare key counts."""
    if isinstance(base, Map):
        if not isinstance(over, Map):
            over = _pairs_map(_as_list(over, origin))
        for key, value in over.items():
            base.put(key, value, over.origins[key])
        return base
    return _unique(_join(_as_list(base, base_origin), _as_list(over, origin)), path)


def _pairs_map(items: Seq) -> Map:
    """Turn a list of ``KEY=VALUE`` into a mapping."""
    mapping = Map()
    for item, origin in zip(items, items.origins):
        key, found, value = (text_of(item) or "").partition("=")
        mapping.put(key, Scalar(value, plain=False) if found else None, origin)
    return mapping


def _names(value: Any, origin: Origin) -> Any:
    """Turn the list form of ``networks`` into a mapping."""
    if not isinstance(value, Seq):
        return value
    mapping = Map()
    for item, item_origin in zip(value, value.origins):
        mapping.put(text_of(item) or "", None, item_origin)
    return mapping


def _dependencies(value: Any, origin: Origin) -> Any:
    """Turn the list form of ``depends_on`` into a mapping. It states the defaults, so it overrides a condition."""
    mapping = _names(value, origin)
    if isinstance(value, Seq):
        for name, item_origin in mapping.origins.items():
            stated = Map()
            stated.put("condition", Scalar("service_started"), item_origin)
            stated.put("required", Scalar("true"), item_origin)
            mapping[name] = stated
    return mapping


def _build(value: Any, origin: Origin) -> Any:
    """Turn ``build: PATH`` into its mapping form."""
    if not isinstance(value, Scalar):
        return value
    mapping = Map()
    mapping.put("context", value, origin)
    return mapping


def _unique(items: Seq, path: Path) -> Seq:
    """Keep one item per key: the last one, at the place of the first."""
    index_of = _INDEXERS.get(path)
    if index_of is None and len(path) == 3 and path[0] == "networks" and path[2] in ("aliases", "link_local_ips"):
        index_of = _by_key
    if index_of is None:
        return items
    kept = Seq()
    places: dict[str, int] = {}
    for item, origin in zip(items, items.origins):
        key = index_of(item)
        if key in places:
            kept[places[key]] = item
            kept.origins[places[key]] = origin
        else:
            places[key] = len(kept)
            kept.put(item, origin)
    return kept


def _by_key(item: Any) -> str:
    return (text_of(item) or "").partition("=")[0] if not isinstance(item, (Map, Seq)) else repr(item)


def _by_text(item: Any) -> str:
    return text_of(item) or "" if not isinstance(item, (Map, Seq)) else repr(item)


def _by_path(item: Any) -> str:
    return text_of(item.get("path")) or "" if isinstance(item, Map) else _by_text(item)


def _by_port(item: Any) -> str:
    """Index a port by what it publishes. A range is one item: the accessor sorts out what it overlaps."""
    if isinstance(item, Map):
        host = text_of(item.get("host_ip")) or ""
        published = text_of(item.get("published")) or ""
        return f"{host}:{published}:{text_of(item.get('target'))}/{text_of(item.get('protocol')) or 'tcp'}"
    try:
        ports = parse_port(_by_text(item))
    except ValueError:
        return _by_text(item)
    first = ports[0]
    key = f"{first.host_ip}:{first.published}:{first.target}/{first.protocol}"
    return key if len(ports) == 1 else f"{key}+{len(ports)}"


def _by_target(item: Any) -> str:
    if isinstance(item, Map):
        return (text_of(item.get("target")) or "").rstrip("/")
    try:
        return parse_volume(_by_text(item)).target.rstrip("/")
    except ValueError:
        return _by_text(item)


def _by_device(item: Any) -> str:
    if isinstance(item, Map):
        return text_of(item.get("target")) or ""
    parts = _by_text(item).split(":")
    return parts[0] if len(parts) == 1 else parts[1]


def _by_mount(default: str) -> Callable[[Any], str]:
    def index(item: Any) -> str:
        if isinstance(item, Map):
            return text_of(item.get("target")) or f"{default}/{text_of(item.get('source'))}"
        return f"{default}/{_by_text(item)}"

    return index


_INDEXERS: dict[Path, Callable[[Any], str]] = {
    ("annotations",): _by_key,
    ("build", "additional_contexts"): _by_key,
    ("build", "args"): _by_key,
    ("build", "labels"): _by_key,
    ("build", "tags"): _by_key,
    ("cap_add",): _by_key,
    ("cap_drop",): _by_key,
    ("configs",): _by_mount(""),
    ("deploy", "labels"): _by_key,
    ("devices",): _by_device,
    ("dns",): _by_key,
    ("dns_opt",): _by_key,
    ("dns_search",): _by_key,
    ("env_file",): _by_path,
    ("environment",): _by_key,
    ("expose",): _by_text,
    # Compose leaves out only exact repetitions here.
    ("extra_hosts",): _by_text,
    ("build", "extra_hosts"): _by_text,
    ("labels",): _by_key,
    ("links",): _by_key,
    ("ports",): _by_port,
    ("profiles",): _by_key,
    ("secrets",): _by_mount("/run/secrets"),
    ("sysctls",): _by_key,
    ("tmpfs",): _by_key,
    ("volumes",): _by_target,
}
