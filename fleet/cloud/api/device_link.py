"""The MQTT side of the cloud: what devices say over the broker, and what they are told by it.

Owns the broker and works off what it reports: presence into the device log, data points into
their cache, calls to `DeviceCalls`, and the delivery of pending resets (protocol 11 at QoS 1, after
the device subscribed; its PUBACK is the confirmation, as no other exists:
tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c). Commands are protocol 5 at QoS 1 too;
what a device makes of one, it reports.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from firmware_sim.errors import PeerError
from firmware_sim.events import DeadlineReached
from firmware_sim.wire import mqtt_payload, mqtt_rpc
from firmware_sim.wire.ciphers import aes_key
from firmware_sim.wire.datapoint import Value, decode_dps, encode_dps
from firmware_sim.wire.structs import decode_json
from fleet.cloud import push
from fleet.cloud.api.device_calls import DeviceCalls
from fleet.cloud.api.envelope import device_code, text_of
from fleet.cloud.broker import (
    Broker,
    BrokerSettings,
    ClientConnected,
    ClientGone,
    ClientSubscribed,
    Delivered,
    Happening,
    MessageReceived,
)
from fleet.cloud.data_points import Values
from fleet.cloud.devices import Device
from fleet.cloud.directory import DeviceDirectory
from fleet.cloud.dp_log import DpEvent
from fleet.cloud.history import DeviceEvent
from fleet.cloud.messages import ClockMoved, StreamClosed, StreamOpened, StreamReceived
from fleet.cloud.removal import confirm
from fleet.cloud.standard import codes_of
from fleet.cloud.state import State

RESET_TAG = "reset"
COMMAND_TAG = "command"

BrokerEvent = StreamOpened | StreamReceived | StreamClosed | ClockMoved | DeadlineReached
Told = ClientConnected | ClientSubscribed | MessageReceived | Delivered | ClientGone


class Report(msgspec.Struct, frozen=True, gc=False):
    """Data of protocol 4 as far as it matters: some firmware leaves `devId` out."""

    dps: msgspec.Raw


class DeviceLink:
    """Talks with devices that are connected."""

    def __init__(
        self, state: State, calls: DeviceCalls, broker_settings: BrokerSettings | None
    ) -> None:
        """Start without connections; `broker_settings` None means the broker's own defaults."""
        self._state = state
        self._calls = calls
        self._broker = Broker(DeviceDirectory(state.devices), broker_settings)
        self._sequence = 0
        self._handlers: dict[type[Happening], Callable[[Device, Any, int], None]] = {
            ClientConnected: self._connected,
            ClientSubscribed: self._subscribed,
            MessageReceived: self._received,
            Delivered: self._delivered,
            ClientGone: self._gone,
        }

    def handle(self, event: BrokerEvent, now_ms: int) -> None:
        """Take one event of the MQTT port, or the time that has come."""
        for happening in self._broker.handle(event, now_ms, self._state.journal.effects):
            device = self._state.devices.by_dev_id(cast("Told", happening).client_id)
            if device is not None:  # else a device that is not activated: it only listens
                self._handlers[type(happening)](device, happening, now_ms)

    def next_deadline_ms(self) -> int | None:
        """Return when `DeadlineReached` is wanted next."""
        return self._broker.next_deadline_ms()

    def online(self, device: Device) -> bool:
        """Tell whether the device is connected."""
        return device.dev_id != "" and self._broker.connected(device.dev_id)

    @property
    def clients(self) -> int:
        """Return how many MQTT clients are connected."""
        return self._broker.clients

    def tell_reset(self, device: Device, now_ms: int) -> None:
        """Tell the device to carry out its pending reset, if it is there to hear it."""
        message = mqtt_payload.encode_reset(device.dev_id, now_ms // 1000, device.pending_reset)
        if self._tell(device, message, RESET_TAG, now_ms):
            detail = device.pending_reset
            self._state.device_log.add(device.uuid, DeviceEvent.RESET_SENT, now_ms, detail)

    def command(self, device: Device, dps: Mapping[int, Value], now_ms: int) -> bool:
        """Send the device values for its data points; return whether it was there to hear them."""
        data = encode_dps(dps)
        message = mqtt_payload.encode_dp_command(now_ms // 1000, data)
        if not self.online(device) or not self._tell(device, message, COMMAND_TAG, now_ms):
            return False
        self._state.data_points.log.add(device.dev_id, DpEvent.COMMAND, data.decode(), now_ms)
        told = push.commanded(device, {str(dp_id): value for dp_id, value in dps.items()})
        self._state.journal.effects.append(told)
        return True

    def send_desired(self, device: Device, now_ms: int) -> None:
        """Send the device the values that were wished for and that it was not told of yet."""
        desired = self._state.data_points.desired
        wishes = [wish for wish in desired.of(device.dev_id, now_ms) if not wish.sent]
        values: dict[int, Value] = {}
        for wish in wishes:  # one by one: there is a bound on all together, which may have changed
            values |= decode_dps(b'{"%d":%b}' % (wish.dp_id, wish.value.encode()))
        if values and not device.frozen and self.command(device, values, now_ms):
            desired.mark_sent(wishes)

    def cut(self, device: Device, now_ms: int) -> None:
        """Close the connection that the device held with keys that are no longer its own."""
        if self.online(device):
            self._broker.disconnect(device.dev_id, self._state.journal.effects)
            self._note_presence(device, now_ms, "activated again", online=False)

    # --- what the broker reports ----------------------------------------------------------------

    def _connected(self, device: Device, _: ClientConnected, now_ms: int) -> None:
        self._note_presence(device, now_ms, "", online=True)

    def _subscribed(self, device: Device, happening: ClientSubscribed, now_ms: int) -> None:
        if happening.topic != mqtt_payload.topic_in(device.dev_id):
            return
        if device.pending_reset:
            self.tell_reset(device, now_ms)
        else:
            self.send_desired(device, now_ms)

    def _received(self, device: Device, message: MessageReceived, now_ms: int) -> None:
        try:
            if message.topic == mqtt_payload.topic_rpc_request(device.dev_id):
                self._call(device, message.payload, now_ms)
            else:
                self._report(device, message.payload, now_ms)
        except PeerError:
            self._state.counts["mqtt_messages_dropped"] += 1

    def _delivered(self, device: Device, happening: Delivered, now_ms: int) -> None:
        if happening.tag == RESET_TAG:
            confirm(self._state, device, DeviceEvent.RESET_CONFIRMED, now_ms)

    def _gone(self, device: Device, happening: ClientGone, now_ms: int) -> None:
        self._note_presence(device, now_ms, happening.reason.value, online=False)

    # --- details --------------------------------------------------------------------------------

    def _note_presence(self, device: Device, now_ms: int, detail: str, *, online: bool) -> None:
        event = DeviceEvent.ONLINE if online else DeviceEvent.OFFLINE
        self._state.device_log.add(device.uuid, event, now_ms, detail)
        self._state.journal.effects.append(push.presence(device, now_ms, online=online))

    def _call(self, device: Device, payload: bytes, now_ms: int) -> None:
        request, t_s = mqtt_rpc.decode_request(payload), now_ms // 1000
        self._state.counts["mqtt_calls"] += 1
        try:
            result = self._calls.answer(device, request.a, request.data, now_ms)
            reply = mqtt_rpc.encode_response(request.id, t_s, result)
        except PeerError as error:
            reply = mqtt_rpc.encode_error_response(
                request.id, t_s, device_code(error), text_of(error)
            )
        self._publish(mqtt_payload.topic_rpc_response(device.dev_id), reply, 0, "", now_ms)

    def _report(self, device: Device, payload: bytes, now_ms: int) -> None:
        message = mqtt_payload.decode(aes_key(device.local_key), payload, verify_crc=False)
        # What a device reports after it lost its owner, on its way out, is nobody's.
        if message.protocol == mqtt_payload.Protocol.DP_REPORT and device.bound:
            report = decode_json(Report, message.data)
            dps = self._state.data_points.report(device.dev_id, report.dps, now_ms)
            self._state.counts["dp_reports"] += 1
            self._push_report(device, dps, now_ms)

    def _push_report(self, device: Device, dps: Values, now_ms: int) -> None:
        product = self._state.products.get(device.product_id)
        codes = codes_of(product.schema) if product is not None else {}
        told = push.reported(device, dps, codes, now_ms)
        if told is not None:
            self._state.journal.effects.append(told)

    def _tell(self, device: Device, message: bytes, tag: str, now_ms: int) -> bool:
        self._sequence += 1
        payload = mqtt_payload.encode(
            aes_key(device.local_key), message, self._sequence, mqtt_payload.SOURCE_CLOUD
        )
        topic = mqtt_payload.topic_in(device.dev_id)
        return self._publish(topic, payload, 1, tag, now_ms)

    def _publish(self, topic: str, payload: bytes, qos: int, tag: str, now_ms: int) -> bool:
        effects = self._state.journal.effects
        return self._broker.publish(topic, payload, qos, tag, now_ms, effects)
