"""The servers that firmware knows by heart, for the case that iot-dns does not answer.

Hosts and rules: tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_endpoint.c. An unknown
environment counts as `pro`, an unknown region as the first. These are servers of the vendor: a
simulated device turns to them only if its profile says so **and** it has a certificate of its own
built in, so that it talks to whoever plays them in a test network and to nobody else.
"""

from typing import TYPE_CHECKING

from firmware_sim.device.cloud_calls import HTTPS_PORT, MQTT_PORT, Servers
from firmware_sim.device.signals import CallFailed, EndpointsFound

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

_HOSTS = {
    "pro": {
        "AY": ("a2.tuyacn.com", "m2.tuyacn.com"),
        "AZ": ("a2.tuyaus.com", "m2.tuyaus.com"),
        "EU": ("a2.tuyaeu.com", "m2.tuyaeu.com"),
        "IN": ("a2.tuyain.com", "m2.tuyain.com"),
        "UE": ("a2-ueaz.tuyaus.com", "m2-ueaz.tuyaus.com"),
    },
    "pr_0": {
        "AY": ("a2-cn.wgine.com", "m2-cn.wgine.com"),
        "AZ": ("a2-us.wgine.com", "m2-us.wgine.com"),
        "EU": ("a2-eu.wgine.com", "m2-eu.wgine.com"),
        "IN": ("a2-ind.wgine.com", "m2-ind.wgine.com"),
        "UE": ("a2-ueaz.wgine.com", "m2-ueaz.wgine.com"),
    },
}


def servers(region: str, env: str, anchor: bytes) -> Servers:
    """Return the built-in servers of a region and an environment, vouched for by `anchor` (DER)."""
    regions = _HOSTS.get(env, _HOSTS["pro"])
    https, mqtt = regions.get(region, regions["AY"])
    return Servers((https, HTTPS_PORT), (mqtt, MQTT_PORT), anchor)


def are_left(device: "Device", _: CallFailed) -> bool:
    """Say whether a device that iot-dns did not answer has other servers to turn to."""
    knows = device.profile.firmware.built_in_servers and bool(device.iot_dns_anchor)
    return knows and device.endpoints is None


def take(device: "Device", event: CallFailed) -> None:
    """Go on with the built-in servers of our region."""
    device.note("call_failed", event.reason)
    token, flash = device.token, device.flash
    region, env = (token.region, token.secret) if token else (flash.region, flash.env)
    device.endpoints = servers(region, env, device.iot_dns_anchor)
    device.raise_signal(EndpointsFound())
