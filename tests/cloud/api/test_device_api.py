"""Signed device calls over HTTP: who is believed, and what else is answered."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import PeerError
from firmware_sim.wire import atop
from firmware_sim.wire import atop_messages as messages
from tests.cloud.support import ADMIN, CAMERA, FakeDevice, World, assert_reloads

WORLD = World()


def code_of(world: World, reply: bytes) -> str:
    """Return the code of a refusal that came in plain."""
    inner = atop.decode_inner(reply)
    assert not inner.success
    assert inner.t == world.now_ms // 1000
    return inner.error_code


def test_nobody_believes_an_unknown_device() -> None:
    world = World()
    device = FakeDevice(world, 0)
    device.uuid = "nosuch"
    assert device.activate("EU12345678pr_0") == "DEVICE_UNKNOWN"
    device.dev_id = "bfnosuch"
    assert device.sync() == "GATEWAY_NOT_EXISTS"
    assert world.state.history.page("maker").rows == [], "a stranger writes nothing"


def test_a_wrong_key_is_refused_in_plain() -> None:
    world = World()
    target, body = atop.encode_request(
        "tuya.device.info.sync",
        "1.0",
        world.now_ms // 1000,
        "wrong key 123456",
        b"{}",
        dev_id=FakeDevice(world, 0).dev_id,
    )
    assert code_of(world, world.send("POST", target, body)) == "BAD_SIGN"
    stats = world.get("GET", "/admin/v1/stats", None, ADMIN)
    assert stats["services"] == {"device_refused_bad_sign": 1}


@pytest.mark.parametrize(
    ("away_s", "answer"),
    [(300, "enable"), (-300, "enable"), (301, "STALE_TIME"), (-301, "STALE_TIME")],
)
def test_the_time_of_a_call(away_s: int, answer: str) -> None:
    world = World()
    device = FakeDevice(world, 0)
    now_ms = world.now_ms
    target, body = atop.encode_request(
        "tuya.device.info.sync",
        "1.0",
        now_ms // 1000 + away_s,
        device.sec_key,
        b"{}",
        dev_id=device.dev_id,
    )
    reply = world.send("POST", target, body)
    inner = atop.decode_inner(atop.decode_reply(reply, device.sec_key))
    assert (inner.error_code or json.loads(bytes(inner.result))["status"]) == answer


def test_replies_to_believers_are_encrypted_and_signed() -> None:
    world = World()
    device = FakeDevice(world, 0)
    for body in (None, b"data=00", b"nothing"):
        target, good = atop.encode_request(
            "tuya.device.info.sync",
            "1.0",
            world.now_ms // 1000,
            device.sec_key,
            b"{}",
            dev_id=device.dev_id,
        )
        reply = world.send("POST", target, good if body is None else body)
        inner = atop.decode_inner(atop.decode_reply(reply, device.sec_key, verify=True))
        assert inner.error_code == ("" if body is None else "BAD_REQUEST")


@pytest.mark.parametrize("et", [0, 2, 4])
def test_other_encryption_is_not_served(et: int) -> None:
    world = World()
    device = FakeDevice(world, 0)
    params = {"a": "x", "et": str(et), "t": str(world.now_ms // 1000), "devId": device.dev_id}
    query = "&".join(f"{name}={value}" for name, value in params.items())
    target = f"/d.json?{query}&sign={atop.sign(params, device.sec_key)}"
    assert code_of(world, world.send("POST", target)) == "BAD_REQUEST"


def test_each_call_has_its_key() -> None:
    world = World()
    device = FakeDevice(world, 0)
    assert device.call(messages.ACTIVE.name, {}).error_code == "BAD_REQUEST"
    wrong = device.call(messages.INFO_SYNC.name, {}, as_uuid=True)
    assert wrong.error_code == "BAD_REQUEST"


def test_a_device_that_never_activated_has_no_key_to_call_with() -> None:
    world = World()
    device = FakeDevice(world, 0)
    device.dev_id = ""
    target = f"/d.json?a=x&devId=&et=1&t={world.now_ms // 1000}&sign=0"
    assert code_of(world, world.send("POST", target)) == "BAD_REQUEST"


@pytest.mark.parametrize("data", [{}, {"token": 5}, {"token": "12345678", "productKey": CAMERA}])
def test_an_activation_without_form(data: dict[str, object]) -> None:
    world = World()
    inner = FakeDevice(world, 0).call(messages.ACTIVE.name, data, as_uuid=True)
    assert inner.error_code == "BAD_REQUEST"


def test_what_is_granted_fits_the_flash_of_real_firmware() -> None:
    world = World()
    device = FakeDevice(world, 0)
    assert device.activate(world.pair_token(world.consumer(0))) == ""
    assert device.granted.std_time_zone == "+00:00"
    assert json.loads(device.granted.schema)[0]["id"] == 1
    known = world.state.devices.get(device.uuid)
    assert known is not None
    assert known.software == "1.2.3"


@given(st.text(max_size=60), st.binary(max_size=60))
def test_garbage_is_answered(query: str, body: bytes) -> None:
    reply = WORLD.send("POST", f"/d.json?{query}", body)
    assert not atop.decode_inner(reply).success


@given(
    data=st.binary(max_size=80), name=st.sampled_from([messages.ACTIVE, messages.VERSIONS_UPDATE])
)
def test_garbage_that_is_well_signed_is_answered(data: bytes, name: messages.Api) -> None:
    device = FakeDevice(WORLD, 1)
    as_uuid = name is messages.ACTIVE
    key = device.auth_key if as_uuid else device.sec_key
    target, body = atop.encode_request(
        name.name,
        name.version,
        WORLD.now_ms // 1000,
        key,
        data,
        uuid=device.uuid if as_uuid else None,
        dev_id=None if as_uuid else device.dev_id,
    )
    reply = atop.decode_reply(WORLD.send("POST", target, body), key, verify=True)
    try:
        assert not atop.decode_inner(reply).success
    except PeerError:
        pytest.fail(f"not a reply: {reply!r}")


def test_the_address_of_an_activation_is_kept() -> None:
    world = World()
    device = FakeDevice(world, 0)
    token = world.pair_token(world.consumer(0))
    request = messages.activation_request(token[2:10], CAMERA, "1.2.3", world.now_ms // 1000)
    target, body = atop.encode_request(
        messages.ACTIVE.name,
        messages.ACTIVE.version,
        world.now_ms // 1000,
        device.auth_key,
        messages.encode(request),
        uuid=device.uuid,
        dev_id=None,
    )
    world.send("POST", target, body, headers={"x-peer-ip": "192.0.2.9"})
    known = world.state.devices.get(device.uuid)
    assert known is not None
    assert known.ip == "192.0.2.9"
    assert_reloads(world)
