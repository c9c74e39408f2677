import asyncio
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.runtime.faults import PowerCut
from firmware_sim.runtime.live.world import HOST_SHORT
from fleet.cloud.edge.process import ServerConfig
from fleet.lan.capture import Recording
from fleet.run import messages as msg
from fleet.run import seeding, supervisor
from fleet.run.cloud_faults import CloudDown, CloudHung
from fleet.run.fault_kinds import KINDS
from fleet.run.fault_plan import Strike
from fleet.run.hosting import in_loop
from fleet.run.live_options import Options, cloud_config, shard_count
from fleet.run.stage import is_online
from fleet.run.supervisor import Supervisor
from tests.run.fakes import small

from .support import family, kill

POPULATION = small(6)
ALL = tuple(range(6))


def play(folder: Path, story: Callable[[Supervisor, list[str]], Awaitable[None]]) -> None:
    async def scene() -> None:
        lines: list[str] = []
        cloud = ServerConfig(
            data=str(folder / "cloud"),
            settings=seeding.settings(POPULATION, "secret", 0),
            seed=seeding.seed(POPULATION, bound=True),
        )
        processes = Supervisor(
            POPULATION, Options(decoder="zxing", shards=2), folder, cloud, lines.append
        )
        try:
            await story(processes, lines)
        finally:
            await processes.stop(1.0)

    in_loop(scene())
    assert family() == set()


def test_both_shards_work_and_what_dies_comes_back(tmp_path: Path) -> None:
    async def story(processes: Supervisor, lines: list[str]) -> None:
        await processes.start()
        assert [shard.indices for shard in processes.shards] == [(0, 2, 4), (1, 3, 5)]
        processes.power(ALL, on=True)
        assert await processes.watch.until_all(ALL, is_online, 20) == []
        for name in ("fleet-shard-1", "fleet-cloud"):
            kill(name)()
        async with asyncio.timeout(20):
            while len(lines) < 4:
                await asyncio.sleep(0.01)
        assert sorted(line.split(" (")[0] for line in lines) == [
            "shard 1 died",
            "shard 1 is back",
            "the cloud died",
            "the cloud is back",
        ]
        assert lines == processes.incidents
        assert await processes.watch.until_all(ALL, is_online, 20) == []
        chips = await processes.snapshot()
        assert sorted(chips) == list(ALL)
        processes.sample()
        assert processes.meter.cpu_s("cloud") > 0
        assert processes.meter.cpu_s("shards") > 0

    play(tmp_path, story)


def test_faults_reach_the_devices_of_all_shards(tmp_path: Path) -> None:
    async def story(processes: Supervisor, lines: list[str]) -> None:
        await processes.start()
        processes.power(ALL, on=True)
        assert await processes.watch.until_all(ALL, is_online, 20) == []
        later = Strike(1, PowerCut(100), 0, ALL, (60_000,) * 6)
        processes.strike(later)
        processes.strike(Strike(0, PowerCut(300), 0, ALL, tuple(range(6))))
        assert await processes.watch.until_all(ALL, is_off, 20) == []
        processes.call_off([1])
        assert await processes.watch.until_all(ALL, is_online, 20) == []
        async with asyncio.timeout(10):
            while processes.measured.struck.get(0, Counter()).total() < 6:
                await asyncio.sleep(0.05)
        assert processes.measured.struck == {0: Counter({"online": 6})}
        await asyncio.gather(
            processes.strike_cloud(2, CloudDown(0.1, politely=False)),
            processes.strike_cloud(3, CloudHung(0.1)),
        )
        assert [line.partition(" ")[2] for line in lines] == [
            "cloud goes away for 0.1 s, as planned",
            "cloud is back, as planned",
            "cloud stands still for 0.1 s, as planned",
            "cloud is back, as planned",
        ]
        assert {name for name, kind in KINDS.items() if not processes.plays(kind)} == {
            *("cloud_slow", "disk_slow", "broker_restart"),
            *("crash_before_write", "crash_after_write"),
        }
        assert processes.measured.struck[2] == Counter({"online": 6})
        processes.recovery.close()
        first, second = processes.recovery.outages
        assert first.devices == 6
        assert min(first.down_s, second.down_s) >= 0.1, "one after the other"
        assert processes.incidents == []
        chips = (await processes.snapshot()).values()
        assert min(chip.connects for chip in chips) >= 2
        assert min(chip.calls for chip in chips) >= 1

    play(tmp_path, story)


def is_off(seen: msg.Seen) -> bool:
    return seen.lifecycle == "OFF"


def test_a_shard_that_dies_gives_no_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(processes: Supervisor, _: list[str]) -> None:
        await processes.start()
        os.kill(processes.shards[0].pid, signal.SIGSTOP)
        monkeypatch.setattr(supervisor, "SNAPSHOT_S", 0.1)
        with pytest.raises(UsageError, match="no snapshot within"):
            await processes.snapshot()
        monkeypatch.undo()
        asking = asyncio.create_task(processes.snapshot())
        await asyncio.sleep(0)
        kill("fleet-shard-0")()
        with pytest.raises(UsageError, match="shard 0 died"):
            await asking

    play(tmp_path, story)


def test_a_broken_shard_ends_the_run(tmp_path: Path) -> None:
    async def story(processes: Supervisor, _: list[str]) -> None:
        await processes.start()
        processes.shards[0]._send(msg.SwitchPower((4711,), on=True))
        with pytest.raises(UsageError, match="shard 0: KeyError: 4711"):
            await processes.failure
        processes.give_up(UsageError("a second one is not listened to"))

    play(tmp_path, story)


def test_a_replacement_that_fails_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.run.cloud_host.REPLACEMENTS_MAX", 0)

    async def story(processes: Supervisor, lines: list[str]) -> None:
        await processes.start()
        kill("fleet-cloud")()
        with pytest.raises(UsageError, match="the cloud died 1 times"):
            await processes.failure
        assert len(lines) == 1

    play(tmp_path, story)


def test_the_number_of_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    assert shard_count(300, 0) == 3
    assert shard_count(300, 5) == 5
    assert shard_count(2, 5) == 2
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert shard_count(300, 0) == 1


def test_what_the_host_lacks_is_said_once_per_shard(tmp_path: Path) -> None:
    async def story(processes: Supervisor, lines: list[str]) -> None:
        for number in (0, 0, 1):
            heard = msg.Heard(number, 0, HOST_SHORT, "127.16.1.1 takes no LAN clients: no files")
            processes._take(number, msg.Observed((), (heard,)))
        assert lines == [
            "shard 0: 127.16.1.1 takes no LAN clients: no files; see fleet doctor",
            "shard 1: 127.16.1.1 takes no LAN clients: no files; see fleet doctor",
        ]
        assert lines == processes.incidents

    play(tmp_path, story)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can record what is said on a LAN")
def test_a_recording_that_is_broken_off_is_an_incident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        lines: list[str] = []
        options = Options(decoder="zxing", pcap=tmp_path / "lan.pcap")
        cloud = cloud_config(POPULATION, options, tmp_path, "secret")
        processes = Supervisor(POPULATION, options, tmp_path, cloud, lines.append)
        try:
            await processes.start()

            def fail(_: Recording) -> None:
                raise UsageError("the recorder ended before its time")

            with monkeypatch.context() as patch:
                patch.setattr(Recording, "stop", fail)
                recording = processes._recording
                await processes._stop_recording()
            assert recording is not None
            recording.stop()
        finally:
            await processes.stop(1.0)
        assert lines == ["the recorder ended before its time"]

    in_loop(scene())
