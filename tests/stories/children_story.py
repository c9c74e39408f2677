"""A gateway with what is behind it, its owner's app, and the program of its maker."""

import json
from typing import Any

import msgspec

from firmware_sim import effects as fx
from firmware_sim.device.flash import Tie
from firmware_sim.device.lan_children import cid
from firmware_sim.wire import mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire.datapoint import DataPoint, encode_schema
from firmware_sim.wire.mqtt_payload import Protocol
from fleet.cloud import children
from fleet.cloud.devices import Device
from fleet.cloud.products import Binding
from fleet.cloud.seed import ProductSeed, Seed
from tests.cloud.open.program import Program, project
from tests.cloud.support import OWNER
from tests.stories.harness import Story
from tests.stories.unit import Unit

SENSOR, PLUG, THERMOMETER = range(3)
BIND_MS = 10_000
"""More than it takes until everything behind a gateway is bound."""

HEARTBEAT_MS, PROBE_MS = 120_000, 8_000


class ChildrenStory(Story):
    """One cloud and its gateways, whose sub-devices it has a product for."""

    def __init__(self, profile: str = "gateway", **choices: Any) -> None:
        super().__init__(profile, **choices)
        self.maker = Program(self)
        self.maker.connect()

    def _seed(self, binding: Binding, owner: str, count: int) -> Seed:
        start = super()._seed(binding, owner, count)
        models = {child.product_id: child for child in self.profile.children if child.product_id}
        products = (
            ProductSeed(
                product_id=product_id,
                name=child.title,
                category=child.category,
                owner=OWNER,
                binding=Binding.WEAK,
                schema=encode_schema(
                    msgspec.convert(point, DataPoint, from_attributes=True)
                    for point in child.data_points
                ),
            )
            for product_id, child in models.items()
        )
        projects = (project(schemas=("fleet",)),)
        return msgspec.structs.replace(
            start, products=(*start.products, *products), projects=projects
        )

    def started(self) -> Unit:
        """Switch the gateway on, and wait until all that is behind it is bound."""
        self.unit.power()
        self.wait(BIND_MS)
        return self.unit

    # --- who is behind it -----------------------------------------------------------------------

    def node(self, number: int, unit: Unit | None = None) -> str:
        """Return the node id of a sub-device."""
        return cid((unit or self.unit).uuid, number)

    def child(self, number: int, unit: Unit | None = None) -> Device:
        """Return a sub-device by the cloud's books, bound or not."""
        found = children.find(self.state, (unit or self.unit).known, self.node(number, unit))
        assert found is not None
        return found

    def kept(self, unit: Unit | None = None) -> list[str]:
        """Return the device ids of what is bound by the gateway's flash."""
        ties = ((unit or self.unit).kept.children or {}).values()
        return sorted(kept.dev_id for kept in ties if kept.tie is Tie.BOUND)

    def ties(self, unit: Unit | None = None) -> list[Tie]:
        """Return how all of them stand by the gateway's flash."""
        flash = (unit or self.unit).kept
        return [flash.kept(number).tie for number in range(len(self.profile.children))]

    def booked(self, unit: Unit | None = None) -> list[str]:
        """Return the device ids of what is bound by the cloud's books."""
        found = children.all_bound(self.state, (unit or self.unit).known)
        return sorted(child.dev_id for child in found)

    def shown(self, unit: Unit | None = None) -> dict[str, bool]:
        """Return what the Open API shows behind the gateway: device ids, and who is online."""
        path = f"/v1.0/devices/{(unit or self.unit).known.dev_id}/sub-devices"
        envelope = self.maker.call("GET", path)
        if not envelope["success"]:  # the gateway is nobody's
            assert envelope["code"] == 1106
            return {}
        return {one["id"]: one["online"] for one in envelope["result"]}

    def all_agree(self, unit: Unit | None = None) -> list[str]:
        """Return what is bound, which flash, cloud and Open API must say alike."""
        kept = self.kept(unit)
        assert kept == self.booked(unit) == sorted(self.shown(unit))
        return kept

    # --- what people do -------------------------------------------------------------------------

    def program(self, method: str, path: str, form: object = None) -> Any:
        """Make a call of the maker's program; return the result of a success."""
        body = msgspec.json.encode(form) if form is not None else b""
        envelope = self.maker.call(method, path, None, body)
        assert envelope["success"], envelope
        self.settle()
        return envelope["result"]

    def remove_child(self, number: int, *, wipe: bool = False, owner: int = 0) -> None:
        """Let the owner remove a sub-device in the app."""
        target = f"/app/v1/devices/{self.child(number).dev_id}?wipe={int(wipe)}"
        self.get("DELETE", target, None, self.consumer(owner))
        self.settle()

    def command(self, number: int, code: str, value: object) -> None:
        """Set a data point of a sub-device by the Open API."""
        path = f"/v1.0/devices/{self.child(number).dev_id}/commands"
        self.program("POST", path, {"commands": [{"code": code, "value": value}]})

    def status(self, number: int) -> dict[str, object]:
        """Return what the Open API shows as the values of a sub-device."""
        found = self.program("GET", f"/v1.0/devices/{self.child(number).dev_id}/status")
        return {one["code"]: one["value"] for one in found}

    def pushed(self, biz_code: str) -> list[str]:
        """Return the device ids of which messages of one kind were pushed, in order."""
        return [push.dev_id for push in self.pushes if push.biz_code == biz_code]


# --- what a gateway said -------------------------------------------------------------------------


def published(unit: Unit, since: int = 0) -> list[mqtt.Publish]:
    """Return what it published since it had said so much."""
    sent = [effect.data for effect in unit.said[since:] if isinstance(effect, fx.SendMqtt)]
    packets = mqtt.Decoder().feed(b"".join(sent))
    return [packet for packet in packets if isinstance(packet, mqtt.Publish)]


def calls(unit: Unit, since: int = 0) -> list[str]:
    """Return the names of its calls about sub-devices."""
    topics = [packet for packet in published(unit, since) if packet.topic.startswith("rpc/req/")]
    names = [mqtt_rpc.decode_request(packet.payload).a for packet in topics]
    return [name for name in names if ".sub." in name]


def told(unit: Unit, protocol: Protocol, since: int = 0) -> list[object]:
    """Return the data of what a gateway said on its topic, of one kind."""
    out = mqtt_payload.topic_out(unit.kept.dev_id)
    payloads = [packet.payload for packet in published(unit, since) if packet.topic == out]
    messages = [mqtt_payload.decode(unit.device.local_key, payload) for payload in payloads]
    return [json.loads(bytes(one.data)) for one in messages if one.protocol == protocol]
