"""Calls and their answers, CONNECTs and their acceptance belong together."""

from firmware_sim.wire import mqtt
from fleet.cloud.messages import (
    CloseStream,
    HttpRequested,
    SendReply,
    SendStream,
    StreamClosed,
    StreamOpened,
    StreamReceived,
)
from fleet.run.checks.doors import Doors

CONNECT = mqtt.Connect(client_id="d1", username="d1", password="p", keep_alive_s=60)


class Ear:
    """Hears everything at the doors."""

    def __init__(self) -> None:
        self.doors = Doors()
        self.heard: list[tuple[object, ...]] = []
        self.doors.answered.append(lambda request, body: self.heard.append((request.target, body)))
        self.doors.knocked.append(lambda conn, packet: self.heard.append(("knocked", conn, packet)))
        self.doors.admitted.append(lambda conn, packet: self.heard.append(("in", conn, packet)))
        self.doors.gone.append(lambda conn: self.heard.append(("gone", conn)))


def test_an_answer_belongs_to_its_call() -> None:
    ear = Ear()
    ear.doors.arrived(HttpRequested(1, "GET", "/one", {}, b""))
    ear.doors.arrived(HttpRequested(2, "GET", "/two", {}, b""))
    ear.doors.told(SendReply(2, 200, b"2"))
    ear.doors.told(SendReply(1, 200, b"1"))
    ear.doors.told(SendReply(7, 200, b"of before the crash"))
    assert ear.heard == [("/two", b"2"), ("/one", b"1")]


def test_a_client_is_in_when_its_acceptance_leaves() -> None:
    ear = Ear()
    data = mqtt.encode(CONNECT)
    ear.doors.arrived(StreamOpened(1))
    ear.doors.arrived(StreamReceived(1, data[:5]))
    assert ear.heard == []
    ear.doors.arrived(StreamReceived(1, data[5:]))
    ear.doors.told(SendStream(1, mqtt.encode(mqtt.Connack(session_present=False, return_code=0))))
    ear.doors.told(SendStream(1, b"more"))
    ear.doors.arrived(StreamReceived(1, b"more"))
    ear.doors.arrived(StreamClosed(1))
    assert ear.heard == [("knocked", 1, CONNECT), ("in", 1, CONNECT), ("gone", 1)]


def test_a_refusal_lets_nobody_in_and_garbage_is_no_client() -> None:
    ear = Ear()
    for conn, data in ((1, mqtt.encode(CONNECT)), (2, b"\xff\xff\xff\xff\xff\xff")):
        ear.doors.arrived(StreamOpened(conn))
        ear.doors.arrived(StreamReceived(conn, data))
    ear.doors.told(SendStream(1, mqtt.encode(mqtt.Connack(session_present=False, return_code=5))))
    ear.doors.told(CloseStream(1))
    assert ear.heard == [("knocked", 1, CONNECT), ("gone", 1)]


def test_nothing_is_left_after_a_crash() -> None:
    ear = Ear()
    ear.doors.arrived(HttpRequested(1, "GET", "/one", {}, b""))
    ear.doors.arrived(StreamOpened(2))
    ear.doors.crashed()
    ear.doors.told(SendReply(1, 200, b"1"))
    ear.doors.arrived(StreamReceived(2, mqtt.encode(CONNECT)))
    assert ear.heard == [("gone", 2)]
