"""An external broker by itself, without a cloud around it: above all one that asks over HTTP."""

from collections import Counter
from typing import Any

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached
from firmware_sim.rng import Rng
from firmware_sim.wire import mqtt_payload
from fleet.cloud.external import parse_address
from fleet.cloud.external.broker import ExternalBroker
from fleet.cloud.external.lines import (
    CloseLine,
    Line,
    LineDown,
    LineHeard,
    LinesWanted,
    LineUp,
    OpenLine,
    SayOnLine,
)
from fleet.cloud.happenings import ClientConnected, ClientSubscribed, MessageReceived
from fleet.cloud.messages import ClockMoved
from fleet.cloud.messenger import AskedAtConnect
from tests.cloud.external.plugin import topics_of
from tests.cloud.support import SETTINGS, FakeDevice, World


class Alone:
    """An external broker by itself, on the registry of a small world."""

    def __init__(self, url: str, **choices: Any) -> None:
        world = World()
        state = world.state
        settings = msgspec.structs.replace(SETTINGS, **choices)
        self.counts: Counter[str] = Counter()
        self.broker = ExternalBroker(
            parse_address(url),
            state.devices,
            state.app_links,
            settings,
            Rng(3).bytes,
            self.counts,
        )
        self.device = FakeDevice(world, 0)

    def handle(self, event: Any) -> tuple[list[Any], list[Effect]]:
        out: list[Effect] = []
        return self.broker.handle(event, 1_000, out), out

    def up(self) -> list[Effect]:
        """Open both lines."""
        _, opened = self.handle(LinesWanted())
        for session, line in enumerate((Line.CONTROL, Line.DEVICES), 1):
            _, more = self.handle(LineUp(line, session))
            opened += more
        for kind, told in (("connected", {}), ("subscribed", {"topic": "rpc/req/+"})):
            payload = msgspec.json.encode({"username": "cloud", **told})
            topic = f"$SYS/brokers/emqx@1/clients/fleet-cloud/{kind}"
            _, more = self.handle(LineHeard(Line.CONTROL, 1, topic, payload))
            opened += more
        return opened


def test_a_broker_that_asks_is_connected_to_with_the_same_name_twice() -> None:
    alone = Alone("mqtt://cloud:secret@emqx.test?access=http")
    control, devices, prepared = alone.up()
    assert isinstance(control, OpenLine)
    assert isinstance(devices, OpenLine)
    assert (control.username, control.clean) == ("cloud", True)
    assert ("$SYS/brokers/+/clients/+/connected", 0) in control.filters
    assert (devices.username, devices.clean) == ("cloud", False)
    assert devices.filters == (("smart/device/out/+", 1), ("rpc/req/+", 1))
    assert control.client_id != devices.client_id
    assert type(prepared).__name__ == "BrokerPrepared"
    assert isinstance(alone.broker.doorkeeper, AskedAtConnect)


def test_who_was_there_before_is_noticed_when_it_speaks() -> None:
    alone = Alone("mqtt://cloud:secret@emqx.test?access=http")
    alone.up()
    dev_id = alone.device.dev_id
    topic = mqtt_payload.topic_out(dev_id)
    happened, _ = alone.handle(LineHeard(Line.DEVICES, 2, topic, b"x"))
    assert happened == [
        ClientConnected(dev_id),
        *(ClientSubscribed(dev_id, one) for one in topics_of(alone.device)),
        MessageReceived(dev_id, topic, b"x"),
    ]
    out: list[Effect] = []
    assert alone.broker.publish(topics_of(alone.device)[0], b"y", 1, "reset", 1_000, out)
    assert out == [SayOnLine(Line.DEVICES, topics_of(alone.device)[0], b"y", 1)]
    alone.broker.disconnect(dev_id, out)
    assert not alone.broker.connected(dev_id)
    alone.broker.review("monitor", 1_000, out)
    assert len(out) == 1


def test_events_of_emqx_tell_who_is_there() -> None:
    alone = Alone("mqtt://cloud:secret@emqx.test?access=http")
    alone.up()
    dev_id = alone.device.dev_id
    payload = msgspec.json.encode({"clientid": dev_id, "username": dev_id})
    topic = f"$SYS/brokers/emqx@1/clients/{dev_id}/connected"
    happened, _ = alone.handle(LineHeard(Line.CONTROL, 1, topic, payload))
    assert happened == [ClientConnected(dev_id)]
    assert alone.broker.clients == 1
    assert alone.handle(LineHeard(Line.CONTROL, 1, "another", b"x")) == ([], [])
    answers = "$CONTROL/dynamic-security/v1/response"
    assert alone.handle(LineHeard(Line.CONTROL, 1, answers, b"x")) == ([], [])


def test_events_that_come_late_or_are_not_its_own_change_nothing() -> None:
    alone = Alone("mqtt://admin:secret@mosquitto.test")
    assert alone.handle(LineUp(Line.CONTROL, 1)) == ([], [])
    assert alone.handle(LineDown(Line.CONTROL, "late")) == ([], [])
    assert alone.handle(DeadlineReached()) == ([], [])
    assert alone.handle(ClockMoved(5)) == ([], [])
    assert alone.broker.next_deadline_ms() is None
    out: list[Effect] = []
    assert not alone.broker.publish("rpc/rsp/x", b"", 0, "", 1, out)
    assert out == []


def test_a_line_that_is_given_up_says_why() -> None:
    alone = Alone("mqtt://admin:secret@mosquitto.test")
    alone.handle(LinesWanted())
    _, out = alone.handle(LineUp(Line.CONTROL, 1, refused=("a", "b")))
    assert CloseLine(Line.CONTROL, "it does not let us subscribe to a, b") in out
    assert alone.counts["broker_lines_lost"] == 1
