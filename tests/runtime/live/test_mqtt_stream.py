"""The broker connection: what the device hears, and that it hears nothing after leaving."""

import asyncio

from firmware_sim.runtime.live.mqtt_stream import MqttStream


class FakeTransport(asyncio.Transport):
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[object] = []

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.log.append(data)

    def close(self) -> None:
        self.log.append("close")

    def abort(self) -> None:
        self.log.append("abort")


def stream() -> tuple[MqttStream, FakeTransport, list[object]]:
    heard: list[object] = []
    made = MqttStream(lambda: heard.append("opened"), heard.append, heard.append)
    return made, FakeTransport(), heard


def test_a_whole_life() -> None:
    mqtt, transport, heard = stream()
    mqtt.write(b"too early")
    mqtt.connection_made(transport)
    mqtt.write(b"out")
    mqtt.data_received(b"in")
    mqtt.connection_lost(None)
    mqtt.connection_lost(ConnectionResetError())
    assert heard == ["opened", b"in", "closed"]
    assert transport.log == [b"out"]


def test_a_connection_that_could_not_be_made() -> None:
    mqtt, _, heard = stream()
    mqtt.fail("ConnectionRefusedError")
    assert heard == ["ConnectionRefusedError"]


def test_nothing_is_heard_after_leaving() -> None:
    mqtt, transport, heard = stream()
    mqtt.connection_made(transport)
    mqtt.leave()
    mqtt.write(b"too late")
    mqtt.data_received(b"too late")
    mqtt.connection_lost(ConnectionResetError())
    assert heard == ["opened"]
    assert transport.log == ["close"]


def test_power_cut_before_and_after_the_connection_stands() -> None:
    early, transport, heard = stream()
    early.abandon()
    early.leave()
    early.connection_made(transport)
    late, other, _ = stream()
    late.connection_made(other)
    late.abandon()
    assert (transport.log, other.log) == (["abort"], ["abort"])
    assert heard == []
