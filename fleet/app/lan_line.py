"""The TCP connection to one device: who waits for what on it, and when it is time to give up.

A driver of the core `lan_control`: one protocol object and one timer per connection, and no task,
so that one process can speak with thousands of devices. `lan_device` is what callers use.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar, cast

from fleet.app.errors import (
    DeviceClosed,
    DeviceFailed,
    DeviceGarbled,
    DeviceSilent,
    TurnedAway,
    WrongKey,
)
from fleet.app.lan_control import LanControl, Request, State
from fleet.app.lan_happenings import (
    Answer,
    Answered,
    End,
    Ended,
    Happening,
    Push,
    Pushed,
    Ready,
    Send,
    Unbound,
)

PUSHES_MAX = 256

_FAILURES: dict[End, tuple[type[DeviceFailed], str]] = {
    End.WRONG_KEY: (WrongKey, "cannot read what it says; are local key and version right?"),
    End.TURNED_AWAY: (
        TurnedAway,
        "it closed the connection; wrong local key or version, too many clients, or not activated?",
    ),
    End.CLOSED: (DeviceClosed, "it closed the connection"),
    End.SILENT: (DeviceSilent, "it did not answer in time"),
    End.GARBLED: (DeviceGarbled, "it sent what no device sends"),
    End.LEFT: (DeviceClosed, "the connection is closed"),
}


class Line(asyncio.Protocol):
    """The TCP connection, and who waits for what on it."""

    def __init__(
        self, name: str, control: LanControl, on_push: Callable[[Push], None] | None
    ) -> None:
        """Prepare; `name` is how errors call the device, `on_push` None keeps pushes in `pushes`."""
        self._name = name
        self._control = control
        self._on_push = on_push or self._keep
        # The wall clock may be set while a device is waited for; this one goes on.
        self._epoch_ms = time.time_ns() // 1_000_000 - int(time.monotonic() * 1000)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms = 0
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._news = asyncio.Event()
        self._lost = asyncio.Event()
        self.ended: Ended | None = None
        self.pushes: deque[Push] = deque(maxlen=PUSHES_MAX)
        self.dropped = 0

    # --- what the device's methods need ---

    async def ready(self) -> None:
        """Wait until requests can be made."""
        while self._control.state is not State.OPEN:
            if self.ended is not None:
                raise self.failure(self.ended)
            await self.news()

    async def news(self) -> None:
        """Wait until something happens that is no answer."""
        self._news.clear()
        await self._news.wait()

    async def ask(self, make: Callable[[LanControl, int], Request]) -> Answer:
        """Send a request and wait for its answer."""
        if self.ended is not None:
            raise self.failure(self.ended)
        request = make(self._control, self._now_ms())
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request.number] = answer
        self._write(Send(request.data))
        self._arm()
        return await answer

    async def close(self) -> None:
        """Close the connection at once: nobody waits for what is still to be sent."""
        if self._transport is not None:
            self._do(self._control.left())
            await self._lost.wait()

    def failure(self, ended: Ended) -> DeviceFailed:
        """Return the error that says how the connection ended."""
        kind, text = _FAILURES[ended.why]
        detail = f" ({ended.detail})" if ended.detail else ""
        return kind(f"{self._name}: {text}{detail}")

    # --- what the event loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, with a negotiation if the version has one."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._do(self._control.opened(self._now_ms()))

    def data_received(self, data: bytes) -> None:
        """Pass on what the device says."""
        self._do(self._control.received(data, self._now_ms()))

    def connection_lost(self, _: Exception | None) -> None:
        """Tell everybody who waits, unless they know already."""
        self._do(self._control.closed())
        self._lost.set()

    def _wake(self) -> None:
        self._timer = None
        self._do(self._control.woken(self._now_ms()))

    # --- what the core wants done ---

    def _do(self, happenings: list[Happening]) -> None:
        for happening in happenings:
            self._DOERS[type(happening)](self, happening)
        self._arm()

    def _arm(self) -> None:
        """Wake in time; a timer that comes too early is cheaper than a new one per request."""
        due_ms = self._control.next_deadline_ms()
        if due_ms is None or (self._timer is not None and self._timer_ms <= due_ms):
            return
        if self._timer is not None:
            self._timer.cancel()
        delay_s = max(0, due_ms - self._now_ms()) / 1000
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake)
        self._timer_ms = due_ms

    def _write(self, send: Send) -> None:
        assert self._transport is not None
        self._transport.write(send.data)

    def _tell(self, _: Ready) -> None:
        self._news.set()

    def _settle(self, answered: Answered) -> None:
        answer = self._waiting.pop(answered.number)
        if not answer.done():  # whoever asked may be gone
            answer.set_result(answered.answer)

    def _hear(self, push: Push) -> None:
        self._on_push(push)

    def _keep(self, push: Push) -> None:
        self.dropped += len(self.pushes) == PUSHES_MAX
        self.pushes.append(push)
        self._news.set()

    def _end(self, ended: Ended) -> None:
        assert self._transport is not None
        self.ended = ended
        self._transport.abort()
        if self._timer is not None:
            self._timer.cancel()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self.failure(ended))
        self._waiting.clear()
        self._news.set()

    def _now_ms(self) -> int:
        return int(time.monotonic() * 1000) + self._epoch_ms

    _DOERS: ClassVar[dict[type, Callable[["Line", Any], None]]] = {
        Send: _write,
        Ready: _tell,
        Answered: _settle,
        Pushed: _hear,
        Unbound: _hear,
        Ended: _end,
    }
