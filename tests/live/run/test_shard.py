"""A shard in our own process, with its runner played by the test."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from firmware_sim.runtime.faults import PowerCut
from firmware_sim.wire import lan_frame
from fleet.app import qr
from fleet.lan.addresses import AddressBlock
from fleet.run import messages as msg
from fleet.run import shard as module
from fleet.run.hosting import in_loop
from fleet.run.link import Link
from fleet.run.phases import UNBIND
from fleet.run.seeding import device_spec
from fleet.run.shard import Shard
from fleet.run.stage import HOMES
from fleet.run.watch import NOTES_PER_DEVICE_MAX
from tests.run.fakes import small

POPULATION = small(6)
CAMERA = next(unit for unit in POPULATION.units if not unit.product.wired)
RECORDER = next(unit for unit in POPULATION.units if unit.product.wired)


class Runner:
    """The other end of the line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[msg.Seen] = []
        self.heard: list[msg.Heard] = []
        self.pulses: list[msg.Pulse] = []
        self.others: list[msg.Report] = []
        self.news = asyncio.Event()
        self.link: Link[msg.Report] = Link(msg.Report, self.take, self.news.set)

    def take(self, report: msg.Report) -> None:
        if isinstance(report, msg.Observed):
            self.seen += report.seen
            self.heard += report.heard
        elif isinstance(report, msg.Pulse):
            self.pulses.append(report)
        else:
            self.others.append(report)
        self.news.set()

    async def until(self, happened: Callable[[], object]) -> None:
        async with asyncio.timeout(15):
            while not happened():
                self.news.clear()
                await self.news.wait()

    def set_up(self, block: AddressBlock, *units: object, **changes: object) -> None:
        wifi = {"net": "password", CAMERA.home.ssid: CAMERA.home.password}
        order = msg.SetUp(
            shard=0,
            seed=1,
            sites=(msg.SiteSpec(HOMES, wifi, 10),),
            iot_dns_host="127.0.0.1",
            iot_dns_port=9,
            broadcast_ip=block.lan.broadcast_ip,
            decoder=str(changes.get("decoder", "zxing")),
            decode_workers=1,
            journal=str(changes.get("journal", self.folder / "flash")),
            devices=tuple(
                device_spec(POPULATION, unit, block.address(unit.index), HOMES, bound=False)
                for unit in (CAMERA, RECORDER)
                if unit in units
            ),
        )
        self.link.send(order)

    def went_through(self, index: int, *states: str) -> bool:
        """Say whether a device has entered these states, in this order and one after the other."""
        text = " ".join(self.lifecycles(index))
        return " ".join(states) in text

    def lifecycles(self, index: int) -> list[str]:
        return [seen.lifecycle for seen in self.seen if seen.index == index]


def play(folder: Path, story: Callable[[Runner, AddressBlock], Awaitable[None]]) -> None:
    async def scene() -> None:
        ours, theirs = socket.socketpair()
        runner = Runner(folder)
        with AddressBlock() as block:
            await runner.link.attach(ours)
            shard = asyncio.create_task(Shard().run(theirs))
            try:
                await story(runner, block)
            finally:
                runner.link.send(msg.Stop())
                async with asyncio.timeout(10):
                    await shard

    in_loop(scene())


def test_a_camera_reads_a_code_and_everything_is_measured(tmp_path: Path) -> None:
    async def story(runner: Runner, block: AddressBlock) -> None:
        runner.set_up(block, CAMERA)
        await runner.until(lambda: runner.others)
        assert runner.others == [msg.ShardReady(1)]
        only = (CAMERA.index,)
        runner.link.send(msg.MoveTo(only, HOMES))
        runner.link.send(msg.Intend(only, UNBIND))
        runner.link.send(msg.ShowCode(only, qr.payload("net", "password", "EUtoken123pr_0")))
        runner.link.send(msg.SwitchPower(only, on=True))
        await runner.until(lambda: "ACTIVATING" in runner.lifecycles(CAMERA.index))
        runner.link.send(msg.ShowCode(only, None))
        runner.link.send(msg.TakeSnapshot())
        await runner.until(lambda: len(runner.others) > 1)
        snapshot = runner.others[1]
        assert isinstance(snapshot, msg.Snapshot)
        assert snapshot.chips[0].lifecycle == "ACTIVATING"
        assert snapshot.chips[0].light == "registering"
        await runner.until(lambda: runner.pulses and runner.pulses[-1].decoded)
        runner.link.send(msg.SwitchPower(only, on=False))
        await runner.until(lambda: "OFF" in runner.lifecycles(CAMERA.index))

    play(tmp_path, story)


def test_faults_strike_where_the_devices_are(tmp_path: Path) -> None:
    async def story(runner: Runner, block: AddressBlock) -> None:
        runner.set_up(block, CAMERA, RECORDER)
        await runner.until(lambda: runner.others)
        both = (CAMERA.index, RECORDER.index)
        runner.link.send(msg.LayAmbush(3, PowerCut(50), both, (0, 0), "waiting"))
        runner.link.send(msg.LayAmbush(4, PowerCut(50), both, (0, 0), "online"))
        runner.link.send(msg.LayAmbush(5, PowerCut(50), both, (60_000, 60_000), "any"))
        runner.link.send(msg.SwitchPower(both, on=True))
        for index in both:
            await runner.until(partial(runner.went_through, index, "OFF", "BOOTING", "WAITING"))
        runner.link.send(msg.CallOff((4, 5)))
        await runner.until(lambda: any(pulse.struck for pulse in runner.pulses))
        struck = [pulse.struck for pulse in runner.pulses if pulse.struck]
        assert sum(states["waiting"] for one in struck for states in one.values()) == 2
        assert {number for one in struck for number in one} == {3}
        runner.link.send(msg.TakeSnapshot())
        await runner.until(lambda: len(runner.others) > 1)
        snapshot = runner.others[1]
        assert isinstance(snapshot, msg.Snapshot)
        assert [(chip.calls, chip.connects) for chip in snapshot.chips] == [(0, 0)] * 2

    play(tmp_path, story)


def test_all_phases_arrive_even_at_the_end(tmp_path: Path) -> None:
    collected: list[Runner] = []

    async def story(runner: Runner, block: AddressBlock) -> None:
        collected.append(runner)
        runner.set_up(block, RECORDER)
        await runner.until(lambda: runner.others)
        only = (RECORDER.index,)
        runner.link.send(msg.SwitchPower(only, on=True))
        await runner.until(lambda: "WAITING" in runner.lifecycles(RECORDER.index))
        runner.link.send(msg.HoldButton(only, 50))
        await asyncio.sleep(0.1)

    play(tmp_path, story)
    [runner] = collected
    boots = [pulse.phases["boot"] for pulse in runner.pulses if "boot" in pulse.phases]
    assert sum(histogram.count for histogram in boots) == 1
    assert sum(pulse.loop_lag.count for pulse in runner.pulses) > 0
    assert not any(pulse.frames for pulse in runner.pulses)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"decoder": "abacus"}, "abacus"), ({"journal": "/no/where"}, "flash journal /no/where")],
)
def test_what_is_wrong_with_the_set_up_is_said(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    async def story(runner: Runner, block: AddressBlock) -> None:
        runner.set_up(block, CAMERA, **change)
        await runner.until(lambda: runner.others)
        [broken] = runner.others
        assert isinstance(broken, msg.ShardBroken)
        assert words in broken.text

    play(tmp_path, story)


def test_an_order_before_the_set_up_is_said_to_be_one(tmp_path: Path) -> None:
    async def story(runner: Runner, _: AddressBlock) -> None:
        runner.link.send(msg.SwitchPower((1,), on=True))
        await runner.until(lambda: runner.others)
        [broken] = runner.others
        assert isinstance(broken, msg.ShardBroken)
        assert broken.text == "KeyError: 1"

    play(tmp_path, story)


def test_a_fault_of_the_world_ends_the_shard_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(runner: Runner, block: AddressBlock) -> None:
        with socket.create_server((block.address(RECORDER.index), 6668)):
            runner.set_up(block, RECORDER)
            runner.link.send(msg.SwitchPower((), on=True))
            await runner.until(lambda: runner.others)
            runner.link.send(msg.SwitchPower((RECORDER.index,), on=True))
            await runner.until(lambda: len(runner.others) > 1)
        broken = runner.others[1]
        assert isinstance(broken, msg.ShardBroken)
        assert "cannot listen on" in broken.text

    monkeypatch.setattr(module, "PULSE_S", 0.05)
    play(tmp_path, story)


def test_a_runner_that_does_not_listen_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PENDING_MAX", 1)
    monkeypatch.setattr(module, "FLUSH_S", 60)

    async def story(runner: Runner, block: AddressBlock) -> None:
        runner.set_up(block, RECORDER)
        await runner.until(lambda: runner.others)
        runner.link.send(msg.SwitchPower((RECORDER.index,), on=True))
        await runner.until(lambda: len(runner.others) > 1)
        broken = runner.others[1]
        assert isinstance(broken, msg.ShardBroken)
        assert "does not take what this shard observes" in broken.text

    play(tmp_path, story)


def test_a_lan_client_that_never_stops_is_heard_of_and_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PENDING_MAX", NOTES_PER_DEVICE_MAX)
    monkeypatch.setattr(module, "FLUSH_S", 0.5)
    flood = 1000 * lan_frame.encode(lan_frame.Frame(1, lan_frame.Command.TOKEN_BIND, b"?"))

    async def story(runner: Runner, block: AddressBlock) -> None:
        runner.set_up(block, RECORDER)
        await runner.until(lambda: runner.others)
        runner.link.send(msg.SwitchPower((RECORDER.index,), on=True))
        await runner.until(lambda: "WAITING" in runner.lifecycles(RECORDER.index))
        reader, writer = await asyncio.open_connection(block.address(RECORDER.index), 6668)
        writer.write(flood)
        await reader.readexactly(1000 * len(lan_frame.encode(lan_frame.Frame(1, 12, b"", 1))))
        writer.close()
        await runner.until(lambda: runner.heard)
        runner.link.send(msg.TakeSnapshot())
        await runner.until(lambda: len(runner.others) > 1)
        assert isinstance(runner.others[1], msg.Snapshot)
        assert [note.kind for note in runner.heard].count("bad_lan") < 1000

    play(tmp_path, story)


def test_it_ends_with_its_runner_and_does_not_heed_ctrl_c() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    before = signal.getsignal(signal.SIGINT)
    try:
        module.main(theirs)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
