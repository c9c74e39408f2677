"""The device's calls to the cloud over HTTP, one at a time, and what their replies mean.

One connection per call, reply sizes bounded as in the open vendor SDK
(tuya/tuya-connect-kit-for-mqtt-embedded-c, middleware/http_client_wrapper.c and src/atop_base.c).
A reply that cannot be read counts as a failed call. How a call is encrypted, and which it is, is a
matter of the firmware's generation. Each reply says what time it is, also one that refuses a call
because it was signed at another time: so a clock that is wrong is set right, and the next try is not
refused (tuya/TuyaOpen, src/tuya_cloud_service/cloud/tuya_iot.c, TUYA_EVENT_TIMESTAMP_SYNC).
"""

from collections.abc import Callable
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from firmware_sim.device.profile import TimeFrom
from firmware_sim.device.signals import (
    ActivationAccepted,
    ActivationRefused,
    CallFailed,
    EndpointsFound,
    ErrandAnswered,
    SyncAnswered,
    VersionsTaken,
)
from firmware_sim.effects import SendHttp
from firmware_sim.errors import PeerError
from firmware_sim.events import Event, HttpReplied
from firmware_sim.wire import atop, atop_calls, atop_old, iot_dns
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.generation import Generation

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

HTTPS_PORT = 443
MQTT_PORT = 8883
IN_THE_CLEAR = "http://"  # a cloud that says so encrypts nothing, MQTT included
ENV_BEFORE_PAIRING = "pro"
TIME_S_MAX = 0x7FFFFFFF  # what the SDK has room for
CLOCK_WRONG_S = 60  # less comes from slow answers, and no cloud minds it


class Call(Enum):
    """Which call a reply belongs to: the first two are the lifecycle's, the others the session's."""

    RESOLVE = auto()
    ACTIVATE = auto()
    LOCATE = auto()
    VERSIONS = auto()
    SYNC = auto()
    ERRAND = auto()


_OF_LIFECYCLE = (Call.RESOLVE, Call.ACTIVATE)


def servers_unknown(device: "Device", _: Event) -> bool:
    """Say whether iot-dns has to be asked first."""
    return device.endpoints is None


def resolve(device: "Device", region: str, env: str) -> None:
    """Ask iot-dns for the servers of a token's region."""
    _ask_iot_dns(device, Call.RESOLVE, region, env)


def locate(device: "Device") -> None:
    """Ask iot-dns for the servers of the region in flash; there is none before pairing."""
    flash = device.flash
    _ask_iot_dns(device, Call.LOCATE, flash.region, flash.env or ENV_BEFORE_PAIRING)


def _ask_iot_dns(device: "Device", call: Call, region: str, env: str) -> None:
    body = iot_dns.encode_request(iot_dns.Request(env=env, region=region or None))
    size_max, anchor = iot_dns.REPLY_SIZE_MAX, device.iot_dns_anchor
    _send(device, call, device.iot_dns, iot_dns.PATH, body, size_max, anchor)


def activate(device: "Device", token: str) -> None:
    """Ask for credentials; signed with the authKey that was burnt in at production."""
    dialect = device.dialect
    request = messages.activation_request(
        token,
        device.identity.product_id,
        device.software_version,
        device.now_s,
        device.flash.dev_id or None,
        protocol_ver=device.profile.firmware.generation,
        options=dialect.options,
    )
    other = atop_old.other_text(token) if dialect.old else ""
    _send_atop(device, Call.ACTIVATE, dialect.activation, messages.encode(request), other)


def declare_versions(device: "Device") -> None:
    """Report which firmware runs (after activation, and whenever it changed)."""
    api = device.dialect.versions
    request: messages.Message
    if device.dialect.old:
        request = atop_old.Update(
            gw_id=device.flash.dev_id,
            ver_sw=device.software_version,
            bv=messages.BASELINE_VERSION,
            pv=device.profile.firmware.generation,
        )
    else:
        request = messages.VersionsUpdate(versions=versions(device), t=device.now_s)
    _send_atop(device, Call.VERSIONS, api, messages.encode(request))


def versions(device: "Device") -> str:
    """Return the version list as the JSON text that the cloud wants."""
    return _versions(device.software_version, device.profile.firmware.generation)


@lru_cache(maxsize=64)
def _versions(software_version: str, generation: Generation) -> str:
    main = messages.ChannelVersion(
        ota_channel=0,
        protocol_ver=generation,
        baseline_ver=messages.BASELINE_VERSION,
        soft_ver=software_version,
    )
    return messages.versions_text((main,))


def sync(device: "Device") -> None:
    """Ask, with the old key, what became of a device that the broker refused."""
    if device.dialect.old:
        _send_atop(device, Call.SYNC, atop_old.EXIST, b"")
    else:
        request = messages.StampRequest(t=device.now_s)
        _send_atop(device, Call.SYNC, messages.INFO_SYNC, messages.encode(request))


def run_errand(device: "Device", api: messages.Api, data: bytes) -> None:
    """Make another signed call; its answer becomes an `ErrandAnswered`. No data, no body."""
    _send_atop(device, Call.ERRAND, api, data)


def is_free(device: "Device") -> bool:
    """Say whether no call is under way."""
    return device.call is None


def forget_activation(device: "Device") -> None:
    """Ignore the reply to a call of the lifecycle that is still on its way."""
    if device.call in _OF_LIFECYCLE:
        device.call = None


def forget_session(device: "Device") -> None:
    """Ignore the reply to a call of the session that is still on its way."""
    if device.call not in _OF_LIFECYCLE:
        device.call = None


def _send_atop(
    device: "Device", call: Call, api: messages.Api, data: bytes, other: str = ""
) -> None:
    assert device.endpoints is not None  # resolved before any signed call
    by_uuid = call is Call.ACTIVATE
    dialect = device.dialect
    target, body = atop.encode_request(
        api.name,
        api.version,
        device.now_s,
        _key(device, call),
        data,
        uuid=device.identity.uuid if by_uuid else None,
        dev_id=None if by_uuid else device.flash.dev_id,
        et=dialect.et,
        nonce=device.nonce(),
        old=dialect.old,
        other=other,
    )
    size_max, servers = atop_calls.reply_size_max(api.name), device.endpoints
    _send(device, call, servers.https, target, body, size_max, servers.anchor)


def _key(device: "Device", call: Call) -> str:
    return device.identity.auth_key if call is Call.ACTIVATE else device.flash.sec_key


def _send(
    device: "Device",
    call: Call,
    server: tuple[str, int],
    target: str,
    body: bytes,
    size_max: int,
    anchor: bytes,
) -> None:
    device.call_number += 1
    device.call = call
    device.emit(SendHttp(device.call_number, *server, target, body, size_max, anchor))


# --- replies ------------------------------------------------------------------------------------


def replied(device: "Device", event: HttpReplied) -> None:
    """Turn the reply to our call into a signal; late replies to forgotten calls are dropped."""
    call = _answered(device, event.call)
    if call is None:
        return
    try:
        signal = _MEANINGS[call](device, event.body)
    except PeerError as error:
        device.note("bad_reply", f"{call.name.lower()}: {error}")
        signal = _failure(call, "bad_reply")
    device.raise_signal(signal)


def failed(device: "Device", number: int, reason: str) -> None:
    """Turn a transport failure into a signal."""
    call = _answered(device, number)
    if call is not None:
        device.raise_signal(_failure(call, reason))


def _failure(call: Call, reason: str) -> Event:
    return ErrandAnswered(None) if call is Call.ERRAND else CallFailed(reason)


def _answered(device: "Device", number: int) -> Call | None:
    if number != device.call_number:
        return None
    call, device.call = device.call, None
    return call


def _resolved(device: "Device", body: bytes) -> Event:
    device.endpoints = Servers.of(iot_dns.decode_reply(body))
    return EndpointsFound()


def _activated(device: "Device", body: bytes) -> Event:
    before_s = device.ahead_s
    inner = _inner(device, Call.ACTIVATE, body)
    if not inner.success:
        wrong = abs(device.ahead_s - before_s) > CLOCK_WRONG_S
        return ActivationRefused(inner.error_code or "UNKNOWN", clock_was_wrong=wrong)
    old = device.dialect.old
    kind = atop_old.OldActivationResult if old else messages.ActivationResult
    return ActivationAccepted(messages.decode(inner.result, kind))


def _versions_taken(device: "Device", body: bytes) -> Event:
    inner = _inner(device, Call.VERSIONS, body)
    return VersionsTaken() if inner.success else CallFailed(inner.error_code or "UNKNOWN")


def _synced(device: "Device", body: bytes) -> Event:
    inner = _inner(device, Call.SYNC, body)
    if not inner.success:
        return CallFailed(inner.error_code or "UNKNOWN")
    if device.dialect.old:
        exists = messages.decode(inner.result, messages.ExistResult).exist
        return SyncAnswered(messages.SyncStatus.ENABLE if exists else messages.SyncStatus.RESET)
    return SyncAnswered(messages.decode(inner.result, messages.SyncResult).status)


def _errand_done(device: "Device", body: bytes) -> Event:
    return ErrandAnswered(_inner(device, Call.ERRAND, body))


def _inner(device: "Device", call: Call, body: bytes) -> atop.Inner:
    inner = atop.decode_inner(atop.decode_reply(body, _key(device, call), device.dialect.et))
    counts = call is Call.ACTIVATE or device.profile.firmware.time_from is TimeFrom.REPLIES
    if counts and 0 < inner.t <= TIME_S_MAX:
        device.set_time(inner.t)
    return inner


_MEANINGS: dict[Call, Callable[["Device", bytes], Event]] = {
    Call.RESOLVE: _resolved,
    Call.ACTIVATE: _activated,
    Call.LOCATE: _resolved,
    Call.VERSIONS: _versions_taken,
    Call.SYNC: _synced,
    Call.ERRAND: _errand_done,
}


class Servers(msgspec.Struct, frozen=True, gc=False):
    """Where this device's cloud is: (host, port) for signed calls and for MQTT.

    `anchor` is the certificate (DER) that vouches for both, empty where nothing is encrypted.
    """

    https: tuple[str, int]
    mqtt: tuple[str, int]
    anchor: bytes = b""

    @classmethod
    def of(cls, endpoints: iot_dns.Endpoints) -> "Servers":
        """Open the two addresses; raises PeerError when one cannot be read."""
        anchor = b"" if endpoints.https_url.startswith(IN_THE_CLEAR) else endpoints.ca
        return _servers(endpoints.https_url, endpoints.mqtt_address, anchor)


@lru_cache(maxsize=64)
def _servers(https_url: str, mqtt_address: str, anchor: bytes) -> Servers:
    """Return one object for all devices that were told the same addresses."""
    return Servers(
        iot_dns.split_host_port(https_url, HTTPS_PORT),
        iot_dns.split_host_port(mqtt_address, MQTT_PORT),
        anchor,
    )
