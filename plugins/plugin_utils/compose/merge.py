# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Compose lays one file over another, with the origin of every value kept.

Rules: package ``override`` of github.com/compose-spec/compose-go v2.4.8 (merge.go, uncity.go) and loader/reset.go.
Where Compose rewrites short forms on the way, the forms of the files are kept here: an editor must see what is there.
"""

from __future__ import annotations

from collections.abc import Callable

from .expand import Scalar
from .origins import Map, Origin, Path, Seq
from .short_forms import parse_port, parse_volume, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Conflict(Exception):
    """Two files give a value different shapes. ``path`` is the place in the service, ``origin`` the later value."""

    def __init__(self, path: Path, origin: Origin) -> None:
        super().__init__(".".join(str(part) for part in path if part))
        self.path = path
        self.origin = origin


def merge_service(base: Map, over: Map) -> Map:
    """Lay a service over another, in place of the first, which is returned.

    Raises:
        Conflict: a mapping stands where the other has a list, or the like.
    """
    return _mappings(base, over, ())


def merge_section(base: Map, over: Map) -> Map:
    """Lay other top-level content (networks, volumes, ``x-``...) over another: mappings merge, lists are joined."""
    return _mappings(base, over, ("",))


class _Place:
    """What a rule is told besides the two values: the path in the service, and where each of them stands."""

    __slots__ = ("base_origin", "origin", "path")

    def __init__(self, path: Path, origin: Origin, base_origin: Origin) -> None:
        self.path = path
        self.origin = origin
        self.base_origin = base_origin


if TYPE_CHECKING:
    _Rule = Callable[[Any, Any, _Place], Any]


def _mappings(base: Map, over: Map, path: Path) -> Map:
    """Merge key by key."""
    for key, value in over.items():
        origin = over.origins[key]
        if key not in base or key.startswith("x-"):
            base.put(key, value, origin)
            continue
        merged = _merge(base[key], value, _Place((*path, key), origin, base.origins[key]))
        if value is not None or merged is not base[key]:
            base.put(key, merged, origin)
    return base


def _merge(base: Any, over: Any, place: _Place) -> Any:
    """Merge one value by the rule of its path."""
    rule = _replace if len(place.path) == 2 and place.path[0] == "ulimits" else _RULES.get(place.path, _general)
    return rule(base, over, place)


def _general(base: Any, over: Any, place: _Place) -> Any:
    """Merge mappings, join lists, let anything else replace."""
    if over is None or base is None:
        return base if over is None else over
    if isinstance(base, Map):
        if not isinstance(over, Map):
            raise Conflict(place.path, place.origin)
        return _mappings(base, over, place.path)
    if isinstance(base, Seq):
        if not isinstance(over, Seq):
            raise Conflict(place.path, place.origin)
        return _unique(_join(base, over), place.path)
    return over


def _replace(_base: Any, over: Any, _place: _Place) -> Any:
    """Let the later value replace the earlier one, even by null."""
    return over


def _lists(base: Any, over: Any, place: _Place) -> Any:
    """Join values that may be a single text, a list or a mapping, as lists."""
    if over is None:
        return base
    return _unique(_join(_as_list(base, place.base_origin), _as_list(over, place.origin)), place.path)


def _pairs(base: Any, over: Any, place: _Place) -> Any:
    """Merge ``KEY=VALUE`` by key, each side in either form. The form of the base is kept; a bare key counts."""
    if over is None:
        return base
    if not isinstance(base, Map):
        return _lists(base, over, place)
    if not isinstance(over, Map):
        over = _pairs_map(_as_list(over, place.origin))
    for key, value in over.items():
        base.put(key, value, over.origins[key])
    return base


def _networks(base: Any, over: Any, place: _Place) -> Any:
    """Merge names of networks, each side in either form."""
    return _general(_names(base), _names(over), place)


def _dependencies(base: Any, over: Any, place: _Place) -> Any:
    """Merge ``depends_on``, each side in either form. The list form states the defaults: it overrides a condition."""
    return _general(_stated(base), _stated(over), place)


def _build(base: Any, over: Any, place: _Place) -> Any:
    """Merge ``build``, each side a path or a mapping."""
    return _general(_build_map(base, place.base_origin), _build_map(over, place.origin), place)


def _logging(base: Any, over: Any, place: _Place) -> Any:
    """Merge ``logging``: the options of another driver do not count."""
    if isinstance(base, Map) and isinstance(over, Map):
        drivers = (base.get("driver"), over.get("driver"))
        if None not in drivers and drivers[0] != drivers[1]:
            return over
    return _general(base, over, place)


_RULES: dict[Path, _Rule] = {
    ("annotations",): _pairs,
    ("build",): _build,
    ("build", "additional_contexts"): _pairs,
    ("build", "args"): _pairs,
    ("build", "extra_hosts"): _lists,
    ("build", "labels"): _pairs,
    ("command",): _replace,
    ("depends_on",): _dependencies,
    ("deploy", "labels"): _pairs,
    ("dns",): _lists,
    ("dns_opt",): _lists,
    ("dns_search",): _lists,
    ("entrypoint",): _replace,
    ("env_file",): _lists,
    ("environment",): _pairs,
    ("extra_hosts",): _lists,
    ("healthcheck", "test"): _replace,
    ("label_file",): _lists,
    ("labels",): _pairs,
    ("logging",): _logging,
    ("networks",): _networks,
    ("sysctls",): _pairs,
    ("tmpfs",): _lists,
}


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
    for item, origin in zip(over, over.origins, strict=True):
        base.put(item, origin)
    return base


def _pairs_map(items: Seq) -> Map:
    """Turn a list of ``KEY=VALUE`` into a mapping."""
    mapping = Map()
    for item, origin in zip(items, items.origins, strict=True):
        key, found, value = (text_of(item) or "").partition("=")
        mapping.put(key, Scalar(value, plain=False) if found else None, origin)
    return mapping


def _names(value: Any) -> Any:
    """Turn a list of names into a mapping."""
    if not isinstance(value, Seq):
        return value
    mapping = Map()
    for item, origin in zip(value, value.origins, strict=True):
        mapping.put(text_of(item) or "", None, origin)
    return mapping


def _stated(value: Any) -> Any:
    """Turn the list form of ``depends_on`` into a mapping with the defaults."""
    mapping = _names(value)
    if isinstance(value, Seq):
        for name, origin in mapping.origins.items():
            stated = Map()
            stated.put("condition", Scalar("service_started"), origin)
            stated.put("required", Scalar("true"), origin)
            mapping[name] = stated
    return mapping


def _build_map(value: Any, origin: Origin) -> Any:
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
    for item, origin in zip(items, items.origins, strict=True):
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
