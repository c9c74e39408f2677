"""The device's calls to the cloud over HTTP, one at a time, and what their replies mean.

One connection per call, reply sizes bounded as in the open vendor SDK
(tuya/tuya-connect-kit-for-mqtt-embedded-c, middleware/http_client_wrapper.c and src/atop_base.c).
A reply that cannot be read counts as a failed call.
"""

from collections.abc import Callable
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from firmware_sim.device.signals import (
    ActivationAccepted,
    ActivationRefused,
    CallFailed,
    EndpointsFound,
    SyncAnswered,
    VersionsTaken,
)
from firmware_sim.effects import SendHttp
from firmware_sim.errors import PeerError
from firmware_sim.events import Event, HttpReplied
from firmware_sim.wire import atop, iot_dns
from firmware_sim.wire import atop_messages as messages

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

REPLY_SIZE_MAX = 1024
ACTIVATION_REPLY_SIZE_MAX = 8192
IOT_DNS_REPLY_SIZE_MAX = 6144
HTTPS_PORT = 443
MQTT_PORT = 8883


class Call(Enum):
    """Which call a reply belongs to."""

    RESOLVE = auto()
    ACTIVATE = auto()
    VERSIONS = auto()
    SYNC = auto()


def resolve(device: "Device", region: str, env: str) -> None:
    """Ask iot-dns for the servers of a region."""
    host, port = device.iot_dns
    body = iot_dns.encode_request(iot_dns.Request(env=env, region=region))
    _send(device, Call.RESOLVE, host, port, iot_dns.PATH, body, IOT_DNS_REPLY_SIZE_MAX)


def activate(device: "Device", token: str) -> None:
    """Ask for credentials; signed with the authKey that was burnt in at production."""
    request = messages.activation_request(
        token,
        device.identity.product_id,
        device.profile.firmware.software_version,
        device.now_s,
        device.flash.dev_id or None,
    )
    _send_atop(device, Call.ACTIVATE, messages.ACTIVE, request, ACTIVATION_REPLY_SIZE_MAX)


def declare_versions(device: "Device") -> None:
    """Report which firmware runs (after activation, and whenever it changed)."""
    request = messages.VersionsUpdate(versions=versions(device), t=device.now_s)
    _send_atop(device, Call.VERSIONS, messages.VERSIONS_UPDATE, request)


def versions(device: "Device") -> str:
    """Return the version list as the JSON text that the cloud wants."""
    return _versions(device.profile.firmware.software_version)


@lru_cache(maxsize=64)
def _versions(software_version: str) -> str:
    main = messages.ChannelVersion(
        ota_channel=0,
        protocol_ver=messages.PROTOCOL_VERSION,
        baseline_ver=messages.BASELINE_VERSION,
        soft_ver=software_version,
    )
    return messages.versions_text((main,))


def sync(device: "Device") -> None:
    """Ask, with the old key, what became of a device that the broker refused."""
    request = messages.StampRequest(t=device.now_s)
    _send_atop(device, Call.SYNC, messages.INFO_SYNC, request)


def forget(device: "Device") -> None:
    """Ignore whatever reply is still on its way."""
    device.call = None


def _send_atop(
    device: "Device",
    call: Call,
    api: messages.Api,
    request: messages.Message,
    size_max: int = REPLY_SIZE_MAX,
) -> None:
    assert device.endpoints is not None  # resolved before any signed call
    activated = call is not Call.ACTIVATE
    target, body = atop.encode_request(
        api.name,
        api.version,
        device.now_s,
        _key(device, call),
        messages.encode(request),
        uuid=None if activated else device.identity.uuid,
        dev_id=device.flash.dev_id if activated else None,
    )
    host, port = device.endpoints.https
    _send(device, call, host, port, target, body, size_max)


def _key(device: "Device", call: Call) -> str:
    return device.identity.auth_key if call is Call.ACTIVATE else device.flash.sec_key


def _send(
    device: "Device", call: Call, host: str, port: int, target: str, body: bytes, size_max: int
) -> None:
    device.call_number += 1
    device.call = call
    device.emit(SendHttp(device.call_number, host, port, target, body, size_max))


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
        signal = CallFailed("bad_reply")
    device.raise_signal(signal)


def failed(device: "Device", number: int, reason: str) -> None:
    """Turn a transport failure into a signal."""
    if _answered(device, number) is not None:
        device.raise_signal(CallFailed(reason))


def _answered(device: "Device", number: int) -> Call | None:
    if number != device.call_number:
        return None
    call, device.call = device.call, None
    return call


def _resolved(device: "Device", body: bytes) -> Event:
    device.endpoints = Servers.of(iot_dns.decode_reply(body))
    return EndpointsFound()


def _activated(device: "Device", body: bytes) -> Event:
    inner = _inner(device, Call.ACTIVATE, body)
    if not inner.success:
        return ActivationRefused(inner.error_code or "UNKNOWN")
    return ActivationAccepted(messages.decode(inner.result, messages.ActivationResult))


def _versions_taken(device: "Device", body: bytes) -> Event:
    inner = _inner(device, Call.VERSIONS, body)
    if not inner.success:
        device.note("versions_refused", inner.error_code or "UNKNOWN")
    return VersionsTaken()


def _synced(device: "Device", body: bytes) -> Event:
    inner = _inner(device, Call.SYNC, body)
    if not inner.success:
        return CallFailed(inner.error_code or "UNKNOWN")
    return SyncAnswered(messages.decode(inner.result, messages.SyncResult).status)


def _inner(device: "Device", call: Call, body: bytes) -> atop.Inner:
    return atop.decode_inner(atop.decode_reply(body, _key(device, call)))


_MEANINGS: dict[Call, Callable[["Device", bytes], Event]] = {
    Call.RESOLVE: _resolved,
    Call.ACTIVATE: _activated,
    Call.VERSIONS: _versions_taken,
    Call.SYNC: _synced,
}


class Servers(msgspec.Struct, frozen=True, gc=False):
    """Where this device's cloud is: (host, port) for signed calls and for MQTT."""

    https: tuple[str, int]
    mqtt: tuple[str, int]

    @classmethod
    def of(cls, endpoints: iot_dns.Endpoints) -> "Servers":
        """Open the two addresses; raises PeerError when one cannot be read."""
        return _servers(endpoints.https_url, endpoints.mqtt_address)


@lru_cache(maxsize=64)
def _servers(https_url: str, mqtt_address: str) -> Servers:
    """Return one object for all devices that were told the same addresses."""
    return Servers(
        iot_dns.split_host_port(https_url, HTTPS_PORT),
        iot_dns.split_host_port(mqtt_address, MQTT_PORT),
    )
