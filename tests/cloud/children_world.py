"""A gateway that is online, and the messages it sends about what is behind it."""

from typing import Any

from firmware_sim.wire import atop_children as wire
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt, mqtt_payload
from firmware_sim.wire.ciphers import aes_key
from fleet.cloud import children
from fleet.cloud.devices import Device
from fleet.cloud.settings import Settings
from tests.cloud.support import PLUG, RECORDER, SETTINGS, FakeDevice, World, seed

NODE = "00124b0001020304"
OTHER_NODE = "00124b0001020305"


class Gateway(FakeDevice):
    """A gateway (a recorder, as products go) of the first consumer."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        super().__init__(World(settings, seed(2, RECORDER)), 0, RECORDER)

    @property
    def known(self) -> Device:
        """Return the gateway by the cloud's books."""
        found = self.world.state.devices.get(self.uuid)
        assert found is not None
        return found

    def bind(self, node: str = NODE, product: str = PLUG, **more: Any) -> wire.SubBindResult:
        """Bind a sub-device over MQTT; return what the cloud granted."""
        request = wire.SubBind(
            cid=node, product_key=product, soft_ver="1.2.3", t=self.world.now_ms // 1000, **more
        )
        inner = self.rpc(wire.SUB_BIND.name, messages.encode(request)).inner
        assert inner.success, inner.error_code
        return messages.decode(inner.result, wire.SubBindResult)

    def call_about(self, api: messages.Api, node: str = NODE) -> None:
        """Make a call about one sub-device that has no result."""
        request = wire.SubUnbind(cid=node, t=self.world.now_ms // 1000)
        assert self.rpc(api.name, messages.encode(request)).inner.success

    def child(self, node: str = NODE) -> Device:
        """Return a sub-device by the cloud's books."""
        found = children.find(self.world.state, self.known, node)
        assert found is not None
        return found

    def publish(self, message: bytes) -> list[mqtt.Packet]:
        """Send a message on the gateway's topic; return what comes back."""
        payload = mqtt_payload.encode(
            aes_key(self.local_key), message, 1, mqtt_payload.SOURCE_DEVICE
        )
        return self.say(mqtt.Publish(mqtt_payload.topic_out(self.dev_id), payload))

    def lists(
        self, online: tuple[str, ...] = (), offline: tuple[str, ...] = ()
    ) -> list[mqtt.Packet]:
        """Say who came into reach and who left it; return what comes back."""
        return self.publish(mqtt_payload.encode_children_presence(1, online, offline))

    def is_near(self, node: str = NODE) -> bool:
        """Say whether a sub-device is online."""
        return self.world.cloud._link.online(self.child(node))


def online(settings: Settings = SETTINGS) -> Gateway:
    """Return a gateway with its session up and nothing behind it."""
    gateway = Gateway(settings)
    gateway.go_online()
    return gateway
