"""A cloud in a thread of this process: its own ports, its own data, and a clock that can be moved.

For tests of programs that talk to the cloud; `fleet.pytest_plugin` makes a fixture of it, and
`fleet/README.md` says how it is used. What it serves is what `fleet cloud` serves: the same node,
the same edges.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from firmware_sim.errors import UsageError
from fleet.cloud.edge.clock import MovableClock
from fleet.cloud.edge.diary import Diary
from fleet.cloud.edge.moved_time import lead_s, moving_along
from fleet.cloud.edge.process import ServerConfig, serve_cloud
from fleet.cloud.edge.server import Ready
from fleet.cloud.external import BrokerAddress
from fleet.cloud.seed import ProjectSeed, Seed
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Store
from fleet.cloud.toml_file import demo_seed

SETTINGS = Settings(password_iterations=1)
_WORK_S_MAX = 60.0

T = TypeVar("T")


class LocalCloud:
    """Runs until `stop`, or for the length of a `with` block.

    `seed` is what it started with, `ready` where it answers. `clients_ahead_s` is how far programs
    that sign with the moved time have to be ahead of the system's clock.
    """

    def __init__(
        self,
        seed: Seed | None = None,
        settings: Settings = SETTINGS,
        broker: BrokerAddress | None = None,
    ) -> None:
        """Start a cloud with `seed` (the built-in demo set) in memory; it serves by now.

        Its devices use the cloud's own broker, or the one at `broker`, which is prepared by now.
        Raises UsageError when it cannot start.
        """
        self.seed = demo_seed() if seed is None else seed
        self.ready = Ready("", 0, 0)
        self.clients_ahead_s = lead_s()  # where another cloud has moved them to
        self._config = ServerConfig(settings=settings, seed=self.seed, broker=broker)
        self._clock = MovableClock()
        self._clock.advance(round(self.clients_ahead_s * 1000))
        self._diary = Diary()
        self._followers: list[Callable[[int], None]] = []
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self._fault: BaseException | None = None
        self._started = threading.Event()
        self._stop_event = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="tuya-cloud", daemon=True)
        self._thread.start()
        self._started.wait()
        self._raise_fault()

    # --- where it is, and who may call it --------------------------------------------------------

    @property
    def url(self) -> str:
        """Return the endpoint of the Open API, of the console and of the app."""
        return self.ready.url

    @property
    def mqtt(self) -> str:
        """Return where devices connect."""
        return self.ready.mqtt_url

    @property
    def push_url(self) -> str:
        """Return the endpoint of the message push, as the client libraries take it."""
        return self.ready.push_url

    @property
    def project(self) -> ProjectSeed:
        """Return the first project of the seed. UsageError when there is none."""
        if not self.seed.projects:
            raise UsageError("this cloud was seeded without a project: nobody has an access key")
        return self.seed.projects[0]

    @property
    def access_id(self) -> str:
        """Return the access id of the first project."""
        return self.project.access_id

    @property
    def secret(self) -> str:
        """Return its access secret."""
        return self.project.secret

    @property
    def schema(self) -> str:
        """Return the schema of its first app, "" when it has none."""
        return next(iter(self.project.schemas), "")

    @property
    def diary(self) -> list[str]:
        """Return the latest of what happened: calls and answers, refusals, pushes, the clock."""
        return self._diary.lines

    # --- time ------------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        """Return the cloud's time."""
        return self._clock()

    def advance(self, seconds: float, *, clients: bool = True) -> None:
        """Make it later by `seconds`; what falls due in between is done when this returns.

        With `clients`, programs in this process move along (see `clients_ahead_s`); without, they
        sign with a time that has grown old.
        """
        duration_ms = round(seconds * 1000)
        self.run(self._advance(duration_ms))
        if clients:
            self.clients_ahead_s += duration_ms / 1000

    def moving_clients(self) -> AbstractContextManager[None]:
        """Let `time.time()` and `time.time_ns()` of this process move along meanwhile."""
        return moving_along(lambda: self.clients_ahead_s)

    def on_advance(self, follow: Callable[[int], None]) -> None:
        """Call `follow` with the milliseconds, on the cloud's loop, each time the clock is moved."""
        self._followers.append(follow)

    async def _advance(self, duration_ms: int) -> None:
        self._clock.advance(duration_ms)
        for follow in self._followers:
            follow(duration_ms)

    # --- life ------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Say what is owed and end; does nothing the second time.

        Raises the fault that ended it before.
        """
        with suppress(RuntimeError):  # its loop is closed: it has ended
            self._loop.call_soon_threadsafe(self._stop_event.set)
        self._thread.join()
        self._raise_fault()

    @property
    def running(self) -> bool:
        """Return whether it has not ended yet."""
        return self._thread.is_alive()

    def at_the_end(self, close: Callable[[], Awaitable[None]]) -> None:
        """Await `close` on the cloud's loop when it has ended, however that came about."""
        self._closers.append(close)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` on the cloud's loop, on which nothing may block; return its result.

        Raises UsageError when the cloud has ended.
        """
        if not self.running:
            work.close()
            raise UsageError("this cloud has ended: start another one")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_WORK_S_MAX)

    def __enter__(self) -> Self:
        """Return itself, running."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _raise_fault(self) -> None:
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    # --- on its thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except Exception as error:  # noqa: BLE001 - raised where it was started or is stopped
            self._fault = error
        self._started.set()

    async def _serve(self) -> None:
        try:
            await serve_cloud(
                self._config, self._stop_event, self._on_ready, self._clock, self._diary.around
            )
        finally:
            for close in self._closers:
                await close()

    def _on_ready(self, ready: Ready, _: Store) -> None:
        self.ready = ready
        self._started.set()
