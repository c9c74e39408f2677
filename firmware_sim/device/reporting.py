"""Messages on the device's own topic: commands and resets in, data point reports out.

Protocol numbers as in tuya/tuya-connect-kit-for-mqtt-embedded-c, include/mqtt_service.h: 5 sets
data points, 4 reports them, 11 resets. All others are dropped, as that firmware drops what it has
no handler for. Values live in the profile until a device changes one of its own, in its flash.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from firmware_sim.device.flash import ResetKind
from firmware_sim.device.profile import Point
from firmware_sim.device.signals import Released
from firmware_sim.effects import SendMqtt
from firmware_sim.errors import Malformed, PeerError
from firmware_sim.wire import datapoint, mqtt, mqtt_payload
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.mqtt_payload import Protocol

if TYPE_CHECKING:
    from firmware_sim.device.device import Device


def take_message(device: "Device", message: mqtt_payload.Message) -> None:
    """Act on one message of the cloud; raises PeerError when its data cannot be read."""
    if message.protocol == Protocol.RESET:
        mqtt_payload.data_of(message, mqtt_payload.ResetData)
        factory = mqtt_payload.reset_type(message) is mqtt_payload.ResetType.FACTORY
        device.raise_signal(
            Released(ResetKind.REMOTE_FACTORY if factory else ResetKind.REMOTE_UNBIND)
        )
    elif message.protocol == Protocol.DP_COMMAND:
        command = mqtt_payload.data_of(message, mqtt_payload.DpCommand)
        report(device, set_values(device, datapoint.decode_dps(command.dps)))


def set_values(device: "Device", wanted: Mapping[int, Value]) -> dict[int, Value]:
    """Set the settable ones; return what was set. Unknown points and wrong values are noted."""
    points = {point.id: point for point in device.profile.data_points}
    taken: dict[int, Value] = {}
    for number, value in wanted.items():
        try:
            _check(points.get(number), number, value)
        except PeerError as error:
            device.note("dp_refused", str(error))
        else:
            taken[number] = value
    if taken:
        device.flash.values = {**(device.flash.values or {}), **taken}
        device.mark_flash()
    return taken


def _check(point: Point | None, number: int, value: Value) -> None:
    if point is None or point.mode == "ro":
        raise Malformed(f"data point {number} cannot be set")
    datapoint.check(point, value)


def values(device: "Device") -> dict[int, Value]:
    """Return all values: the device's own ones over the profile's initial ones."""
    initial = {point.id: point.initial for point in device.profile.data_points}
    return {**initial, **(device.flash.values or {})}


def report_all(device: "Device") -> None:
    """Report every data point, as a device does when it comes online."""
    report(device, values(device))


def report(device: "Device", changed: Mapping[int, Value]) -> None:
    """Report data points to the cloud at QoS 0."""
    if not changed:
        return
    dev_id = device.flash.dev_id
    body = mqtt_payload.encode_dp_report(dev_id, device.now_s, datapoint.encode_dps(changed))
    payload = mqtt_payload.encode(
        device.local_key, body, device.next_sequence(), mqtt_payload.SOURCE_DEVICE
    )
    device.emit(SendMqtt(mqtt.encode(mqtt.Publish(mqtt_payload.topic_out(dev_id), payload))))
