"""How often a project may call: a second's calls per interface, a day's calls per access key.

An interface is a route: method and pattern. The general figures are those of the "Open API FAQ"
(developer.tuya.com), the smaller ones of single families those of "Limits on API Request
Frequency". A second begins with each full second of the server's clock.
"""

import re
from collections import Counter

from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import Route
from fleet.cloud.open_calls import OpenCalls
from fleet.cloud.settings import Settings

UNKNOWN = ("", "")
"""The interface of all paths that lead nowhere."""

_THING = r"/v2\.0/cloud/thing/[^/]+"
_RATES = tuple(
    (re.compile(methods), re.compile(pattern), setting)
    for methods, pattern, setting in (
        ("GET", r"/v2\.0/cloud/space/.*", "open_space_reads_per_second"),
        ("POST|PUT|DELETE", r"/v2\.0/cloud/space/.*", "open_space_writes_per_second"),
        ("GET", rf"{_THING}/model", "open_model_reads_per_second"),
        ("GET", rf"{_THING}/shadow/properties", "open_property_reads_per_second"),
        ("GET", rf"{_THING}/shadow/properties/desired", "open_desired_reads_per_second"),
        ("POST|PUT", rf"{_THING}/shadow/(actions|properties.*)", "open_thing_writes_per_second"),
    )
)


class Limits:
    """Counts calls as they arrive, and says later whether there were too many."""

    def __init__(self, settings: Settings, calls: OpenCalls) -> None:
        """Count the day's calls in `calls`, the second's calls here."""
        self._settings = settings
        self._calls = calls
        self._second = 0
        self._in_second: Counter[tuple[str, str, str]] = Counter()
        self._rates: dict[tuple[str, str], int] = {}

    def arrive(self, access_id: str, interface: tuple[str, str], now_ms: int) -> None:
        """Count a call of a known key; the caller decides whether one without a signature counts."""
        self._calls.count(access_id, now_ms)
        if now_ms // 1000 != self._second:
            self._second = now_ms // 1000
            self._in_second.clear()
        self._in_second[(access_id, *interface)] += 1

    def check(self, access_id: str, interface: tuple[str, str], now_ms: int) -> None:
        """Refuse the call that has just arrived if it was one too many."""
        if self._in_second[(access_id, *interface)] > self._rate(interface):
            raise OpenRefused(Code(self._settings.open_rate_code))
        if self._calls.today(access_id, now_ms) > self._settings.open_calls_per_day:
            raise OpenRefused(Code(self._settings.open_day_code))

    def _rate(self, interface: tuple[str, str]) -> int:
        if interface not in self._rates:
            self._rates[interface] = rate_of(interface, self._settings)
        return self._rates[interface]


def interface_of(route: Route | None) -> tuple[str, str]:
    """Return the interface that calls of a route count for."""
    return (route.method, route.pattern) if route is not None else UNKNOWN


def rate_of(interface: tuple[str, str], settings: Settings) -> int:
    """Return how many calls of an interface a project may make in a second."""
    method, pattern = interface
    for methods, patterns, setting in _RATES:
        if methods.fullmatch(method) and patterns.fullmatch(pattern):
            rate: int = getattr(settings, setting)
            return min(rate, settings.open_calls_per_second)
    return settings.open_calls_per_second
