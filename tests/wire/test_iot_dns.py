import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire import iot_dns
from firmware_sim.wire.iot_dns import Endpoints, Request, split_host_port

from .support import VECTORS, outcome, truncations

ENDPOINTS = Endpoints("https://cloud.example/d.json", "mqtt.example:8883")
REPLY = (
    b'{"httpsSelfUrl":{"addr":"https://cloud.example/d.json"},'
    b'"mqttsSelfUrl":{"addr":"mqtt.example:8883"},"caArr":["MIIB"]}'
)


@pytest.mark.parametrize("name", ["iot_dns_request_first", "iot_dns_request_region"])
def test_golden_requests_both_ways(name: str) -> None:
    vector = VECTORS[name]
    request = Request(vector["env"], vector.get("region"))
    body = vector["body"].encode()
    assert iot_dns.encode_request(request) == body
    assert iot_dns.decode_request(body) == request
    for data in truncations(body):
        with pytest.raises(PeerError):
            iot_dns.decode_request(data)


def test_reply_both_ways() -> None:
    assert iot_dns.encode_reply(ENDPOINTS, ["MIIB"]) == REPLY
    assert iot_dns.decode_reply(REPLY) == ENDPOINTS
    for data in truncations(REPLY):
        with pytest.raises(PeerError):
            iot_dns.decode_reply(data)


def test_a_reply_without_certificate_would_crash_firmware() -> None:
    with pytest.raises(UsageError, match="certificate"):
        iot_dns.encode_reply(ENDPOINTS, [])


def test_huge_bodies_are_refused() -> None:
    with pytest.raises(TooLarge):
        iot_dns.decode_request(b" " * 1025)
    with pytest.raises(TooLarge):
        iot_dns.decode_reply(b" " * 6145)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mqtt.example:8883", ("mqtt.example", 8883)),
        ("mqtt.example", ("mqtt.example", 443)),
        ("https://cloud.example/d.json", ("cloud.example", 443)),
        ("http://127.0.0.1:8080/x:y", ("127.0.0.1", 8080)),
        ("[::1]:1883", ("::1", 1883)),
        ("[::1]", ("::1", 443)),
    ],
)
def test_host_and_port(text: str, expected: tuple[str, int]) -> None:
    assert split_host_port(text, 443) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":80",
        "https:///x",
        "h:",
        "h:x",
        "h:0",
        "h:65536",
        "h:-1",
        "h:\N{ARABIC-INDIC DIGIT ONE}",
        "h:" + "1" * 5000,
    ],
)
def test_a_bad_address_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        split_host_port(text, 443)


def test_a_long_host_is_malformed() -> None:
    assert split_host_port("h" * 64, 1) == ("h" * 64, 1)
    with pytest.raises(Malformed):
        split_host_port("h" * 65, 1)


@given(st.binary(max_size=200), st.text(max_size=100))
def test_garbage_is_a_result_or_a_peer_error(data: bytes, text: str) -> None:
    outcome(iot_dns.decode_request, data)
    outcome(iot_dns.decode_reply, data)
    outcome(split_host_port, text, 1)
