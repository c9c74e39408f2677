"""From lights to states: what an operator concludes from a light, and from the one before it.

Models show the same pattern in several states. Which of them it is follows from where the device
was: the table says what may come after what. Some states are over before any eye has caught them;
where a light can only have come by way of another one, that is taken as seen.
"""

from collections.abc import Iterable, Iterator, Mapping

from firmware_sim.bench.capabilities import Light, Reading
from firmware_sim.bench.lights import light_of
from firmware_sim.bench.reader.waiting import matches
from firmware_sim.device.indicator import OUTPUTS, Shown
from firmware_sim.device.profile import Profile
from firmware_sim.device.states import Outcome, Session

_PAIRED = ("joining", "registering", "join_failed", "activation_failed", "online")
_RESET = ("resetting", "booting", "unbound", "waiting")
_RELEASE = ("joining", "registering")
_STARTS = ("resetting", "booting")
NEXT: Mapping[str, tuple[str, ...]] = {
    "off": ("booting", "reconnecting", "waiting", "online", "resetting"),
    "booting": ("unbound", "waiting", "reconnecting", "online", "resetting"),
    "waiting": (*_PAIRED, "resetting", "booting", "unbound", "reconnecting"),
    "unbound": (*_PAIRED, "resetting", "booting", "waiting", "reconnecting"),
    "joining": (*_PAIRED[1:], *_RESET, "reconnecting"),
    "registering": ("online", "activation_failed", "join_failed", *_RESET, "reconnecting"),
    "online": ("reconnecting", *_RESET, "ota"),
    "reconnecting": ("online", *_RESET, "ota"),
    "ota": ("booting", "online", "reconnecting"),
    "resetting": ("booting", "unbound", "waiting", "reconnecting", "online"),
    "join_failed": ("waiting", "booting", "resetting"),
    "activation_failed": ("waiting", "booting", "resetting"),
}
"""Which lights come after a light, the most likely first; darkness may come after each."""

BETWEEN: Mapping[tuple[str, str], tuple[str, ...]] = {
    **{
        (ready, then): ("joining",)
        for ready in ("waiting", "unbound")
        for then in ("online", "join_failed", "activation_failed", "reconnecting")
    },
    ("waiting", "unbound"): _RELEASE,
}
"""What lay between two lights, where no eye has caught it."""


START_FACTOR, START_SLACK_S = 1.5, 3.0
"""How much longer a start may take than that of the model does before it is one no longer."""


class Guess:
    """What is concluded of one device. `light` is the name of the pattern that it shows."""

    def __init__(self, profile: Profile) -> None:
        """Begin in the dark."""
        self._lights: dict[str, Light] = {
            name: light_of(pattern) for name, pattern in profile.indicator.items()
        }
        self.light = "off"
        self._read_s: float | None = None  # when it was first read since it is this light
        self._left = False  # since then
        self._waited = False  # before what was only a reset and a start
        self._start_s = START_SLACK_S + START_FACTOR * profile.timings.boot_ms / 1000

    def read(self, reading: Reading, now_s: float) -> Iterator[str]:
        """Yield the lights that the device has shown since the last reading, in order; none if the same.

        A reading that is no light of this model, or of none that could come now, says nothing.
        """
        same = matches(reading, self._lights[self.light])
        if same and self._read_s is None:
            self._read_s = now_s
        over = same and self._has_started(now_s)
        if same and not over:
            return
        for name in NEXT[self.light]:
            if matches(reading, self._lights[name]) and not (over and name in _STARTS):
                yield from self.turn(name)
                self._read_s = now_s
                return

    def left(self) -> bool:
        """Take it that the light does no longer what it did; say whether the device has waited."""
        self._left = self._read_s is not None
        return self.light in ("waiting", "unbound")

    def _has_started(self, now_s: float) -> bool:
        """Say whether the light of a start means something else by now.

        No start is interrupted by another, and none lasts for ever.
        """
        if self.light not in _STARTS or self._read_s is None:
            return False
        return self._left or now_s - self._read_s > self._start_s

    def turn(self, light: str) -> Iterator[str]:
        """Yield a light that is known to be shown now, after what must have lain between."""
        between = BETWEEN.get((self.light, light), ())
        if light == "unbound" and self.light in _STARTS and self._waited:
            between = _RELEASE
        self._waited = light in ("waiting", "unbound") or (self._waited and light in _STARTS)
        self.light = light
        self._read_s, self._left = None, False
        yield from between
        yield light

    def lasts_s(self) -> float:
        """Return how long the slowest light of the model takes for two periods."""
        periods = (1 / light.hz for light in self._lights.values() if light.hz)
        return 2 * max(periods, default=0.5)


def line_of(light: str) -> Shown:
    """Return the line of the output table that a light stands for."""
    return _first(line for line in OUTPUTS if line.light == light and _is_plain(line))


def session_of(light: str) -> Session:
    """Return the session that goes with a light."""
    return Session.UP if light == "online" else Session.DOWN


def outcome_of(light: str) -> Outcome:
    """Return what the firmware has been through, as far as its light tells."""
    return line_of(light).outcome or (
        Outcome.ACTIVATION_FAILED if light == "activation_failed" else Outcome.NONE
    )


def _is_plain(line: Shown) -> bool:
    """Say whether a line is not one of a release, which looks like the one without."""
    return line.outcome is not Outcome.UNBOUND or line.light == "unbound"


def _first(lines: Iterable[Shown]) -> Shown:
    return next(iter(lines))
