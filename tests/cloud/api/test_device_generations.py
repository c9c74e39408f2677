"""Devices of every generation are answered in their own, and as much as they have room for."""

import json
from typing import Any

import msgspec
import pytest

from firmware_sim.wire import atop, atop_old
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.generation import DIALECTS, Generation
from fleet.cloud.api import device_room
from tests.cloud.support import (
    CAMERA,
    ENDPOINTS,
    SETTINGS,
    FakeDevice,
    World,
    assert_reloads,
    seed,
)


def call(
    world: World,
    generation: Generation,
    api: messages.Api,
    data: bytes = b"{}",
    *,
    as_uuid: bool = False,
    t_s: int | None = None,
    other: str = "",
    method: str = "POST",
) -> atop.Inner:
    """Make a call as firmware of that generation does; it has to understand the reply."""
    device, dialect = FakeDevice(world, 0), DIALECTS[generation]
    known = world.state.devices.get(device.uuid)
    assert known is not None
    key = known.auth_key if as_uuid else known.sec_key
    target, body = atop.encode_request(
        api.name,
        api.version,
        world.now_ms // 1000 if t_s is None else t_s,
        key,
        data,
        uuid=known.uuid if as_uuid else None,
        dev_id=None if as_uuid else known.dev_id,
        et=dialect.et,
        nonce=world.entropy(12),
        old=dialect.old,
        other=other,
    )
    reply = world.send(method, target, body)
    verify = dialect.et != atop.ET_NONE and t_s is None  # a stale call is refused in plain
    return atop.decode_inner(atop.decode_reply(reply, key, dialect.et, verify=verify))


def activate(world: World, generation: Generation, **changes: object) -> atop.Inner:
    dialect, token = DIALECTS[generation], world.pair_token(world.consumer(0))[2:10]
    request = messages.activation_request(
        "" if dialect.old else token,
        CAMERA,
        "1.2.3",
        world.now_ms // 1000,
        protocol_ver=generation,
        options=dialect.options,
    )
    request = msgspec.structs.replace(request, **changes)
    other = atop_old.other_text(token) if dialect.old else ""
    data = messages.encode(request)
    return call(world, generation, dialect.activation, data, as_uuid=True, other=other)


def known(world: World) -> Any:
    return world.state.devices.get("uuid0000")


# --- each in its own ----------------------------------------------------------------------------


@pytest.mark.parametrize("generation", Generation)
def test_a_device_is_activated_and_its_generation_remembered(generation: Generation) -> None:
    world = World()
    inner = activate(world, generation)
    assert inner.success
    old = generation is Generation.OLD
    kind = atop_old.OldActivationResult if old else messages.ActivationResult
    granted = messages.decode(inner.result, kind)
    assert granted.dev_id == "bfdevice00000000000000"
    assert len(granted.to_record()) <= messages.RECORD_SIZE_MAX
    assert known(world).generation == generation
    assert known(world).asked_s == world.now_ms // 1000
    if isinstance(granted, atop_old.OldActivationResult):
        assert (granted.uid, granted.dev_etag) == ("uid0", granted.schema_id)
    assert_reloads(world)


@pytest.mark.parametrize("generation", Generation)
def test_one_that_declares_what_nobody_knows_is_what_it_calls_like(generation: Generation) -> None:
    world = World()
    assert activate(world, generation, protocol_ver="7.0").success
    assert known(world).generation == generation


@pytest.mark.parametrize("generation", Generation)
def test_refusals_come_in_the_same_form(generation: Generation) -> None:
    inner = call(World(), generation, messages.DP_GET, b"{}")
    assert inner.error_code == "BAD_REQUEST"


@pytest.mark.parametrize("generation", [Generation.ECB, Generation.GCM])
def test_a_clock_that_is_wrong_is_refused(generation: Generation) -> None:
    world = World()
    inner = call(world, generation, messages.INFO_SYNC, t_s=2)
    assert inner.error_code == "STALE_TIME"


def test_a_device_whose_product_is_gone() -> None:
    world = World()
    stray = msgspec.structs.replace(known(world), product_id="nosuch")
    world.rule(lambda s: s.devices.add(stray))
    assert activate(world, Generation.ECB).error_code == "DEVICE_UNKNOWN"


# --- the oldest ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("t_s", "code"), [(2, ""), (18, ""), (1_600_000_000, "STALE_TIME")])
def test_the_oldest_firmware_has_no_clock_until_it_is_told(t_s: int, code: str) -> None:
    assert call(World(), Generation.OLD, atop_old.EXIST, b"", t_s=t_s).error_code == code


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_oldest_firmware_is_told_where_the_cloud_is(method: str) -> None:
    inner = call(
        World(),
        Generation.OLD,
        atop_old.TOKEN_GET,
        b"",
        as_uuid=True,
        other=atop_old.other_text("12345678", "EU"),
        method=method,
    )
    told = messages.decode(inner.result, atop_old.TokenResult)
    assert told.gw_api_url == "https://127.0.0.1:8443/gw.json"
    assert told.gw_mqtt_url == ENDPOINTS.mqtt_address
    assert told.std_time_zone == "+00:00"


def test_the_oldest_firmware_need_not_be_served() -> None:
    world = World(msgspec.structs.replace(SETTINGS, serve_oldest_firmware=False))
    assert call(world, Generation.OLD, atop_old.EXIST, b"").error_code == "NOT_FOUND"
    assert call(world, Generation.ECB, messages.EXIST).success


def test_only_the_oldest_firmware_asks_by_get() -> None:
    world = World()
    reply = json.loads(world.send("GET", "/d.json?a=x"))
    assert reply["code"] == 1108


def test_later_firmware_asks_too_where_the_cloud_is() -> None:
    data = b'{"token":"12345678","region":"EU","t":1}'
    inner = call(World(), Generation.ECB, messages.CONFIG_GET, data, as_uuid=True)
    told = messages.decode(inner.result, messages.ConfigResult)
    assert (told.api_url, told.mqtt_url) == (ENDPOINTS.https_url, ENDPOINTS.mqtt_address)


def test_an_unknown_call_with_the_uuid_succeeds_as_well() -> None:
    world = World()
    api = messages.Api("tuya.device.uuid.pskkey.get", "1.0")
    inner = call(world, Generation.ECB, api, as_uuid=True)
    assert (inner.success, bytes(inner.result)) == (True, b"")
    assert world.lines == [
        "device call tuya.device.uuid.pskkey.get: not served here; answered with success, no result"
    ]


# --- room ---------------------------------------------------------------------------------------


def schema_of(count: int, filler: int) -> str:
    """Return a data point schema with a code of `filler` characters more in its last entry."""
    points = [
        {"id": n, "mode": "rw", "type": "obj", "property": {"type": "bool"}, "code": f"c{n}"}
        for n in range(1, count + 1)
    ]
    points[-1]["code"] = "c" * filler
    return json.dumps(points, separators=(",", ":"))


def world_with(schema: str) -> World:
    start = seed()
    products = tuple(
        msgspec.structs.replace(product, schema=schema) if product.product_id == CAMERA else product
        for product in start.products
    )
    return World(start=msgspec.structs.replace(start, products=products))


def result_size(schema: str, generation: Generation) -> int:
    """Return how long the longest grant would be: that of firmware with the longest of each."""
    grant = {
        "dev_id": "x" * 25,
        "sec_key": "x" * 16,
        "local_key": "x" * 16,
        "schema_id": "x" * 10,
        "schema": schema,
        "std_time_zone": "+00:00",
        "reset_factory": True,
    }
    if generation is Generation.OLD:
        old = atop_old.OldActivationResult(**grant, uid="x" * 64, dev_etag="x" * 10)  # type: ignore[arg-type]
        return len(messages.encode(old))
    return len(messages.encode(messages.ActivationResult(**grant)))  # type: ignore[arg-type]


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize("beyond", [0, 1])
def test_the_largest_schema_that_is_granted_and_one_character_more(
    generation: Generation, beyond: int
) -> None:
    """One that would be lost on its way is refused before anything is changed."""
    dialect = DIALECTS[generation]
    room = device_room.over_http(dialect.activation.name, dialect.et)
    filler = room - result_size(schema_of(50, 0), generation) + beyond
    assert filler > 0
    world = world_with(schema_of(50, filler))
    before = known(world)
    inner = activate(world, generation)
    assert inner.error_code == ("REPLY_TOO_LARGE" if beyond else "")
    assert (known(world) == before) is bool(beyond)
    if beyond:
        assert world.log("uuid0000") == []
        activate(world, generation)
        (line,) = world.lines
        assert f"{dialect.activation.name}, product {CAMERA}" in line
        assert f"{room + 1} bytes and firmware room for {room}" in line
    else:
        assert len(messages.decode(inner.result, messages.ActivationResult).schema) > 4_000
