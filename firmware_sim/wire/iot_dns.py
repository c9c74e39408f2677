"""Endpoint discovery: the first call of a device, which tells it where its cloud is.

`POST /v2/url_config` with a bare JSON body; newer firmware also asks `/device/dns_query` for the
certificate authority of some other host. Sources: tuya/tuya-connect-kit-for-mqtt-embedded-c,
src/iotdns.c and src/tuya_endpoint.c; tuya/TuyaOpen, src/tuya_cloud_service/cloud/iotdns.c.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Annotated

import msgspec

from firmware_sim.errors import Malformed, TooLarge, UsageError
from firmware_sim.wire.structs import decode_json, encode_json

PATH = "/v2/url_config"
QUERY_PATH = "/device/dns_query"
REPLY_SIZE_MAX = 6144
"""The whole HTTP reply, head included, that the vendor's client has room for."""

CA_SIZE_MAX = 4096
"""The largest certificate, as DER, that fits into such a reply with the rest of it."""

HOSTS_MAX = 8
"""How many hosts one certificate query may name; firmware names one."""

_REQUEST_SIZE_MAX = 1024
_HOST_SIZE_MAX = 64
_PORT_MAX = 65535
_BASE64_SIZE_MAX = (CA_SIZE_MAX + 2) // 3 * 4
_HTTPS_KEY, _MQTT_KEY = "httpsSelfUrl", "mqttsSelfUrl"


class Request(msgspec.Struct, frozen=True, gc=False):
    """What a device asks: its environment, and its region once a token has named it."""

    env: str
    region: str | None = None


class Endpoints(msgspec.Struct, frozen=True, gc=False):
    """Where the cloud is: the ATOP address as URL, the MQTT address as host:port.

    `ca` is the certificate (DER) that both are to be checked against.
    """

    https_url: str
    mqtt_address: str
    ca: bytes = b""


class HostQuery(msgspec.Struct, frozen=True, gc=False):
    """A host whose certificate authority a device wants to know."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    port: Annotated[int, msgspec.Meta(ge=1, le=_PORT_MAX)]
    need_ca: bool = True


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
    if not form.ca_arr:
        raise Malformed("iot-dns names no certificate, which crashes firmware")
    ca = _certificate(form.ca_arr[0])
    return Endpoints(form.https_self_url.addr, form.mqtts_self_url.addr, ca)


# --- the certificate authority of some host -----------------------------------------------------


class _Authority(msgspec.Struct, frozen=True):
    ca: str


class _QueryRefusal(msgspec.Struct, frozen=True):
    errcode: str


_Queries = Annotated[tuple[HostQuery, ...], msgspec.Meta(min_length=1, max_length=HOSTS_MAX)]
_Authorities = Annotated[tuple[_Authority, ...], msgspec.Meta(min_length=1, max_length=HOSTS_MAX)]


def encode_query(hosts: Sequence[HostQuery]) -> bytes:
    """Return the body that asks for the certificate authorities of `hosts`."""
    return encode_json(hosts)


def decode_query(body: bytes) -> tuple[HostQuery, ...]:
    """Return the hosts that a device asks about, at least one; raise Malformed or TooLarge."""
    _check_size(body, _REQUEST_SIZE_MAX)
    return decode_json(_Queries, body)


def encode_query_reply(cas: Sequence[bytes]) -> bytes:
    """Return the answer: one certificate (DER) for each host, in order."""
    return encode_json([_Authority(b64encode(ca).decode()) for ca in cas])


def encode_query_refusal(code: str) -> bytes:
    """Return the answer that refuses a query."""
    return encode_json(_QueryRefusal(code))


def decode_query_reply(body: bytes) -> tuple[bytes, ...]:
    """Return the certificates (DER) in an answer; raise Malformed, also for a refusal, or TooLarge."""
    _check_size(body, REPLY_SIZE_MAX)
    return tuple(_certificate(authority.ca) for authority in decode_json(_Authorities, body))


# --- parts --------------------------------------------------------------------------------------


def _certificate(text: str) -> bytes:
    """Return the DER that `text` holds as base64; what is in it, is for TLS to judge.

    None at all is malformed: whoever took it for an anchor would trust nobody, or anybody.
    """
    if len(text) > _BASE64_SIZE_MAX:
        raise TooLarge(f"a certificate of {len(text)} characters; the limit is {_BASE64_SIZE_MAX}")
    if not text:
        raise Malformed("a certificate is empty")
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise Malformed("a certificate is not base64") from None


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
