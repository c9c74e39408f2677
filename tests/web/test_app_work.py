"""What an operator has begun: codes, runs by wire, and how each device stands."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from firmware_sim.errors import UsageError
from fleet.app.console_client import ConsoleClient
from fleet.app.errors import CloudRefused, CloudUnreachable
from fleet.app.finder import Found
from fleet.app.handover import Delivery, Outcome
from fleet.app.messages import UnbindToken
from fleet.web import app_work
from fleet.web.app_work import CODES_KEPT, RUNS_KEPT, Code, Desktop, Errand, Run
from fleet.web.routes import NotFound
from tests.cloud.support import OWNER, PASSWORD, FakeDevice, World, seed
from tests.web.people_world import WorldCarrier

pytestmark = pytest.mark.anyio

Told = Callable[[Found, Delivery], None]


def found(number: int) -> Found:
    return Found(f"uuid{number:04}", f"127.0.0.{number + 1}", "p", "3.3", f"127.0.0.{number + 1}")


def hand_over(world: World, outcome: Outcome = Outcome.ACCEPTED) -> object:
    """Return what takes the place of the LAN: devices that take a token go to the cloud with it."""

    async def send(targets: Iterable[Found], token: str, *, on_delivery: Told) -> None:
        for one in targets:
            if outcome is Outcome.ACCEPTED:
                FakeDevice(world, int(one.uuid[4:])).activate(token)
            on_delivery(
                one, Delivery(one.ip, outcome, 1, "" if outcome is Outcome.ACCEPTED else "x")
            )

    return send


def begun(_batch: str, _uuids: Iterable[str]) -> None:
    """Nobody looks at these devices."""


async def account(world: World) -> ConsoleClient:
    return await ConsoleClient.login(WorldCarrier(world).link(1.0), OWNER, PASSWORD)


async def test_a_run_takes_as_many_batches_as_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(start=seed(32))
    monkeypatch.setattr(app_work, "send_tokens", hand_over(world))
    person = await account(world)
    batches = dict[str, int]()
    run = Run(
        "1",
        [found(number) for number in range(32)],
        lambda batch, uuids: batches.update({batch: len(list(uuids))}),
    )
    assert {one.outcome for one in run.errands.values()} == {"waiting"}
    await run.go(person)
    assert {one.outcome for one in run.errands.values()} == {"taken"}
    assert not all(one.over for one in run.errands.values())
    await run.look(person)
    assert {one.outcome for one in run.errands.values()} == {"unbound"}
    assert run.over
    assert batches == Counter(one.batch for one in run.errands.values())
    assert sorted(batches.values()) == [2, 30]
    calls = world.commits
    await run.look(person)
    assert world.commits == calls


async def test_what_the_cloud_refuses_a_device_is_its_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(start=seed(1))
    monkeypatch.setattr(app_work, "send_tokens", hand_over(world))
    person = await account(world)
    await Run("1", [found(0)], begun).go(person)
    again = Run("2", [found(0)], begun)
    await again.go(person)
    await again.look(person)
    (errand,) = again.errands.values()
    assert errand.outcome == "refused"
    assert errand.row is not None
    assert errand.row.reason == "not_bound"


async def test_a_device_that_is_not_reached_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(app_work, "send_tokens", hand_over(world, Outcome.UNREACHABLE))
    run = Run("1", [found(0)], begun)
    await run.go(await account(world))
    assert [one.outcome for one in run.errands.values()] == ["unreachable"]
    assert run.over


@pytest.mark.parametrize("why", [CloudRefused("too_many", ""), CloudUnreachable("away")])
async def test_without_a_token_all_of_its_devices_are_refused(why: UsageError) -> None:
    class Broke:
        async def unbind_token(self, method: str, *, max_devices: int) -> UnbindToken:
            assert (method, max_devices) == ("wired", 2)
            raise why

    run = Run("1", [found(0), found(1)], begun)
    await run.go(Broke())  # type: ignore[arg-type]
    assert [one.outcome for one in run.errands.values()] == ["refused", "refused"]
    assert run.over


def test_an_errand_with_a_token_is_being_sent() -> None:
    errand = Errand(found(0))
    errand.batch = "b"
    assert (errand.outcome, errand.over) == ("sending", False)


async def test_a_desktop_keeps_the_newest_codes_and_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    gate = asyncio.Event()

    async def send(_: object, __: str, *, on_delivery: Told) -> None:
        await gate.wait()
        raise AssertionError(on_delivery)

    monkeypatch.setattr(app_work, "send_tokens", send)
    person, desktop = await account(world), Desktop()
    for number in range(CODES_KEPT + 1):
        token = UnbindToken("EUabcdefghpr_0", f"b{number}", "qr", 30, 9)
        desktop.keep(Code(token, "Café", "geheim"))
    with pytest.raises(NotFound):
        desktop.code("b0")
    assert (desktop.ssid("b0"), desktop.ssid("b1")) == ("", "Café")
    assert b"geheim" in desktop.code("b1").payload
    assert "geheim" not in repr(desktop.code("b1"))
    runs = [desktop.begin([found(0)], person, begun)[0] for _ in range(RUNS_KEPT + 1)]
    with pytest.raises(NotFound):
        desktop.run(runs[0].name)
    assert desktop.run(runs[-1].name) is runs[-1]
    gate.set()
    for _ in range(20):
        await asyncio.sleep(0)
    with pytest.raises(AssertionError):
        desktop.run(runs[-1].name)
    with pytest.raises(NotFound):
        desktop.run("none")
