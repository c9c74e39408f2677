"""Who plays cases: processes of their own, one per core, or this process itself.

A process is what makes a run that ends the process, or never ends, a finding like any other. It
is given one case at a time: playing one takes a thousand times as long as handing it over. What
comes back is in the order of the cases, whoever was faster.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType, TracebackType
from typing import Protocol, Self

import msgspec

from fleet.run.explore.case import Case
from fleet.run.explore.outcome import DIED, HUNG, Finding, Outcome
from fleet.run.explore.trial import of_error, play_case

CPU_S_MAX = 600
"""Of the processor, for one run: a large one takes a minute."""
AGAIN_CPU_S = 30  # then it is told again
AHEAD_MAX = 4
"""Runs per worker that may be finished before the one that everybody waits for."""
Plays = Callable[[Case], Outcome]


class Players(Protocol):
    """Somebody who plays cases."""

    def outcomes(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Play cases, and yield each with what it has come to, in their order.

        Cases are taken as they are needed. Whoever stops iterating is not told of the others.
        """
        ...


class Here:
    """Plays cases in this process, one after the other."""

    def __init__(self, play: Plays = play_case) -> None:
        """Play with `play`."""
        self._play = play

    def outcomes(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Play cases, and yield each with what it has come to."""
        for case in cases:
            yield case, self._play(case)


# --- in the process -----------------------------------------------------------------------------


class Hung(BaseException):
    """A run takes too much of the processor. Nobody's `except Exception` stops it."""


def serve(line: Connection, play: Plays, cpu_s_max: float) -> None:
    """Play what comes through a line until it is closed: the whole life of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever has started us decides
    signal.signal(signal.SIGPROF, _hung)
    while True:
        try:
            case = msgspec.json.decode(line.recv_bytes(), type=Case)
        except EOFError:
            return
        line.send_bytes(msgspec.json.encode(_played(case, play, cpu_s_max)))


def _hung(_: int, __: FrameType | None) -> None:
    raise Hung("the run takes too long")


def _played(case: Case, play: Plays, cpu_s_max: float) -> Outcome:
    signal.setitimer(signal.ITIMER_PROF, cpu_s_max, AGAIN_CPU_S)
    try:
        return play(case)
    except Hung as error:
        return of_nothing(msgspec.structs.replace(of_error(error, 0.0), name=HUNG))
    except Exception as error:  # noqa: BLE001 - of our own, most likely; it is to be seen
        return of_nothing(of_error(error, 0.0))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def of_nothing(finding: Finding) -> Outcome:
    """Return the outcome of a run that nothing else is known of."""
    return Outcome(finding, digest="", events=0, virtual_s=0.0, struck={}, marks=())


# --- outside ------------------------------------------------------------------------------------


class Worker:
    """One process and the case that it plays."""

    def __init__(self, play: Plays, cpu_s_max: float) -> None:
        """Start it."""
        self._play, self._cpu_s_max = play, cpu_s_max
        self.number: int | None = None  # of the case that it plays
        self.line: Connection
        self._process: SpawnProcess
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        arguments = (theirs, self._play, self._cpu_s_max)
        self._process = context.Process(target=serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def give(self, number: int, case: Case) -> None:
        """Let it play a case."""
        self.number = number
        data = msgspec.json.encode(case)
        try:
            self.line.send_bytes(data)
        except OSError:  # it was killed while it had nothing to do
            self._replace()
            self.line.send_bytes(data)

    def take(self) -> tuple[int, Outcome]:
        """Return what has come of its case; if it has died of it, that, and it is replaced."""
        assert self.number is not None, "it plays nothing"
        number, self.number = self.number, None
        try:
            return number, msgspec.json.decode(self.line.recv_bytes(), type=Outcome)
        except (EOFError, OSError):
            end = _end(self._replace())
            return number, of_nothing(Finding(DIED, f"the process that played it: {end}", 0.0))

    def _replace(self) -> int | None:
        """Start another process in place of one that is dead; return its exit code."""
        self.line.close()
        self._process.join()
        code = self._process.exitcode
        self._start()
        return code

    def close(self) -> None:
        """End it, whatever it is doing."""
        self.line.close()
        self._process.terminate()
        self._process.join()


def _end(code: int | None) -> str:
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


class Workers:
    """As many processes as there are cores, or as told. Use it as a context manager."""

    def __init__(
        self, count: int | None = None, play: Plays = play_case, cpu_s_max: float = CPU_S_MAX
    ) -> None:
        """Start no process yet; `play` has to be a function of a module."""
        self.count = count or len(os.sched_getaffinity(0))
        self._play, self._cpu_s_max = play, cpu_s_max
        self._workers: list[Worker] = []
        self._given = 0

    def __enter__(self) -> Self:
        """Start the processes."""
        self._workers = [Worker(self._play, self._cpu_s_max) for _ in range(self.count)]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End them all."""
        for worker in self._workers:
            worker.close()

    def outcomes(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Play cases, and yield each with what it has come to, in their order.

        What is still played when somebody stops iterating is forgotten when it is done.
        """
        coming: Iterator[Case] | None = iter(cases)
        due = self._given
        under_way: dict[int, Case] = {}
        done: dict[int, tuple[Case, Outcome]] = {}
        while True:
            for worker in self._idle() if len(done) < AHEAD_MAX * self.count else ():
                case = next(coming, None) if coming is not None else None
                if case is None:
                    coming = None
                    break
                under_way[self._given] = case
                worker.give(self._given, case)
                self._given += 1
            if coming is None and not under_way:
                return
            for number, outcome in self._heard():
                if number in under_way:
                    done[number] = (under_way.pop(number), outcome)
            while due in done:
                yield done.pop(due)
                due += 1

    def _idle(self) -> list[Worker]:
        return [worker for worker in self._workers if worker.number is None]

    def _heard(self) -> Iterator[tuple[int, Outcome]]:
        """Wait until one or more have played their case, and yield what has come of it."""
        busy = {worker.line: worker for worker in self._workers if worker.number is not None}
        for line in wait(list(busy)):
            assert isinstance(line, Connection)
            yield busy[line].take()
