"""Endpoint discovery (iot-dns): tells a device where its cloud is.

One cloud serves every region and environment that a device may name.
"""

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
