"""Bringing a new desk to a light, by the hands that people would use: for links, demos and tests.

Each way is a story in virtual time. It ends at the instant at which the light begins.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from firmware_sim.device.profile import ActivationError, Profile
from firmware_sim.errors import UsageError
from fleet.run.virtual.desk.happenings import Shown
from fleet.run.virtual.desk.phones import Order, Phones
from fleet.run.virtual.desk.scene import NO_RIGHT, OWNER, WAREHOUSE, Desk

PATIENCE_S = 90.0
LOOK_AGAIN_S = 10.0  # a phone that no camera has read by then is held anew
PASSING = frozenset(
    {"booting", "joining", "registering", "resetting", "join_failed", "activation_failed"}
)
"""Lights that end by themselves."""

Way = Callable[[Desk, Phones], Awaitable[None]]


async def bring(desk: Desk, phones: Phones, light: str, arrived: Callable[[], None]) -> None:
    """Bring a desk on which nothing has happened yet to a light; `arrived` is called when it begins.

    Raises UsageError for a light to which no way is known, and for one that this device never shows.
    """
    ways = ways_of(desk.profile)
    if light not in ways:
        raise UsageError(f"no way to the light {light!r} is known; allowed: {', '.join(ways)}")
    reached = asyncio.Event()

    def look(shown: Shown) -> None:
        if shown.light == light and not reached.is_set():
            reached.set()
            arrived()

    desk.looks.append(look)
    way = asyncio.ensure_future(WAYS[light](desk, phones))
    there = asyncio.ensure_future(reached.wait())
    try:
        await asyncio.wait({way, there}, return_when="FIRST_COMPLETED", timeout=PATIENCE_S)
        if not reached.is_set() and way.done():
            way.result()
            await asyncio.wait({there}, timeout=PATIENCE_S)
    finally:
        desk.looks.remove(look)
        for task in (way, there):
            task.cancel()
    if not reached.is_set():
        raise UsageError(f"this device does not come to show {light!r}")
    desk.release()
    if desk.touch.shown:
        phones.hold(None)


async def until(desk: Desk, light: str) -> None:
    """Wait for a light, which may be shown already."""
    if desk.last.light == light:
        return
    seen = asyncio.Event()

    def look(shown: Shown) -> None:
        if shown.light == light:
            seen.set()

    desk.looks.append(look)
    try:
        await seen.wait()
    finally:
        desk.looks.remove(look)


# --- ways ---------------------------------------------------------------------------------------


async def _on(desk: Desk, _: Phones) -> None:
    desk.power(on=True)


async def _cut_off(desk: Desk, _: Phones) -> None:
    if desk.profile.wired:
        desk.plug(connected=False)
    else:
        desk.set_wifi(on=False)
    desk.power(on=True)


async def _reset(desk: Desk, phones: Phones) -> None:
    """Carry it to the warehouse and hold its button, as goods come back."""
    await _on(desk, phones)
    await until(desk, "online")
    desk.power(on=False)
    desk.move(WAREHOUSE)
    desk.power(on=True)
    await until(desk, "reconnecting")
    desk.press()
    await until(desk, "resetting")
    desk.release()


async def _with_code(desk: Desk, phones: Phones, order: Order) -> None:
    await _reset(desk, phones)
    await until(desk, "waiting")
    code = await phones.order(order)
    if desk.profile.wired:
        found = await phones.search()
        while not found:
            found = await phones.search()
        await phones.send(code.number)
        return
    while True:
        phones.hold(code.number)
        await asyncio.sleep(LOOK_AGAIN_S)
        phones.hold(None)
        await until(desk, "waiting")


async def _unbind(desk: Desk, phones: Phones) -> None:
    await _with_code(desk, phones, Order(OWNER))


async def _refused_by_cloud(desk: Desk, phones: Phones) -> None:
    await _with_code(desk, phones, Order(NO_RIGHT))


async def _refused_by_network(desk: Desk, phones: Phones) -> None:
    """Mistype the password, or pull the cable while it asks."""
    if not desk.profile.wired:
        await _with_code(desk, phones, Order(OWNER, right_password=False))
        return

    def pull(shown: Shown) -> None:
        if shown.light == "registering":
            desk.looks.remove(pull)
            asyncio.get_running_loop().call_soon(lambda: desk.plug(connected=False))

    desk.looks.append(pull)
    await _with_code(desk, phones, Order(OWNER))


WAYS: Mapping[str, Way] = {
    "booting": _on,
    "waiting": _reset,
    "unbound": _unbind,
    "joining": _unbind,
    "registering": _unbind,
    "online": _on,
    "reconnecting": _cut_off,
    "resetting": _reset,
    "join_failed": _refused_by_network,
    "activation_failed": _refused_by_cloud,
}
"""The lights that a desk can be brought to."""


def ways_of(profile: Profile) -> tuple[str, ...]:
    """Return the lights that a device of a model can be brought to.

    One on a cable joins no Wi-Fi; one that is refused and tries for ever never shows its failure.
    """
    never = {"joining"} if profile.wired else set()
    if profile.firmware.activation_error is ActivationError.RETRY:
        never.add("activation_failed")
    return tuple(light for light in WAYS if light not in never)
