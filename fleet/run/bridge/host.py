"""A bench in the place of a shard: takes the same orders for its one device, and tells the same.

A real device tells nobody what it has in flash. Its states are concluded from its light, and what a
shard would read from its chip is what these states imply; nothing is invented beyond that. How long
its phases take is not measured: a light that blinks slowly is known after seconds only, and would
spoil what is measured of the others.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import msgspec

from firmware_sim.device.profile import Profile
from firmware_sim.errors import SimulatorError, UsageError
from firmware_sim.wire.provisioning import decode_qr, encode_qr
from fleet.run import messages as msg
from fleet.run.bridge.eyes import Sight
from fleet.run.bridge.lights import Guess, line_of, outcome_of, session_of
from fleet.run.bridge.member import Member
from fleet.run.bridge.opening import opener
from fleet.run.bridge.stand import Open, Stand
from fleet.run.population import Network, Population
from fleet.run.shard_host import Hand

_KEPT = frozenset({"online", "reconnecting", "ota"})


class BridgeHost:
    """One device on a bench. `on_report` gets what it shows, `on_fail` why there is no more of it.

    `wifi` is the network at the bench: it stands for every one that a code of the run names.
    """

    def __init__(
        self,
        index: int,
        profile: Profile,
        open_bench: Open,
        on_report: Callable[[msg.Report], None],
        on_fail: Callable[[SimulatorError], None],
        *,
        wifi: Network | None,
        site: str,
    ) -> None:
        """Prepare; nothing is touched before `start`."""
        self.index = index
        self._loop = asyncio.get_running_loop()
        self._on_report = on_report
        self._on_fail = on_fail
        self._wifi = wifi
        self._blind = profile.wired
        self._hand = Hand(site)
        self._guess = Guess(profile)
        self._stand = Stand(
            open_bench,
            self._guess.lasts_s(),
            lambda sight: self._later(self._see, sight),
            lambda error: self._later(self._fail, error),
        )
        self._finger = False
        self._over = False

    # --- life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to look, and to do what is ordered."""
        self._stand.start()

    async def stop(self) -> None:
        """Cut the power and let go of the bench."""
        self._over = True
        await asyncio.to_thread(self._stand.end)

    def hand(self, index: int) -> Hand:  # noqa: ARG002 - there is one
        """Return what people have done to the device."""
        return self._hand

    # --- orders, as a shard takes them ----------------------------------------------------------

    def power(self, indices: Iterable[int], *, on: bool) -> None:  # noqa: ARG002
        """Apply or cut the supply voltage. The dark needs no eyes, nor does the beginning of a start."""
        if self._hand.powered == on:
            return
        self._hand.powered = on
        self._stand.power(lambda: self._later(self._switched, on), on=on)

    def hold(self, indices: Iterable[int], hold_ms: int) -> None:  # noqa: ARG002
        """Press the button for `hold_ms`; the eyes stay open meanwhile."""
        self._finger = True
        self._stand.order(
            lambda bench: bench.button.press(),
            lambda: self._later(self._loop.call_later, hold_ms / 1000, self._release),
        )

    def show(self, indices: Iterable[int], payload: bytes | None) -> None:  # noqa: ARG002
        """Bring a code into view, with the bench's Wi-Fi in it, or take it away."""
        if self._blind:
            return
        self._hand.payload = payload
        if payload is None:
            self._stand.order(lambda bench: bench.camera.hide())
        else:
            text = self._at_the_bench(payload)
            self._stand.order(lambda bench: bench.camera.show(text))

    def move(self, indices: Iterable[int], site: str) -> None:  # noqa: ARG002
        """Note where the scenario takes it: a bench stays where it is."""
        self._hand.site = site

    def plug(self, indices: Iterable[int], *, connected: bool) -> None:  # noqa: ARG002
        """Put its link up or down."""
        self._hand.plugged = connected
        self._stand.order(lambda bench: bench.link.up() if connected else bench.link.down())

    def intend(self, indices: Iterable[int], purpose: str) -> None:  # noqa: ARG002
        """Say what the next pairing is for."""
        self._hand.purpose = purpose

    def remove(self, indices: Iterable[int]) -> None:
        """Switch it off for good."""
        self.power(indices, on=False)

    def chip(self) -> msg.Chip:
        """Return what its light implies. Its flash is its own; no device id is claimed for it."""
        light = self._guess.light
        line = line_of(light)
        return msg.Chip(
            index=self.index,
            lifecycle=line.lifecycle.name,
            session=session_of(light).name,
            outcome=outcome_of(light).name,
            light=light,
            operator=line.operator,
            dev_id="",
            activated=light in _KEPT,
        )

    # --- what is seen ---------------------------------------------------------------------------

    def _switched(self, on: bool) -> None:  # noqa: FBT001 - it comes from the thread
        self._shown(self._guess.turn("booting" if on else "off"), "bench")

    def _see(self, sight: Sight) -> None:
        if self._guess.light == "off":
            return
        if sight is not None:
            self._shown(self._guess.read(sight, self._loop.time()), "light")
        elif self._guess.left() and self._hand.payload is not None and not self._finger:
            # Who was waiting and had a code in view has read it. What it shows then may be over
            # before it is known, and a code that stays in view is read again.
            self._shown(self._guess.turn("joining"), "light")

    def _shown(self, lights: Iterable[str], cause: str) -> None:
        seen = tuple(self._seen(light, cause) for light in lights)
        if seen:
            self._on_report(msg.Observed(seen, ()))

    def _seen(self, light: str, cause: str) -> msg.Seen:
        line = line_of(light)
        return msg.Seen(
            self.index,
            _now_ms(),
            line.lifecycle.name,
            session_of(light).name,
            light,
            line.operator,
            cause,
        )

    # --- details --------------------------------------------------------------------------------

    def _at_the_bench(self, payload: bytes) -> str:
        if self._wifi is None:
            return payload.decode()
        code = msgspec.structs.replace(
            decode_qr(payload), ssid=self._wifi.ssid, password=self._wifi.password
        )
        return encode_qr(code).decode()

    def _release(self) -> None:
        self._stand.order(lambda bench: bench.button.release(), lambda: self._later(self._let_go))

    def _let_go(self) -> None:
        self._finger = False

    def _later(self, call: Callable[..., object], *args: object) -> None:
        if not self._over and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(partial(call, *args))

    def _fail(self, error: SimulatorError) -> None:
        if not self._over:
            self._over = True
            self._on_fail(UsageError(f"the bench: {error}"))


def hosts_of(
    population: Population,
    members: Iterable[Member],
    site: str,
    on_report: Callable[[msg.Report], None],
    on_fail: Callable[[SimulatorError], None],
) -> dict[int, BridgeHost]:
    """Return a host for each device of a population that is on a bench, by index; none is started."""
    by_uuid: Mapping[str, Member] = {member.uuid: member for member in members}
    return {
        unit.index: BridgeHost(
            unit.index,
            population.profile(unit),
            opener(by_uuid[unit.uuid]),
            on_report,
            on_fail,
            wifi=by_uuid[unit.uuid].wifi,
            site=site,
        )
        for unit in population.units
        if unit.foreign
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
