"""Nobody gets in, or an answer, with a key that is void; and no session of such a key goes on."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from firmware_sim.wire import atop, atop_messages, mqtt, mqtt_payload
from firmware_sim.wire.provisioning import parse_token
from fleet.app.consumer import ConsumerClient
from fleet.cloud.api import device_api, device_calls
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.devices import Device, Devices
from fleet.cloud.directory import DeviceDirectory
from fleet.cloud.messages import HttpRequested, StreamOpened, StreamReceived
from fleet.run.population import Unit
from fleet.run.virtual.crew import Crew
from tests.run.checks.support import few, says, watched

NAME = "revoked_refused"
CAMERA: Unit = few().units[0]
CONN = 1_000_000
Story = Callable[[Crew], Awaitable[None]]
Plant = Callable[[pytest.MonkeyPatch], None]


async def owner(crew: Crew) -> ConsumerClient:
    link = crew.open_link(30)
    return await ConsumerClient.login(link, CAMERA.owner.name, CAMERA.owner.password)


async def removed_while_off(crew: Crew) -> None:
    """Let the owner remove a device that has no power."""
    crew.power([CAMERA.index], on=False)
    await asyncio.sleep(1)
    await (await owner(crew)).remove(CAMERA.dev_id)


def call(crew: Crew, api: atop_messages.Api, key: str, data: bytes = b"{}", **who: str) -> None:
    """Let somebody make a call of the device's."""
    now_s = crew.agenda.now_ms // 1000
    target, body = atop.encode_request(api.name, api.version, now_s, key, data, **who)  # type: ignore[arg-type]
    crew.cloud._handle(HttpRequested(CONN, "POST", target, {}, body))


async def activated_again(crew: Crew) -> None:
    """Let somebody who knows the authKey of an online device activate it for its owner once more."""
    token = parse_token((await (await owner(crew)).pair_token()).token).token
    request = atop_messages.activation_request(
        token, CAMERA.product.product_id, "1.0.0", crew.agenda.now_ms // 1000, CAMERA.dev_id
    )
    data = atop_messages.encode(request)
    call(crew, atop_messages.ACTIVE, CAMERA.auth_key, data, uuid=CAMERA.uuid)
    await asyncio.sleep(1)


def connect(crew: Crew, key: str) -> None:
    """Let somebody come to the broker with a key of the device."""
    packet = mqtt.Connect(
        client_id=CAMERA.dev_id,
        username=CAMERA.dev_id,
        password=mqtt_payload.mqtt_password(key),
        keep_alive_s=60,
    )
    crew.cloud._handle(StreamOpened(CONN))
    crew.cloud._handle(StreamReceived(CONN, mqtt.encode(packet)))


# --- stories ------------------------------------------------------------------------------------


async def comes_back(crew: Crew) -> None:
    await removed_while_off(crew)
    crew.power([CAMERA.index], on=True)
    await asyncio.sleep(30)


async def asks_with_a_revoked_key(crew: Crew) -> None:
    await removed_while_off(crew)
    call(crew, atop_messages.INFO_SYNC, CAMERA.sec_key, b'{"t":1}', dev_id=CAMERA.dev_id)
    await asyncio.sleep(1)
    call(crew, atop_messages.TIMER_COUNT, CAMERA.sec_key, b'{"t":1}', dev_id=CAMERA.dev_id)
    await asyncio.sleep(1)


async def asks_with_a_replaced_key(crew: Crew) -> None:
    await activated_again(crew)
    call(crew, atop_messages.TIMER_COUNT, CAMERA.sec_key, b'{"t":1}', dev_id=CAMERA.dev_id)
    await asyncio.sleep(1)


async def connects_with_a_replaced_key(crew: Crew) -> None:
    await activated_again(crew)
    connect(crew, CAMERA.sec_key)
    await asyncio.sleep(1)


async def is_bound_again(crew: Crew) -> None:
    await removed_while_off(crew)
    await activated_again(crew)


async def is_silent(crew: Crew) -> None:
    await activated_again(crew)
    await asyncio.sleep(1)


async def stays_connected(crew: Crew) -> None:
    await activated_again(crew)
    await asyncio.sleep(150)


# --- defects ------------------------------------------------------------------------------------


def accepts_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Device, "live", property(lambda self: self.sec_key != ""))


def answers_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(device_calls, "_OF_THE_REVOKED", frozenset(device_calls._CALLS))


def takes_any_signature(patch: pytest.MonkeyPatch) -> None:
    caller = device_api.DeviceApi._caller

    def old_key(self: device_api.DeviceApi, query: atop.Query) -> tuple[Device, str]:
        device, key = caller(self, query)
        return device, CAMERA.sec_key if query.dev_id == CAMERA.dev_id else key

    patch.setattr(device_api.DeviceApi, "_caller", old_key)


def takes_any_password(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DeviceDirectory, "admit", lambda *_: 0)


def does_not_cut(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DeviceLink, "cut", lambda *_: None)


def does_not_revoke(patch: pytest.MonkeyPatch) -> None:
    def confirm(self: Devices, device: Device) -> Device:
        return self._replace(device, revoked=False, reset_told=True)

    patch.setattr(Devices, "confirm_reset", confirm)


def keeps_the_key(patch: pytest.MonkeyPatch) -> None:
    activated = Devices._activated

    def same_key(self: Devices, device: Device, now_ms: int, **changes: object) -> Device:
        new = activated(self, device, now_ms, **changes)
        return msgspec.structs.replace(new, sec_key=device.sec_key or new.sec_key)

    patch.setattr(Devices, "_activated", same_key)


@pytest.mark.parametrize(
    ("story", "plant", "text"),
    [
        (comes_back, accepts_for_ever, "was let in with a revoked key, at "),
        (
            asks_with_a_revoked_key,
            answers_everything,
            "was answered to tuya.device.timer.count with a revoked key, at ",
        ),
        (
            asks_with_a_replaced_key,
            takes_any_signature,
            "was answered to tuya.device.timer.count with a replaced key, at ",
        ),
        (connects_with_a_replaced_key, takes_any_password, "was let in with a replaced key, at "),
        (stays_connected, does_not_cut, "is spoken with in a session of a replaced key, at "),
        (is_silent, does_not_cut, "has a session of a replaced key still, at "),
        (is_bound_again, keeps_the_key, "has another owner, and the key that it had before, at "),
        (comes_back, does_not_revoke, "knows of its reset, and its key is not revoked, at "),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_a_cloud_that_is_too_kind_is_caught(story: Story, plant: Plant, text: str) -> None:
    assert not says(watched(story), NAME, "")
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        assert says(watched(story), NAME, text)


def test_a_crash_ends_all_sessions() -> None:
    async def story(crew: Crew) -> None:
        await crew.cloud.be_away(1, politely=False)
        await stays_connected(crew)

    assert not says(watched(story), NAME, "")
