"""Who is known by which client id, and who is let in under it."""

import pytest

from firmware_sim.wire import mqtt
from tests.cloud.broker.world import GUEST, SETTINGS, World


def code(world: World, packet: mqtt.Connect) -> int:
    conn = world.open()
    world.send(conn, packet)
    (answer,) = world.heard(conn)
    assert isinstance(answer, mqtt.Connack)
    return answer.return_code


def test_a_session_that_was_not_kept_and_is_to_be_kept_needs_room() -> None:
    world = World()
    for number in range(SETTINGS.mqtt_sessions_max):
        world.guest(f"c{number}", lasting=True, username=f"guest{number}")
    conn = world.guest("mine")
    assert code(world, mqtt.Connect("mine", GUEST, "ok", clean_session=False)) == 3
    assert conn not in world.closed
    assert code(world, mqtt.Connect("c0", "guest0", "ok", clean_session=False)) == 0


def test_a_session_to_be_kept_needs_an_id_whoever_asks_mqtt_3_1_3_8() -> None:
    assert code(World(), mqtt.Connect("", "nobody", "ok", clean_session=False)) == 2
    assert code(World(), mqtt.Connect("", "nobody", "ok")) == 5


def test_an_id_that_is_made_up_is_nobody_s(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(
        world.named,
        "claims",
        lambda client_id, username: username == GUEST and client_id not in {"auto-1", "auto-1-"},
    )
    conn = world.guest("")
    assert world.broker._sessions[conn].client_id == "auto-1--"


def test_of_a_guest_the_cloud_does_not_know_that_it_is_connected() -> None:
    world = World()
    conn = world.guest("one")
    assert not world.broker.connected("one")
    world.broker.disconnect("one", world.journal.effects)
    assert world.journal.take() == []
    assert conn not in world.closed
    assert world.broker.clients == 1


def test_a_session_that_is_kept_counts_once_however_often_its_client_comes() -> None:
    world = World()
    for number in range(20):
        world.guest("one", lasting=True, present=number > 0)
    assert world.broker._door._guests == {GUEST: 1}
    world.guest("one", lasting=False)
    assert world.broker._door._guests == {GUEST: 1}
    assert world.broker._kept == {}
