"""The runner's side of the cloud process: starts it, and starts it again when it dies.

It comes back on the same ports and the same data, as after a power cut in a data centre; devices
and apps find it again by themselves.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import msgspec

from firmware_sim.errors import UsageError
from fleet.cloud.edge.process import Failed, ServerConfig, run
from fleet.cloud.edge.server import Ready
from fleet.run.children import SPAWN, reap

START_S = 60.0
PREPARE_S = 1_800.0  # for somebody else's broker to be told of thousands of devices
LEAVE_S = 10.0  # to end in good order, with thousands of devices connected
REPLACEMENTS_MAX = 5


class CloudHost:
    """The cloud of a run. `on_death` is called when it dies unasked, with what it said last."""

    def __init__(self, config: ServerConfig, on_death: Callable[[str], None]) -> None:
        """Prepare; a config with port 0 gets fixed ports with the first start."""
        self._config = config
        self._on_death = on_death
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._started: asyncio.Future[Ready] | None = None
        self._ended = asyncio.Event()
        self._last_words = ""
        self._turn = asyncio.Lock()
        self._stopping = False
        self._away = False
        self.generation = 0
        self.ready = Ready("", 0, 0)

    @property
    def pid(self) -> int:
        """Return the id of the process, 0 before there is one."""
        return (self._process.pid or 0) if self._process is not None else 0

    @property
    def url(self) -> str:
        """Return where the console, the app and the admin API are."""
        return self.ready.url

    async def start(self) -> None:
        """Start the process and wait until it serves. Raises UsageError when it does not."""
        loop = asyncio.get_running_loop()
        start_s = START_S if self._config.broker is None else PREPARE_S
        self._ended = asyncio.Event()
        self._started = loop.create_future()
        ours, theirs = SPAWN.Pipe()
        process = SPAWN.Process(target=run, args=(self._config, theirs), name="fleet-cloud")
        process.start()
        theirs.close()
        self._process, self._pipe = process, ours
        loop.add_reader(ours.fileno(), self._hear, ours)
        try:
            async with asyncio.timeout(start_s):
                self.ready = await self._started
        except TimeoutError:
            raise UsageError(f"the cloud did not start within {start_s:g} s") from None
        self._config = msgspec.structs.replace(
            self._config,
            http_port=self.ready.http_port,
            mqtt_port=self.ready.mqtt_port,
            seed=None,
        )

    async def replace(self) -> None:
        """Start it again after its death. Raises UsageError when it keeps dying."""
        async with self._turn:
            if not self._ended.is_set():
                return  # an outage came in between, and is over
            await self._reap(grace_s=1.0)
            if self.generation >= REPLACEMENTS_MAX:
                raise UsageError(f"the cloud died {REPLACEMENTS_MAX + 1} times; {self._last_words}")
            self.generation += 1
            await self.start()

    async def be_away(self, for_s: float, *, politely: bool) -> None:
        """End the process on purpose, and start it again `for_s` after it has gone.

        It gets a SIGTERM if `politely`, else a SIGKILL. Raises UsageError when it does not start.
        """
        async with self._turn:
            self._away = True
            if self._process is not None:
                (self._process.terminate if politely else self._process.kill)()
            await self._reap(LEAVE_S)
            await asyncio.sleep(for_s)
            self._away = False
            await self.start()

    async def stand_still(self, for_s: float) -> None:
        """Let the process do nothing for so long; the kernel goes on to take connections for it."""
        async with self._turn:
            process = self._process
            self._signal(process, signal.SIGSTOP)
            try:
                await asyncio.sleep(for_s)
            finally:
                self._signal(process, signal.SIGCONT)

    def _signal(self, process: BaseProcess | None, number: signal.Signals) -> None:
        if process is not None and process is self._process and process.pid is not None:
            with suppress(ProcessLookupError):  # it has died
                os.kill(process.pid, number)

    async def stop(self, grace_s: float) -> None:
        """End the process: politely, then after `grace_s` by force."""
        self._stopping = True
        if self._process is not None:
            self._process.terminate()
        await self._reap(grace_s)

    async def _reap(self, grace_s: float) -> None:
        process, self._process = self._process, None
        if process is not None:
            await reap(process, self._ended, grace_s)
        self._hang_up()

    def _hear(self, pipe: Connection) -> None:
        """Take a word of the process, or notice its end."""
        assert self._started is not None
        try:
            word = pipe.recv()
        except (EOFError, OSError):
            self._lost()
            return
        if isinstance(word, Failed):
            self._last_words = word.message
        elif not self._started.done():
            self._started.set_result(word)

    def _lost(self) -> None:
        assert self._started is not None
        self._hang_up()
        self._ended.set()
        if not self._started.done():
            self._started.set_exception(UsageError(self._last_words or "the cloud did not start"))
        elif not (self._stopping or self._away):
            self._on_death(self._last_words)

    def _hang_up(self) -> None:
        if self._pipe is not None:
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
            self._pipe.close()
            self._pipe = None
