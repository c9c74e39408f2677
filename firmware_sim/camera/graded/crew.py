"""Worker processes that make the pictures and let decoders look at them.

A decoder may end its process, or never come back. What it was looking at then counts as lost, and
another process goes on behind it; so that it is known what that was, each look is told at once.
"""

import multiprocessing
import os
import resource
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

from firmware_sim.camera.graded.measure import Seen, Tally, Verdict, Way, looks, make_reader
from firmware_sim.camera.graded.table import Level

LOOK_LIMIT_S = 60.0
"""Wall-clock time: a look takes milliseconds, a hostile one a second, on a busy machine more."""
START_LIMIT_S = 60.0
READY = None
"""What a worker says first."""
_MEMORY_MAX = 2 << 30
_NICENESS = 5
_LOST = Seen(Verdict.LOST, 0)

Done = Callable[[Level, dict[Way, Tally]], None]
"""Is told each level when it has been looked at."""


class _Task(NamedTuple):
    level: Level
    frames: int
    ways: tuple[Way, ...]
    first: int


def serve(pipe: Connection) -> None:
    """Look at what the other end of the pipe asks for, until it is closed."""
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX, _MEMORY_MAX))
    pipe.send(READY)
    while True:
        try:
            task: _Task = pipe.recv()
        except EOFError:
            return
        readers = [make_reader(way) for way in task.ways]
        for seen in looks(task.level, task.frames, readers, task.first):
            pipe.send(seen)


class _Worker:
    """One process, and what it is looking at."""

    def __init__(self, target: Callable[[Connection], None]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=target, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.task: _Task | None = None
        self.tallies: dict[Way, Tally] = {}
        self.ready = False
        self.heard_s = time.monotonic()

    def give(self, task: _Task, tallies: dict[Way, Tally]) -> None:
        self.task, self.tallies, self.heard_s = task, tallies, time.monotonic()
        with suppress(BrokenPipeError):  # its end is heard when it is waited for
            self.pipe.send(task)

    def is_late(self, limit_s: float) -> bool:
        """Tell whether it takes too long: for a look, or to start."""
        waited_s = time.monotonic() - self.heard_s
        return self.task is not None and waited_s > (limit_s if self.ready else START_LIMIT_S)

    def heard(self, seen: Seen) -> bool:
        """Count a look; return whether it was the last one of the task."""
        assert self.task is not None
        level, frames, ways, first = self.task
        self.tallies[ways[first % len(ways)]].count(seen)
        self.task = _Task(level, frames, ways, first + 1)
        self.heard_s = time.monotonic()
        return first + 1 == frames * len(ways)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def measure(
    levels: Sequence[Level],
    ways: Iterable[Way],
    frames: int,
    workers: int,
    done: Done,
    *,
    limit_s: float = LOOK_LIMIT_S,
    target: Callable[[Connection], None] = serve,
) -> None:
    """Look at `frames` pictures of each level in every way; `done` gets the levels as they end.

    Raises UsageError when a decoder cannot be used here.
    """
    ways = tuple(ways)
    for way in ways:
        make_reader(way)
    waiting = deque((_Task(level, frames, ways, 0), _tallies(ways)) for level in levels)
    crew = [_Worker(target) for _ in range(min(workers, len(levels)))]
    try:
        _work(crew, waiting, done, limit_s, target)
    finally:
        for worker in crew:
            worker.end()


def _tallies(ways: tuple[Way, ...]) -> dict[Way, Tally]:
    return {way: Tally() for way in ways}


def _work(
    crew: list[_Worker],
    waiting: deque[tuple[_Task, dict[Way, Tally]]],
    done: Done,
    limit_s: float,
    target: Callable[[Connection], None],
) -> None:
    while True:
        for worker in crew:
            if worker.task is None and waiting:
                worker.give(*waiting.popleft())
        busy = {worker.pipe: worker for worker in crew if worker.task is not None}
        if not busy:
            return
        for pipe in wait(list(busy), timeout=min(1.0, limit_s)):
            assert isinstance(pipe, Connection)
            worker = busy[pipe]
            try:
                seen: Seen | None = pipe.recv()
            except (EOFError, ConnectionResetError):
                _lose(crew, worker, done, target)
                continue
            if seen is READY:
                worker.ready, worker.heard_s = True, time.monotonic()
            else:
                _count(worker, seen, done)
        for worker in [worker for worker in crew if worker.is_late(limit_s)]:
            _lose(crew, worker, done, target)


def _count(worker: _Worker, seen: Seen, done: Done) -> None:
    assert worker.task is not None
    level = worker.task.level
    if worker.heard(seen):
        worker.task = None
        done(level, worker.tallies)


def _lose(
    crew: list[_Worker], worker: _Worker, done: Done, target: Callable[[Connection], None]
) -> None:
    """Put another process in the place of one that is gone; it goes on behind the fatal look."""
    worker.end()
    _count(worker, _LOST, done)
    successor = _Worker(target)
    crew[crew.index(worker)] = successor
    if worker.task is not None:
        successor.give(worker.task, worker.tallies)
