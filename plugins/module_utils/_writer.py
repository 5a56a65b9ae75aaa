# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one writer: all files of a run at once, and all of them back.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.breakwater.stack.plugins.module_utils import _atomic, _generations
from ansible_collections.breakwater.stack.plugins.module_utils._errors import StackError, os_error

DEFAULT_MODE = 0o644


class NewFile(NamedTuple):
    """A file as a run wants it.

    Attributes:
        path: relative to the project folder, or absolute.
        content: the bytes; None where the file is to go.
        expected: sha256 of what was planned from; None when the file must not exist yet.
        mode: permission bits; None keeps those of the file (0644 for one that appears).
        uid, gid: owner and group; None keeps those of the file (those of the folder for one that appears).
    """

    path: str
    content: bytes | None
    expected: str | None
    mode: int | None
    uid: int | None = None
    gid: int | None = None


class Outcome(NamedTuple):
    """What a write or a restore did, or would do in check mode.

    Attributes:
        changed: whether any file differs.
        files: for each file: path, action ("create", "replace", "remove", "none"), before_sha256, after_sha256.
        generation: the manifest; None when none was opened.
    """

    changed: bool
    files: list[dict[str, Any]]
    generation: dict[str, Any] | None


class _Planned(NamedTuple):
    """One file of a write, with what is there now; `goes` where it is removed."""

    write: _atomic.Write
    path: str
    before: _atomic.FileState | None
    goes: bool

    @property
    def action(self) -> str:
        """What is done to the file, as outcomes say it."""
        return "remove" if self.goes else "replace" if self.before else "create"


def check_directory(directory: str) -> str:
    """Give the absolute path of a project folder.

    Raises:
        StackError: it does not exist, is no folder, or is not ours to read.
    """
    path = os.path.abspath(directory)
    if not os.path.lexists(path):
        raise StackError(f"{path}: the project folder does not exist; check project_dir")
    if not os.path.isdir(path):
        raise StackError(f"{path}: is not a folder; project_dir is the folder that holds the Compose file")
    if not os.access(path, os.R_OK | os.X_OK):
        raise StackError(f"{path}: permission denied; run as a user who may read it (for instance with become: true)")
    return path


def _plan(directory: str, files: Sequence[NewFile]) -> list[_Planned]:
    """Read what is there and keep the files that really change; nothing is touched.

    Raises:
        StackError: a file is not the one that was planned from.
    """
    planned = []
    seen = set()
    for file in files:
        path = _generations.absolute(directory, file.path)
        if path in seen:
            raise StackError(f"{path}: is given twice")
        if path.startswith(_generations.root_of(directory) + os.sep):
            raise StackError(f"{path}: lies in the folder that Breakwater keeps for itself")
        seen.add(path)
        before = _atomic.read_regular(path)
        write = _write(path, file, before)
        _atomic.check_unchanged(write)
        if file.content is None:
            differs = before is not None
        else:
            differs = before is None or before != before._replace(
                content=file.content, mode=write.mode, uid=write.uid, gid=write.gid
            )
        if differs:
            planned.append(_Planned(write, _shown(directory, path), before, file.content is None))
    return planned


def _write(path: str, file: NewFile, before: _atomic.FileState | None) -> _atomic.Write:
    """Complete a wanted file by what is there, or by its folder."""
    owner = _owner(path) if before is None else None
    uid, gid = (before.uid, before.gid) if before else (owner.st_uid, owner.st_gid) if owner else (-1, -1)
    return _atomic.Write(
        path,
        file.content or b"",
        file.expected,
        file.mode if file.mode is not None else before.mode if before else DEFAULT_MODE,
        uid if file.uid is None else file.uid,
        gid if file.gid is None else file.gid,
    )


def _owner(path: str) -> os.stat_result | None:
    """Give the owner for a file that appears: that of the nearest folder that exists; None when we cannot give away."""
    if os.geteuid() != 0:
        return None
    folder = os.path.dirname(path)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return os.stat(folder)


def _shown(directory: str, path: str) -> str:
    """Give a path as manifests keep it: relative where it lies in the project folder."""
    return os.path.relpath(path, directory) if path.startswith(directory + os.sep) else path


def _missing_folders(directory: str, paths: Sequence[str]) -> list[str]:
    """List the folders to be made, outermost first.

    Raises:
        StackError: a folder is missing outside the project.
    """
    missing: list[str] = []
    for path in paths:
        folder = os.path.dirname(path)
        needed: list[str] = []
        while not os.path.isdir(folder):
            if not folder.startswith(directory + os.sep):
                raise StackError(f"{path}: the folder {folder} does not exist; make it and run again")
            if folder not in missing:
                needed.insert(0, folder)
            folder = os.path.dirname(folder)
        missing.extend(needed)
    return missing


def write(directory: str, files: Sequence[NewFile], facts: Mapping[str, Any], check: bool) -> Outcome:
    """Write all files of a run, or none of them.

    Args:
        directory: the project folder, absolute; its lock is held (not in check mode).
        files: the files; those that have the content already are left alone.
        facts: run_id, who, why, changes, services for the generation.
        check: only say what would happen.

    Raises:
        StackError: something is not as planned or cannot be written; the files are all as they were.
    """
    planned = _plan(directory, files)
    shown = [_action(item) for item in planned]
    if check or not planned:
        return Outcome(bool(planned), shown, None)
    still_open = _generations.find(directory, "open")
    if still_open is not None:
        raise StackError(
            f"{directory}: generation {still_open['id']} (run {still_open.get('run_id')}) is still open; "
            "keep or restore it first: a run writes once"
        )
    _generations.ensure_root(directory)
    folders = _missing_folders(directory, [item.write.path for item in planned])
    recorded = {**facts, "folders": [_shown(directory, folder) for folder in folders]}
    manifest = _generations.create(directory, recorded, [_replacement(item) for item in planned])
    try:
        _make_folders(directory, folders)
        _replace_all([item.write for item in planned if not item.goes])
        for item in planned:
            if item.goes and item.before:
                _atomic.remove(item.write.path, item.before.sha256)
                _drop_empty_folders(directory, item.write.path)
    except StackError:
        _undo(directory, manifest)
        raise
    return Outcome(True, shown, manifest)


def _replacement(item: _Planned) -> _generations.Replacement:
    """Give what a generation keeps of a file."""
    old, new = item.before, item.write
    mode, uid, gid = (old.mode, old.uid, old.gid) if old else (new.mode, new.uid, new.gid)
    after = None if item.goes else new.content
    return _generations.Replacement(item.path, old.content if old else None, after, mode, uid, gid)


def _drop_empty_folders(directory: str, path: str) -> None:
    """Remove the folders of a file that went, as far as they are empty now; the project folder stays."""
    folder = os.path.dirname(path)
    with contextlib.suppress(OSError):
        while folder.startswith(directory + os.sep):
            os.rmdir(folder)
            folder = os.path.dirname(folder)


def _action(item: _Planned) -> dict[str, Any]:
    """Describe one file of a write."""
    return {
        "path": item.path,
        "action": item.action,
        "before_sha256": item.before.sha256 if item.before else None,
        "after_sha256": None if item.goes else _atomic.sha256(item.write.content),
    }


def _make_folders(directory: str, folders: Sequence[str]) -> None:
    """Make the folders of files that appear, readable as folders usually are."""
    owner = os.stat(directory)
    for folder in folders:
        _generations.make_folder(folder, owner, 0o755)


def _replace_all(writes: Sequence[_atomic.Write]) -> None:
    """Stage every file before the first one changes, then change them all."""
    with contextlib.ExitStack() as cleanup:
        staged = []
        for item in writes:
            waiting = _atomic.stage(item)
            cleanup.callback(_atomic.discard, waiting)
            staged.append(waiting)
        for item in writes:
            _atomic.check_unchanged(item)
        for waiting in staged:
            _atomic.commit(waiting)


def _undo(directory: str, manifest: dict[str, Any]) -> None:
    """Bring back what a failed write has changed, and forget it; if that fails too, the next run finds it open."""
    with contextlib.suppress(StackError):
        _bring_back(directory, manifest, _decide(directory, manifest, {}))
        _generations.drop(directory, manifest["id"])


class _Decision(NamedTuple):
    """What a restore does to one file: write is None where it is removed; action says what it is."""

    path: str
    action: str
    current: str | None
    write: _atomic.Write | None


def _decide(directory: str, manifest: Mapping[str, Any], replacements: Mapping[str, NewFile]) -> list[_Decision]:
    """Decide for every file of a generation what a restore does; nothing is touched.

    Raises:
        StackError: files that somebody changed since, with no replacement given; names all of them.
    """
    refused = []
    decisions = []
    for entry in manifest["files"]:
        path = _generations.absolute(directory, entry["path"])
        status, now = _generations.status_of(directory, entry)
        replacement = replacements.get(path)
        current = now.sha256 if now else None
        same = replacement is not None and (now.content if now else None) == replacement.content
        if replacement is not None and (same or current == replacement.expected):
            decisions.append(_replaced(path, entry, replacement, now, same))
        elif status == "before":
            decisions.append(_Decision(entry["path"], "none", current, None))
        elif status == "after":
            before = _generations.copy_of(directory, manifest, entry, "before")
            target = _atomic.Write(path, before or b"", current, entry["mode"], entry["uid"], entry["gid"])
            action = "remove" if before is None else "replace" if now else "create"
            decisions.append(_Decision(entry["path"], action, current, None if before is None else target))
        else:
            refused.append(f"{entry['path']} ({status} since)")
    if refused:
        raise StackError(
            f"{directory}: generation {manifest['id']} cannot be restored, because files were changed after it: "
            f"{', '.join(refused)}; nothing was written: take the changes back by hand, or give the wanted contents"
        )
    return decisions


def _replaced(
    path: str, entry: Mapping[str, Any], wanted: NewFile, now: _atomic.FileState | None, same: bool
) -> _Decision:
    """Decide on a file for which somebody gives the content that is wanted."""
    current = now.sha256 if now else None
    if wanted.content is None:
        return _Decision(entry["path"], "none" if same else "remove", current, None)
    mode = wanted.mode if wanted.mode is not None else now.mode if now else entry["mode"]
    target = _atomic.Write(path, wanted.content, current, mode, entry["uid"], entry["gid"])
    return _Decision(entry["path"], "none" if same else "replace" if now else "create", current, target)


def _bring_back(directory: str, manifest: Mapping[str, Any], decisions: Sequence[_Decision]) -> None:
    """Carry out the decisions of a restore."""
    writes = [item.write for item in decisions if item.write is not None and item.action != "none"]
    _make_folders(directory, _missing_folders(directory, [write.path for write in writes]))
    _replace_all(writes)
    for item in decisions:
        if item.action == "remove" and item.current is not None:
            _atomic.remove(_generations.absolute(directory, item.path), item.current)
    for folder in reversed(manifest.get("folders") or []):
        # A folder that got other files since is not ours to remove.
        with contextlib.suppress(OSError):
            os.rmdir(_generations.absolute(directory, folder))


def restore(directory: str, which: str, files: Sequence[NewFile], who: str, check: bool) -> Outcome:
    """Bring back the files as they were before a generation.

    Args:
        directory: the project folder, absolute; its lock is held (not in check mode).
        which: "open", "latest", "latest_kept" or an id.
        files: contents to write instead of the byte copies, for files that were changed after the generation.
        who: for the record.
        check: only say what would happen.

    Returns:
        The outcome; changed is False and generation None when there is no such generation.

    Raises:
        StackError: a file was changed since and no content for it is given, or it cannot be written.
    """
    manifest = _generations.find(directory, which)
    if manifest is None:
        return Outcome(False, [], None)
    known = {_generations.absolute(directory, entry["path"]) for entry in manifest["files"]}
    replacements = {_generations.absolute(directory, file.path): file for file in files}
    for path in sorted(set(replacements) - known):
        raise StackError(f"{path}: is not part of generation {manifest['id']}")
    decisions = _decide(directory, manifest, replacements)
    shown = [_restored(item) for item in decisions]
    changed = any(item.action != "none" for item in decisions)
    if not check:
        try:
            _bring_back(directory, manifest, decisions)
        except OSError as error:
            raise os_error(error, directory, "restore the files") from None
        if manifest["state"] != "restored":
            manifest = _generations.close(directory, manifest, "restored", f"restored by {who}")
    return Outcome(changed or manifest["state"] == "open", shown, manifest)


def _restored(item: _Decision) -> dict[str, Any]:
    """Describe one file of a restore."""
    after = item.current if item.action == "none" else None
    if item.write is not None and item.action != "none":
        after = _atomic.sha256(item.write.content)
    return {"path": item.path, "action": item.action, "before_sha256": item.current, "after_sha256": after}
