"""Events of EMQX 5, with the examples of its page "System Topic"."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.external.emqx import read_sign
from fleet.cloud.external.signs import Came, Hears, HearsNoMore, Left, Sign
from fleet.cloud.happenings import Gone


def told(kind: str, **fields: object) -> Sign | None:
    base = {"username": "bf1", "ts": 1625572213873, "clientid": "bf1"}
    topic = f"$SYS/brokers/emqx@127.0.0.1/clients/bf1/{kind}"
    return read_sign(topic, json.dumps(base | fields).encode())


def test_a_client_comes() -> None:
    connected = {
        "sockport": 1883,
        "proto_ver": 4,
        "proto_name": "MQTT",
        "keepalive": 60,
        "ipaddress": "127.0.0.1",
        "expiry_interval": 0,
        "connected_at": 1625572213873,
        "connack": 0,
        "clean_start": True,
    }
    assert told("connected", **connected) == Came("bf1", "bf1")


@pytest.mark.parametrize(
    ("reason", "gone"),
    [
        ("normal", Gone.DISCONNECTED),
        ("tcp_closed", Gone.LOST),
        ("keepalive_timeout", Gone.SILENT),
        ("kicked", Gone.SENT_AWAY),
        ("not_authorized", Gone.NOT_ITS_TOPIC),
        ("protocol_error", Gone.BROKE_PROTOCOL),
    ],
)
def test_and_goes(reason: str, gone: Gone) -> None:
    assert told("disconnected", reason=reason) == Left("bf1", gone)


@pytest.mark.parametrize("reason", ["discarded", "takenover"])
def test_that_it_moved_to_another_connection_is_no_news(reason: str) -> None:
    assert told("disconnected", reason=reason) is None


def test_what_it_hears() -> None:
    assert told("subscribed", topic="a/b", protocol="mqtt", subopts={"qos": 1}) == Hears(
        "bf1", "a/b"
    )
    assert told("unsubscribed", topic="a/b") == HearsNoMore("bf1", "a/b")


def test_other_topics_and_forms() -> None:
    assert told("resumed") is None
    assert read_sign("$SYS/brokers/emqx@1/uptime", b"{}") is None
    assert read_sign("$SYS/brokers/n/clients/bf1/connected", b"[]") is None
    assert read_sign("$SYS/brokers/n/clients/bf1/connected", b'{"username":3}') is None


@given(st.binary(max_size=60))
def test_any_bytes_are_an_event_or_none(payload: bytes) -> None:
    read_sign("$SYS/brokers/n/clients/bf1/connected", payload)
