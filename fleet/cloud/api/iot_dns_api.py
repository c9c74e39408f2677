"""Endpoint discovery (iot-dns): tells a device where its cloud is.

One cloud serves every region and environment that a device may name.
"""

from base64 import b64decode

import msgspec

from firmware_sim.errors import PeerError
from firmware_sim.wire import iot_dns
from fleet.cloud.api import envelope


class Endpoints(msgspec.Struct, frozen=True):
    """Where devices reach this cloud, and the certificates (base64 of DER) that they shall trust.

    Firmware needs at least one certificate, even where the transport is not encrypted.
    """

    https_url: str
    mqtt_address: str
    certificates: tuple[str, ...]


def resolve(endpoints: Endpoints, body: bytes, now_ms: int) -> bytes:
    """Return the reply to a request; one without the right form is refused."""
    try:
        iot_dns.decode_request(body)
    except PeerError as error:
        return envelope.failure(error, now_ms)
    where = iot_dns.Endpoints(endpoints.https_url, endpoints.mqtt_address)
    return iot_dns.encode_reply(where, endpoints.certificates)


def vouch(endpoints: Endpoints, body: bytes) -> bytes:
    """Return the certificate authority of whatever hosts a device asks about: it is the same one."""
    try:
        hosts = iot_dns.decode_query(body)
    except PeerError as error:
        return iot_dns.encode_query_refusal(envelope.device_code(error))
    return iot_dns.encode_query_reply([b64decode(endpoints.certificates[0])] * len(hosts))
