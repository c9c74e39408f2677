"""What the world around one device holds: it carries effects out as far as a later step needs it.

The call that was made, the stream to the broker and what that has to answer, the LAN port and its
clients, the join under way, the lens. What a live world could not do is a failure here.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from firmware_sim import effects as fx
from firmware_sim.effects import Effect
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire.atop_children import SUB_BIND
from firmware_sim.wire.atop_upgrade import UPGRADE_GET
from tests.device.stage import CHILD_TAKEN, DEV_ID, OFFER, UUID, Stage


class Surroundings(Stage):
    """A stage that remembers what stands."""

    def __init__(self, profile: str, flash: bytes = b"") -> None:
        super().__init__(profile, flash)
        self.forget_world()

    def forget_world(self) -> None:
        """Drop everything, as a power cut does."""
        self.called: fx.SendHttp | None = None
        self.stream = ""  # "", "opening" or "open"
        self.sent = mqtt.Decoder()
        self.waiting: list[mqtt.Packet] = []
        self.joining = self.lens = self.listening = False
        self.conns: list[int] = []
        self.conn = 0

    def carry(self, effect: Effect) -> None:
        """Carry one effect out."""
        driver = _DRIVERS.get(type(effect))
        if driver is not None:
            driver(self, effect)

    def _sent(self, effect: fx.SendMqtt) -> None:
        if self.stream != "open":
            return
        for packet in self.sent.feed(effect.data):
            if isinstance(packet, mqtt.Connect):
                flash = self.device.flash
                unpaired = mqtt_payload.client_id_unpaired(UUID)
                assert packet.client_id == (flash.dev_id if flash.activated else unpaired)
                self.waiting.append(mqtt.Connack(0))
            elif isinstance(packet, mqtt.Subscribe):
                self.waiting.append(mqtt.Suback(packet.packet_id, (1,)))
            elif isinstance(packet, mqtt.Pingreq):
                self.waiting.append(mqtt.Pingresp())
            elif isinstance(packet, mqtt.Publish) and packet.topic.startswith("rpc/req/"):
                self.waiting.append(self._answer(mqtt_rpc.decode_request(packet.payload)))

    def _answer(self, call: mqtt_rpc.Request) -> mqtt.Publish:
        """Return a good answer to a call over MQTT."""
        response = mqtt_rpc.encode_response(call.id, call.t, self.result_of(call.a))
        return mqtt.Publish(mqtt_payload.topic_rpc_response(DEV_ID), response)

    def result_of(self, api: str) -> bytes | None:
        """Return the good result of a call; there is always newer firmware."""
        if api == SUB_BIND.name:
            return messages.encode(CHILD_TAKEN)
        if api != UPGRADE_GET.name:
            return None
        version = f"1.{self.now_ms // 1000 % 100}.1"
        return messages.encode(msgspec.structs.replace(OFFER, version=version))

    def _opened(self, _: fx.OpenMqtt) -> None:
        assert self.stream == "", "a second stream would leak the first"
        self.stream, self.sent = "opening", mqtt.Decoder()
        self.waiting.clear()

    def _closed(self, _: fx.CloseMqtt) -> None:
        self.stream = ""
        self.waiting.clear()

    def _listen(self, _: fx.OpenLan) -> None:
        assert not self.listening, "the port is open already"
        assert self.device.ip
        self.listening = True

    def _deaf(self, _: fx.CloseLan) -> None:
        self.listening = False
        self.conns.clear()

    def _drop(self, effect: fx.LanClose) -> None:
        self.conns.remove(effect.conn)

    def _say(self, effect: fx.LanSend) -> None:
        assert effect.conn in self.conns

    def _call(self, effect: fx.SendHttp) -> None:
        self.called = effect

    def _join(self, _: fx.JoinWifi) -> None:
        self.joining = True

    def _leave(self, _: fx.LeaveWifi) -> None:
        self.joining = False

    def _look(self, _: fx.OpenLens) -> None:
        assert not self.lens
        self.lens = True

    def _look_away(self, _: fx.CloseLens) -> None:
        self.lens = False


_DRIVERS: dict[type[Effect], Callable[[Any, Any], None]] = {
    fx.SendMqtt: Surroundings._sent,
    fx.OpenMqtt: Surroundings._opened,
    fx.CloseMqtt: Surroundings._closed,
    fx.OpenLan: Surroundings._listen,
    fx.CloseLan: Surroundings._deaf,
    fx.LanClose: Surroundings._drop,
    fx.LanSend: Surroundings._say,
    fx.SendHttp: Surroundings._call,
    fx.JoinWifi: Surroundings._join,
    fx.LeaveWifi: Surroundings._leave,
    fx.OpenLens: Surroundings._look,
    fx.CloseLens: Surroundings._look_away,
}
