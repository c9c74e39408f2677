"""The broker connection: what the device hears, and that it hears nothing after leaving."""

import asyncio

import pytest

from firmware_sim.events import Event, MqttClosed, MqttOpened, MqttReceived
from firmware_sim.runtime.live.mqtt_stream import WRITE_BUFFER_MAX, MqttStream


class FakeTransport(asyncio.Transport):
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[object] = []
        self.unsent = 0
        self.tls: object = None
        self.closing = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.log.append(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self.tls if name == "ssl_object" else default

    def close(self) -> None:
        self.log.append("close")

    def abort(self) -> None:
        self.log.append("abort")
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing


def stream() -> tuple[MqttStream, FakeTransport, list[Event]]:
    heard: list[Event] = []
    return MqttStream(heard.append), FakeTransport(), heard


def test_a_whole_life() -> None:
    mqtt, transport, heard = stream()
    mqtt.write(b"too early")
    mqtt.connection_made(transport)
    mqtt.write(b"out")
    mqtt.data_received(b"in")
    mqtt.connection_lost(None)
    mqtt.connection_lost(ConnectionResetError())
    assert heard == [MqttOpened(), MqttReceived(b"in"), MqttClosed("closed")]
    assert transport.log == [b"out"]


def test_a_connection_that_could_not_be_made() -> None:
    mqtt, _, heard = stream()
    mqtt.fail("ConnectionRefusedError")
    assert heard == [MqttClosed("ConnectionRefusedError")]


@pytest.mark.parametrize(("tls", "fin"), [(None, True), (object(), False)])
def test_the_mere_end_of_a_connection_is_told_from_a_farewell(tls: object, *, fin: bool) -> None:
    mqtt, transport, heard = stream()
    transport.tls = tls
    mqtt.connection_made(transport)
    mqtt.eof_received()
    mqtt.connection_lost(None)
    assert heard[-1] == MqttClosed("closed", fin)


def test_a_reset_is_no_mere_end() -> None:
    mqtt, transport, heard = stream()
    mqtt.connection_made(transport)
    mqtt.eof_received()
    mqtt.connection_lost(ConnectionResetError())
    assert heard[-1] == MqttClosed("ConnectionResetError")


def test_nothing_is_heard_after_leaving() -> None:
    mqtt, transport, heard = stream()
    mqtt.connection_made(transport)
    mqtt.leave()
    mqtt.write(b"too late")
    mqtt.data_received(b"too late")
    mqtt.connection_lost(ConnectionResetError())
    assert heard == [MqttOpened()]
    assert transport.log == ["close"]


def test_a_broker_that_never_reads_is_cut_off() -> None:
    mqtt, transport, heard = stream()
    mqtt.connection_made(transport)
    transport.unsent = WRITE_BUFFER_MAX
    mqtt.write(b"fits")
    transport.unsent += 1
    mqtt.write(b"too much")
    mqtt.write(b"too late: a loop may refuse to write to what it closes")
    mqtt.connection_lost(None)
    assert transport.log == [b"fits", b"too much", "abort"]
    assert heard[-1] == MqttClosed("closed")


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
