"""A connection to the broker, packet by packet."""

import asyncio

import pytest

from firmware_sim.events import MqttClosed, MqttOpened, MqttReceived
from firmware_sim.wire import mqtt
from fleet.app.errors import CloudUnreachable
from fleet.run import door
from fleet.run.door import Line


class Wire:
    """A connection that keeps what is written to it."""

    def __init__(self) -> None:
        self.written = b""
        self.left = False

    def write(self, data: bytes) -> None:
        self.written += data

    def leave(self) -> None:
        self.left = True


def test_packets_come_in_order_however_they_are_cut() -> None:
    async def story() -> None:
        line, data = Line(), mqtt.encode(mqtt.Connack(0)) + mqtt.encode(mqtt.Puback(7))
        line.tell(MqttOpened())
        await line.opened()
        line.tell(MqttReceived(data[:3]))
        line.tell(MqttReceived(data[3:]))
        assert await line.packet() == mqtt.Connack(0)
        assert await line.packet() == mqtt.Puback(7)
        asyncio.get_running_loop().call_soon(line.tell, MqttClosed("closed"))
        assert await line.packet() is None

    asyncio.run(story())


def test_what_is_no_mqtt_ends_it() -> None:
    async def story() -> None:
        line = Line()
        line.tell(MqttReceived(b"\x00\x00"))
        assert await line.packet() is None

    asyncio.run(story())


def test_what_is_said_is_written_and_then_left() -> None:
    async def story() -> Wire:
        line, wire = Line(), Wire()
        line.close()
        line.stream = wire
        line.send(mqtt.Pingreq())
        line.close()
        return wire

    wire = asyncio.run(story())
    assert (wire.written, wire.left) == (mqtt.encode(mqtt.Pingreq()), True)


def test_a_broker_that_is_away_or_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "ANSWER_S", 0.001)

    async def story() -> None:
        with pytest.raises(CloudUnreachable, match="said nothing"):
            await Line().opened()
        with pytest.raises(CloudUnreachable, match="said nothing"):
            await Line().packet()
        line = Line()
        line.tell(MqttClosed("ConnectionRefusedError"))
        with pytest.raises(CloudUnreachable, match="no connection"):
            await line.opened()

    asyncio.run(story())
