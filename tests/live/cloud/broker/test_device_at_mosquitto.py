"""Our thin client at somebody else's broker: a device's firmware, with Mosquitto at the other end.

Everything of MQTT that a device says and hears is between it and Mosquitto; only its HTTP calls are
answered by hand.
"""

import socket
import time
from collections.abc import Iterator

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.wire import mqtt, mqtt_payload
from tests.device.stage import BOUND, DEV_ID, LOCAL_KEY, Stage
from tests.live.cloud.broker.mosquitto import LOOPBACK, running_mosquitto

PATIENCE_S = 20.0
TOPIC_IN, TOPIC_OUT = mqtt_payload.topic_in(DEV_ID), mqtt_payload.topic_out(DEV_ID)


class AtMosquitto(Stage):
    """A stage whose MQTT connection is a real one."""

    def __init__(self, port: int) -> None:
        super().__init__(flash=BOUND.image())
        self._port = port
        self._socket: socket.socket | None = None
        self.losses = 0

    def tell(self, event: Event) -> list[Effect]:
        effects = super().tell(event)
        for effect in effects:
            match effect:
                case fx.OpenMqtt():
                    self._socket = socket.create_connection((LOOPBACK, self._port))
                    self._socket.settimeout(0.02)
                    self.tell(ev.MqttOpened())
                case fx.SendMqtt() if self._socket is not None:
                    self._socket.sendall(effect.data)
                case fx.CloseMqtt() if self._socket is not None:
                    self.hang_up()
        return effects

    def hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def listen(self) -> None:
        """Hear what has come, for a moment."""
        if self._socket is None:
            return
        try:
            data = self._socket.recv(65_536)
        except TimeoutError:
            return
        if data:
            self.tell(ev.MqttReceived(data))
        else:
            self.hang_up()
            self.losses += 1
            self.tell(ev.MqttClosed("closed"))

    def wait(self, delay_ms: int) -> None:
        """Let time pass for the device, which hears in between what it is answered."""
        until_ms = self.now_ms + delay_ms
        while (due_ms := self.device.next_deadline_ms()) is not None and due_ms <= until_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self.tell(ev.DeadlineReached())
            self.listen()
        self.now_ms = until_ms

    def until(self, session: str) -> None:
        """Listen until the session is in a state."""
        end_s = time.monotonic() + PATIENCE_S
        while self.session != session:
            assert time.monotonic() < end_s, self.session
            self.listen()

    def go_online(self) -> None:
        self.boot()
        self.tell(ev.WifiJoined("127.1.0.1"))
        self.reply_servers()
        self.reply_success()
        self.until("UP")


class Cloud:
    """An ordinary client that plays the cloud: it hears the device, and sends it messages."""

    def __init__(self, port: int) -> None:
        self.heard: list[bytes] = []
        self.paho = paho.Client(CallbackAPIVersion.VERSION2)
        self.paho.on_message = lambda _c, _d, message: self.heard.append(bytes(message.payload))
        self.paho.connect(LOOPBACK, port)
        self.paho.loop_start()
        self.paho.subscribe(TOPIC_OUT, 1)

    def send(self, body: bytes) -> None:
        payload = mqtt_payload.encode(LOCAL_KEY.encode(), body, 1, mqtt_payload.SOURCE_CLOUD)
        self.paho.publish(TOPIC_IN, payload, qos=1).wait_for_publish(PATIENCE_S)


@pytest.fixture
def stand() -> Iterator[tuple[AtMosquitto, Cloud]]:
    """A device that is about to be switched on, and the one it talks with."""
    with running_mosquitto() as port:
        stage, cloud = AtMosquitto(port), Cloud(port)
        yield stage, cloud
        stage.hang_up()
        cloud.paho.disconnect()
        cloud.paho.loop_stop()


def test_a_device_hears_a_command_acknowledges_it_and_reports(
    stand: tuple[AtMosquitto, Cloud],
) -> None:
    stage, cloud = stand
    stage.go_online()
    before = len(stage.messages())
    cloud.send(mqtt_payload.encode_dp_command(stage.now_ms // 1000, b'{"101":false}'))
    end_s = time.monotonic() + PATIENCE_S
    while len(cloud.heard) <= before or len(stage.messages()) <= before:
        assert time.monotonic() < end_s
        stage.listen()
    report = mqtt_payload.decode(LOCAL_KEY.encode(), cloud.heard[-1])
    assert report.protocol == mqtt_payload.Protocol.DP_REPORT
    assert report == stage.messages()[-1]
    stage.listen()
    assert stage.session == "UP", "Mosquitto has its PUBACK and no complaint"


def test_a_device_pings_and_is_answered(stand: tuple[AtMosquitto, Cloud]) -> None:
    stage, _ = stand
    stage.go_online()
    stage.wait(3_500 * stage.device.profile.timings.keep_alive_s)
    pings = [packet for packet in stage.packets() if isinstance(packet, mqtt.Pingreq)]
    assert len(pings) == 3
    assert stage.session == "UP"
    assert stage.losses == 0


def test_a_device_whose_id_is_taken_over_comes_back(stand: tuple[AtMosquitto, Cloud]) -> None:
    stage, _ = stand
    stage.go_online()
    thief = paho.Client(CallbackAPIVersion.VERSION2, DEV_ID, reconnect_on_failure=False)
    thief.connect(LOOPBACK, stage._port)
    thief.loop_start()
    end_s = time.monotonic() + PATIENCE_S
    while stage.losses == 0:
        assert time.monotonic() < end_s
        stage.listen()
    stage.wait(60_000)
    stage.until("UP")
    thief.loop_stop()
