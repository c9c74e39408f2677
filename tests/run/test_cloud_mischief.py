"""What a live cloud is made to do: told to the operator, sampled before, and counted."""

import asyncio
from typing import Any, cast

import pytest

from fleet.run.cloud_faults import BrokerRestart, CloudDown, CloudFault, CloudHung
from fleet.run.cloud_host import CloudHost
from fleet.run.cloud_mischief import CloudMischief
from fleet.run.measured import nothing_measured
from fleet.run.outages import Outages
from fleet.run.recovery import Recovery
from fleet.run.watch import Watch
from tests.runtime.virtual.support import play


class Host:
    """Stands in for a process: remembers."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log

    async def be_away(self, for_s: float, *, politely: bool) -> None:
        self.log.append(("away", for_s, politely))
        await asyncio.sleep(for_s)

    async def stand_still(self, for_s: float) -> None:
        self.log.append(("still", for_s))
        await asyncio.sleep(for_s)


async def struck(*faults: CloudFault) -> tuple[list[Any], Recovery]:
    log: list[Any] = []
    recovery = Recovery(1, 0, lambda: 0.0)
    outages = Outages(Watch(1, recovery.saw), recovery, nothing_measured(), lambda: 5)
    host = cast("CloudHost", Host(log))
    mischief = CloudMischief(host, outages, lambda: log.append("sample"), log.append)
    for number, fault in enumerate(faults):
        await mischief.strike(number, fault)
    return log, recovery


def test_a_process_goes_away_or_stands_still() -> None:
    log, recovery = play(lambda: struck(CloudDown(2, politely=True), CloudHung(3.5)))
    assert log == [
        "sample",
        "the cloud goes away for 2 s, as planned",
        ("away", 2, True),
        "the cloud is back, as planned",
        "sample",
        "the cloud stands still for 3.5 s, as planned",
        ("still", 3.5),
        "the cloud is back, as planned",
    ]
    recovery.close()
    assert len(recovery.outages) == 2


def test_nothing_else_can_be_done_to_it() -> None:
    with pytest.raises(AssertionError, match="no process"):
        play(lambda: struck(BrokerRestart(1)))
