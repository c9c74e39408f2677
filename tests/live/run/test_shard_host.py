import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.lan.addresses import AddressBlock
from fleet.run import messages as msg
from fleet.run import shard_host
from fleet.run.growth import grow
from fleet.run.hosting import in_loop
from fleet.run.messages import Seen
from fleet.run.scenario import Product
from fleet.run.seeding import device_spec
from fleet.run.shard_host import Hand, ShardHost
from fleet.run.stage import HOMES, WAREHOUSE
from fleet.run.watch import Watch
from tests.run.fakes import small

from .support import RECORDER, family

POPULATION = small(
    6,
    products=(Product("camera", "ipc-red-green", 4), Product("recorder", RECORDER, 2)),
)
WIRED = [unit for unit in POPULATION.units if unit.product.wired]
INDICES = tuple(unit.index for unit in WIRED)
NOBODY = 9  # a port where no cloud is: devices try for ever, which is all that is needed here


class Garage:
    """A shard with wired devices, and what is seen of it."""

    def __init__(self, folder: Path, block: AddressBlock, **changes: object) -> None:
        self.watch = Watch(len(POPULATION.units))
        self.snapshots: asyncio.Queue[msg.Snapshot] = asyncio.Queue()
        self.broken: asyncio.Queue[str] = asyncio.Queue()
        self.dead: asyncio.Queue[ShardHost] = asyncio.Queue()
        setup = msg.SetUp(
            shard=0,
            seed=1,
            sites=(msg.SiteSpec(HOMES, {}, 10), msg.SiteSpec(WAREHOUSE, {}, 10)),
            iot_dns_host="127.0.0.1",
            iot_dns_port=NOBODY,
            broadcast_ip=block.lan.broadcast_ip,
            decoder="zxing",
            decode_workers=1,
            journal="",
            devices=tuple(
                device_spec(POPULATION, unit, block.address(unit.index), HOMES, bound=True)
                for unit in WIRED
            ),
        )
        stem = changes.pop("stem", folder / "shard-0")
        assert isinstance(stem, Path)
        self.host = ShardHost(setup, stem, self.take, self.dead.put_nowait)

    def take(self, report: msg.Report) -> None:
        if isinstance(report, msg.Observed):
            for seen in report.seen:
                self.watch.take_seen(seen)
        elif isinstance(report, msg.Snapshot):
            self.snapshots.put_nowait(report)
        elif isinstance(report, msg.ShardBroken):
            self.broken.put_nowait(report.text)

    async def wait(self, lifecycle: str) -> None:
        def there(seen: Seen) -> bool:
            return seen.lifecycle == lifecycle

        assert await self.watch.until_all(INDICES, there, 15) == []

    async def chips(self) -> tuple[msg.Chip, ...]:
        self.host.ask_snapshot()
        return (await self.snapshots.get()).chips

    async def die(self) -> None:
        os.kill(self.host.pid, signal.SIGKILL)
        assert await self.dead.get() is self.host
        self.watch.gone(self.host.indices, 0)


def play(folder: Path, story: Callable[[Garage], Awaitable[None]], **changes: object) -> None:
    async def scene() -> None:
        with AddressBlock() as block:
            garage = Garage(folder, block, **changes)
            assert garage.host.pid == 0
            try:
                await story(garage)
            finally:
                await garage.host.stop(1.0)

    in_loop(scene())
    assert family() == set()


def test_a_dead_shard_is_a_power_cut_for_its_devices(tmp_path: Path) -> None:
    async def story(garage: Garage) -> None:
        host = garage.host
        await host.start()
        host.power(INDICES, on=True)
        await garage.wait("ONLINE")
        assert all(chip.activated for chip in await garage.chips())
        host.hold(INDICES[:1], 400)
        await garage.watch.until_all(INDICES[:1], lambda seen: seen.lifecycle == "WAITING", 15)
        host.move(INDICES, WAREHOUSE)
        host.intend(INDICES, "unbind")
        host.show(INDICES, b"code")
        await garage.die()
        host.power([INDICES[1], 10_000], on=False)  # nobody there: remembered, for our own ones
        await host.replace()
        await garage.watch.until_all(INDICES[:1], lambda seen: seen.lifecycle == "WAITING", 15)
        chips = {chip.index: chip for chip in await garage.chips()}
        assert not chips[INDICES[0]].activated
        assert chips[INDICES[0]].lifecycle == "WAITING"
        assert chips[INDICES[1]].lifecycle == "OFF"
        assert chips[INDICES[1]].activated
        assert host.generation == 1

    play(tmp_path, story)


def test_one_that_keeps_dying_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_host, "REPLACEMENTS_MAX", 0)

    async def story(garage: Garage) -> None:
        await garage.host.start()
        await garage.die()
        with pytest.raises(UsageError, match="shard 0 died 1 times"):
            await garage.host.replace()

    play(tmp_path, story)


def test_a_shard_that_cannot_start_says_why(tmp_path: Path) -> None:
    async def story(garage: Garage) -> None:
        with pytest.raises(UsageError, match="cannot write the flash journal"):
            await garage.host.start()

    play(tmp_path, story, stem=tmp_path / "no" / "where")


def test_a_shard_that_dies_while_it_starts(tmp_path: Path) -> None:
    async def story(garage: Garage) -> None:
        starting = asyncio.create_task(garage.host.start())
        while not garage.host.pid:
            await asyncio.sleep(0)
        os.kill(garage.host.pid, signal.SIGKILL)
        with pytest.raises(UsageError, match="shard 0 died while it started"):
            await starting

    play(tmp_path, story)


def test_a_shard_that_never_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_host, "START_S", 0.001)

    async def story(garage: Garage) -> None:
        with pytest.raises(UsageError, match="did not start within"):
            await garage.host.start()

    play(tmp_path, story)


def test_one_that_does_not_want_to_end_is_ended(tmp_path: Path) -> None:
    async def story(garage: Garage) -> None:
        await garage.host.start()
        os.kill(garage.host.pid, signal.SIGSTOP)
        await garage.host.stop(0.1)
        assert garage.dead.empty()

    play(tmp_path, story)


def test_an_order_that_makes_no_sense_is_an_honest_end(tmp_path: Path) -> None:
    async def story(garage: Garage) -> None:
        await garage.host.start()
        garage.host._send(msg.SwitchPower((4711,), on=True))
        assert "KeyError: 4711" in await garage.broken.get()

    play(tmp_path, story)


def test_no_code_is_shown() -> None:
    assert "secret" not in repr(Hand(HOMES, payload=b"secret"))


def test_devices_that_came_and_went_outlive_a_shard(tmp_path: Path) -> None:
    grown = grow(POPULATION, "dvr", 2)
    new = grown.units[-2:]
    indices = tuple(unit.index for unit in new)

    async def story(garage: Garage) -> None:
        host = garage.host
        garage.watch.grow(len(grown.units))
        await host.start()
        specs = tuple(
            device_spec(grown, unit, f"127.200.0.{unit.index + 1}", HOMES, bound=False)
            for unit in new
        )
        await host.add((msg.SiteSpec(HOMES, {"late": "password"}, 10),), specs)
        host.power(indices, on=True)
        host.plug(indices, connected=False)
        host.switch_air(HOMES, on=False)
        host.remove(indices[:1])
        host.power(indices[:1], on=True)
        assert host.indices == (*INDICES, indices[1])
        await garage.watch.until_all(indices[1:], lambda seen: seen.lifecycle == "WAITING", 15)
        assert {chip.index for chip in await garage.chips()} == {*INDICES, indices[1]}
        adding = asyncio.create_task(host.add((), ()))
        await asyncio.sleep(0)
        await garage.die()
        await adding
        await host.replace()
        await garage.watch.until_all(indices[1:], lambda seen: seen.lifecycle == "WAITING", 15)
        assert {chip.index for chip in await garage.chips()} == {*INDICES, indices[1]}
        assert not host.hand(indices[1]).plugged

    play(tmp_path, story)
