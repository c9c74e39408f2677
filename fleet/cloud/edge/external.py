"""The two lines to an external broker: connections of aiomqtt, which the node opens and closes.

aiomqtt acknowledges a message when it has been queued and spends a task on each. Both are changed
here by what it and its paho client offer: messages go straight to the driver, and are acknowledged
when the node says so, which is after its commit. Bounds: of what is sent, so many messages wait for
a broker that does not take them, further ones are dropped; of what is heard, the broker keeps what
is not acknowledged, and messages at QoS 0 are dropped while the disk is far behind. On the control
line that ends the line: who misses what it tells does not know any more who is there.
"""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from firmware_sim.errors import UsageError
from fleet.cloud.edge.driver import Driver
from fleet.cloud.external.address import BrokerAddress
from fleet.cloud.external.lines import (
    AcknowledgeOnLine,
    BrokerPrepared,
    CloseLine,
    Line,
    LineDown,
    LineHeard,
    LinesWanted,
    LineUp,
    OpenLine,
    SayOnLine,
)

UNSENT_MAX = 10_000  # messages that the broker has not taken
UNHEARD_MAX = {Line.DEVICES: 10_000, Line.CONTROL: 100_000}  # at QoS 0, that wait for the disk
_IN_FLIGHT_MAX = 1_000  # messages that the broker has not acknowledged
_KEEP_ALIVE_S = 30
_CONNECT_S_MAX = 10.0
_CLOSE_S_MAX = 0.4
_REFUSED = 0x80  # in a SUBACK, section 3.9.3 of MQTT 3.1.1

_SILENT = logging.Logger("broker")  # what matters is told as `LineDown`
_SILENT.addHandler(logging.NullHandler())


class ExternalEdge:
    """Both lines; begin with `start`."""

    def __init__(self, driver: Driver, address: BrokerAddress, own_ca_file: str = "") -> None:
        """Register with `driver`; the broker may have a certificate by our own authority.

        Raises UsageError when certificates cannot be read.
        """
        self.driver = driver
        self.address = address
        self.tls = _tls(address, own_ca_file)
        self._lines: dict[Line, _Line] = {}
        self._closing: set[_Line] = set()
        self._last_session = 0
        self._prepared: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        driver.carry_out_with(OpenLine, self._open)
        driver.carry_out_with(CloseLine, self._close)
        driver.carry_out_with(SayOnLine, self._say)
        driver.carry_out_with(AcknowledgeOnLine, self._acknowledge)
        driver.carry_out_with(BrokerPrepared, lambda _: self._note_prepared())

    def start(self) -> asyncio.Future[None]:
        """Let the node connect; what is returned is done when the broker is prepared.

        It ends with UsageError when the broker cannot be had; later failures are the node's matter.
        """
        self.driver.handle(LinesWanted())
        return self._prepared

    async def close(self) -> None:
        """Disconnect, politely if the broker plays along."""
        for line in list(self._lines.values()):
            self._let_go(line)
        tasks = [line.task for line in self._closing]
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_S_MAX)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._prepared.done() and not self._prepared.cancelled():
            self._prepared.exception()  # has been seen to

    # --- told by the lines ----------------------------------------------------------------------

    def number(self) -> int:
        """Return the number of a new connection."""
        self._last_session += 1
        return self._last_session

    def lost(self, line: "_Line", why: str) -> None:
        """Tell the node that a line is gone, unless it closed it itself."""
        self._closing.discard(line)
        if self._lines.get(line.name) is line:
            del self._lines[line.name]
            self._note_failure(why)
            self.driver.handle(LineDown(line.name, why))

    def give_up(self, line: "_Line", why: str) -> None:
        """Close a line and tell the node that it is gone."""
        if self._lines.get(line.name) is line:
            self._let_go(line)
            self._note_failure(why)
            self.driver.handle(LineDown(line.name, why))

    # --- what the node wants --------------------------------------------------------------------

    def _open(self, effect: OpenLine) -> None:
        self._lines[effect.line] = _Line(self, effect)

    def _close(self, effect: CloseLine) -> None:
        line = self._lines.get(effect.line)
        if line is not None:
            self._note_failure(effect.why)
            self._let_go(line)

    def _let_go(self, line: "_Line") -> None:
        del self._lines[line.name]
        self._closing.add(line)
        line.stop.set()

    def _say(self, effect: SayOnLine) -> None:
        line = self._lines.get(effect.line)
        if line is not None:
            line.say(effect)

    def _acknowledge(self, effect: AcknowledgeOnLine) -> None:
        line = self._lines.get(Line.DEVICES)
        if line is not None and line.session == effect.session:
            line.client.acknowledge(effect.mid)

    def _note_prepared(self) -> None:
        if not self._prepared.done():
            self._prepared.set_result(None)

    def _note_failure(self, why: str) -> None:
        if not self._prepared.done():
            told = f"the broker at {self.address.host}:{self.address.port}: {why}"
            self._prepared.set_exception(UsageError(told))


class _Line:
    """One connection, from the attempt to its end; `session` is 0 before it is up."""

    def __init__(self, edge: ExternalEdge, wish: OpenLine) -> None:
        self.name = wish.line
        self._username = wish.username
        self.session = 0
        self.stop = asyncio.Event()
        self.client = _Client(edge, wish, self._take)
        self._edge = edge
        self._filters = list(wish.filters)
        self._unheard: deque[aiomqtt.Message] = deque()
        self._unsent = 0
        self.task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        why = "the connection was lost"
        try:
            async with self.client:
                codes = await self.client.subscribe(self._filters)
                self._begin([code if isinstance(code, int) else code.value for code in codes])
                await self._wait()
                self.client.timeout = _CLOSE_S_MAX
        except MqttConnectError as error:
            why = f"it does not let {self._username} in: {error.rc}"
        except aiomqtt.MqttError as error:
            if not self.session:  # of a lost connection it knows no more than that
                why = str(error) or why
        finally:
            self.session = 0
            self._edge.lost(self, why)

    def _begin(self, codes: list[int]) -> None:
        self.session = self._edge.number()
        refused = [
            topic for (topic, _), code in zip(self._filters, codes, strict=True) if code >= _REFUSED
        ]
        self._edge.driver.handle(LineUp(self.name, self.session, tuple(refused)))
        self._drain()

    async def _wait(self) -> None:
        """Wait until the connection is lost, which raises, or is not wanted any more."""
        lost = asyncio.ensure_future(anext(self.client.messages))
        stop = asyncio.ensure_future(self.stop.wait())
        try:
            await asyncio.wait((lost, stop), return_when=asyncio.FIRST_COMPLETED)
            if lost.done():
                lost.result()
        finally:
            lost.cancel()
            stop.cancel()

    def say(self, effect: SayOnLine) -> None:
        """Publish, unless too much waits for the broker already."""
        self._unsent = self._unsent + 1 if self.client.lags else 0
        if not self.session or self._unsent > UNSENT_MAX or not self.client.say(effect):
            self._edge.driver.counters.broker_dropped += 1

    def _take(self, message: aiomqtt.Message) -> None:
        """Hear a message; some come before our subscriptions are confirmed.

        Of devices nothing is kept: what one said with the RETAIN flag was heard when it was said.
        """
        if message.retain:
            if message.qos:
                self.client.acknowledge(message.mid)
            return
        if self.session and not self._unheard and not self._edge.driver.congested:
            self._hear(message)
        elif message.qos or len(self._unheard) < UNHEARD_MAX[self.name]:
            if not self._unheard and self.session:
                self._edge.driver.on_relief(self._drain)
            self._unheard.append(message)
        else:
            self._edge.driver.counters.broker_dropped += 1
            if self.name is Line.CONTROL:
                self._edge.give_up(self, "it tells more of clients than the disk keeps up with")

    def _drain(self) -> None:
        while self._unheard and self.session:
            if self._edge.driver.congested:
                self._edge.driver.on_relief(self._drain)
                return
            self._hear(self._unheard.popleft())

    def _hear(self, message: aiomqtt.Message) -> None:
        mid = message.mid if message.qos else 0
        topic, payload = str(message.topic), bytes(message.payload)
        self._edge.driver.counters.broker_heard += 1
        self._edge.driver.handle(LineHeard(self.name, self.session, topic, payload, mid))


class _Client(aiomqtt.Client):
    """A client of aiomqtt that hands messages over at once and leaves acknowledging to us."""

    def __init__(
        self, edge: ExternalEdge, wish: OpenLine, take: Callable[[aiomqtt.Message], None]
    ) -> None:
        class Straight(asyncio.Queue[aiomqtt.Message]):
            """The queue that is none."""

            def put_nowait(self, item: aiomqtt.Message) -> None:
                take(item)

        super().__init__(
            edge.address.host,
            edge.address.port,
            identifier=wish.client_id,
            username=wish.username,
            password=wish.password,
            clean_session=wish.clean,
            keepalive=_KEEP_ALIVE_S,
            timeout=_CONNECT_S_MAX,
            max_inflight_messages=_IN_FLIGHT_MAX,
            max_queued_outgoing_messages=UNSENT_MAX,
            queue_type=Straight,
            tls_context=edge.tls,
            logger=_SILENT,
        )
        self._client.manual_ack_set(on=True)

    @property
    def lags(self) -> bool:
        """Return whether the broker has not taken all yet."""
        return bool(self._client.want_write())

    def say(self, effect: SayOnLine) -> bool:
        """Publish without waiting; return whether that can be."""
        return self._client.publish(effect.topic, effect.payload, effect.qos).rc == 0

    def acknowledge(self, mid: int) -> None:
        """Acknowledge a message at QoS 1."""
        self._client.ack(mid, 1)


def _tls(address: BrokerAddress, own_ca_file: str) -> ssl.SSLContext | None:
    if not address.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=address.ca_file or None)
        if own_ca_file and not address.ca_file:
            context.load_verify_locations(own_ca_file)
    except (OSError, ssl.SSLError) as error:
        name = address.ca_file or own_ca_file or "the system's certificates"
        raise UsageError(f"{name}: cannot be read as certificates: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
