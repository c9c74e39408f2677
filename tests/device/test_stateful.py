"""The device's tables as a state machine of hypothesis: it chooses, and shrinks what it has found.

The walks of `test_walk` go far with seeds; here each choice is a rule, so a failure comes back as
the shortest story that leads to it.
"""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firmware_sim import events as ev
from firmware_sim.device.lifecycle import LIFECYCLE
from firmware_sim.device.session import SESSION
from firmware_sim.device.states import Lifecycle, Session
from tests.device.stage import BOUND
from tests.device.walker import RUDE, Walker

PROFILES = ("ipc-red-green", "ipc-retry", "gateway", "ipc-old", "ipc-new", "nvr-label")
PEACE_STEPS = 80
CHANCE = st.integers(0, 2**32 - 1)


class Life(RuleBasedStateMachine):
    """One device; what a rule leaves open (which code, which reply) is a number of hypothesis'."""

    @initialize(profile=st.sampled_from(PROFILES), seed=st.integers(0, 59), bound=st.booleans())
    def unpack(self, profile: str, seed: int, bound: bool) -> None:
        self.walker = Walker(profile, seed, BOUND.image() if bound else b"")

    @rule(times=st.integers(1, 8), chance=CHANCE)
    def answer_what_it_waits_for(self, times: int, chance: int) -> None:
        self.walker.rng.state = chance
        for _ in range(times):
            self.walker.polite()

    @rule(what=st.sampled_from(RUDE), chance=CHANCE)
    def let_anything_happen(self, what: Callable[[Walker], object], chance: int) -> None:
        self.walker.rng.state = chance
        what(self.walker)

    @rule()
    def hold_the_button(self) -> None:
        walker = self.walker
        walker.tell(ev.ButtonPressed())
        walker.now_ms += walker.device.profile.timings.reset_hold_ms
        walker.tell(ev.DeadlineReached())
        walker.tell(ev.ButtonReleased())

    @invariant()
    def each_table_has_a_row_for_everything(self) -> None:
        if hasattr(self, "walker"):
            device = self.walker.device
            for machine, state in ((LIFECYCLE, device.lifecycle), (SESSION, device.session)):
                assert all((state, event) in machine._table for event in machine.events)

    def teardown(self) -> None:
        """When it is left in peace it comes to rest."""
        if not hasattr(self, "walker"):
            return
        walker = self.walker
        walker.moody = False
        walker.tell(ev.ButtonReleased())
        for _ in range(PEACE_STEPS):
            if walker.device.lifecycle is Lifecycle.WAITING or walker.device.session is Session.UP:
                return
            walker.polite()
        raise AssertionError(f"no rest: {walker.told[-PEACE_STEPS:]}")


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
