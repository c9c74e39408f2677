"""Serves a cloud over real sockets: HTTP by uvicorn, MQTT by the node's own broker, one store.

`serve` is a coroutine for any loop and any node, so a test or an embedding program can use it;
`run` is the same as a process of its own, to be started by `multiprocessing` (spawn) or called by
a command. Nothing here knows what a request or a packet means.
"""

import asyncio
import socket
from collections.abc import Callable

import msgspec

from firmware_sim.node import Node
from fleet.cloud.counters import Counters
from fleet.cloud.edge import listen
from fleet.cloud.edge.driver import Driver
from fleet.cloud.edge.http import HttpEdge, HttpLimits
from fleet.cloud.edge.mqtt import MqttEdge
from fleet.cloud.edge.pulse import Pulse
from fleet.cloud.messages import PushRaised
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


async def serve(
    node: Node,
    store: Store,
    host: str,
    http_port: int,
    mqtt_port: int,
    on_ready: Callable[[Ready], None],
    stop_event: asyncio.Event,
    *,
    public: bool = False,
    counters: Counters | None = None,
    body_size_max: int = 65_536,
) -> None:
    """Serve `node` until `stop_event` is set; the store stays open, for the caller to close.

    Port 0 is any free port. Raises UsageError when a port cannot be had, and whatever the store
    or the node failed with: then nothing more was said to anybody, and the caller must start
    over with a node loaded from the store.
    """
    http_max, mqtt_max = listen.connection_limits()
    sockets = _bind_both(host, http_port, mqtt_port, public=public)
    driver = Driver(node, store, counters or Counters())
    driver.carry_out_with(PushRaised, _ignore_push(driver.counters))
    http = HttpEdge(driver, HttpLimits(http_max, body_size_max))
    mqtt = MqttEdge(driver, mqtt_max)
    pulse = Pulse(driver, sweeps=(http.sweep, mqtt.sweep))
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(edge.protocol, sock=bound, backlog=listen.BACKLOG)
        for edge, bound in zip((http, mqtt), sockets, strict=True)
    ]
    try:
        pulse.start()
        driver.start()
        on_ready(Ready(host, *map(listen.port_of, sockets)))
        await _first_of(stop_event, driver.failed)
    finally:
        for server in servers:
            server.close()
        await _wind_down(driver, http, mqtt)
        pulse.stop()
    if driver.failed.done():
        raise driver.failed.result()


def _bind_both(
    host: str, http_port: int, mqtt_port: int, *, public: bool
) -> tuple[socket.socket, socket.socket]:
    http = listen.bind(host, http_port, public=public)
    try:
        return http, listen.bind(host, mqtt_port, public=public)
    except BaseException:
        http.close()
        raise


def _ignore_push(counters: Counters) -> Callable[[PushRaised], None]:
    """Count messages for developers: no edge delivers them yet, and none is owed to anybody."""

    def count(_effect: PushRaised) -> None:
        counters.pushes += 1

    return count


async def _first_of(stop_event: asyncio.Event, failed: asyncio.Future[BaseException]) -> None:
    stopping = asyncio.ensure_future(stop_event.wait())
    try:
        await asyncio.wait({stopping, failed}, return_when=asyncio.FIRST_COMPLETED)
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
