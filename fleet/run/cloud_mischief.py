"""Plays faults on the cloud of a live run: what a process can be made to do from outside.

Which kinds these are, `KINDS` says (`live`).
"""

from collections.abc import Callable

from fleet.run.cloud_faults import CloudDown, CloudFault, CloudHung
from fleet.run.cloud_host import CloudHost
from fleet.run.outages import Outages


class CloudMischief:
    """The hands on one cloud process.

    `sample` is called before anything happens to it, to see what it has cost so far; `say` gets a
    line for whatever an operator should know.
    """

    def __init__(
        self,
        cloud: CloudHost,
        outages: Outages,
        sample: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        """Prepare."""
        self._cloud = cloud
        self._outages = outages
        self._sample = sample
        self._say = say

    async def strike(self, number: int, fault: CloudFault) -> None:
        """Let a fault befall it, as table `number` says; return when it is over."""
        async with self._outages.turn():
            self._sample()
            async with self._outages.watched(number):
                await self._play(fault)

    async def _play(self, fault: CloudFault) -> None:
        if isinstance(fault, CloudDown):
            self._say(f"the cloud goes away for {fault.for_s:g} s, as planned")
            await self._cloud.be_away(fault.for_s, politely=fault.politely)
        else:
            assert isinstance(fault, CloudHung), "no process can be made to do that"
            self._say(f"the cloud stands still for {fault.for_s:g} s, as planned")
            await self._cloud.stand_still(fault.for_s)
        self._say("the cloud is back, as planned")
