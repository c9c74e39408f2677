"""Stories of a wired device on its LAN: announced, handed a token, crowded, left alone."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.wire import discovery, lan_frame, provisioning
from firmware_sim.wire.mqtt_payload import encode_reset
from tests.device.stage import BOUND, DEV_ID, TOKEN, UUID, Stage, online

HEARTBEAT = lan_frame.encode(lan_frame.Frame(5, lan_frame.Command.HEART_BEAT, b""))


def waiting() -> Stage:
    stage = Stage("gateway").boot()
    stage.tell(ev.LinkUp("127.1.0.9"))
    return stage


def cards(stage: Stage) -> list[discovery.Announcement]:
    sent = stage.all(fx.Broadcast)
    assert all(effect.port == 6667 for effect in sent)
    return [discovery.decode_announcement(effect.data) for effect in sent]


def answer(stage: Stage) -> int | None:
    frame = lan_frame.decode(stage.last(fx.LanSend).data, from_device=True)
    assert frame.command == lan_frame.Command.TOKEN_BIND
    return frame.return_code


def test_unactivated_it_announces_its_uuid_at_once_and_every_five_seconds() -> None:
    stage = waiting()
    assert len(cards(stage)) == 1
    stage.wait(20_000)
    assert len(cards(stage)) == 5
    card = cards(stage)[-1]
    assert (card.gw_id, card.active, card.token, card.ip) == (UUID, 0, True, "127.1.0.9")
    assert card.awaits_token


def test_activated_it_announces_its_device_id_and_takes_no_token() -> None:
    stage = online("gateway")
    stage.wait(10_000)
    card = cards(stage)[-1]
    assert (card.gw_id, card.active) == (DEV_ID, 2)
    assert not card.awaits_token
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, provisioning.encode_token_bind(TOKEN, 1)))
    assert answer(stage) == 1
    assert stage.state == "ONLINE"


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_token_is_taken_and_its_repetition_is_fine(encrypted: bool) -> None:
    stage = waiting()
    frame = provisioning.encode_token_bind(TOKEN, 1, encrypted=encrypted)
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, frame[:7]))
    stage.tell(ev.LanReceived(1, frame[7:]))
    assert answer(stage) == 0
    assert stage.state == "ACTIVATING"
    stage.tell(ev.LanReceived(1, frame))
    assert answer(stage) == 0
    stage.tell(ev.LanReceived(1, provisioning.encode_token_bind("EUother123pro0", 2)))
    assert answer(stage) == 1
    stage.reply_servers()
    stage.reply_credentials()
    stage.connect()
    assert stage.device.light == "online"


def test_a_token_that_is_none_is_refused() -> None:
    stage = waiting()
    stage.tell(ev.LanOpened(1))
    bad = lan_frame.Frame(1, lan_frame.Command.TOKEN_BIND, b'{"token":"short"}')
    stage.tell(ev.LanReceived(1, lan_frame.encode(bad)))
    assert answer(stage) == 1
    assert stage.state == "WAITING"
    assert "bad_lan" in stage.notes()


def test_the_fourth_client_is_turned_away() -> None:
    stage = waiting()
    for conn in range(1, 5):
        stage.tell(ev.LanOpened(conn))
    assert stage.all(fx.LanClose) == [fx.LanClose(4)]
    count = len(cards(stage))
    stage.wait(20_000)
    assert len(cards(stage)) == count, "who takes no more clients does not announce itself"
    stage.tell(ev.LanClosed(1))
    stage.tell(ev.LanOpened(5))
    assert stage.all(fx.LanClose) == [fx.LanClose(4)]
    stage.tell(ev.LanClosed(99))
    stage.wait(5000)
    assert len(cards(stage)) == count, "three again"
    stage.tell(ev.LanClosed(5))
    stage.wait(5000)
    assert len(cards(stage)) == count + 1


def test_a_silent_client_is_closed_and_a_talking_one_stays() -> None:
    stage = waiting()
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanOpened(2))
    stage.wait(20_000)
    stage.tell(ev.LanReceived(2, HEARTBEAT))
    assert stage.last(fx.LanSend).conn == 2
    stage.wait(10_000)
    assert stage.all(fx.LanClose) == [fx.LanClose(1)]
    stage.wait(20_000)
    assert stage.all(fx.LanClose) == [fx.LanClose(1), fx.LanClose(2)]


def test_bytes_that_make_no_frame_are_silence() -> None:
    stage = waiting()
    stage.tell(ev.LanOpened(1))
    for byte in HEARTBEAT[:6]:
        stage.wait(5000)
        stage.tell(ev.LanReceived(1, bytes((byte,))))
    assert stage.all(fx.LanClose) == [fx.LanClose(1)]


def test_garbage_closes_the_client_only() -> None:
    stage = waiting()
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, b"GET / HTTP/1.1\r\n\r\n"))
    assert stage.last(fx.LanClose) == fx.LanClose(1)
    stage.tell(ev.LanReceived(1, b"more"))
    assert stage.state == "WAITING"


def test_unknown_commands_are_noted() -> None:
    stage = waiting()
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, lan_frame.encode(lan_frame.Frame(1, 0x42, b""))))
    assert stage.notes()[-1] == "lan_ignored"


def test_without_a_cable_nothing_is_announced() -> None:
    stage = waiting()
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LinkDown())
    assert stage.all(fx.CloseLan)
    count = len(cards(stage))
    stage.wait(60_000)
    assert len(cards(stage)) == count
    stage.tell(ev.LinkUp("127.1.0.10"))
    assert cards(stage)[-1].ip == "127.1.0.10"


def test_cable_pulled_while_activating() -> None:
    stage = waiting()
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, provisioning.encode_token_bind(TOKEN, 1)))
    stage.tell(ev.LinkDown())
    assert (stage.state, stage.device.light) == ("FAILED", "join_failed")


def test_nobody_listens_before_the_application_runs() -> None:
    stage = Stage("gateway")
    stage.tell(ev.PowerApplied())
    stage.tell(ev.LinkUp("127.1.0.9"))
    stage.wait(1999)
    assert not stage.all(fx.OpenLan)
    stage.wait(1)
    assert stage.all(fx.OpenLan) == [fx.OpenLan(6668)]
    stage.wait(1000)
    assert cards(stage)[-1].awaits_token


def test_a_bound_device_whose_cable_is_in_is_at_home_at_once() -> None:
    stage = Stage("gateway", BOUND.image())
    stage.tell(ev.PowerApplied())
    stage.tell(ev.LinkUp("127.1.0.9"))
    stage.wait(2000)
    assert stage.state == "ONLINE"
    assert stage.all(fx.OpenLan) == [fx.OpenLan(6668)]


def test_a_reset_closes_all_clients_and_comes_back_unbound() -> None:
    stage = online("gateway")
    stage.tell(ev.LanOpened(1))
    stage.message(encode_reset(DEV_ID, 1, "reset"))
    stage.tell(ev.LanReceived(1, provisioning.encode_token_bind(TOKEN, 1)))
    assert answer(stage) == 1, "it is being reset"
    stage.wait(800)
    assert stage.device.clients is None
    assert len(stage.all(fx.CloseLan)) == 1
    stage.wait(4000)
    assert len(stage.all(fx.OpenLan)) == 2
    card = cards(stage)[-1]
    assert (card.gw_id, card.awaits_token) == (UUID, True)


def test_a_token_that_failed_is_not_taken_for_the_one_in_use() -> None:
    stage = waiting()
    frame = provisioning.encode_token_bind(TOKEN, 1)
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, frame))
    stage.reply_servers()
    stage.reply_error("TOKEN_FULL")
    assert stage.state == "FAILED"
    stage.tell(ev.LanReceived(1, frame))
    assert answer(stage) == 1
    stage.tell(ev.LinkDown())
    stage.tell(ev.LinkUp("127.1.0.9"))
    assert len(stage.all(fx.OpenLan)) == 2
    stage.wait(5000)
    assert stage.state == "WAITING"
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, frame))
    assert answer(stage) == 0


def test_a_link_without_power_is_no_link() -> None:
    stage = Stage("gateway")
    stage.tell(ev.LinkUp("127.1.0.9"))
    assert stage.said == []


def test_an_online_gateway_loses_and_finds_its_cable() -> None:
    stage = online("gateway")
    stage.tell(ev.LinkDown())
    assert stage.state == "REJOINING"
    stage.tell(ev.LinkUp("127.1.0.9"))
    assert stage.state == "ONLINE"
