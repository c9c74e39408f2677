from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire import iot_dns
from firmware_sim.wire.iot_dns import Endpoints, HostQuery, Request, split_host_port

from .support import VECTORS, outcome, truncations

CA = b"0\x82\x01"
ENDPOINTS = Endpoints("https://cloud.example/d.json", "mqtt.example:8883", CA)
# As tuya/TuyaOpen, src/tuya_cloud_service/cloud/iotdns.c, formats it, spaces included.
QUERY = b'[{"host":"cloud.example", "port":443, "need_ca":true}]'
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


@pytest.mark.parametrize(
    "ca_arr", [b"[]", b"null", b'[""]', b'["not base64"]', b'["\xc3\xa9"]', b"[1]"]
)
def test_a_reply_without_a_readable_certificate_is_malformed(ca_arr: bytes) -> None:
    with pytest.raises(Malformed):
        iot_dns.decode_reply(REPLY.replace(b'["MIIB"]', ca_arr))


def test_only_the_first_certificate_counts() -> None:
    body = iot_dns.encode_reply(ENDPOINTS, ["MIIB", "AA=="])
    assert iot_dns.decode_reply(body).ca == CA


def test_the_largest_certificate_fits_into_the_reply() -> None:
    largest = bytes(iot_dns.CA_SIZE_MAX)
    body = iot_dns.encode_reply(ENDPOINTS, [b64encode(largest).decode()])
    assert iot_dns.decode_reply(body).ca == largest
    with pytest.raises(TooLarge):
        iot_dns.decode_reply(iot_dns.encode_reply(ENDPOINTS, [b64encode(largest * 2).decode()]))
    longer = b64encode(largest + b"more").decode()
    with pytest.raises(TooLarge, match="certificate"):
        iot_dns.decode_reply(iot_dns.encode_reply(ENDPOINTS, [longer]))


def test_query_both_ways() -> None:
    hosts = (HostQuery("cloud.example", 443),)
    assert iot_dns.decode_query(QUERY) == hosts
    assert iot_dns.decode_query(iot_dns.encode_query(hosts)) == hosts
    for data in truncations(QUERY):
        with pytest.raises(PeerError):
            iot_dns.decode_query(data)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'[{"host":"","port":443}]',
        b'[{"host":"h","port":0}]',
        b'[{"host":"h","port":65536}]',
        b"[" + b",".join([b'{"host":"h","port":1}'] * 9) + b"]",
    ],
)
def test_a_bad_query_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        iot_dns.decode_query(body)


def test_query_reply_both_ways() -> None:
    body = iot_dns.encode_query_reply([CA, b"\x00"])
    assert body == b'[{"ca":"MIIB"},{"ca":"AA=="}]'
    assert iot_dns.decode_query_reply(body) == (CA, b"\x00")
    for data in truncations(body):
        with pytest.raises(PeerError):
            iot_dns.decode_query_reply(data)


def test_a_refused_query_is_malformed() -> None:
    refusal = iot_dns.encode_query_refusal("UNKNOWN_HOST")
    assert refusal == b'{"errcode":"UNKNOWN_HOST"}'
    with pytest.raises(Malformed):
        iot_dns.decode_query_reply(refusal)


def test_huge_bodies_are_refused() -> None:
    with pytest.raises(TooLarge):
        iot_dns.decode_query(b" " * 1025)
    with pytest.raises(TooLarge):
        iot_dns.decode_query_reply(b" " * 6145)
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
    outcome(iot_dns.decode_query, data)
    outcome(iot_dns.decode_query_reply, data)
    outcome(split_host_port, text, 1)
