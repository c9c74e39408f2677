"""Serves a cloud over real sockets: HTTP by uvicorn, MQTT by the cloud's own broker, one store.

`serve` is a coroutine for any loop and any node, so that a test or an embedding program can use
it. Nothing here knows what a request or a packet means. `fleet.cloud.edge.process` makes a process
of it that looks after itself.
"""

import asyncio
import sys
from collections.abc import Callable

import msgspec

from firmware_sim.node import Node
from fleet.cloud.counters import Counters
from fleet.cloud.edge.clock import Clock
from fleet.cloud.edge.driver import Driver
from fleet.cloud.edge.http import HttpEdge, HttpLimits
from fleet.cloud.edge.listen import BACKLOG, Listeners, connection_limits
from fleet.cloud.edge.mqtt import MqttEdge
from fleet.cloud.edge.pulse import Pulse
from fleet.cloud.edge.websocket import PushEdge
from fleet.cloud.messages import PushRaised, TellOperator
from fleet.cloud.store.records import Store

# Together below the 2 s that a stop may take.
_SETTLE_S_MAX = 1.0
_CLOSE_S_MAX = 0.4
_POLL_S = 0.01


class Ready(msgspec.Struct, frozen=True):
    """The cloud answers on these ports."""

    host: str
    http_port: int
    mqtt_port: int

    @property
    def url(self) -> str:
        """Return the endpoint of the Open API, of the console and of the app."""
        return f"http://{_shown(self.host)}:{self.http_port}"

    @property
    def mqtt_url(self) -> str:
        """Return where devices connect."""
        return f"mqtt://{_shown(self.host)}:{self.mqtt_port}"

    @property
    def push_url(self) -> str:
        """Return what a push consumer is given as its endpoint."""
        return f"ws://{_shown(self.host)}:{self.http_port}/"


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
) -> None:
    """Serve `node` until `stop_event` is set, then stop within 2 s.

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
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(http.protocol, sock=listeners.http, backlog=BACKLOG),
        await loop.create_server(mqtt.protocol, sock=listeners.mqtt, backlog=BACKLOG),
    ]
    try:
        pulse.start()
        driver.start()
        on_ready(Ready(listeners.host, listeners.http_port, listeners.mqtt_port))
        await _first_of(stop_event, driver.failed)
    finally:
        for server in servers:
            server.close()
        await _wind_down(driver, http, mqtt)
        pulse.stop()
    if driver.failed.done():
        raise driver.failed.result()


def _count_push(counters: Counters) -> None:
    """Count a message for developers; the node itself has seen to whom it is owed."""
    counters.pushes += 1


def _tell_operator(effect: TellOperator) -> None:
    """Write one line where whoever started the server sees it."""
    sys.stderr.write(f"cloud: {effect.line}\n")


async def _first_of(stop_event: asyncio.Event, failed: asyncio.Future[BaseException]) -> None:
    stopping = asyncio.ensure_future(stop_event.wait())
    waiting: set[asyncio.Future[object]] = {stopping, failed}  # type: ignore[arg-type]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()


async def _wind_down(driver: Driver, http: HttpEdge, mqtt: MqttEdge) -> None:
    """Say what is still owed, then close politely, then not so politely."""
    if not driver.stopped:
        await _until(lambda: driver.settled and http.answered, _SETTLE_S_MAX)
    driver.stop()
    http.close_all()
    mqtt.close_all()
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
