# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generations: what the files of a project were before a run changed them, and what the run made of them.

This module util is PRIVATE to the collection.

Layout, beside the user's files, all of it 0700 and owned as the project folder is::

    .breakwater/lock.json
    .breakwater/generations/<id>/manifest.json
    .breakwater/generations/<id>/before-0, after-0, before-1, ...

A generation appears as a whole, by one rename, before the first file of the project changes; from then on only its
manifest is replaced, atomically. What a killed run has done is read from the hashes of the project's files: each one is
as before, as after, or something that somebody else wrote.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.breakwater.stack.plugins.module_utils import _atomic, _transport
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError, os_error

ROOT = ".breakwater"
_IGNORE = ".gitignore"
FORMAT = 1
KEPT_GENERATIONS = 20
_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")
_GENERATION_LIMIT = 16 * 1024 * 1024


class Replacement(NamedTuple):
    """A file of the project before and after: what a generation keeps.

    Attributes:
        path: relative to the project folder where it lies inside, else absolute.
        before: its bytes; None when the file is about to appear.
        after: its new bytes; None when the file is about to go.
        mode: permission bits before; those after where it appears.
        uid, gid: owner and group in the same way.
    """

    path: str
    before: bytes | None
    after: bytes | None
    mode: int
    uid: int
    gid: int


def root_of(directory: str) -> str:
    """Give the folder of Breakwater in a project folder."""
    return os.path.join(directory, ROOT)


def _generations_folder(directory: str) -> str:
    return os.path.join(directory, ROOT, "generations")


def absolute(directory: str, path: str) -> str:
    """Give the absolute path of a file of the project."""
    return os.path.normpath(os.path.join(directory, path))


def make_folder(path: str, owner: os.stat_result, mode: int = 0o700) -> bool:
    """Make one folder, owned as told, durable; False when it exists already.

    Raises:
        StackError: something else is there, or it cannot be made.
    """
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if os.path.islink(path) or not os.path.isdir(path):
            raise StackError(f"{path}: is not a folder; move it away and run again") from None
        return False
    except OSError as error:
        raise os_error(error, path, "make the folder") from None
    try:
        os.chmod(path, mode)
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)
        _atomic.sync_folder(os.path.dirname(path))
    except OSError as error:
        raise os_error(error, path, "make the folder") from None
    return True


def ensure_root(directory: str) -> str:
    """Make the folder of Breakwater where it is missing, closed to others and ignored by Git.

    Raises:
        StackError: it cannot be made.
    """
    root = root_of(directory)
    try:
        owner = os.stat(directory)
    except OSError as error:
        raise os_error(error, directory, "open the project folder") from None
    make_folder(root, owner)
    make_folder(_generations_folder(directory), owner)
    ignore = os.path.join(root, _IGNORE)
    if not os.path.lexists(ignore):
        put(ignore, b"# Made by Breakwater: copies of files, which may hold secrets\n*\n", owner)
    return root


def drop_unused_root(directory: str) -> None:
    """Remove the folder of Breakwater again, if it holds nothing but what ensure_root makes."""
    root = root_of(directory)
    with contextlib.suppress(OSError):
        if set(os.listdir(root)) <= {"generations", _IGNORE}:
            # Only an empty folder can be removed, so generations stay, and with them the rest.
            os.rmdir(_generations_folder(directory))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(root, _IGNORE))
            os.rmdir(root)


def put(path: str, content: bytes, owner: os.stat_result) -> None:
    """Write a file of Breakwater's own (0600), whatever was there before.

    Raises:
        StackError: it cannot be written.
    """
    before = _atomic.read_regular(path, _GENERATION_LIMIT)
    write = _atomic.Write(path, content, before.sha256 if before else None, 0o600, owner.st_uid, owner.st_gid)
    staged = _atomic.stage(write if os.geteuid() == 0 else write._replace(uid=-1, gid=-1))
    try:
        _atomic.commit(staged)
    except BaseException:
        _atomic.discard(staged)
        raise


def identifiers(directory: str) -> list[str]:
    """List the generations of a project, oldest first."""
    try:
        names = os.listdir(_generations_folder(directory))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise os_error(error, _generations_folder(directory), "list the generations") from None
    return sorted(name for name in names if _ID.fullmatch(name))


def load(directory: str, identifier: str) -> dict[str, Any]:
    """Read the manifest of a generation.

    Raises:
        StackError: no such generation, or its manifest is damaged.
    """
    folder = os.path.join(_generations_folder(directory), identifier)
    path = os.path.join(folder, "manifest.json")
    state = _atomic.read_regular(path, _GENERATION_LIMIT) if _ID.fullmatch(identifier) else None
    if state is None:
        known = ", ".join(identifiers(directory)[-5:]) or "none"
        raise StackError(f"{directory}: there is no generation {identifier}; the latest are: {known}")
    try:
        manifest = json.loads(state.content)
        damaged = not isinstance(manifest, dict) or manifest["id"] != identifier or not manifest["state"]
    except (ValueError, KeyError):
        damaged = True
    if damaged:
        raise StackError(f"{path}: is damaged; compare the copies beside it with your files, then move {folder} away")
    if manifest.get("format") != FORMAT:
        raise StackError(f"{path}: was written by another version of Breakwater; use that version to settle it")
    return dict(manifest)


def find(directory: str, which: str) -> dict[str, Any] | None:
    """Find a generation.

    Args:
        directory: the project folder.
        which: "open", "latest", "latest_kept", or an id.

    Returns:
        Its manifest; None when there is none that is open (or none at all).

    Raises:
        StackError: an id that does not exist, or a damaged manifest.
    """
    if which not in ("open", "latest", "latest_kept"):
        return load(directory, which)
    states = {"open": ("open",), "latest": ("open", "kept", "restored"), "latest_kept": ("kept",)}[which]
    for identifier in reversed(identifiers(directory)):
        manifest = load(directory, identifier)
        if manifest["state"] in states:
            return manifest
    return None


def create(directory: str, facts: Mapping[str, Any], replacements: Sequence[Replacement]) -> dict[str, Any]:
    """Open a generation: durable copies of everything that is about to change, before any of it changes.

    Args:
        directory: the project folder; ensure_root was called.
        facts: run_id, who, why, changes, services, folders (JSON values).
        replacements: the files.

    Raises:
        StackError: it cannot be written; nothing is left behind.
    """
    owner = os.stat(directory)
    parent = _generations_folder(directory)
    now = time.time()
    identifier = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}-{os.urandom(2).hex()}"
    manifest = {"format": FORMAT, "id": identifier, "state": "open", "opened": now, **facts}
    manifest["files"] = [_entry(index, item) for index, item in enumerate(replacements)]
    new = os.path.join(parent, f".new-{identifier}")
    try:
        make_folder(new, owner)
        for entry, item in zip(manifest["files"], replacements):
            if item.before is not None:
                put(os.path.join(new, entry["copy"]), item.before, owner)
            if item.after is not None:
                put(os.path.join(new, entry["after_copy"]), item.after, owner)
        put(os.path.join(new, "manifest.json"), _render(manifest), owner)
        os.rename(new, os.path.join(parent, identifier))
        _atomic.sync_folder(parent)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise os_error(error, parent, "open a generation") from None
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return manifest


def _entry(index: int, item: Replacement) -> dict[str, Any]:
    """Describe one file for the manifest."""
    return {
        "path": item.path,
        "before_sha256": None if item.before is None else _atomic.sha256(item.before),
        "after_sha256": None if item.after is None else _atomic.sha256(item.after),
        "mode": item.mode,
        "uid": item.uid,
        "gid": item.gid,
        "copy": None if item.before is None else f"before-{index}",
        "after_copy": None if item.after is None else f"after-{index}",
    }


def _render(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode("ascii")


def close(directory: str, manifest: Mapping[str, Any], state: str, note: str = "") -> dict[str, Any]:
    """Settle a generation as "kept" or "restored".

    Raises:
        StackError: the manifest cannot be written.
    """
    closed = {**manifest, "state": state, "closed": time.time()}
    if note:
        closed["note"] = note
    path = os.path.join(_generations_folder(directory), str(manifest["id"]), "manifest.json")
    put(path, _render(closed), os.stat(directory))
    return closed


def copy_of(directory: str, manifest: Mapping[str, Any], entry: Mapping[str, Any], which: str) -> bytes | None:
    """Read the copy of a file in a generation.

    Args:
        directory: the project folder.
        manifest: the generation.
        entry: the file's entry in it.
        which: "before" or "after".

    Returns:
        The bytes; None where there was no file.

    Raises:
        StackError: the copy is missing or is not what the manifest says.
    """
    name = entry["copy" if which == "before" else "after_copy"]
    if name is None:
        return None
    path = os.path.join(_generations_folder(directory), str(manifest["id"]), os.path.basename(str(name)))
    state = _atomic.read_regular(path)
    if state is None or state.sha256 != entry[f"{which}_sha256"]:
        raise StackError(f"{path}: is missing or damaged, so {entry['path']} cannot be brought back from it")
    return state.content


def status_of(directory: str, entry: Mapping[str, Any]) -> tuple[str, _atomic.FileState | None]:
    """Say how a file of a generation stands now.

    Returns:
        "before", "after", "changed" (someone wrote something else), "deleted" (someone removed it) or "unreadable" (a
        link, a folder ... stands in its place), and the file as it is.
    """
    try:
        now = _atomic.read_regular(absolute(directory, str(entry["path"])))
    except StackError:
        return "unreadable", None
    if now is None:
        return {entry["before_sha256"]: "before", entry["after_sha256"]: "after"}.get(None, "deleted"), None
    if now.sha256 == entry["after_sha256"]:
        return "after", now
    if now.sha256 == entry["before_sha256"]:
        return "before", now
    return "changed", now


def describe(directory: str, manifest: Mapping[str, Any], contents: bool) -> dict[str, Any]:
    """Give a generation as readings carry it: the manifest, and for each file how it stands now.

    Args:
        directory: the project folder.
        manifest: the generation.
        contents: add the bytes before, after and now (base64) to each file.
    """
    files = []
    for entry in manifest["files"]:
        status, now = status_of(directory, entry)
        described = {**entry, "status": status, "current_sha256": now.sha256 if now else None}
        if contents:
            before = copy_of(directory, manifest, entry, "before")
            after = copy_of(directory, manifest, entry, "after")
            described["before_content"] = None if before is None else _transport.encode(before)
            described["after_content"] = None if after is None else _transport.encode(after)
            described["current_content"] = _transport.encode(now.content) if now else None
        files.append(described)
    return {**manifest, "files": files}


def history(directory: str) -> list[dict[str, Any]]:
    """List the generations, newest first, without their files."""
    keys = ("id", "state", "opened", "closed", "who", "why", "run_id", "note", "services")
    manifests = (load(directory, identifier) for identifier in reversed(identifiers(directory)))
    return [{key: manifest.get(key) for key in keys} for manifest in manifests]


def prune(directory: str, keep: int = KEPT_GENERATIONS) -> list[str]:
    """Remove old generations, never an open one and never the newest of those that are kept.

    Returns:
        The ids that were removed.
    """
    settled = [name for name in identifiers(directory) if load(directory, name)["state"] != "open"]
    old = settled[: -max(1, keep)]
    for identifier in old:
        drop(directory, identifier)
    return old


def drop(directory: str, identifier: str) -> None:
    """Remove a generation. Works on a full disk.

    Raises:
        StackError: it cannot be removed.
    """
    folder = os.path.join(_generations_folder(directory), identifier)
    # Renamed first: a run that is killed in the middle leaves no generation without its manifest.
    doomed = os.path.join(_generations_folder(directory), f".old-{identifier}")
    try:
        os.rename(folder, doomed)
    except OSError as error:
        raise os_error(error, folder, "remove the generation") from None
    shutil.rmtree(doomed, ignore_errors=True)


def clean(directory: str, folders: Sequence[str]) -> list[str]:
    """Remove what killed runs left: temporary files and generations that never opened. Only for the lock's holder.

    Args:
        directory: the project folder.
        folders: folders with files of the project, absolute; those of an open generation are known anyway.

    Returns:
        The paths that were removed.
    """
    parent = _generations_folder(directory)
    removed = []
    own = [root_of(directory), parent, *(os.path.join(parent, name) for name in identifiers(directory))]
    still_open = find(directory, "open") or {"files": []}
    touched = {os.path.dirname(absolute(directory, entry["path"])) for entry in still_open["files"]}
    for folder in {directory, *folders, *touched, *own}:
        for path in _atomic.leftovers(folder):
            with contextlib.suppress(OSError):
                os.unlink(path)
                removed.append(path)
    for name in os.listdir(parent) if os.path.isdir(parent) else []:
        if name.startswith((".new-", ".old-")):
            shutil.rmtree(os.path.join(parent, name), ignore_errors=True)
            removed.append(os.path.join(parent, name))
    return sorted(removed)
