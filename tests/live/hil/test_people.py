"""Apps of a bench's people: what is in their codes, and how patient they are on the LAN."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest

from firmware_sim.bench.capabilities import Missing, NotSeen
from firmware_sim.runtime.live.scaled import ScaledLoop
from firmware_sim.wire.provisioning import decode_qr
from fleet.app.cloud_link import CloudLink
from fleet.app.finder import Found
from fleet.app.handover import Delivery, Outcome
from fleet.hil.people import People
from fleet.hil.premises import population_of, premises
from fleet.run.phones import LanPhones
from fleet.run.population import Network, Unit

WIFI = Network("Büro", "bench-wifi")
ACCEPTED = Outcome.ACCEPTED
PATIENCE_S = 600.0  # of the bench, whose time passes fast while others use the machine


class Lan(LanPhones):
    """A LAN on which things go as they are told to: None is a search that finds nobody."""

    def __init__(self, *outcomes: Outcome | None) -> None:
        self._outcomes = list(outcomes)
        self.tokens: list[str] = []

    async def wait_for(self, uuids: Iterable[str], timeout_s: float) -> tuple[Found, ...]:
        if self._outcomes and self._outcomes[0] is not None:
            return (Found(next(iter(uuids)), "127.0.0.9", "product", "3.3", "127.0.0.9"),)
        del self._outcomes[:1]
        return ()

    async def hand_over(self, found: Found, token_text: str) -> Delivery:
        self.tokens.append(token_text)
        outcome = self._outcomes.pop(0)
        assert outcome is not None
        return Delivery(found.ip, outcome, 1, "return code 1" if outcome is Outcome.REFUSED else "")


def run(profile: str, lan: Lan, work: Callable[[People, Unit], Awaitable[None]]) -> None:
    async def main() -> None:
        population = population_of(profile, 1, WIFI, 3)
        async with premises(population, bound=True) as here, CloudLink(here.ready.url) as link:
            await work(People(population, link, lan, WIFI), population.units[0])

    with asyncio.Runner(loop_factory=lambda: ScaledLoop(20)) as runner:
        runner.run(main())


def test_codes_name_the_wifi_of_the_bench() -> None:
    async def work(people: People, unit: Unit) -> None:
        texts = [
            await people.code(unit, "unbind", None),
            await people.code(unit, "pair", None),
            await people.code(unit, "pair", "wrong"),
        ]
        codes = [decode_qr(text.encode()) for text in texts]
        assert [code.ssid for code in codes] == ["Büro"] * 3
        assert [code.password for code in codes] == ["bench-wifi", "bench-wifi", "wrong"]
        assert len({code.token for code in codes}) == 3
        with pytest.raises(Missing, match="no socket"):
            await people.by_wire(unit, "pair", 1)

    run("ipc-new", Lan(), work)


def test_a_device_that_has_just_gone_is_tried_again() -> None:
    lan = Lan(None, Outcome.UNREACHABLE, None, Outcome.NO_ANSWER, Outcome.ACCEPTED)

    async def work(people: People, unit: Unit) -> None:
        await people.by_wire(unit, "unbind", PATIENCE_S)
        assert len(lan.tokens) == 3
        assert len(set(lan.tokens)) == 1

    run("nvr", lan, work)


@pytest.mark.parametrize(
    ("lan", "words"),
    [
        (Lan(ACCEPTED), "no device that waits for a token is found on the LAN within 20 s"),
        (Lan(ACCEPTED, Outcome.UNREACHABLE), "is there any more, or answers within 20 s"),
        (Lan(ACCEPTED, Outcome.REFUSED), "the token is not taken: refused, return code 1"),
        (Lan(ACCEPTED, Outcome.BAD_ANSWER), "the token is not taken: bad answer$"),
    ],
)
def test_a_token_that_is_not_taken_is_told_why(lan: Lan, words: str) -> None:
    async def work(people: People, unit: Unit) -> None:
        await people.by_wire(unit, "pair", PATIENCE_S)  # and everybody is logged in
        with pytest.raises(NotSeen, match=words):
            await people.by_wire(unit, "pair", 20)
        with pytest.raises(Missing, match="by wire"):
            await people.code(unit, "pair", None)

    run("nvr", lan, work)
