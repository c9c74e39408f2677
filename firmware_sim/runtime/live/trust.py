"""Which servers a device believes: TLS as firmware speaks it, with one certificate as sole anchor.

TLS 1.2, host name checked, no client certificate; the anchor is built in for iot-dns and named by
iot-dns for everything else (tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_endpoint.c and
middleware/http_client_wrapper.c).
"""

import ssl
from collections.abc import Callable
from functools import lru_cache

ANCHORS_MAX = 64


class BadAnchor(Exception):
    """A device was named something as its anchor that is no certificate."""


def anchor_cache() -> Callable[[bytes], ssl.SSLContext]:
    """Return a function from an anchor (DER) to the TLS context of whoever trusts it alone.

    It keeps the last contexts: a fleet has one cloud, and a context costs more than a connection.
    It raises BadAnchor for bytes that are no certificate.
    """
    return lru_cache(maxsize=ANCHORS_MAX)(_context)


def _context(anchor: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks host name and certificate
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=anchor)
    except ssl.SSLError as error:
        raise BadAnchor(str(error)) from error
    return context
