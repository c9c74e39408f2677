"""Lines of Mosquitto's log, as version 2.0.11 wrote them, and what strangers may put into some."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.external.mosquitto import (
    TOPIC_NOTICES,
    TOPIC_SUBSCRIBED,
    TOPIC_UNSUBSCRIBED,
    read_sign,
)
from fleet.cloud.external.signs import Came, Hears, HearsNoMore, Left, Sign
from fleet.cloud.happenings import Gone

HERE = "New client connected from 127.0.0.1:52234 as bf1 (p2, c1, k120, u'bf1')."


def notice(text: str) -> Sign | None:
    return read_sign(TOPIC_NOTICES, text.encode())


@pytest.mark.parametrize(
    "time", ["1795287664: ", "", "2024-01-02T03:04:05: ", "2024-01-02T03:04:05+0100: "]
)
def test_a_client_comes_and_goes(time: str) -> None:
    assert notice(time + HERE) == Came("bf1", "bf1")
    assert notice(time + "Client bf1 disconnected.") == Left("bf1", Gone.DISCONNECTED)
    assert read_sign(TOPIC_SUBSCRIBED, f"{time}bf1 1 smart/device/in/bf1".encode()) == Hears(
        "bf1", "smart/device/in/bf1"
    )
    assert read_sign(TOPIC_UNSUBSCRIBED, f"{time}bf1 smart/device/in/bf1".encode()) == HearsNoMore(
        "bf1", "smart/device/in/bf1"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Client bf1 disconnected.", Gone.DISCONNECTED),
        ("Client bf1 closed its connection.", Gone.LOST),
        ("Client bf1 has exceeded timeout, disconnecting.", Gone.SILENT),
        ("Client bf1 been disconnected by administrative action.", Gone.SENT_AWAY),
        ("Client bf1 disconnected due to malformed packet.", Gone.BROKE_PROTOCOL),
        ("Client bf1 disconnected due to protocol error.", Gone.BROKE_PROTOCOL),
        ("Client bf1 disconnected due to oversize packet.", Gone.BROKE_PROTOCOL),
        ("Client bf1 disconnected due to oversize payload.", Gone.BROKE_PROTOCOL),
        ("Client bf1 disconnected due to out of memory.", Gone.LOST),
        (
            "Client bf1 disconnected due to QoS too high or retain not supported.",
            Gone.BROKE_PROTOCOL,
        ),
        ("Client bf1 disconnected: Connection reset by peer.", Gone.LOST),
        ("Bad socket read/write on client bf1: Unknown error", Gone.LOST),
    ],
)
def test_every_way_to_go(text: str, reason: Gone) -> None:
    assert notice(f"1: {text}") == Left("bf1", reason)


@pytest.mark.parametrize(
    "text",
    [
        "New connection from 127.0.0.1:52234 on port 1883.",
        "New client connected from 127.0.0.1:1 as anonymous (p2, c1, k60).",
        "Client bf1 disconnected, not authorised.",  # somebody tried to be it
        "Client <unknown> disconnected, not authorised.",
        f"Client {HERE} disconnected, not authorised.",
        "Client a b disconnected.",
        # Others, whose ids are "bf1" and some words.
        "Client bf1 disconnected: x disconnected.",
        "Client bf1 disconnected: Broken pipe closed its connection.",
        "Client bf1 disconnected due to closed its connection.",
        "Client bf1 closed its connection disconnected.",
        "Bad socket read/write on client bf1: x: Unknown error",
        f"x: {HERE}",
        f"{HERE} ",
        f"{HERE}\n",
        "New client connected from 1:1 as bf1 (p2, c1, k1, u'x' y').",
        "Outgoing messages are being dropped for client bf1.",
        "",
    ],
)
def test_what_says_nothing_of_a_client_of_ours(text: str) -> None:
    assert notice(text) is None


def test_a_line_counts_in_its_place_only() -> None:
    assert read_sign(TOPIC_SUBSCRIBED, HERE.encode()) is None
    assert read_sign(TOPIC_SUBSCRIBED, b"1: bf1 3 t") is None
    assert read_sign(TOPIC_SUBSCRIBED, b"1: bf1 1 a topic") is None
    assert read_sign("$SYS/broker/log/E", HERE.encode()) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_a_line(payload: bytes) -> None:
    for topic in (TOPIC_NOTICES, TOPIC_SUBSCRIBED, TOPIC_UNSUBSCRIBED):
        read_sign(topic, payload)
