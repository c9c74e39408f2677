"""Guests of the broker: who they are, what they may, and that it is kept."""

import msgspec
import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire import mqtt
from fleet.cloud.guests import FILTERS_MAX, Guest
from fleet.cloud.messages import StreamOpened, StreamReceived
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.seed import MqttClientSeed
from tests.cloud.support import OWNER, SETTINGS, FakeDevice, World, assert_reloads, seed

MONITOR = MqttClientSeed(name="monitor", password="secret", read=("#",), write=("t",))


def reason(world: World, *arguments: object, **filters: object) -> Reason:
    outcome = world.rule(lambda state: state.guests.put(*arguments, **filters))
    assert isinstance(outcome, Refused)
    return outcome.reason


def test_a_guest_is_known_by_its_password_which_is_not_kept() -> None:
    world = World()
    world.rule(lambda state: state.guests.put("monitor", "secret", read=["#"]))
    guests = world.state.guests
    assert guests.fits("monitor", "secret")
    assert not guests.fits("monitor", "Secret")
    assert not guests.fits("monitor", "")
    assert not guests.fits("nobody", "secret")
    (guest,) = guests.all()
    assert "secret" not in guest.password_hash
    assert repr(guest) == "Guest('monitor')"
    assert_reloads(world)


def test_it_may_what_one_of_its_filters_covers() -> None:
    guest = Guest("g", "", ("a/+", "$SYS/#"), ("b",))
    assert guest.may_read("a/1")
    assert guest.may_read("a/+")
    assert guest.may_read("$SYS/broker/uptime")
    assert not guest.may_read("a/#")
    assert not guest.may_read("b")
    assert guest.may_write("b")
    assert not guest.may_write("a/1")


def test_changing_one_keeps_the_password_unless_there_is_a_new_one() -> None:
    world = World()
    world.rule(lambda state: state.guests.put("g", "old", read=["a"]))
    world.rule(lambda state: state.guests.put("g", "", write=["b"]))
    guest = world.state.guests.get("g")
    assert guest is not None
    assert (guest.read_filters, guest.write_filters) == ((), ("b",))
    assert world.state.guests.fits("g", "old")
    world.rule(lambda state: state.guests.put("g", "new"))
    assert not world.state.guests.fits("g", "old")
    assert world.state.guests.fits("g", "new")
    assert len(world.state.guests) == 1
    assert_reloads(world)


@pytest.mark.parametrize("bad", ["", "a#", "#/a", "+a", "a\0"])
def test_what_is_no_filter_is_refused(bad: str) -> None:
    assert reason(World(), "g", "pw", read=[bad]) is Reason.BAD_REQUEST
    assert reason(World(), "g", "pw", write=[bad]) is Reason.BAD_REQUEST


def test_a_guest_without_any_password_is_refused() -> None:
    assert reason(World(), "g", "") is Reason.BAD_REQUEST


def test_guests_and_filters_are_bounded() -> None:
    world = World(msgspec.structs.replace(SETTINGS, mqtt_guests_max=1))
    assert reason(world, "g", "pw", read=["a"] * (FILTERS_MAX + 1)) is Reason.TOO_MANY
    assert reason(world, "g", "pw", write=["a"] * (FILTERS_MAX + 1)) is Reason.TOO_MANY
    world.rule(lambda state: state.guests.put("g", "pw"))
    assert reason(world, "h", "pw") is Reason.TOO_MANY
    world.rule(lambda state: state.guests.put("g", "", read=["a"]))
    world.rule(lambda state: state.guests.remove("g"))
    world.rule(lambda state: state.guests.put("h", "pw"))
    assert [guest.name for guest in world.state.guests.all()] == ["h"]


def test_there_is_nobody_to_remove() -> None:
    outcome = World().rule(lambda state: state.guests.remove("nobody"))
    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_FOUND


# --- from a seed, and beside devices ----------------------------------------------------------------


def test_a_seed_brings_guests() -> None:
    world = World(start=msgspec.structs.replace(seed(), mqtt_clients=(MONITOR,)))
    guest = world.state.guests.get("monitor")
    assert guest is not None
    assert (guest.read_filters, guest.write_filters) == (("#",), ("t",))
    assert world.state.guests.fits("monitor", "secret")
    assert "secret" not in repr(MONITOR)
    assert_reloads(world)


@pytest.mark.parametrize(
    ("guests", "complaint"),
    [
        ((MONITOR, MONITOR), "seed: mqtt_clients[1]: there is an MQTT client monitor already"),
        (
            (msgspec.structs.replace(MONITOR, read=("a#",)),),
            "seed: mqtt_clients[0]: bad_request: 'a#' is not a topic filter",
        ),
        ((msgspec.structs.replace(MONITOR, password=""),), "seed: mqtt_clients[0].password: "),
    ],
)
def test_a_guest_that_cannot_be(guests: tuple[MqttClientSeed, ...], complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        World(start=msgspec.structs.replace(seed(), mqtt_clients=guests))
    assert str(caught.value).startswith(complaint)


def test_a_monitor_hears_an_order_to_reset_and_confirms_nothing() -> None:
    """Nobody but the device says that it was told, and that it obeyed."""
    world = World(start=msgspec.structs.replace(seed(), mqtt_clients=(MONITOR,)))
    device, conn = FakeDevice(world, 0), next(world.conns)
    world.handle(StreamOpened(conn))
    hello, all_of_it = mqtt.Connect("m", "monitor", "secret"), mqtt.Subscribe(1, (("#", 1),))
    for packet in (hello, all_of_it):
        world.handle(StreamReceived(conn, mqtt.encode(packet)))
    world.streams.clear()
    device.activate(world.unbind_token(world.account(OWNER))["token"])
    assert "reset_sent" not in world.log(device.uuid)
    told = device.go_online()
    heard = mqtt.Decoder().feed(world.streams[conn])
    assert [p.topic for p in heard if isinstance(p, mqtt.Publish)] == [
        p.topic for p in told if isinstance(p, mqtt.Publish)
    ]
    world.handle(StreamReceived(conn, mqtt.encode(mqtt.Puback(1))))
    assert "reset_confirmed" not in world.log(device.uuid)
    device.acknowledge(told)
    assert world.log(device.uuid)[-1] == "reset_confirmed"
