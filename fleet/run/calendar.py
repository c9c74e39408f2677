"""The days of a campaign: when the quota's day turns, how many are left, and what follows from that.

People ask for more by ticket only when they must ("Unbind Smart Devices", developer.tuya.com: 100
devices a day, "more by ticket"): when what waits cannot be done in the days that are left. A
campaign of one day, which is the default, has no tomorrow, so that is as soon as a quota is spent.
"""

import asyncio
from collections.abc import Callable
from datetime import date

from fleet.run.population import Population, Unit, scale

DAY_MS = 86_400_000
SLACK_S = 1.0  # nobody is back at the very stroke of midnight
_EPOCH = date(1970, 1, 1).toordinal()


class Calendar:
    """Counts days as the cloud's quotas do, whose day is ahead of UTC's by `offset_min`.

    `days` are those of the campaign; `now_ms` tells the time.
    """

    def __init__(self, offset_min: int, days: int, now_ms: Callable[[], int]) -> None:
        """Begin the first day now."""
        self._offset_ms = offset_min * 60_000
        self._now_ms = now_ms
        self._last = self._day() + days - 1

    @property
    def today(self) -> str:
        """Return the day of the quota, as an ISO date."""
        return date.fromordinal(_EPOCH + self._day()).isoformat()

    @property
    def days_left(self) -> int:
        """Return how many days are left, today included; who is late has today."""
        return max(1, self._last - self._day() + 1)

    def limit(self, backlog: int, used: int) -> int:
        """Return which limit per day is enough for `backlog` devices, with `used` of today's."""
        return -(-(backlog + used) // self.days_left)

    def can_wait(self, backlog: int, per_day: int) -> bool:
        """Say whether `per_day` from tomorrow on is enough for `backlog` devices."""
        return backlog <= per_day * (self.days_left - 1)

    async def next_day(self) -> None:
        """Return a moment after the day has turned."""
        today = self._day()
        while self._day() == today:
            left_ms = DAY_MS - self._local_ms() % DAY_MS
            await asyncio.sleep(left_ms / 1000 + SLACK_S)

    def _day(self) -> int:
        return self._local_ms() // DAY_MS

    def _local_ms(self) -> int:
        return self._now_ms() + self._offset_ms


def arrivals(population: Population) -> tuple[tuple[Unit, ...], ...]:
    """Return which devices are there for the operators on which day, from the first one on.

    Those that get into trouble first come to them by themselves.
    """
    calm = [unit for unit in population.units if not unit.trouble]
    days, at = [], 0
    for count in scale([1] * population.campaign.arrive_days, len(calm)):
        days.append(tuple(calm[at : at + count]))
        at += count
    return tuple(days)
