"""Outages are counted and watched, one after the other."""

import asyncio
from collections import Counter

from fleet.run.measured import nothing_measured
from fleet.run.messages import Seen
from fleet.run.outages import Outages
from fleet.run.recovery import Recovery
from fleet.run.watch import Watch
from tests.runtime.virtual.support import play


def seen(index: int, at_ms: int, *, online: bool) -> Seen:
    light = "online" if online else "reconnecting"
    return Seen(index, at_ms, "ONLINE", "UP" if online else "BACKOFF", light, "", "")


def test_an_outage_strikes_everybody_and_the_next_one_waits() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()

        def now_ms() -> int:
            return round(loop.time() * 1000)

        recovery = Recovery(2, now_ms(), lambda: 0.0)
        watch, measured = Watch(2, recovery.saw), nothing_measured()
        outages = Outages(watch, recovery, measured, now_ms)
        for index in range(2):
            watch.take_seen(seen(index, now_ms(), online=True))

        async def away(number: int, for_s: float) -> None:
            async with outages.turn(), outages.watched(number):
                watch.take_seen(seen(0, now_ms(), online=False))
                await asyncio.sleep(for_s)
            watch.take_seen(seen(0, now_ms() + 500, online=True))

        await asyncio.gather(away(3, 4), away(7, 6), away(3, 1))
        outages.strike(9)
        recovery.close()
        assert [outage.down_s for outage in recovery.outages] == [4, 6, 1]
        assert [outage.recovered_s[100] for outage in recovery.outages] == [0.5] * 3
        assert measured.struck == {
            3: Counter({"online": 4}),
            7: Counter({"online": 2}),
            9: Counter({"online": 2}),
        }

    play(story)
