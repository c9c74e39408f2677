"""The cloud of a run in virtual time: the same node, driver and outbox, without sockets.

Devices reach it over the virtual WAN (it is a `Host`), people through `exchange`. It can crash at
any moment, with what the disk had not written, and come back on what it had. It can stand still, as
a process that was stopped, and be slow to speak (`outbound`).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.node import Node
from firmware_sim.rng import Rng, derive
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.trace import Trace
from firmware_sim.runtime.virtual.wan import Call, Stream
from firmware_sim.wire import atop
from fleet.app.carrier import Interrupted, NotSent, Request
from fleet.cloud.api.iot_dns_api import Endpoints
from fleet.cloud.cloud import Cloud
from fleet.cloud.counters import Counters
from fleet.cloud.edge.clock import Clock
from fleet.cloud.edge.driver import Driver
from fleet.cloud.messages import (
    CloseStream,
    Commit,
    HttpRequested,
    PushRaised,
    ReportDrain,
    SendReply,
    SendStream,
    StreamClosed,
    StreamDrained,
    StreamOpened,
    StreamReceived,
    TellOperator,
)
from fleet.cloud.seed import Seed
from fleet.cloud.settings import Settings
from fleet.run.virtual.disk import Disk
from fleet.run.virtual.outbound import Outbound
from fleet.run.virtual.push_line import PushLines

HOST, HTTP_PORT, MQTT_PORT = "cloud.example", 80, 1883
WRITE_MS = 3  # of a transaction, with the flush
PERSON_TRIP_MS = 20  # from a phone to the cloud
PERSON_TIMEOUT_MS = 10_000  # of one attempt of `CloudLink`
_ENTROPY = 3  # branch of the seed
_STAND_IN = "dmlydHVhbA=="  # for the certificate, which nobody checks where nothing is encrypted
Answer = Callable[[int, bytes], None]


class VirtualCloud:
    """One cloud and its disk. Use in the running loop of the agenda.

    Whoever wants to look on adds itself, before the start, to one of the lists: `arrived(event)` is
    called with what reaches the cloud, `decided(effects)` with each of its steps, and
    `told(effect)` when an effect is carried out, which is after the commits in front of it are
    written. `started()` is called before the first event of each life, `crashed()` at its end.
    """

    def __init__(
        self,
        agenda: Agenda,
        settings: Settings,
        seed: Callable[[], Seed],
        chance: int,
        trace: Trace,
    ) -> None:
        """Prepare; `seed()` is what it starts with, `chance` the seed of its random numbers."""
        self._agenda = agenda
        self.settings = settings
        self._seed = seed
        self._chance = chance
        self._trace = trace
        self.disk = Disk(agenda, WRITE_MS)
        self.generation = 0
        self.lines: list[str] = []  # for whoever runs it
        self.node: Cloud | None = None
        self.arrived: list[Callable[[Event], None]] = []
        self.decided: list[Callable[[list[Effect]], None]] = []
        self.told: list[Callable[[Effect], None]] = []
        self.started: list[Callable[[], None]] = []
        self.crashed: list[Callable[[], None]] = []
        self.push = PushLines(agenda, lambda: self.up, self._handle)
        self.outbound = Outbound(agenda, self._lend_hands)
        self._driver: Driver | None = None
        self._meanwhile: list[Event] | None = None  # what was said to it while it stands still
        self._count = 0
        self._pending: dict[int, tuple[Answer, Callable[[], None]]] = {}
        self._streams: dict[int, Stream] = {}

    # --- life -----------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Say whether it takes connections."""
        return self._driver is not None

    def start(self) -> None:
        """Start on what the disk has, or with the seed if that is nothing."""
        rng = Rng(derive(self._chance, _ENTROPY, self.generation))
        node = Cloud(self.settings, load=self.disk.load, entropy=rng.bytes, endpoints=_ENDPOINTS)
        if node.empty:
            for effect in node.apply_seed(self._seed(), self._agenda.now_ms):
                if isinstance(effect, Commit):
                    self.disk.write_now(effect.changes)
        seen = _Overheard(node, self.decided) if self.decided else node
        driver = Driver(seen, self.disk, Counters(), _Clock(self._agenda))
        self.node, self._driver = node, driver
        self._lend_hands()
        for look in self.started:
            look()
        driver.start()

    def _lend_hands(self) -> None:
        if self._driver is None:
            return
        for kind, hand in self._hands().items():
            aloud = self._aloud(hand) if self.told else hand
            self._driver.carry_out_with(
                kind, self.outbound.through(aloud) if self.outbound.busy else aloud
            )

    def _hands(self) -> dict[type[Effect], Callable[[Any], None]]:
        return {
            SendReply: self._reply,
            SendStream: self._send,
            CloseStream: self._close,
            ReportDrain: self._drained_soon,
            TellOperator: lambda effect: self.lines.append(effect.line),
            PushRaised: lambda _: None,
            **self.push.hands(),
        }

    def _aloud(self, hand: Callable[[Any], None]) -> Callable[[Effect], None]:
        def carry_out(effect: Effect) -> None:
            for look in self.told:
                look(effect)
            hand(effect)

        return carry_out

    def crash(self) -> None:
        """End at once; all connections break, and what was not written is lost."""
        if self._driver is None:
            return
        self._trace.note(self._agenda.now_ms, "cloud", 0, "crash")
        self._driver.stop()
        self._driver = self.node = self._meanwhile = None
        self.outbound.lose()
        self.generation += 1
        self.disk.crash()
        for look in self.crashed:
            look()
        self.push.lose_all()
        pending, self._pending = self._pending, {}
        streams, self._streams = self._streams, {}
        for _, lose in pending.values():
            lose()
        for stream in streams.values():
            stream.hang_up()

    def stand_still(self) -> None:
        """Do nothing, and take connections all the same, as the kernel does for a stopped process."""
        if self._driver is not None:
            self._trace.note(self._agenda.now_ms, "cloud", 0, "stands still")
            self._meanwhile = []
            self.outbound.hush()
            self._driver.pause()

    def go_on(self) -> None:
        """Say and hear what there was meanwhile; one that crashed or started again has nothing to."""
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is None or self._driver is None:
            return
        self._trace.note(self._agenda.now_ms, "cloud", 0, "goes on")
        self.outbound.speak_up()
        for event in meanwhile:
            self._handle(event)
        self._driver.start()

    def hang_up(self) -> None:
        """Break all connections of clients of the broker."""
        self._trace.note(self._agenda.now_ms, "cloud", 0, "broker restarts")
        streams, self._streams = self._streams, {}
        for conn, stream in streams.items():
            stream.hang_up()
            self._handle(StreamClosed(conn))

    async def be_away(self, for_s: float, *, politely: bool) -> None:
        """End, at once or when everything is written, and start again `for_s` later."""
        if politely:
            while self._driver is not None and not self._driver.settled:
                await asyncio.sleep(WRITE_MS / 1000)
        self.crash()
        await asyncio.sleep(for_s)
        self.start()

    # --- calls ----------------------------------------------------------------------------------

    def post(self, call: Call) -> None:
        """Take a request of a device."""
        headers = {"x-peer-ip": call.place.ip}
        self._ask("POST", call.wish.target, headers, call.wish.body, call.answer, call.lose)

    async def exchange(self, request: Request) -> bytes:
        """Take a call of a person's phone (a `Carrier` is made of this)."""
        call = _PersonCall(self._agenda, asyncio.get_running_loop().create_future())
        self._agenda.after(PERSON_TRIP_MS, self._asked, call, request)
        return await call.reply

    def _asked(self, call: "_PersonCall", request: Request) -> None:
        if call.reply.done():
            return  # who has called off does not ask any more
        if self._driver is None:
            call.reply.set_exception(NotSent("connection refused"))
            return
        target = request.target
        if request.query:
            target += "?" + urlencode(request.query)
        self._trace.note(
            self._agenda.now_ms, "person", 0, f"{request.method} {request.target}", request.body
        )
        headers = {"authorization": f"Bearer {request.session}"} if request.session else {}
        self._ask(request.method, target, headers, request.body, call.answer, call.lose)
        if self.outbound.busy or self.disk.late_ms:
            self._agenda.after(PERSON_TIMEOUT_MS, call.lose)

    async def close(self) -> None:
        """Nothing is open between two calls."""

    def _ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
        answer: Answer,
        lose: Callable[[], None],
    ) -> None:
        self._count += 1
        self._pending[self._count] = (answer, lose)
        self._handle(HttpRequested(self._count, method, target, headers, body))

    def _reply(self, effect: SendReply) -> None:
        waiting = self._pending.pop(effect.exchange, None)
        if waiting is not None:
            waiting[0](effect.status, effect.body)

    # --- streams --------------------------------------------------------------------------------

    def opened(self, stream: Stream) -> None:
        """Take a new client of the broker."""
        self._count += 1
        stream.conn = self._count
        self._streams[stream.conn] = stream
        self._handle(StreamOpened(stream.conn))

    def heard(self, stream: Stream, data: bytes) -> None:
        """Take bytes."""
        if stream.conn in self._streams:
            self._handle(StreamReceived(stream.conn, data))

    def lost(self, stream: Stream) -> None:
        """Hear that a client is gone."""
        if self._streams.pop(stream.conn, None) is not None:
            self._handle(StreamClosed(stream.conn))

    def _send(self, effect: SendStream) -> None:
        stream = self._streams.get(effect.conn)
        if stream is not None:
            stream.deliver(effect.data)

    def _close(self, effect: CloseStream) -> None:
        stream = self._streams.pop(effect.conn, None)
        if stream is not None:
            stream.hang_up()

    def _drained_soon(self, effect: ReportDrain) -> None:
        self._agenda.after(0, self._drained, effect.conn)

    def _drained(self, conn: int) -> None:
        if conn in self._streams:
            self._handle(StreamDrained(conn))

    def _handle(self, event: Event) -> None:
        if self._meanwhile is not None:
            self._meanwhile.append(event)
            return
        driver = self._driver
        assert driver is not None, "nobody reaches a cloud that is down"
        for look in self.arrived:
            look(event)
        driver.handle(event)
        if driver.failed.done():
            raise driver.failed.result()


class _PersonCall:
    """A call of a person's phone: `reply` is done when the answer is back, or will never come."""

    __slots__ = ("_agenda", "_answered", "reply")

    def __init__(self, agenda: Agenda, reply: asyncio.Future[bytes]) -> None:
        self._agenda = agenda
        self._answered = False
        self.reply = reply

    def answer(self, _: int, body: bytes) -> None:
        if not self._answered:
            self._answered = True
            self._agenda.after(PERSON_TRIP_MS, self._arrive, body)

    def _arrive(self, body: bytes) -> None:
        if not self.reply.done():
            self.reply.set_result(body)

    def lose(self) -> None:
        if not self._answered and not self.reply.done():
            self._answered = True
            self.reply.set_exception(Interrupted("connection lost"))


class _Overheard:
    """A node that does what another does, before witnesses."""

    def __init__(self, node: Node, looks: list[Callable[[list[Effect]], None]]) -> None:
        self._node = node
        self._looks = looks

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        effects = self._node.handle(event, now_ms)
        for look in self._looks:
            look(effects)
        return effects

    def next_deadline_ms(self) -> int | None:
        return self._node.next_deadline_ms()


class _Clock(Clock):
    """The agenda's time; nobody sets it."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda

    def __call__(self) -> int:
        return self._agenda.now_ms


_ENDPOINTS = Endpoints(f"http://{HOST}:{HTTP_PORT}{atop.PATH}", f"{HOST}:{MQTT_PORT}", (_STAND_IN,))
