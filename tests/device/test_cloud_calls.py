"""Calls to the cloud: what they carry, and replies that cannot be read."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.cloud_calls import Call, Servers
from firmware_sim.device.flash import Flash, ResetKind
from firmware_sim.device.profile import Question, TimeFrom
from firmware_sim.wire import atop, iot_dns
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.atop_old import parse_other
from firmware_sim.wire.ciphers import NONCE_SIZE
from firmware_sim.wire.generation import DIALECTS
from tests.device.stage import AUTH_KEY, CODE, DEV_ID, UUID, Stage, online


def activating(profile: str, flash: bytes = b"") -> Stage:
    """Return a device that asks to be activated."""
    stage = Stage(profile, flash).boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    return stage


@pytest.mark.parametrize("body", [b"", b"\xff", b"{}", b'{"httpsSelfUrl":1}'])
def test_a_reply_that_cannot_be_read_is_a_failed_call(body: bytes) -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply(body)
    assert "bad_reply" in stage.notes()
    assert stage.state == "ACTIVATING"
    stage.tell(ev.HttpReplied(1, 200, b"late"))
    assert stage.state == "ACTIVATING"


@pytest.mark.parametrize(
    ("url", "encrypted"),
    [("https://a/d.json", True), ("HTTPS://a/d.json", True), ("a:443", True), ("http://a", False)],
)
def test_nothing_is_said_in_the_clear_unless_the_cloud_says_so(
    url: str, *, encrypted: bool
) -> None:
    servers = Servers.of(iot_dns.Endpoints(url, "a:8883", b"DER"))
    assert servers.anchor == (b"DER" if encrypted else b"")


def test_activation_carries_the_old_device_id() -> None:
    flash = Flash(dev_id=DEV_ID, last_reset=ResetKind.LOCAL_FACTORY)
    stage = activating("ipc-red-green", flash.image())
    body = atop.decode_request_body(stage.last(fx.SendHttp).body, AUTH_KEY)
    request = messages.decode(body, messages.ActivationRequest)
    assert (request.dev_id, request.token) == (DEV_ID, "abcd1234")
    query = atop.decode_query(stage.last(fx.SendHttp).target)
    assert (query.uuid, query.dev_id) == (UUID, None)
    atop.check_sign(query, AUTH_KEY)


def test_no_nonce_comes_twice() -> None:
    stage = activating("ipc-new")
    for _ in range(3):
        stage.tell(ev.HttpFailed(stage.last(fx.SendHttp).call, "timeout"))
        stage.wait(2_000)
        stage.reply_servers()
    bodies = [call.body for call in stage.all(fx.SendHttp) if b"data=" in call.body]
    nonces = {body[len("data=") :][: 2 * NONCE_SIZE] for body in bodies}
    assert len(nonces) == len(bodies) == 4


@pytest.mark.parametrize(
    ("profile", "path", "api", "version", "et"),
    [
        ("ipc-old", "/gw.json", "s.gw.dev.pk.active", "3.0", 0),
        ("ipc-red-green", "/d.json", "tuya.device.active", "4.4", 1),
        ("ipc-new", "/d.json", "thing.device.opensdk.active", "1.0", 3),
    ],
)
def test_every_generation_activates_in_its_own_way(
    profile: str, path: str, api: str, version: str, et: int
) -> None:
    stage = activating(profile)
    call = stage.last(fx.SendHttp)
    query = atop.decode_query(call.target)
    assert (call.target.partition("?")[0], query.a, query.v, query.et) == (path, api, version, et)
    assert query.uuid == UUID
    atop.check_sign(query, AUTH_KEY)
    request = messages.decode(
        atop.decode_request_body(call.body, AUTH_KEY, et), messages.ActivationRequest
    )
    generation = stage.device.profile.firmware.generation
    assert (request.token, request.protocol_ver) == ("abcd1234", generation)
    assert request.options == DIALECTS[generation].options
    assert parse_other(query.other).token == "abcd1234" if query.old else query.other == ""
    stage.reply_credentials()
    assert stage.state == "ONLINE"


def test_nobody_takes_a_longer_reply_than_firmware_has_room_for() -> None:
    stage = activating("ipc-red-green")
    stage.reply_credentials()
    stage.reply_success()
    stage.habits(questions=(Question.CONFIG,))
    stage.connect()
    stage.wait(2000)
    sizes = [call.reply_size_max for call in stage.all(fx.SendHttp)]
    assert sizes == [6144, 8192, 1024, 1024], "iot-dns, activation, versions, configuration"
    old = online("ipc-old")
    old.wait(2000)
    assert old.last(fx.SendHttp).reply_size_max == 2048, "what there is to upgrade to"


def test_a_late_reply_does_not_answer_the_next_call() -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    first = stage.last(fx.SendHttp).call
    stage.tell(ev.HttpFailed(first, "timeout"))
    stage.wait(1000)
    assert stage.tell(ev.HttpReplied(first, 200, b"{}")) == []
    stage.reply_servers()
    assert stage.device.call is Call.ACTIVATE


def signed_s(stage: Stage) -> int:
    """Return when the last call was signed, by the device's own clock."""
    return atop.decode_query(stage.last(fx.SendHttp).target).t


@pytest.mark.parametrize("skew_s", [-100_000_000, -301, 4_000])
def test_a_refusal_sets_the_clock_right_and_the_next_try_is_signed_in_time(skew_s: int) -> None:
    stage = activating("ipc-red-green")
    true_s = signed_s(stage) - skew_s
    stage.reply_inner(atop.encode_error("STALE_TIME", "no", true_s), AUTH_KEY)
    stage.wait(1_000)
    assert signed_s(stage) == true_s + 1
    stage.wait(500)
    stage.reply_credentials()
    assert stage.state == "ONLINE"


def test_a_refusal_in_the_right_time_is_one() -> None:
    stage = activating("ipc-red-green")
    stage.wait(4_000)  # a slow answer, which makes the clock a little late
    stage.reply_inner(atop.encode_error("STALE_TIME", "no", stage.now_ms // 1000 - 4), AUTH_KEY)
    assert stage.state == "FAILED"


def test_a_cloud_whose_own_clock_jumps_is_asked_no_more_than_once_a_second() -> None:
    stage = activating("ipc-red-green")
    for number in range(3):
        stage.reply_inner(atop.encode_error("STALE_TIME", "no", 1_000 + 1_000 * number), AUTH_KEY)
        calls = len(stage.all(fx.SendHttp))
        stage.wait(999)
        assert len(stage.all(fx.SendHttp)) == calls
        stage.wait(1)
        assert len(stage.all(fx.SendHttp)) == calls + 1


def test_a_restart_forgets_what_time_it_is() -> None:
    stage = activating("ipc-red-green")
    stage.reply_inner(atop.encode_error("STALE_TIME", "no", signed_s(stage) + 9_000), AUTH_KEY)
    assert stage.device.now_s == stage.now_ms // 1000 + 9_000
    stage.tell(ev.PowerRemoved())
    stage.boot()
    assert stage.device.now_s == stage.now_ms // 1000


@pytest.mark.parametrize(
    ("time_from", "ahead_s"), [(each, 9 * n) for n, each in enumerate(TimeFrom)]
)
def test_only_some_firmware_heeds_the_time_in_all_replies(
    time_from: TimeFrom, ahead_s: int
) -> None:
    stage = activating("ipc-red-green")
    stage.habits(time_from=time_from)
    stage.reply_credentials()
    assert stage.device.call is Call.VERSIONS
    stage.reply_inner(atop.encode_success(None, stage.now_ms // 1000 + 9))
    assert stage.device.now_s == stage.now_ms // 1000 + ahead_s


@pytest.mark.parametrize("nonsense_s", [-1, 0, 1 << 31, 1 << 62])
def test_a_time_that_can_be_none_is_not_believed(nonsense_s: int) -> None:
    stage = activating("ipc-red-green")
    stage.reply_inner(atop.encode_error("STALE_TIME", "no", nonsense_s), AUTH_KEY)
    assert stage.device.now_s == stage.now_ms // 1000
