"""Counting of devices by day and country, for the statistics of the Open API.

Counted are devices of products that the caller's account owns, paired in the call's data centre;
anybody else reads 0 ("Open API FAQ", developer.tuya.com). The rest is ours, because it is not
published: a device is activated on the day of its first pairing, and active from then until it was
last heard of, so who was heard of later counts as active in between. It is in the country of its
user, or of its last one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fleet.cloud.devices import Device
from fleet.cloud.open.routes import OpenCall
from fleet.cloud.rights import region_of
from fleet.cloud.settings import DAY_MS
from fleet.cloud.state import State

Name = tuple[str, str]
"""A country's English and Chinese name."""
UNKNOWN: Name = ("Unknown", "未知")

# Calling codes (ITU-T E.164) of the countries that are told apart; the others count as unknown.
_COUNTRIES: dict[str, Name] = {
    "1": ("United States", "美国"),
    "7": ("Russia", "俄罗斯"),
    "33": ("France", "法国"),
    "34": ("Spain", "西班牙"),
    "39": ("Italy", "意大利"),
    "44": ("United Kingdom", "英国"),
    "48": ("Poland", "波兰"),
    "49": ("Germany", "德国"),
    "52": ("Mexico", "墨西哥"),
    "55": ("Brazil", "巴西"),
    "61": ("Australia", "澳大利亚"),
    "65": ("Singapore", "新加坡"),
    "81": ("Japan", "日本"),
    "82": ("South Korea", "韩国"),
    "86": ("China", "中国"),
    "91": ("India", "印度"),
}


class Life(NamedTuple):
    """What is counted of one device: two days, as `day_of` numbers them, and a country."""

    first_day: int
    last_day: int
    country: Name


class Tally:
    """Devices, ready to be counted for any days; `today` is a day as well."""

    __slots__ = ("_first", "_last", "_lives", "today")

    def __init__(self, lives: Iterable[Life], today: int) -> None:
        """Sort the days once."""
        self.today = today
        self._lives = list(lives)
        self._first = sorted(life.first_day for life in self._lives)
        self._last = sorted(life.last_day for life in self._lives)

    def activated(self, first: int, last: int) -> int:
        """Return how many devices were activated from day `first` to day `last`."""
        return bisect_right(self._first, last) - bisect_left(self._first, first)

    def live(self, first: int, last: int) -> int:
        """Return how many devices were active on any of these days."""
        return bisect_right(self._first, last) - bisect_left(self._last, first)

    def by_country(self) -> list[tuple[Name, "Tally"]]:
        """Return the same for each country, in order of its name."""
        found: dict[Name, list[Life]] = {}
        for life in self._lives:
            found.setdefault(life.country, []).append(life)
        return [(name, Tally(lives, self.today)) for name, lives in sorted(found.items())]


def tally(call: OpenCall, product_id: str) -> Tally:
    """Return the caller's devices of a product, without one of all products."""
    lives = (_life(call, device) for device in _own_devices(call, product_id))
    return Tally(lives, day_of(call.state, call.now_ms))


def day_of(state: State, time_ms: int) -> int:
    """Return the day of a time: days since 1970-01-01 in the zone of the statistics."""
    return (time_ms + state.settings.open_statistics_day_offset_min * 60_000) // DAY_MS


def country_name(code: str) -> Name:
    """Return the names of a calling code."""
    return _COUNTRIES.get(code, UNKNOWN)


def _own_devices(call: OpenCall, product_id: str) -> Iterator[Device]:
    state, caller = call.state, call.caller
    for product in state.products.all():
        if product.owner == caller.project.owner and product_id in ("", product.product_id):
            for device in state.devices.of_product(product.product_id):
                if region_of(state, device) == caller.region:
                    yield device


def _life(call: OpenCall, device: Device) -> Life:
    state = call.state
    user = state.users.get(device.last_owner)
    heard_ms = max(device.activated_ms, state.data_points.reported_ms(device.dev_id))
    last_ms = call.now_ms if call.link.online(device) else heard_ms
    first_ms = device.created_ms or device.activated_ms
    return Life(
        day_of(state, first_ms),
        day_of(state, max(first_ms, last_ms)),
        country_name(user.country_code if user is not None else ""),
    )
