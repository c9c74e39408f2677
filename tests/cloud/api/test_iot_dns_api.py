"""Endpoint discovery: where the cloud is, for any region."""

import json

import pytest

from firmware_sim.wire import iot_dns
from tests.cloud.support import ENDPOINTS, World


@pytest.mark.parametrize("region", [None, "EU", "AY"])
def test_a_device_learns_where_its_cloud_is(region: str | None) -> None:
    body = iot_dns.encode_request(iot_dns.Request("pro", region))
    reply = World().send("POST", iot_dns.PATH, body)
    where = iot_dns.decode_reply(reply)
    assert where.https_url == ENDPOINTS.https_url
    assert where.mqtt_address == ENDPOINTS.mqtt_address
    assert json.loads(reply)["caArr"] == list(ENDPOINTS.certificates)


def test_one_authority_vouches_for_every_host() -> None:
    hosts = [iot_dns.HostQuery("a.test", 443), iot_dns.HostQuery("b.test", 8_883)]
    reply = World().send("POST", iot_dns.QUERY_PATH, iot_dns.encode_query(hosts))
    assert iot_dns.decode_query_reply(reply) == (b"certificate", b"certificate")


@pytest.mark.parametrize(("body", "code"), [(b"[]", "BAD_REQUEST"), (b"x" * 5000, "TOO_LARGE")])
def test_a_question_about_no_host(body: bytes, code: str) -> None:
    assert json.loads(World().send("POST", iot_dns.QUERY_PATH, body)) == {"errcode": code}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"x" * 5000])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    envelope = json.loads(World().send("POST", iot_dns.PATH, body))
    assert envelope["success"] is False
    assert envelope["code"] in {"bad_request", "too_large"}
