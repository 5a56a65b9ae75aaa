# SPDX-License-Identifier: GPL-3.0-or-later
"""Share many files out among the cores. Processes are forked, so that nothing is imported twice."""

from __future__ import annotations

import gc
import os

from breakwater.exits import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

#: A process that judges fewer files than this costs more than it saves (2 ms to fork, 1 to 3 ms per file).
ENOUGH = 25

#: New objects between two looks for garbage. What a file leaves is freed without one, all but a few cycles.
GARBAGE = 50_000

#: Ranges of items that wait in a pipe, 8 bytes each: a pipe of Linux holds 64 KiB.
RANGES = 4000


def map_in_processes(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """Call a function on each item, on all cores when there are many items.

    Args:
        function: called once per item; its results and what it needs are plain data that can be pickled.
        items: in the order in which the results are wanted.

    Raises:
        CommandError: a process ended before its work was done.
    """
    if len(items) > ENOUGH:
        gc.freeze()
        gc.set_threshold(GARBAGE)
        gc.enable()
    count = min(len(os.sched_getaffinity(0)), len(items) // ENOUGH)
    if count < 2:
        return [function(item) for item in items]
    import pickle

    queue = _queue(len(items))
    workers = [_start(function, items, queue) for _ in range(1, count)]
    done = dict(_work(function, items, queue))
    os.close(queue)
    for process, pipe in workers:
        with os.fdopen(pipe, "rb") as stream:
            written = stream.read()
        _, status = os.waitpid(process, 0)
        if status != 0:
            raise CommandError(f"a process that judged files ended with status {status}; scan fewer files in one call")
        done.update(pickle.loads(written))
    return [done[index] for index in range(len(items))]


def _queue(count: int) -> int:
    """Return a pipe from which the processes take ranges of items, so that all of them are busy to the end."""
    source, sink = os.pipe()
    step = 1 + count // RANGES
    for first in range(0, count, step):
        os.write(sink, first.to_bytes(4, "big") + step.to_bytes(4, "big"))
    os.close(sink)
    return source


def _work(function: Callable[[Any], Any], items: Sequence[Any], queue: int) -> Iterator[tuple[int, Any]]:
    """Yield the index and the result of each item that this process takes."""
    while turn := os.read(queue, 8):
        first, step = int.from_bytes(turn[:4], "big"), int.from_bytes(turn[4:], "big")
        for index in range(first, min(first + step, len(items))):
            yield index, function(items[index])


def _start(function: Callable[[Any], Any], items: Sequence[Any], queue: int) -> tuple[int, int]:
    """Fork a process that works with the others; return its id and the pipe on which its results come."""
    source, sink = os.pipe()
    process = os.fork()
    if process != 0:
        os.close(sink)
        return process, source
    # The child leaves by os._exit whatever happens: it must neither flush the parent's output nor print a traceback.
    status = 1
    try:
        import pickle

        os.close(source)
        with os.fdopen(sink, "wb") as stream:
            pickle.dump(list(_work(function, items, queue)), stream, pickle.HIGHEST_PROTOCOL)
        status = 0
    finally:
        os._exit(status)
