"""The MQTT side of the cloud: what devices say over the broker, and what they are told by it.

Works off what the broker reports, its own one or another (`fleet.cloud.messenger`): presence into the device log, data points into
their cache, calls to `DeviceCalls`, and the delivery of pending resets (protocol 11 at QoS 1, after
the device subscribed; its PUBACK is the confirmation, as no other exists:
tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c). Commands are protocol 5 at QoS 1 too;
what a device makes of one, it reports. Tokens reach devices that are not activated as protocol 46,
on a topic of their own. A sub-device is spoken with through its gateway, which names it by its node
id (`cid`): its reset is protocol 8, and protocol 25 says whether it is in reach.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from firmware_sim.errors import PeerError, TooLarge
from firmware_sim.events import Event
from firmware_sim.wire import atop_messages, atop_upgrade, mqtt_payload, mqtt_rpc
from firmware_sim.wire.datapoint import Value, decode_dps, encode_dps
from firmware_sim.wire.mqtt_payload import Message, Protocol
from firmware_sim.wire.provisioning import TokenParts
from fleet.cloud import children, push, upgrading
from fleet.cloud.api import device_room, device_words, dp_reports
from fleet.cloud.api.device_calls import DeviceCalls
from fleet.cloud.api.device_words import Words
from fleet.cloud.api.envelope import device_code, text_of
from fleet.cloud.app_links import AppLink
from fleet.cloud.broker import (
    ClientConnected,
    ClientGone,
    ClientSubscribed,
    Delivered,
    Happening,
    MessageReceived,
)
from fleet.cloud.desired import Desired
from fleet.cloud.devices import ACTIVATION_CLIENT, Device
from fleet.cloud.dp_log import DpEvent
from fleet.cloud.history import DeviceEvent
from fleet.cloud.keys import Entropy
from fleet.cloud.messenger import Doorkeeper, Messenger
from fleet.cloud.removal import confirm
from fleet.cloud.state import State

RESET_TAG = "reset"
CHILD_RESET_TAG = "reset "  # and the device id of the sub-device
COMMAND_TAG = "command"
UPGRADE_TAG = "upgrade"

_NOW_S = 1_700_000_000  # any time of ten digits

Told = ClientConnected | ClientSubscribed | MessageReceived | Delivered | ClientGone


class Report(msgspec.Struct, frozen=True, gc=False):
    """Data of protocol 4 as far as it matters: some firmware leaves `devId` out."""

    dps: msgspec.Raw
    cid: atop_messages.NodeId | None = None


class DeviceLink:
    """Talks with devices that are connected."""

    def __init__(
        self,
        state: State,
        calls: DeviceCalls,
        messenger: Messenger,
        doorkeeper: Doorkeeper,
        entropy: Entropy,
    ) -> None:
        """Talk over `messenger`, whose `doorkeeper` knows who holds credentials."""
        self._state = state
        self._calls = calls
        self._words = Words(state.settings, entropy)
        self._broker = messenger
        self._doorkeeper = doorkeeper
        self._waiting: set[str] = set()
        self._handlers: dict[type[Happening], Callable[[Device, Any, int], None]] = {
            ClientConnected: self._connected,
            ClientSubscribed: self._subscribed,
            MessageReceived: self._received,
            Delivered: self._delivered,
            ClientGone: self._gone,
        }
        self._messages: dict[int, Callable[[Device, Message, int], None]] = {
            Protocol.DP_REPORT: self._reported,
            Protocol.UPGRADE_PROGRESS: self._progressed,
            Protocol.CHILDREN_PRESENCE: self._children_moved,
        }

    def handle(self, event: Event, now_ms: int) -> None:
        """Take one event of the broker's, or the time that has come."""
        for happening in self._broker.handle(event, now_ms, self._state.journal.effects):
            self._note_waiting(happening)
            device = self._state.devices.by_dev_id(cast("Told", happening).client_id)
            if device is not None:  # else one that only listens: not activated, or no device
                self._handlers[type(happening)](device, happening, now_ms)

    def online(self, device: Device) -> bool:
        """Tell whether the device is connected; a sub-device is in reach of one that is."""
        if device.gateway:
            return device.dev_id in self._state.reach and self._broker.connected(device.gateway)
        return device.dev_id != "" and self._broker.connected(device.dev_id)

    def reachable(self, device: Device) -> bool:
        """Tell whether the device can be told of its reset: of a sub-device its gateway is told."""
        return self.online(self._speaker(device))

    @property
    def clients(self) -> int:
        """Return how many MQTT clients are connected."""
        return self._broker.clients

    @property
    def takes_guests(self) -> bool:
        """Return whether the broker lets in the guests that this cloud knows."""
        return self._doorkeeper.takes_guests

    def expect(self, client_id: str, otherwise: bytes) -> None:
        """Let the answer of this step wait until the broker knows the credentials in it.

        `otherwise` is said in its place when that takes too long, unless it is empty.
        """
        self._doorkeeper.expect(client_id, otherwise)

    def tell_reset(self, device: Device, now_ms: int) -> None:
        """Tell the device to carry out its pending reset, if it is there to hear it."""
        kind, t_s, tag = device.pending_reset, now_ms // 1000, RESET_TAG
        message = mqtt_payload.encode_reset(device.dev_id, t_s, kind)
        if device.gateway:
            message = mqtt_payload.encode_child_reset(device.gateway, device.node_id, t_s, kind)
            tag = CHILD_RESET_TAG + device.dev_id
        if self._tell(self._speaker(device), message, tag, now_ms):
            detail = device.pending_reset
            self._state.device_log.add(device.uuid, DeviceEvent.RESET_SENT, now_ms, detail)

    def tell_upgrade(self, device: Device, channel: int, now_ms: int) -> bool:
        """Make the device ask what to load into a channel; return whether it was there to hear.

        For a sub-device that is in reach its gateway asks.
        """
        speaker, cid = self._speaker(device), device.node_id or None
        message = mqtt_payload.encode_upgrade_notice(speaker.dev_id, now_ms // 1000, channel, cid)
        return self.online(device) and self._tell(speaker, message, UPGRADE_TAG, now_ms)

    def greet_arrivals(self, now_ms: int) -> None:
        """Tell whoever has come into reach of a gateway what it missed."""
        for dev_id in self._state.reach.take_arrivals():
            child = self._state.devices.by_dev_id(dev_id)
            if child is not None:
                self._greet(child, now_ms)

    def waiting(self, device: Device) -> bool:
        """Tell whether the device listens for a token, as one that is not activated."""
        return device.uuid in self._waiting

    def tell_token(self, device: Device, token: TokenParts, now_ms: int) -> bool:
        """Hand a token to a device that waits; return whether it was there to hear."""
        message = mqtt_payload.encode_token(token, now_ms // 1000)
        topic = mqtt_payload.topic_activation(device.uuid)
        told = [
            self._publish(topic, payload, 1, "", now_ms)
            for payload in self._words.wrap_first(device, message)
        ]
        return any(told)

    def command(self, device: Device, dps: Mapping[int, Value], now_ms: int) -> bool:
        """Send the device values for its data points; return whether it was there to hear them.

        Raises TooLarge for values that it has no room for.
        """
        data = encode_dps(dps)
        message = mqtt_payload.encode_dp_command(now_ms // 1000, data, device.node_id or None)
        speaker = self._speaker(device)
        if not self.online(device) or not self._tell(speaker, message, COMMAND_TAG, now_ms):
            return False
        self._state.data_points.log.add(device.dev_id, DpEvent.COMMAND, data.decode(), now_ms)
        told = push.commanded(device, {str(dp_id): value for dp_id, value in dps.items()})
        self._state.journal.effects.append(told)
        return True

    def send_desired(self, device: Device, now_ms: int) -> None:
        """Send the device the values that were wished for and that it was not told of yet.

        They go in as few messages as firmware has room for.
        """
        desired = self._state.data_points.desired
        wishes = [wish for wish in desired.of(device.dev_id, now_ms) if not wish.sent]
        if children.is_frozen(self._state, device):
            return
        told: list[Desired] = []
        values: dict[int, Value] = {}
        for wish in wishes:  # one by one: there is a bound on all together, which may have changed
            value = decode_dps(b'{"%d":%b}' % (wish.dp_id, wish.value.encode()))
            if not self._has_room(device, value):
                self._state.counts["desired_values_too_large"] += 1
                continue
            if not self._has_room(device, values | value):
                self._command_desired(device, values, told, now_ms)
                told, values = [], {}
            told.append(wish)
            values |= value
        self._command_desired(device, values, told, now_ms)

    def cut(self, device: Device, now_ms: int) -> None:
        """Close the connection that the device held with keys that are no longer its own."""
        if self.online(device):
            self._broker.disconnect(device.dev_id, self._state.journal.effects)
            self._note_presence(device, now_ms, "activated again", online=False)
            children.lose_all(self._state, device, now_ms)

    def _command_desired(
        self, device: Device, values: Mapping[int, Value], told: list[Desired], now_ms: int
    ) -> None:
        if values and self.command(device, values, now_ms):
            self._state.data_points.desired.mark_sent(told)

    def _has_room(self, device: Device, dps: Mapping[int, Value]) -> bool:
        cid, speaker = device.node_id or None, self._speaker(device)
        size = len(mqtt_payload.encode_dp_command(_NOW_S, encode_dps(dps), cid))
        topic, version = mqtt_payload.topic_in(speaker.dev_id), device_words.version_for(speaker)
        return device_room.has_room(topic, version, size)

    def _speaker(self, device: Device) -> Device:
        """Return the device itself, or the gateway that it is behind."""
        return self._state.devices.by_dev_id(device.gateway or device.dev_id) or device

    def act_of(self, protocol: int) -> Callable[..., object] | None:
        """Return what takes a message of that number, None if nothing does; to explain a run."""
        return self._messages.get(protocol)

    # --- programs of users ----------------------------------------------------------------------

    def listening(self, app_link: AppLink) -> bool:
        """Tell whether a user's program is connected."""
        return self._broker.connected(app_link.client_id)

    def tell_app(self, app_link: AppLink, payload: bytes, now_ms: int) -> None:
        """Send a message to a user's program, if it is there to hear it."""
        self._publish(app_link.topic, payload, 1, "", now_ms)

    def end_app(self, app_link: AppLink) -> None:
        """Let the credentials of a user's program be unknown, and its connection end."""
        self._state.app_links.forget(app_link)
        self._broker.disconnect(app_link.client_id, self._state.journal.effects)

    def review_guest(self, name: str, now_ms: int) -> None:
        """Let what has changed about a guest of the broker count at once."""
        self._broker.review(name, now_ms, self._state.journal.effects)

    # --- what the broker reports ----------------------------------------------------------------

    def _connected(self, device: Device, _: ClientConnected, now_ms: int) -> None:
        self._note_presence(device, now_ms, "", online=True)

    def _subscribed(self, device: Device, happening: ClientSubscribed, now_ms: int) -> None:
        if happening.topic != mqtt_payload.topic_in(device.dev_id):
            return
        device = self._state.devices.confirm_wipe(device)
        if device.pending_reset:
            self.tell_reset(device, now_ms)
            return
        for child in self._state.devices.behind(device.dev_id):
            if child.pending_reset and not child.reset_told:
                self.tell_reset(child, now_ms)
            elif self.online(child):
                self._greet(child, now_ms)
        self._greet(device, now_ms)

    def _greet(self, device: Device, now_ms: int) -> None:
        """Tell a device that is there what was wished for and ordered while it was not."""
        self.send_desired(device, now_ms)
        for order in self._state.upgrades.orders(device.uuid):
            if order.open:
                self.tell_upgrade(device, order.channel, now_ms)

    def _received(self, device: Device, message: MessageReceived, now_ms: int) -> None:
        try:
            if message.topic == mqtt_payload.topic_rpc_request(device.dev_id):
                self._call(device, message.payload, now_ms)
            else:
                self._hear(device, message.payload, now_ms)
        except PeerError:
            self._state.counts["mqtt_messages_dropped"] += 1

    def _delivered(self, device: Device, happening: Delivered, now_ms: int) -> None:
        tag = happening.tag
        if tag == RESET_TAG:
            confirm(self._state, device, DeviceEvent.RESET_CONFIRMED, now_ms)
        elif tag.startswith(CHILD_RESET_TAG):
            child = self._state.devices.by_dev_id(tag.removeprefix(CHILD_RESET_TAG))
            if child is not None:
                confirm(self._state, child, DeviceEvent.RESET_CONFIRMED, now_ms)

    def _gone(self, device: Device, happening: ClientGone, now_ms: int) -> None:
        self._note_presence(device, now_ms, happening.reason.value, online=False)
        children.lose_all(self._state, device, now_ms)

    def _note_waiting(self, happening: Happening) -> None:
        """Keep track of who is there without being activated."""
        uuid = happening.client_id.removeprefix(ACTIVATION_CLIENT)
        if uuid == happening.client_id:
            return
        if isinstance(happening, ClientSubscribed):
            self._waiting.add(uuid)
        elif isinstance(happening, ClientGone):
            self._waiting.discard(uuid)

    # --- details --------------------------------------------------------------------------------

    def _note_presence(self, device: Device, now_ms: int, detail: str, *, online: bool) -> None:
        event = DeviceEvent.ONLINE if online else DeviceEvent.OFFLINE
        self._state.device_log.add(device.uuid, event, now_ms, detail)
        self._state.journal.effects.append(push.presence(device, now_ms, online=online))

    def _call(self, device: Device, payload: bytes, now_ms: int) -> None:
        request, t_s = mqtt_rpc.decode_request(payload), now_ms // 1000
        self._state.counts["mqtt_calls"] += 1
        try:
            if request.a == atop_upgrade.FILE_DOWNLOAD.name:
                self._send_piece(device, request, now_ms)
                return
            size_max = device_room.over_mqtt(device.dev_id)
            result = self._calls.answer(device, request.a, request.data, now_ms, size_max)
            reply = mqtt_rpc.encode_response(request.id, t_s, result)
        except PeerError as error:
            reply = mqtt_rpc.encode_error_response(
                request.id, t_s, device_code(error), text_of(error)
            )
        self._publish(mqtt_payload.topic_rpc_response(device.dev_id), reply, 0, "", now_ms)

    def _send_piece(self, device: Device, request: mqtt_rpc.Request, now_ms: int) -> None:
        asked = atop_messages.decode(request.data, atop_upgrade.FileDownload)
        first, last = asked.span()
        size_max = device_room.of_a_piece(device.dev_id)
        self._calls.check_room(device, request.a, last - first + 1, size_max)
        piece = upgrading.piece_of(self._state, device, asked.url, first, last)
        payload = mqtt_rpc.encode_file_piece(request.id, piece)
        self._publish(mqtt_payload.topic_rpc_file(device.dev_id), payload, 0, "", now_ms)

    def _hear(self, device: Device, payload: bytes, now_ms: int) -> None:
        message = device_words.unwrap(device, payload)
        if not device.generation:
            generation = device_words.generation_of(payload)
            device = self._state.devices.note_generation(device, generation.value)
        act = self._messages.get(message.protocol)
        if act is not None:
            act(device, message, now_ms)

    def _reported(self, device: Device, message: Message, now_ms: int) -> None:
        report = mqtt_payload.data_of(message, Report)
        speaker = children.meant(self._state, device, report.cid)
        device = self._state.devices.confirm_wipe(speaker)  # it has its keys, or its binding
        dp_reports.take(self._state, device, report.dps, now_ms)

    def _children_moved(self, device: Device, message: Message, now_ms: int) -> None:
        told = mqtt_payload.data_of(message, mqtt_payload.ChildrenPresence)
        children.take_presence(self._state, device, told.offline, now_ms, online=False)
        children.take_presence(self._state, device, told.online, now_ms, online=True)

    def _progressed(self, device: Device, message: Message, _now_ms: int) -> None:
        told = mqtt_payload.data_of(message, mqtt_payload.UpgradeProgress)
        device = children.meant(self._state, device, told.cid)
        upgrading.take_progress(self._state, device, told.firmware_type, told.percent)

    def _tell(self, device: Device, message: bytes, tag: str, now_ms: int) -> bool:
        topic, version = mqtt_payload.topic_in(device.dev_id), device_words.version_for(device)
        if not device_room.has_room(topic, version, len(message)):
            raise TooLarge(f"a message of {len(message)} bytes; the device has no room for it")
        return self._publish(topic, self._words.wrap(device, message), 1, tag, now_ms)

    def _publish(self, topic: str, payload: bytes, qos: int, tag: str, now_ms: int) -> bool:
        effects = self._state.journal.effects
        return self._broker.publish(topic, payload, qos, tag, now_ms, effects)
