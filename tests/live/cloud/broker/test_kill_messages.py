"""kill -9 amid a stream of messages: what was acknowledged is kept, and QoS 2 is exactly once.

A publisher and a subscriber, both paho with sessions that are kept, talk over a cloud that is
killed twice and comes back on the same port and data. They reconnect by themselves.
"""

import asyncio
import os
import queue
import signal
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from fleet.cloud.broker.records import GuestMessage, KeptReceipt
from fleet.cloud.edge.process import ServerConfig
from fleet.cloud.edge.stores import open_store
from fleet.cloud.seed import MqttClientSeed, Seed
from fleet.cloud.settings import Settings
from fleet.run.cloud_host import CloudHost
from tests.cloud.store.postgres_server import PostgresServer

MESSAGES, KILLS = 600, 2
NAME, PASSWORD, TOPIC = "walker", "secret", "test/kill"
SETTINGS = Settings(password_iterations=1)
PATIENCE_S = 60.0


def client(client_id: str, port: int) -> paho.Client:
    """Return a client that is connected, or about to be."""
    made = paho.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=False)
    made.username_pw_set(NAME, PASSWORD)
    made.reconnect_delay_set(1, 1)
    made.connect("127.0.0.1", port)
    made.loop_start()
    return made


async def story(place: str) -> None:
    loop, deaths = asyncio.get_running_loop(), asyncio.Queue[str]()
    guest = MqttClientSeed(name=NAME, password=PASSWORD, read=("#",), write=("#",))
    config = ServerConfig(data=place, settings=SETTINGS, seed=Seed(mqtt_clients=(guest,)))
    host = CloudHost(config, deaths.put_nowait)
    await host.start()
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    subscribed, port = asyncio.Event(), host.ready.mqtt_port
    listener, speaker = client("listener", port), client("speaker", port)

    def note(_client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        heard.put(bytes(message.payload))

    def granted(*_: Any) -> None:
        loop.call_soon_threadsafe(subscribed.set)

    try:
        listener.on_message = note
        listener.on_subscribe = granted
        listener.subscribe(TOPIC, 2)
        await asyncio.wait_for(subscribed.wait(), PATIENCE_S)
        said = [speaker.publish(TOPIC, b"%d" % number, 2) for number in range(MESSAGES)]
        got: list[bytes] = []
        for death in range(1, KILLS + 1):
            while len(got) < MESSAGES * death // (KILLS + 1):
                got.append(await asyncio.to_thread(heard.get, timeout=PATIENCE_S))
            os.kill(host.pid, signal.SIGKILL)
            await deaths.get()
            await host.replace()
        for word in said:
            await asyncio.to_thread(word.wait_for_publish, PATIENCE_S)
        while len(got) < MESSAGES:
            got.append(await asyncio.to_thread(heard.get, timeout=PATIENCE_S))
        await asyncio.sleep(1)  # for what should not come
        assert heard.empty()
        assert sorted(map(int, got)) == [*range(MESSAGES)]
    finally:
        for each in (listener, speaker):
            each.disconnect()
            each.loop_stop()
        await host.stop(grace_s=5)
    store = open_store(place)
    left = [*store.load(GuestMessage), *store.load(KeptReceipt)]
    store.close()
    assert left == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_six_hundred_messages_survive_two_kills(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = str(tmp_path / "data")
    if kind == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        place = server.new_schema()
    asyncio.run(story(place))
