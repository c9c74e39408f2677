import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from firmware_sim.bench.capabilities import Missing
from firmware_sim.errors import SimulatorError
from firmware_sim.wire.provisioning import decode_qr
from fleet.app import qr
from fleet.run import messages as msg
from fleet.run.bridge.host import BridgeHost
from fleet.run.population import Network
from hw_profiles import catalog
from tests.run.bridge.fake import FakeBench

pytestmark = pytest.mark.anyio
PROFILE = "ipc-red-green"
SELF = (7,)


class Hall:
    """A host of a fake bench, and what it reports."""

    def __init__(self, wifi: Network | None, profile: str) -> None:
        self.bench = FakeBench(profile)
        self.seen: list[msg.Seen] = []
        self.failed: list[SimulatorError] = []
        self._news = asyncio.Event()
        self.host = BridgeHost(
            7,
            catalog.load(profile),
            self.bench.open,
            self._report,
            self._fail,
            wifi=wifi,
            site="homes",
        )

    def _report(self, report: msg.Report) -> None:
        assert isinstance(report, msg.Observed)
        self.seen += report.seen
        self._news.set()

    def _fail(self, error: SimulatorError) -> None:
        self.failed.append(error)
        self._news.set()

    async def until(self, test: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not test():
                self._news.clear()
                await self._news.wait()

    async def until_light(self, light: str) -> None:
        await self.until(lambda: bool(self.seen) and self.seen[-1].light == light)


@asynccontextmanager
async def a_hall(wifi: Network | None = None, profile: str = PROFILE) -> AsyncIterator[Hall]:
    hall = Hall(wifi, profile)
    hall.host.start()
    try:
        yield hall
    finally:
        await hall.host.stop()


async def test_an_unbinding_is_seen_as_that_of_a_shard() -> None:
    async with a_hall() as hall:
        hall.host.power(SELF, on=True)
        hall.bench.light = "waiting"
        await hall.until_light("waiting")
        hall.bench.light = "registering"
        await hall.until_light("registering")
        hall.bench.light = "unbound"
        await hall.until_light("unbound")
        lights = [one.light for one in hall.seen]
        assert lights == ["booting", "waiting", "registering", "unbound"]
        assert [one.operator for one in hall.seen[1:]] == ["waiting", "unbinding", "unbound"]
        assert {one.index for one in hall.seen} == {7}
        chip = hall.host.chip()
        assert (chip.lifecycle, chip.outcome, chip.activated) == ("WAITING", "UNBOUND", False)


async def test_hands_reach_the_bench_in_order() -> None:
    async with a_hall() as hall:
        hall.host.power(SELF, on=True)
        hall.host.plug(SELF, connected=False)
        hall.host.plug(SELF, connected=True)
        hall.host.hold(SELF, 20)
        await asyncio.to_thread(hall.bench.wait_for, "release")
        assert hall.bench.done == ["off", "on", "down", "up", "press", "release"]
        assert hall.host.hand(7).powered
        hall.host.remove(SELF)
        await hall.until_light("off")
        assert hall.bench.done[-1] == "off"


async def test_a_code_names_the_network_at_the_bench() -> None:
    async with a_hall(Network("Bänch", "right")) as hall:
        hall.host.show(SELF, qr.payload("Warehouse", "wrong", "AY0123456789ab"))
        hall.host.show(SELF, None)
        await asyncio.to_thread(hall.bench.wait_for, "hide")
        code = decode_qr(hall.bench.done[1].removeprefix("show ").encode())
        assert (code.ssid, code.password, code.token) == ("Bänch", "right", "AY0123456789ab")


async def test_a_device_without_a_lens_is_shown_nothing() -> None:
    async with a_hall(profile="nvr") as hall:
        hall.host.show(SELF, b"{}")
        hall.host.show(SELF, None)
        hall.host.plug(SELF, connected=False)
        await asyncio.to_thread(hall.bench.wait_for, "down")
        assert hall.bench.done == ["off", "down"]


async def test_a_code_is_taken_for_read_when_the_light_changes() -> None:
    async with a_hall(Network("bench", "right")) as hall:
        hall.host.power(SELF, on=True)
        hall.bench.light = "waiting"
        await hall.until_light("waiting")
        hall.host.show(SELF, qr.payload("Warehouse", "wrong", "AY0123456789ab"))
        await asyncio.to_thread(hall.bench.wait_for_prefix, "show")
        hall.bench.light = "resetting"  # all that came before was over too soon
        await hall.until_light("joining")


async def test_a_button_that_is_held_is_no_code_that_is_read() -> None:
    async with a_hall(Network("bench", "right")) as hall:
        hall.host.power(SELF, on=True)
        hall.bench.light = "waiting"
        await hall.until_light("waiting")
        hall.host.show(SELF, qr.payload("Warehouse", "wrong", "AY0123456789ab"))
        hall.host.hold(SELF, 60_000)
        await asyncio.to_thread(hall.bench.wait_for, "press")
        hall.bench.light = "resetting"
        await hall.until_light("resetting")
        assert "joining" not in [one.light for one in hall.seen]


async def test_what_was_seen_before_the_power_failed_counts_no_more() -> None:
    async with a_hall() as hall:
        hall.host.power(SELF, on=True)
        hall.bench.light = "online"
        await hall.until_light("online")
        hall.host.power(SELF, on=True)  # which it is
        hall.host.power(SELF, on=False)
        hall.host.power(SELF, on=True)
        hall.bench.light = "booting"
        await hall.until_light("booting")
        await asyncio.sleep(0.2)  # some more looks
        assert [one.light for one in hall.seen] == ["booting", "online", "off", "booting"]


async def test_without_power_no_light_is_believed() -> None:
    async with a_hall() as hall:
        hall.bench.light = "online"  # of a neighbour
        hall.host.power(SELF, on=True)
        await hall.until_light("online")
        hall.host.power(SELF, on=False)
        await hall.until_light("off")
        count = len(hall.seen)
        await asyncio.to_thread(hall.bench.wait_for, "off")
        hall.host.plug(SELF, connected=False)
        await asyncio.to_thread(hall.bench.wait_for, "down")
        await asyncio.sleep(0.2)  # some more looks
        assert len(hall.seen) == count


async def test_a_bench_that_fails_ends_the_run_with_a_reason_and_leaves_no_power() -> None:
    async with a_hall() as hall:
        hall.host.power(SELF, on=True)
        await hall.until_light("booting")
        hall.bench.trouble = Missing("the sensor does not answer")
        await hall.until(lambda: bool(hall.failed))
        assert str(hall.failed[0]) == "the bench: the sensor does not answer"
        assert hall.bench.done == ["off", "on", "off", "release", "hide"]


async def test_what_a_chip_implies() -> None:
    async with a_hall() as hall:
        hall.host.power(SELF, on=True)
        hall.bench.light = "online"
        await hall.until_light("online")
        chip = hall.host.chip()
        assert (chip.index, chip.lifecycle, chip.session) == (7, "ONLINE", "UP")
        assert chip.activated
        assert chip.dev_id == ""
