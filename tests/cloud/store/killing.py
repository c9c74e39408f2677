"""A program that writes to a store until it is killed, and the look at what it left behind."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

from fleet.cloud.store import Put, Store
from tests.cloud.store.things import Counted

Open = Callable[[], Store]  # can be pickled


def _write_until_killed(opened: Open, report: Connection) -> None:
    store = opened()
    room = threading.Semaphore(300)

    def said(number: int) -> Callable[[BaseException | None], None]:
        def done(error: BaseException | None) -> None:
            if error is None:
                report.send_bytes(number.to_bytes(4, "big"))
            room.release()

        return done

    for number in range(1_000_000):
        room.acquire()
        store.submit((Put(Counted(number)),), said(number))


def assert_acknowledged_survives(opened: Open) -> None:
    """Kill a writer in full swing; whatever it was told to be durable must be there."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    writer = context.Process(target=_write_until_killed, args=(opened, there))
    writer.start()
    there.close()
    acknowledged = [int.from_bytes(here.recv_bytes(), "big") for _ in range(2_000)]
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    try:
        while True:
            acknowledged.append(int.from_bytes(here.recv_bytes(), "big"))
    except (EOFError, OSError):
        here.close()
    assert writer.exitcode == -signal.SIGKILL
    store = opened()
    kept = [row.number for row in store.load(Counted)]
    store.close()
    assert acknowledged == list(range(len(acknowledged)))
    assert kept == list(range(len(kept)))
    assert len(kept) >= len(acknowledged)
