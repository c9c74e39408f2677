"""Serves a cloud over real sockets: HTTP, push consumers, MQTT by the cloud's own broker, one store.

`serve` is a coroutine for any loop and any node, so that a test or an embedding program can use
it. Nothing here knows what a request or a packet means. `fleet.cloud.edge.process` makes a process
of it that looks after itself.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from firmware_sim.node import Node
from fleet.cloud.counters import Counters
from fleet.cloud.edge.clock import Clock
from fleet.cloud.edge.door import Door, Port
from fleet.cloud.edge.driver import Driver
from fleet.cloud.edge.encryption import Encryption
from fleet.cloud.edge.http import HttpEdge
from fleet.cloud.edge.http_connection import HttpLimits
from fleet.cloud.edge.listen import BACKLOG, Listeners, connection_limits
from fleet.cloud.edge.mqtt import MqttEdge
from fleet.cloud.edge.pulse import Pulse
from fleet.cloud.edge.websocket import PushEdge
from fleet.cloud.external import BrokerAddress
from fleet.cloud.messages import PushRaised, TellOperator
from fleet.cloud.open.regions import prefix_of
from fleet.cloud.store.records import Store

if TYPE_CHECKING:
    from fleet.cloud.edge.external import ExternalEdge

# Together below the 2 s that a stop may take.
_SETTLE_S_MAX = 1.0
_CLOSE_S_MAX = 0.4
_POLL_S = 0.01


class Ready(msgspec.Struct, frozen=True):
    """The cloud answers on these ports, over TLS where there is an `anchor`.

    That is the certificate (DER) which vouches for it; `ca_file` holds the same as PEM. Data
    centres that have a port of their own are in `region_ports`, by code. `device_port` is the HTTP
    port that devices are told, 0 for the common one.
    """

    host: str
    http_port: int
    mqtt_port: int
    ca_file: str = ""
    anchor: bytes = b""
    region_ports: Mapping[str, int] = {}
    broker_url: str = ""  # of somebody else's broker, where devices find it
    device_port: int = 0

    @property
    def _s(self) -> str:
        return "s" if self.anchor else ""

    @property
    def url(self) -> str:
        """Return the endpoint of the Open API, of the console and of the app."""
        return f"http{self._s}://{_shown(self.host)}:{self.http_port}"

    @property
    def device_url(self) -> str:
        """Return where devices ask for their cloud, and call it."""
        return msgspec.structs.replace(self, http_port=self.device_port or self.http_port).url

    @property
    def mqtt_url(self) -> str:
        """Return where devices connect."""
        return self.broker_url or f"mqtt{self._s}://{_shown(self.host)}:{self.mqtt_port}"

    @property
    def push_url(self) -> str:
        """Return what a push consumer is given as its endpoint."""
        return f"ws{self._s}://{_shown(self.host)}:{self.http_port}/"

    def of_region(self, code: str) -> tuple[str, str]:
        """Return `url` and `push_url` of one data centre: its own port, or its name in the path."""
        port = self.region_ports.get(code)
        if port is None:
            name = prefix_of(code)
            return f"{self.url}/{name}", f"{self.push_url}{name}/"
        there = msgspec.structs.replace(self, http_port=port)
        return there.url, there.push_url


async def serve(
    node: Node,
    store: Store,
    listeners: Listeners,
    on_ready: Callable[[Ready], None],
    stop_event: asyncio.Event,
    *,
    counters: Counters | None = None,
    body_size_max: int = 65_536,
    clock: Clock | None = None,
    encryption: Encryption | None = None,
    broker: BrokerAddress | None = None,
) -> None:
    """Serve `node` until `stop_event` is set, then stop within 2 s.

    With a `broker` that is not ours, nobody is served before it is prepared.
    Closes the listeners; the store stays open, for the caller to close. Raises whatever the store
    or the node failed with (UsageError for a full disk): then nothing more was said to anybody,
    and the caller must start over with a node loaded from the store.
    """
    driver = Driver(node, store, counters or Counters(), clock)
    driver.carry_out_with(PushRaised, lambda _: _count_push(driver.counters))
    driver.carry_out_with(TellOperator, _tell_operator)
    http_max, mqtt_max = connection_limits()
    push = PushEdge(driver)
    http = HttpEdge(driver, HttpLimits(http_max, body_size_max), push.protocol)
    mqtt = MqttEdge(driver, mqtt_max)
    pulse = Pulse(driver, sweeps=(http.sweep, mqtt.sweep, push.sweep))
    external = _external(driver, broker, encryption)
    web: list[Port] = [
        (partial(http.protocol, centre), listener)
        for listener, centre in listeners.all_http.items()
    ]
    own: list[Port] = [(mqtt.protocol, listener) for listener in listeners.all_mqtt]
    shut = ExitStack()
    try:
        pulse.start()
        driver.start()
        if external is None or await _prepared(external, stop_event, driver.failed):
            for ports, room in (
                (web, lambda: http_max - len(http.connections)),
                (own, lambda: mqtt_max - mqtt.connections),
            ):
                shut.callback(await _open(ports, encryption, room))
            on_ready(_ready(listeners, encryption, broker))
            await _first_of(stop_event, driver.failed)
    finally:
        shut.close()
        await _wind_down(driver, http, mqtt, external)
        pulse.stop()
    if driver.failed.done():
        raise driver.failed.result()


def _external(
    driver: Driver, broker: BrokerAddress | None, encryption: Encryption | None
) -> "ExternalEdge | None":
    if broker is None:
        return None
    from fleet.cloud.edge.external import ExternalEdge  # and aiomqtt, only where it is of use

    broker.check(tls=encryption is not None)
    return ExternalEdge(driver, broker, encryption.ca_file if encryption is not None else "")


async def _prepared(
    external: "ExternalEdge", stop_event: asyncio.Event, failed: asyncio.Future[BaseException]
) -> bool:
    """Wait for somebody else's broker; return whether anybody is to be served then."""
    prepared = external.start()
    await _first_of(stop_event, failed, prepared)
    if prepared.done():
        prepared.result()
    return prepared.done() and not failed.done()


async def _open(
    ports: Sequence[Port], encryption: Encryption | None, room: Callable[[], int]
) -> Callable[[], None]:
    """Let clients in from now on; return what ends that. `room` is told to a `Door`."""
    if encryption is not None:
        return Door(ports, encryption.options, room).close
    loop, closing = asyncio.get_running_loop(), ExitStack()
    for protocol, listener in ports:
        server = await loop.create_server(protocol, sock=listener, backlog=BACKLOG)
        closing.callback(server.close)
    return closing.close


def _ready(
    listeners: Listeners, encryption: Encryption | None, broker: BrokerAddress | None
) -> Ready:
    return Ready(
        listeners.host,
        listeners.http_port,
        listeners.mqtt_port,
        ca_file=encryption.ca_file if encryption is not None else "",
        anchor=encryption.anchor if encryption is not None else b"",
        region_ports=listeners.region_ports,
        broker_url=broker.url_for_devices(tls=encryption is not None) if broker else "",
        device_port=listeners.device_port,
    )


def _count_push(counters: Counters) -> None:
    """Count a message for developers; the node itself has seen to whom it is owed."""
    counters.pushes += 1


def _tell_operator(effect: TellOperator) -> None:
    """Write one line where whoever started the server sees it."""
    sys.stderr.write(f"cloud: {effect.line}\n")


async def _first_of(stop_event: asyncio.Event, *futures: asyncio.Future[Any]) -> None:
    stopping = asyncio.ensure_future(stop_event.wait())
    waiting: set[asyncio.Future[Any]] = {stopping, *futures}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()


async def _wind_down(
    driver: Driver, http: HttpEdge, mqtt: MqttEdge, external: "ExternalEdge | None"
) -> None:
    """Say what is still owed, then close politely, then not so politely."""
    if not driver.stopped:
        await _until(lambda: driver.settled and http.answered, _SETTLE_S_MAX)
    driver.stop()
    http.close_all()
    mqtt.close_all()
    if external is not None:
        await external.close()
    await _until(lambda: http.idle and mqtt.idle, _CLOSE_S_MAX)
    http.abort_all()
    mqtt.abort_all()
    await _until(lambda: http.idle and mqtt.idle, _CLOSE_S_MAX)


async def _until(reached: Callable[[], bool], wait_s_max: float) -> None:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + wait_s_max
    while not reached() and loop.time() < end_s:
        await asyncio.sleep(_POLL_S)


def _shown(host: str) -> str:
    """Return a host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
