"""Stories of a wired device on its LAN: announced, handed a token, crowded, left alone."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.wire import discovery, lan_frame, provisioning
from tests.device.stage import DEV_ID, TOKEN, UUID, Stage, online

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
    stage.tell(ev.LanClosed(1))
    stage.tell(ev.LanOpened(5))
    assert stage.all(fx.LanClose) == [fx.LanClose(4)]
    stage.tell(ev.LanClosed(99))


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
