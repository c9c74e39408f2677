"""New firmware, from the notice to the restart, and everything that can come between."""

import msgspec
import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.flash import ResetKind, read_image
from firmware_sim.device.profile import WhileUpdating
from firmware_sim.device.states import Lifecycle
from firmware_sim.wire import atop, mqtt, mqtt_payload
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.atop_upgrade import UpgradeOffer
from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.mqtt_payload import UpgradeProgress, encode_reset, encode_upgrade_notice
from tests.device.lan_peer import Peer, bound
from tests.device.stage import BOUND, DEV_ID, OFFER, Stage, online

LOADED_MS = 30_000
INSTALLED_MS = 33_000


def offered(
    profile: str = "ipc-red-green", offer: UpgradeOffer = OFFER, habit: str = "obey"
) -> Stage:
    """Return a device that was told of new firmware, asked, and got `offer`."""
    stage = online(profile)
    stage.habits(reset_during_update=WhileUpdating(habit))
    stage.wait(2000)
    if stage.device.dialect.rpc:
        stage.answer_call(b"null")
    while stage.device.errands:
        stage.reply_success(b"null")
    stage.message(encode_upgrade_notice(DEV_ID, stage.now_ms // 1000))
    answer = stage.answer_call if stage.device.dialect.rpc else stage.reply_success
    answer(messages.encode(offer))
    return stage


def statuses(stage: Stage) -> list[int]:
    """Return the states of the upgrade that the device told, in order."""
    told = (call for call in stage.calls() if call.a == messages.UPGRADE_STATUS_UPDATE.name)
    return [messages.decode(c.data, messages.UpgradeStatusUpdate).upgrade_status for c in told]


def progress(stage: Stage) -> list[int]:
    return [
        mqtt_payload.data_of(message, UpgradeProgress).percent
        for message in stage.messages()
        if message.protocol == mqtt_payload.Protocol.UPGRADE_PROGRESS
    ]


def test_from_the_notice_to_the_new_version() -> None:
    stage = offered()
    assert [call.a for call in stage.calls()][1:] == [
        "tuya.device.upgrade.get",
        "tuya.device.upgrade.status.update",
    ]
    assert (stage.state, stage.session, stage.device.light) == ("UPDATING", "UP", "ota")
    stage.wait(LOADED_MS)
    assert progress(stage) == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    assert (stage.state, stage.flash and read_image(stage.flash).software) == ("UPDATING", "")
    stage.wait(INSTALLED_MS - LOADED_MS)
    assert statuses(stage) == [2, 3]
    assert stage.state == "BOOTING"
    assert stage.last(fx.SoundTone) == fx.SoundTone(2)
    assert [type(packet) for packet in stage.packets()[-2:]] == [mqtt.Unsubscribe, mqtt.Disconnect]
    assert [fx.CloseMqtt(), fx.LeaveWifi()] == [
        effect for effect in stage.said if isinstance(effect, fx.CloseMqtt | fx.LeaveWifi)
    ]
    stage.wait(2000)
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    query = atop.decode_query(stage.last(fx.SendHttp).target)
    assert query.a == "tuya.device.versions.update"
    stage.connect()
    assert (stage.device.software_version, stage.device.light) == ("1.1.0", "online")
    assert read_image(stage.flash).activated


def test_it_is_in_flash_before_the_cloud_hears_that_it_has_finished() -> None:
    stage = offered()
    stage.wait(INSTALLED_MS - 1)
    stage.now_ms += 1
    effects = stage.tell(ev.DeadlineReached())
    assert [type(effect) for effect in effects[:3]] == [fx.SaveFlash, fx.SendMqtt, fx.SoundTone]


def test_a_silent_offer_is_taken_too() -> None:
    stage = online()
    stage.wait(2000)
    stage.answer_call(messages.encode(OFFER))
    assert stage.state == "UPDATING"


def test_the_oldest_firmware_does_it_over_http() -> None:
    stage = offered("ipc-old")
    targets = [call.target for call in stage.all(fx.SendHttp)]
    assert [atop.decode_query(target).a for target in targets[-2:]] == [
        "tuya.device.upgrade.get",
        "s.gw.upgrade.updatestatus",
    ]
    stage.reply_success()
    stage.wait(INSTALLED_MS)
    assert stage.state == "BOOTING"
    assert len(progress(stage)) == 10
    assert stage.calls() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": "1.0.0"}, "channel 0, 1.0.0"),
        ({"type": 9}, "channel 9, 1.1.0"),
    ],
)
def test_what_is_none_for_us_is_declined(change: dict[str, str | int], said: str) -> None:
    stage = offered(offer=msgspec.structs.replace(OFFER, **change))
    assert (stage.state, statuses(stage)) == ("ONLINE", [48])
    assert stage.last(fx.Noted) == fx.Noted("upgrade_declined", said)


@pytest.mark.parametrize("version", ["", "1.2.3.4.5.6", "\x1b[2J", "1.0\n"])
def test_a_version_that_is_none_is_noted(version: str) -> None:
    stage = offered(offer=msgspec.structs.replace(OFFER, version=version))
    assert (stage.state, stage.notes()[-1]) == ("ONLINE", "bad_reply")


def test_a_notice_without_an_offer_is_a_failed_upgrade() -> None:
    stage = online()
    stage.wait(2000)
    stage.message(encode_upgrade_notice(DEV_ID, 1))
    stage.answer_call(code="NO_UPGRADE")
    assert (statuses(stage), stage.notes()[-1]) == ([4], "upgrade_refused")
    stage.message(encode_upgrade_notice(DEV_ID, 1))
    stage.wait(8000)
    assert statuses(stage) == [4, 4]
    stage.message(encode_upgrade_notice(DEV_ID, 1))
    stage.answer_call(b"null")
    assert (statuses(stage), stage.state) == ([4, 4], "ONLINE")


def test_new_firmware_of_a_child_is_none_of_ours() -> None:
    stage = online()
    stage.message(encode_upgrade_notice(DEV_ID, 1, 0, "child"))
    assert stage.calls() == []


def test_it_goes_on_without_the_cloud() -> None:
    stage = offered()
    stage.wait(10_000)
    stage.tell(ev.MqttClosed("reset"))
    assert (stage.state, stage.session, stage.device.light) == ("UPDATING", "BACKOFF", "ota")
    stage.wait(10_000)
    assert progress(stage) == [10, 20, 30]
    stage.wait(INSTALLED_MS - 20_000)
    assert (stage.state, statuses(stage)) == ("BOOTING", [2])
    assert stage.device.software_version == "1.1.0"


def test_it_goes_on_working() -> None:
    stage = offered("nvr")
    heard = len(stage.messages())
    stage.message(mqtt_payload.encode_dp_command(1, b'{"101":false}'))
    assert len(stage.messages()) == heard + 1
    announced = len(stage.all(fx.Broadcast))
    stage.wait(11_000)
    assert len(stage.all(fx.Broadcast)) >= announced + 2
    assert len(stage.all(fx.OpenLan)) == 1


def test_a_wired_device_keeps_its_address_and_opens_its_port_again() -> None:
    stage = offered("nvr")
    stage.wait(INSTALLED_MS)
    assert (stage.device.ip, len(stage.all(fx.CloseLan))) == ("127.1.0.1", 1)
    stage.wait(3000)
    assert (stage.state, len(stage.all(fx.OpenLan))) == ("ONLINE", 2)
    stage.connect()


def test_the_network_takes_it_along() -> None:
    stage = offered()
    stage.wait(20_000)
    stage.tell(ev.LinkDown())
    assert (stage.state, stage.notes()[-1]) == ("REJOINING", "upgrade_broken_off")
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.connect()
    assert stage.device.software_version == "1.0.0"
    stage.message(encode_upgrade_notice(DEV_ID, 1))
    stage.answer_call(messages.encode(OFFER))
    assert stage.state == "UPDATING", "it may be offered again"


@pytest.mark.parametrize("after_ms", range(0, INSTALLED_MS + 6000, 1500))
def test_power_cut_at_any_instant_leaves_the_old_firmware_or_the_new(after_ms: int) -> None:
    stage = offered()
    stage.wait(after_ms)
    stage.tell(ev.PowerRemoved())
    revived = online(flash=stage.flash)
    assert revived.device.software_version == ("1.0.0" if after_ms < INSTALLED_MS else "1.1.0")
    assert (revived.state, revived.session) == ("ONLINE", "UP")


# --- a reset meanwhile --------------------------------------------------------------------------


@pytest.mark.parametrize("habit", ["obey", "refuse"])
def test_the_cloud_resets_in_the_middle(habit: str) -> None:
    stage = offered(habit=habit)
    stage.wait(15_000)
    stage.message(encode_reset(DEV_ID, 1, "reset_factory"), qos=1)
    if habit == "obey":
        assert stage.device.flash.resetting is ResetKind.REMOTE_FACTORY
        stage.wait(10_000)
        assert (stage.state, stage.device.operator) == ("WAITING", "unbound")
        assert stage.device.loading is None
    else:
        assert stage.last(fx.Noted) == fx.Noted("reset_refused", "Released")
        stage.wait(INSTALLED_MS)
        assert (stage.device.flash.activated, stage.device.software_version) == (True, "1.1.0")


@pytest.mark.parametrize("habit", ["obey", "refuse"])
def test_the_button_is_held_in_the_middle(habit: str) -> None:
    stage = offered(habit=habit)
    stage.hold_button()
    refused = habit == "refuse"
    assert stage.state == ("UPDATING" if refused else "RESETTING")
    assert ("tuya.device.reset" in [call.a for call in stage.calls()]) is not refused
    assert ("reset_refused" in stage.notes()) is refused


@pytest.mark.parametrize("habit", ["obey", "refuse"])
def test_a_lan_client_removes_the_device_in_the_middle(habit: str) -> None:
    stage = bound(LanVersion.V34)
    stage.habits(reset_during_update=WhileUpdating(habit))
    stage.wait(2000)
    stage.answer_call(messages.encode(OFFER))
    assert stage.device.lifecycle is Lifecycle.UPDATING
    peer = Peer(stage, LanVersion.V34).negotiated()
    answers = peer.ask(Command.LAN_RESET)
    assert [frame.return_code for frame in answers] == ([1] if habit == "refuse" else [0, 0])
    assert stage.state == ("UPDATING" if habit == "refuse" else "RESETTING")
    if habit == "refuse":
        assert peer.query(), "the client is still served"


def test_a_refused_reset_is_caught_up_on_after_the_restart() -> None:
    """The broker refuses who was unbound meanwhile, and the device asks what it is."""
    stage = offered(habit="refuse")
    stage.message(encode_reset(DEV_ID, 1, "reset"), qos=1)
    stage.wait(INSTALLED_MS + 2000)
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    stage.reply_success()
    stage.tell(ev.MqttOpened())
    stage.hear(mqtt.Connack(5))
    stage.reply_success(b'{"status":"reset"}')
    stage.wait(10_000)
    assert (stage.state, stage.device.operator) == ("WAITING", "unbound")
    assert stage.device.software_version == "1.1.0"


def test_the_flash_says_what_runs_and_not_the_profile() -> None:
    flash = read_image(BOUND.image())
    flash.software = "3.0.0"
    stage = online(flash=flash.image())
    assert stage.device.software_version == "3.0.0"
    assert '"softVer":"3.0.0"' in stage.device.flash.versions
