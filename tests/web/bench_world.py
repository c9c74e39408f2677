"""A bench for the Developer app page: cameras whose hands only note, an ear that is told datagrams."""

import json
from collections.abc import Iterable
from functools import cache

import msgspec

from firmware_sim.wire.discovery import Announcement, encode_announcement
from fleet.app.lan_caller import Take
from fleet.app.lan_client import LanSearch
from fleet.run.messages import Seen
from fleet.run.population import Population, Unit, populate
from fleet.run.scenario import load_scenario
from fleet.run.watch import Watch


@cache
def population() -> Population:
    """Return twelve devices of the built-in scenario."""
    return populate(load_scenario(), 12, 1)


def cameras() -> list[Unit]:
    return [unit for unit in population().units if not unit.product.wired]


class FakeHands:
    """Notes what is shown to whom; whoever is shown something has it in `seen`."""

    def __init__(self) -> None:
        self.seen: dict[int, bytes | None] = {}
        self.purposes: list[tuple[tuple[int, ...], str]] = []

    def show(self, indices: Iterable[int], payload: bytes | None) -> None:
        self.seen |= dict.fromkeys(indices, payload)

    def intend(self, indices: Iterable[int], purpose: str) -> None:
        self.purposes.append((tuple(indices), purpose))

    def power(self, indices: Iterable[int], *, on: bool) -> None:
        raise AssertionError((indices, on))

    def hold(self, indices: Iterable[int], hold_ms: int) -> None:
        raise AssertionError((indices, hold_ms))

    def move(self, indices: Iterable[int], site: str) -> None:
        raise AssertionError((indices, site))

    def token(self, index: int) -> str:
        """Return the token in the code that a camera sees."""
        payload = self.seen[index]
        assert payload is not None
        return str(json.loads(payload)["t"])


def watch() -> Watch:
    return Watch(len(population().units))


def waits(eyes: Watch, *units: Unit, operator: str = "waiting", lifecycle: str = "WAITING") -> None:
    for unit in units:
        eyes.take_seen(Seen(unit.index, 1, lifecycle, "DOWN", operator, operator, ""))


class Air:
    """What can be heard on the LAN, by whoever listens."""

    def __init__(self) -> None:
        self.ears: list[Ear] = []
        self.searches = 0
        self.refuses: Exception | None = None

    def search(self) -> LanSearch:
        self.searches += 1
        return LanSearch(network="127.0.0.0/8", ports=(6666,), listen=self.listen)

    async def listen(self, take: Take, _ip: str, _port: int) -> "Ear":
        if self.refuses is not None:
            raise self.refuses
        ear = Ear(self, take)
        self.ears.append(ear)
        return ear

    def announce(self, uuid: str, ip: str, product_id: str, *, active: int = 0) -> None:
        said = Announcement(
            ip=ip,
            gw_id=uuid,
            active=active,
            ablilty=0,
            encrypt=True,
            product_key=product_id,
            version="3.3",
            token=not active,
            wf_cfg=False,
        )
        for ear in self.ears:
            ear.take(encode_announcement(msgspec.structs.replace(said), bytes(12)), ip)


class Ear:
    """One open port."""

    def __init__(self, air: Air, take: Take) -> None:
        self.air = air
        self.take = take

    def close(self) -> None:
        self.air.ears.remove(self)
