"""What all people of a run share: the devices under their hands, their eyes, their phones, the cloud."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from fleet.app.cloud_link import CloudLink
from fleet.app.finder import Found
from fleet.app.handover import Delivery
from fleet.cloud.api.admin_api import Audit
from fleet.run.calendar import Calendar
from fleet.run.chronicle import Chronicle
from fleet.run.door import Door
from fleet.run.fault_player import Stagehands
from fleet.run.messages import Chip, Seen
from fleet.run.population import Population
from fleet.run.recovery import Recovery
from fleet.run.scenario import SHELF, Scenario
from fleet.run.tally import Tally
from fleet.run.watch import Watch

HOMES = "homes"
WAREHOUSE = "warehouse"
HOLD_SLACK_MS = 200  # people let go a little late
RESET_TRIES = 5
RESET_SLACK_S = 5.0
PATIENCE_PER_DEVICE_S = 0.02  # a larger fleet takes longer to get through one door


def first_site(scenario: Scenario) -> str:
    """Return where the devices of a scenario are when it begins."""
    return WAREHOUSE if scenario.start == SHELF else HOMES


class Hands(Protocol):
    """What people can do to devices, named by their index."""

    def power(self, indices: Iterable[int], *, on: bool) -> None:
        """Apply or remove the supply voltage."""
        ...

    def hold(self, indices: Iterable[int], hold_ms: int) -> None:
        """Press the reset buttons for `hold_ms`."""
        ...

    def show(self, indices: Iterable[int], payload: bytes | None) -> None:
        """Bring a QR code into view of these lenses, or take it away (None)."""
        ...

    def move(self, indices: Iterable[int], site: str) -> None:
        """Carry devices to another place."""
        ...

    def intend(self, indices: Iterable[int], purpose: str) -> None:
        """Say what the next pairing is for (`unbind` or `rebind`): the clocks want to know."""
        ...


def is_waiting(seen: Seen) -> bool:
    """Say whether a device is ready to be paired or unbound."""
    return seen.lifecycle == "WAITING"


def is_busy(seen: Seen) -> bool:
    """Say whether a device is at work with a token, by its light."""
    return seen.operator == "unbinding"


def is_kept(seen: Seen) -> bool:
    """Say whether a device believes that it belongs to somebody, by its light."""
    return seen.light in ("online", "reconnecting")


def is_off(seen: Seen) -> bool:
    """Say whether a device is without power."""
    return seen.lifecycle == "OFF"


def is_online(seen: Seen) -> bool:
    """Say whether a device has a session with the cloud."""
    return seen.light == "online"


def hold_reset(hands: Hands, population: Population, indices: Iterable[int]) -> None:
    """Hold the reset buttons of devices, each as long as its model wants."""
    groups: dict[int, list[int]] = {}
    for index in indices:
        timings = population.profile(population.units[index]).timings
        groups.setdefault(timings.reset_hold_ms + HOLD_SLACK_MS, []).append(index)
    for hold_ms, group in groups.items():
        hands.hold(group, hold_ms)


async def reset_all(
    hands: Hands, watch: Watch, population: Population, indices: Iterable[int]
) -> tuple[int, ...]:
    """Hold the reset buttons until all wait for a code; return those that will not, however often."""
    left = tuple(indices)
    times = [profile.timings for profile in population.profiles.values()]
    longest_ms = max(t.reset_hold_ms + t.erase_ms + t.boot_ms for t in times)
    patience_s = longest_ms / 1000 + RESET_SLACK_S + PATIENCE_PER_DEVICE_S * len(left)
    for _ in range(RESET_TRIES):
        hold_reset(hands, population, left)
        left = tuple(await watch.until_all(left, is_waiting, patience_s))
        if not left:
            break
    return left


async def carry(
    hands: Hands, watch: Watch, indices: Iterable[int], site: str, patience_s: float
) -> None:
    """Switch devices off, take them to `site` and switch them on there.

    Returns as soon as they are on; waiting for darkness in between keeps what was seen before
    from being taken for what comes after.
    """
    moved = tuple(indices)
    hands.power(moved, on=False)
    await watch.until_all(moved, is_off, patience_s)
    hands.move(moved, site)
    hands.power(moved, on=True)
    await watch.until_all(moved, lambda seen: seen.lifecycle != "OFF", patience_s)


class Phones(Protocol):
    """The phones on the LAN."""

    async def wait_for(self, uuids: Iterable[str], timeout_s: float) -> tuple[Found, ...]:
        """Return those of `uuids` that announce themselves within the time."""
        ...

    async def hand_over(self, found: Found, token_text: str) -> Delivery:
        """Send a token to one device; never raises for what the device does."""
        ...


class Crew(Hands, Stagehands, Protocol):
    """What a run stands on: devices, cloud and LAN, live or in virtual time."""

    watch: Watch
    recovery: Recovery
    chronicle: Chronicle
    owners_at_once: int  # new owners who may be at it at the same time
    quota_day_offset_min: int  # how far the cloud's quota day is ahead of UTC's

    def now_ms(self) -> int:
        """Return the time."""
        ...

    async def start(self) -> None:
        """Start everything. Raises UsageError when something cannot start."""
        ...

    def open_link(self, patience_s: float) -> CloudLink:
        """Return people's way to the cloud; one call is repeated for `patience_s`."""
        ...

    def phones(self) -> AbstractAsyncContextManager[Phones]:
        """Let phones hear the LAN as long as the block lasts."""
        ...

    def door(self, index: int) -> Door:
        """Return the way to the cloud that the firmware of a device has."""
        ...

    async def audit(self) -> Audit:
        """Return the cloud's books. Raises CloudUnreachable or Malformed."""
        ...

    async def snapshot(self) -> dict[int, Chip]:
        """Return what each device is and holds now. UsageError when nobody says."""
        ...


class Stage(msgspec.Struct, frozen=True):
    """One run, as its people see it. `patience_s` bounds how long anybody waits for a light."""

    population: Population
    hands: Hands
    watch: Watch
    phones: Phones
    link: CloudLink
    tally: Tally
    calendar: Calendar
    patience_s: float
