"""Stories of a wired device on its LAN: announced, handed a token, crowded, left alone."""

import msgspec
import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.device import Device, Identity
from firmware_sim.wire import discovery, lan_frame, lan_frame_gcm, provisioning
from firmware_sim.wire.ciphers import UDP_KEY
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.mqtt_payload import encode_reset
from firmware_sim.wire.provisioning import TokenForm
from tests.device.lan_peer import NONCE
from tests.device.stage import AUTH_KEY, BOUND, DEV_ID, T0_MS, TOKEN, UUID, Stage, online

_BEAT = lan_frame.Frame(5, lan_frame.Command.HEART_BEAT, b"")
HEARTBEAT, SEALED = lan_frame.encode(_BEAT), lan_frame_gcm.encode(_BEAT, UDP_KEY, NONCE)
QUERY = lan_frame.encode(lan_frame.Frame(1, lan_frame.Command.DP_QUERY, b"{}"))


def waiting(version: LanVersion = LanVersion.V33, **firmware: object) -> Stage:
    stage = Stage("gateway")
    set_firmware(stage, version, **firmware)
    stage.boot()
    stage.tell(ev.LinkUp("127.1.0.9"))
    return stage


def set_firmware(stage: Stage, version: LanVersion, **changes: object) -> None:
    profile = stage.device.profile
    firmware = msgspec.structs.replace(profile.firmware, **changes)
    stage.device.profile = msgspec.structs.replace(profile, firmware=firmware)
    stage.device.lan_version = version


def cards(stage: Stage) -> list[discovery.Announcement]:
    found = []
    for effect in stage.all(fx.Broadcast):
        card = discovery.decode_announcement(effect.data)
        assert effect.port == (6666 if card.version == "3.1" else 6667)
        found.append(card)
    return found


def answer(stage: Stage, form: TokenForm = TokenForm.ECB) -> int:
    raw = lan_frame.cut(stage.last(fx.LanSend).data)
    assert raw.command == lan_frame.Command.TOKEN_BIND
    return provisioning.decode_token_bind_reply(raw, form)


def test_unactivated_it_announces_its_uuid_at_once_and_every_five_seconds() -> None:
    stage = waiting()
    assert len(cards(stage)) == 1
    stage.wait(20_000)
    assert len(cards(stage)) == 5  # the second is early: at the device's place in the interval
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


@pytest.mark.parametrize("version", LanVersion)
@pytest.mark.parametrize("form", TokenForm)
def test_a_token_is_taken_and_its_repetition_is_fine(version: LanVersion, form: TokenForm) -> None:
    stage = waiting(version)
    frame = provisioning.encode_token_bind(TOKEN, 1, form, NONCE)
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, frame[:7]))
    stage.tell(ev.LanReceived(1, frame[7:]))
    assert answer(stage, form) == 0
    assert stage.state == "ACTIVATING"
    stage.tell(ev.LanReceived(1, frame))
    assert answer(stage, form) == 0
    other = provisioning.encode_token_bind("EUother123pro0", 2, form, NONCE)
    stage.tell(ev.LanReceived(1, other))
    assert answer(stage, form) == 1
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


@pytest.mark.parametrize("first", [QUERY, HEARTBEAT[:-5] + b"?" + HEARTBEAT[-4:], SEALED])
def test_an_unbound_device_answers_heartbeats_and_nothing_else(first: bytes) -> None:
    stage = waiting()
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, first + HEARTBEAT))
    assert stage.notes()[-1] == "lan_ignored"
    assert stage.last(fx.LanClose) == fx.LanClose(1)
    assert not stage.all(fx.LanSend), "what came after it is not read"


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
    last = cards(stage)[-1]
    assert (last.gw_id, last.active, last.token) == (UUID, 0, False), "not to be paired yet"
    stage.tell(ev.LanReceived(1, provisioning.encode_token_bind(TOKEN, 1)))
    assert not stage.all(fx.LanSend)
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


# --- versions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", LanVersion)
def test_a_bound_device_announces_its_version(version: LanVersion) -> None:
    stage = online("nvr")
    set_firmware(stage, version)
    stage.wait(6000)
    card = cards(stage)[-1]
    assert (card.version, card.active, card.gw_id) == (version, 2, DEV_ID)
    assert (card.uuid, card.sl) == ((UUID, 1) if version == "3.5" else (None, None))


@pytest.mark.parametrize("version", LanVersion)
def test_an_unbound_device_announces_no_more_than_apps_can_pair(version: LanVersion) -> None:
    assert cards(waiting(version))[-1].version == min(version, "3.3")
    free = cards(waiting(version, pairing_lan_version_max=LanVersion.V35))[-1]
    assert free.version == version
    assert free.awaits_token


def test_a_camera_is_on_the_lan_while_it_is_online() -> None:
    stage = Stage().boot()
    stage.wait(10_000)
    assert not stage.all(fx.Broadcast), "without a network there is no LAN"
    stage.pair()
    stage.wait(6000)
    assert stage.all(fx.OpenLan) == [fx.OpenLan(6668)]
    card = cards(stage)[-1]
    assert (card.gw_id, card.active, card.awaits_token) == (DEV_ID, 2, False)
    stage.tell(ev.LinkDown())
    assert len(stage.all(fx.CloseLan)) == 1


def test_a_fleet_spreads_evenly_over_the_interval() -> None:
    """Whatever instant the power came back at, a tenth of the interval sees a tenth of the fleet."""
    tenths = [0] * 10
    profile = Stage("gateway").device.profile
    for number in range(2000):
        identity = Identity(f"sim{number}", AUTH_KEY, "pid1")
        device = Device(profile, identity, number, ("dns", 80))
        device.handle(ev.PowerApplied(), T0_MS)
        device.handle(ev.LinkUp("127.1.0.9"), T0_MS + 300)
        now_ms = T0_MS
        for _ in range(3):  # boot, the first announcement, the second one
            now_ms = device.next_deadline_ms() or 0
            device.handle(ev.DeadlineReached(), now_ms)
        tenths[(device.next_deadline_ms() or 0) % 5000 // 500] += 1
    assert min(tenths) > 150
    assert max(tenths) < 250


# --- solicitations ------------------------------------------------------------------------------


def ask(stage: Stage, ip: str = "127.0.0.1") -> list[fx.SendDatagram]:
    data = discovery.encode_solicitation(discovery.Solicitation(ip, "app"), NONCE)
    effects = stage.tell(ev.DatagramReceived(discovery.PORT_SOLICITED, data))
    return [effect for effect in effects if isinstance(effect, fx.SendDatagram)]


def solicitable(**firmware: object) -> Stage:
    stage = online("nvr")
    set_firmware(stage, LanVersion.V35, **firmware)
    return stage


def test_version_35_answers_who_asks_and_where_they_say() -> None:
    stage = solicitable()
    for ip in ("127.0.0.1", "127.9.9.9"):
        (sent,) = ask(stage, ip)
        assert (sent.ip, sent.port) == (ip, 7000)
        card = discovery.decode_announcement(sent.data)
        assert (card.gw_id, card.ip, card.version) == (DEV_ID, "127.1.0.1", "3.5")


@pytest.mark.parametrize("version", [version for version in LanVersion if version < "3.5"])
def test_older_versions_hear_nothing(version: LanVersion) -> None:
    stage = online("nvr")
    set_firmware(stage, version)
    assert ask(stage) == []


def test_the_newest_firmware_speaks_only_when_asked() -> None:
    stage = online("nvr")
    set_firmware(stage, LanVersion.V35, announce_unasked=False)
    count = len(cards(stage))
    stage.wait(20_000)
    assert len(cards(stage)) == count
    assert len(ask(stage)) == 1
    stage.hold_button()
    assert [card.gw_id for card in cards(stage)[count:]] == [UUID], "apps pair older ones only"


def test_noise_on_the_port_of_solicitations_is_nothing() -> None:
    stage = solicitable()
    for data in (b"", b"noise", bytes(4096)):
        assert stage.tell(ev.DatagramReceived(discovery.PORT_SOLICITED, data)) == []


def test_who_is_full_speaks_when_asked_unless_its_firmware_says_otherwise() -> None:
    stage = solicitable(lan_clients_max=1)
    stage.tell(ev.LanOpened(1))
    stage.wait(10_000)
    assert (len(cards(stage)), len(ask(stage))) == (0, 1)
    set_firmware(stage, LanVersion.V35, announce_when_full=True)
    stage.wait(6000)
    assert cards(stage)
    assert len(ask(stage)) == 1


def test_an_answer_tells_the_address_of_today() -> None:
    stage = solicitable()
    ask(stage)
    stage.tell(ev.LinkDown())
    assert ask(stage) == []
    stage.tell(ev.LinkUp("127.1.0.77"))
    (sent,) = ask(stage)
    assert discovery.decode_announcement(sent.data).ip == "127.1.0.77"


def test_an_answer_tells_of_the_binding_of_today_though_the_device_id_is_the_old_one() -> None:
    stage = solicitable(pairing_lan_version_max=LanVersion.V35)
    stage.hold_button()
    stage.wait(5000)
    (sent,) = ask(stage)
    assert discovery.decode_announcement(sent.data).gw_id == UUID
    stage.tell(ev.LanOpened(1))
    stage.tell(ev.LanReceived(1, provisioning.encode_token_bind(TOKEN, 1)))
    stage.reply_servers()
    stage.reply_credentials()
    (sent,) = ask(stage)
    assert discovery.decode_announcement(sent.data).gw_id == DEV_ID


def test_an_unbound_device_of_version_35_is_asked_in_vain_until_apps_can_pair_it() -> None:
    assert ask(waiting(LanVersion.V35)) == []
    stage = waiting(LanVersion.V35, pairing_lan_version_max=LanVersion.V35)
    (sent,) = ask(stage)
    assert discovery.decode_announcement(sent.data).gw_id == UUID
