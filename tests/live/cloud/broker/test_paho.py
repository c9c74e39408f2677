"""paho-mqtt at our broker: what an ordinary client with callbacks makes of it."""

import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from fleet.cloud.edge.local import LocalCloud

TESTER, MONITOR, PASSWORD = "tester", "monitor", "demo-password"
PATIENCE_S = 20.0


class Client:
    """A client in a thread of its own, and what it heard."""

    def __init__(
        self, cloud: LocalCloud, name: str = TESTER, client_id: str = "", *, clean: bool = True
    ) -> None:
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, client_id or None, clean_session=clean)
        self.paho.username_pw_set(name, PASSWORD)
        self.heard: queue.SimpleQueue[paho.MQTTMessage] = queue.SimpleQueue()
        self.present: list[bool] = []
        self.paho.on_message = lambda _client, _data, message: self.heard.put(message)
        self.paho.on_connect = self._on_connect
        self._port = cloud.ready.mqtt_port

    def _on_connect(self, _c: Any, _d: Any, flags: paho.ConnectFlags, _r: Any, _p: Any) -> None:
        self.present.append(flags.session_present)

    def start(self) -> "Client":
        before = len(self.present)
        self.paho.connect("127.0.0.1", self._port, keepalive=30)
        self.paho.loop_start()
        eventually(lambda: len(self.present) > before)
        return self

    def subscribe(self, topic_filter: str, qos: int) -> int:
        """Return the code of the SUBACK."""
        granted: queue.SimpleQueue[int] = queue.SimpleQueue()

        def on_subscribe(_c: Any, _d: Any, _mid: int, codes: list[Any], _p: Any) -> None:
            granted.put(codes[0].value)

        self.paho.on_subscribe = on_subscribe
        self.paho.subscribe(topic_filter, qos)
        return granted.get(timeout=PATIENCE_S)

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool = False) -> None:
        """Send a message and wait until the exchange is complete."""
        self.paho.publish(topic, payload, qos, retain).wait_for_publish(PATIENCE_S)

    def next(self) -> tuple[str, bytes, int, bool]:
        message = self.heard.get(timeout=PATIENCE_S)
        return message.topic, bytes(message.payload), message.qos, message.retain

    def stop(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()

    def vanish(self) -> None:
        """End without a DISCONNECT."""
        connection = self.paho.socket()
        assert connection is not None
        self.paho.loop_stop()
        connection.close()


def eventually(reached: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < end_s, "nothing came of it"
        time.sleep(0.01)


@pytest.fixture
def clients() -> Iterator[list[Client]]:
    """Clients that are stopped at the end."""
    started: list[Client] = []
    yield started
    for client in started:
        client.stop()


def test_qos_0_1_and_2_both_ways_retained_and_refused(
    tuya_cloud: LocalCloud, clients: list[Client]
) -> None:
    one, two = Client(tuya_cloud).start(), Client(tuya_cloud).start()
    clients += [one, two]
    assert one.subscribe("test/+", 2) == 2
    assert one.subscribe("other/#", 0) == 128
    for qos in (0, 1, 2):
        two.publish("test/a", b"%d" % qos, qos, retain=qos == 2)
        assert one.next() == ("test/a", b"%d" % qos, qos, False)
    assert two.subscribe("test/#", 1) == 1
    assert two.next() == ("test/a", b"2", 1, True)
    two.publish("test/a", b"", 0, retain=True)
    big = bytes(range(256)) * 800
    two.publish("test/big", big, 2)
    assert [one.next() for _ in range(2)] == [
        ("test/a", b"", 0, False),
        ("test/big", big, 2, False),
    ]


def test_a_session_is_kept_and_what_was_missed_comes(
    tuya_cloud: LocalCloud, clients: list[Client]
) -> None:
    keeper = Client(tuya_cloud, client_id="keeper", clean=False).start()
    keeper.subscribe("test/#", 2)
    keeper.vanish()
    speaker = Client(tuya_cloud).start()
    for number in range(100):
        speaker.publish("test/kept", b"%d" % number, qos=2)
    keeper = Client(tuya_cloud, client_id="keeper", clean=False).start()
    clients += [speaker, keeper]
    assert keeper.present == [True]
    assert [int(keeper.next()[1]) for _ in range(100)] == [*range(100)]


def test_a_will_a_take_over_and_a_monitor(tuya_cloud: LocalCloud, clients: list[Client]) -> None:
    monitor = Client(tuya_cloud, MONITOR).start()
    clients.append(monitor)
    assert monitor.subscribe("#", 2) == 2
    doomed = Client(tuya_cloud, client_id="doomed")
    doomed.paho.will_set("test/will", b"gone", qos=2)
    doomed.start()
    doomed.vanish()
    assert monitor.next() == ("test/will", b"gone", 2, False)
    first = Client(tuya_cloud, client_id="same")
    first.paho.will_set("test/will", b"taken over", qos=1)
    first.start()
    second = Client(tuya_cloud, client_id="same").start()
    clients.append(second)
    assert monitor.next() == ("test/will", b"taken over", 1, False)
    first.stop()
    second.publish("test/a", b"still here", 1)
    assert monitor.next() == ("test/a", b"still here", 1, False)


def test_who_is_not_let_in_is_told_why(tuya_cloud: LocalCloud) -> None:
    for name, password, code in (
        (TESTER, "guess", "Bad user name or password"),
        ("nobody", PASSWORD, "Not authorized"),
    ):
        client = Client(tuya_cloud, name)
        told: queue.SimpleQueue[str] = queue.SimpleQueue()
        client.paho.on_connect = lambda *args, told=told: told.put(str(args[3]))
        client.paho.username_pw_set(name, password)
        client.paho.connect("127.0.0.1", tuya_cloud.ready.mqtt_port)
        client.paho.loop_start()
        assert told.get(timeout=PATIENCE_S) == code
        client.stop()
