"""Endpoint discovery: the first call of a device, which tells it where its cloud is.

`POST /v2/url_config` with a bare JSON body. Source: tuya/tuya-connect-kit-for-mqtt-embedded-c,
src/iotdns.c and src/tuya_endpoint.c.
"""

from collections.abc import Sequence

import msgspec

from firmware_sim.errors import Malformed, TooLarge, UsageError
from firmware_sim.wire.structs import decode_json, encode_json

PATH = "/v2/url_config"
REPLY_SIZE_MAX = 6144
"""The whole HTTP reply, head included, that the vendor's client has room for."""

_REQUEST_SIZE_MAX = 1024
_HOST_SIZE_MAX = 64
_PORT_MAX = 65535
_HTTPS_KEY, _MQTT_KEY = "httpsSelfUrl", "mqttsSelfUrl"


class Request(msgspec.Struct, frozen=True, gc=False):
    """What a device asks: its environment, and its region once a token has named it."""

    env: str
    region: str | None = None


class Endpoints(msgspec.Struct, frozen=True, gc=False):
    """Where the cloud is: the ATOP address as URL, the MQTT address as host:port."""

    https_url: str
    mqtt_address: str


class _Wish(msgspec.Struct, frozen=True):
    key: str
    need_ca: bool


class _RequestForm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    config: tuple[_Wish, ...]
    region: str | None = None
    env: str


class _Address(msgspec.Struct, frozen=True):
    addr: str


class _ReplyForm(msgspec.Struct, frozen=True, rename="camel"):
    https_self_url: _Address
    mqtts_self_url: _Address
    ca_arr: tuple[str, ...]


_WISHES = (_Wish(_HTTPS_KEY, need_ca=True), _Wish(_MQTT_KEY, need_ca=True))


def encode_request(request: Request) -> bytes:
    """Return the body that firmware posts."""
    return encode_json(_RequestForm(config=_WISHES, region=request.region, env=request.env))


def decode_request(body: bytes) -> Request:
    """Return what a device asks; raise Malformed or TooLarge."""
    _check_size(body, _REQUEST_SIZE_MAX)
    form = decode_json(_RequestForm, body)
    return Request(form.env, form.region)


def encode_reply(endpoints: Endpoints, ca_arr: Sequence[str]) -> bytes:
    """Return the reply; `ca_arr` holds base64 of DER certificates and must not be empty.

    Raises UsageError without a certificate: firmware reads the first element unchecked and crashes.
    """
    if not ca_arr:
        raise UsageError("iot-dns reply: give at least one certificate, firmware crashes without")
    return encode_json(
        _ReplyForm(_Address(endpoints.https_url), _Address(endpoints.mqtt_address), tuple(ca_arr))
    )


def decode_reply(body: bytes) -> Endpoints:
    """Return the endpoints in a reply; raise Malformed or TooLarge."""
    _check_size(body, REPLY_SIZE_MAX)
    form = decode_json(_ReplyForm, body)
    return Endpoints(form.https_self_url.addr, form.mqtts_self_url.addr)


def split_host_port(text: str, default_port: int) -> tuple[str, int]:
    """Cut `host`, `host:port` or a URL into host and port; a path is dropped, as in firmware.

    IPv6 addresses stand in brackets. Raises Malformed for an empty or overlong host or a port
    outside 1..65535.
    """
    authority = text.partition("://")[2] or text
    authority = authority.partition("/")[0]
    host, separator, port_text = authority.rpartition(":")
    if not separator or port_text.endswith("]"):
        host, port_text = authority, str(default_port)
    host = host.removeprefix("[").removesuffix("]")
    if not host or len(host) > _HOST_SIZE_MAX:
        raise Malformed(f"a host name has 1..{_HOST_SIZE_MAX} characters")
    if not (port_text.isascii() and port_text.isdigit() and len(port_text) < len("655350")):
        raise Malformed("a port is a decimal number")
    port = int(port_text)
    if not 1 <= port <= _PORT_MAX:
        raise Malformed(f"port {port} is outside 1..{_PORT_MAX}")
    return host, port


def _check_size(body: bytes, size_max: int) -> None:
    if len(body) > size_max:
        raise TooLarge(f"a body of {len(body)} bytes; the limit is {size_max}")
