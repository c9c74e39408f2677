"""The cloud as a node: routing, time, and answers to what nobody should send."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import UsageError
from firmware_sim.events import DeadlineReached, PowerApplied
from firmware_sim.wire import atop, mqtt
from firmware_sim.wire.atop_messages import ACTIVE, TIME_GET
from firmware_sim.wire.mqtt_payload import Protocol
from fleet.cloud.api.console_api import ROUTES
from fleet.cloud.messages import HttpRequested, StreamClosed, StreamOpened, StreamReceived

from .support import ADMIN, REPAIR, FakeDevice, World, assert_reloads

WORLD = World()
SESSIONS = ("", ADMIN, "nonsense", WORLD.account(REPAIR), WORLD.consumer(0))
PATHS = (
    *(route.pattern for route in ROUTES),
    "/app/v1/register",
    "/app/v1/login",
    "/app/v1/pair-tokens",
    "/app/v1/pair-tokens/EUabcdefghpr_0",
    "/app/v1/devices/bfdevice00000000000001",
    "/admin/v1/audit",
    "/admin/v1/stats",
    "/d.json",
    "/v2/url_config",
    "/v1.0/token",
)
ANYTHING = st.characters()  # lone surrogates too
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
FIELDS = (
    *("name", "password", "method", "max_devices", "life_s", "scope", "limit", "kind"),
    *("grantee", "role", "right", "products", "permissions", "config", "env", "region"),
)
forms = st.dictionaries(
    st.sampled_from(FIELDS),
    json_values | st.sampled_from(["qr", "account", "partner", "space", "repair"]),
)
bodies = st.binary(max_size=64) | forms.map(msgspec.json.encode)


@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT", ""]),
    path=st.sampled_from(PATHS) | st.text(ANYTHING, max_size=30),
    query=st.text(max_size=40) | st.text(ANYTHING, max_size=40),
    session=st.sampled_from(SESSIONS) | st.text(ANYTHING, max_size=8),
    body=bodies,
)
def test_whatever_is_sent_the_answer_is_coded(
    method: str, path: str, query: str, session: str, body: bytes
) -> None:
    reply = WORLD.send(method, f"{path}?{query}", body, f"Bearer {session}")
    envelope = msgspec.json.decode(reply)
    known = "success" in envelope or "caArr" in envelope
    assert known, envelope
    if envelope.get("success") is False:
        assert envelope.get("code") or envelope.get("errorCode")


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_whatever_arrives_on_mqtt_is_survived(pieces: list[bytes]) -> None:
    conn = next(WORLD.conns)
    WORLD.handle(StreamOpened(conn))
    for piece in pieces:
        WORLD.handle(StreamReceived(conn, piece))
    WORLD.handle(StreamClosed(conn))


def test_the_fuzzed_cloud_is_still_the_one_on_disk() -> None:
    assert_reloads(WORLD)


def test_an_unknown_path_is_answered_like_the_open_api() -> None:
    world = World()
    for method, path in (("GET", "/v1/nothing"), ("GET", "/d.json"), ("PUT", "/v2/url_config")):
        envelope = world.ask(method, path)
        tid = envelope.pop("tid")
        assert envelope == {
            "code": 1108,
            "msg": "uri path invalid",
            "success": False,
            "t": world.now_ms,
        }
        assert len(tid) == 32
        assert set(tid) <= set("0123456789abcdef")


@pytest.mark.parametrize("path", ["/v1.0/token", "/v2.0/nothing", "/eu/v1.0/token", "/v1.3/\xff"])
def test_paths_of_the_open_api_are_its_own(path: str) -> None:
    envelope = World().ask("GET", path)
    assert (envelope["code"], envelope["msg"]) == (1005, "clientId invalid")
    assert list(envelope) == ["code", "msg", "success", "t", "tid"]


def test_a_silent_device_goes_offline_in_time() -> None:
    world = World()
    assert world.cloud.next_deadline_ms() is None
    device = FakeDevice(world, 0)
    device.go_online()
    deadline_ms = world.cloud.next_deadline_ms()
    assert deadline_ms is not None
    while deadline_ms is not None:
        world.now_ms = max(world.now_ms, deadline_ms)
        world.handle(DeadlineReached())
        deadline_ms = world.cloud.next_deadline_ms()
    assert world.log(device.uuid) == ["online", "offline"]
    assert [push.biz_code for push in world.pushes] == ["online", "offline"]


def test_events_of_a_device_are_not_for_a_cloud() -> None:
    with pytest.raises(UsageError, match="PowerApplied"):
        World().handle(PowerApplied())


# --- to explain a run ---------------------------------------------------------------------------


def call_of(api: str) -> str:
    return atop.encode_request(api, "1.0", 1, "k" * 16, b"{}", uuid="u")[0]


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("/console/v1/unbind-tokens?x=1", "order_unbind_token"),
        ("/v2/url_config", "resolve"),
        ("/device/dns_query", "vouch"),
        (call_of(ACTIVE.name), "_activate"),
        (call_of(TIME_GET.name), "take"),
        (call_of("tuya.device.odd"), "note_unknown"),
        ("/d.json?broken", "handle"),
        ("/v1.0/token", "answer"),
        ("/nowhere", "_answer"),
    ],
)
def test_a_request_has_a_handler(target: str, name: str) -> None:
    handler = WORLD.cloud.handler_of(HttpRequested(1, "POST", target, {}, b""))
    assert getattr(handler, "__name__", "") == name


@pytest.mark.parametrize(
    ("packet", "name"),
    [
        (mqtt.Connect("me"), "_on_connect"),
        (mqtt.Pingreq(), "_on_pingreq"),
        (mqtt.Pingresp(), "handle"),  # which no client says
    ],
)
def test_a_packet_has_an_act(packet: mqtt.Packet, name: str) -> None:
    assert getattr(WORLD.cloud.act_of(packet), "__name__", "") == name


def test_a_message_has_a_taker_or_not() -> None:
    taker = WORLD.cloud.taker_of(Protocol.DP_REPORT)
    assert getattr(taker, "__name__", "") == "_reported"
    assert WORLD.cloud.taker_of(999) is None
