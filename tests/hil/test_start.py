"""Where tests begin, from wherever the test before has left the device."""

from collections.abc import Callable
from typing import get_args

import pytest

from firmware_sim.bench.capabilities import Bench, Missing
from firmware_sim.bench.reader.waiting import LightNotSeen
from firmware_sim.errors import UsageError
from fleet.hil.device_model import Model
from fleet.hil.start import Start, bring, hand_over, rest, shown_first
from fleet.hil.virtual import open_bench

STARTS = [start for start in get_args(Start) if start != "off"]
ENDS = {
    "owned": ("online", "reconnecting"),
    "returned": ("waiting",),
    "unbound": ("unbound", "waiting"),
}
MODELS = ("ipc-red-green", "nvr")


@pytest.mark.parametrize("profile", MODELS)
@pytest.mark.parametrize("before", STARTS)
@pytest.mark.parametrize("start", STARTS)
def test_from_any_start_to_any_other(profile: str, before: str, start: str) -> None:
    model = Model(profile)
    with open_bench(profile) as bench:
        bring(bench, model, before)
        bring(bench, model, start)
        assert shown_first(bench, model, *ENDS[start]) in ENDS[start]


@pytest.mark.parametrize("profile", ["ipc-one-light", "ipc-blue-red"])
def test_lights_that_look_alike(profile: str) -> None:
    model = Model(profile)
    with open_bench(profile) as bench:
        bring(bench, model, "unbound")
        bring(bench, model, "returned")
        hand_over(bench, model)
        assert shown_first(bench, model, "unbound", "activation_failed") == "unbound"


@pytest.mark.parametrize("profile", ["ipc-red-green", "nvr"])
def test_what_was_reset_while_it_was_nobodys_is_found_out(profile: str) -> None:
    model = Model(profile)
    with open_bench(profile) as bench:
        bring(bench, model, "unbound")
        bench.button.press_for(model.hold_s)
        shown_first(bench, model, "waiting")
        bring(bench, model, "owned")
        assert shown_first(bench, model, "online") == "online"


def test_hands_are_off_at_the_start() -> None:
    model = Model("ipc-red-green")
    with open_bench(model.profile) as bench:
        bench.power.on()
        bench.button.press()
        bench.camera.show("anything")
        bench.link.down()
        bring(bench, model, "off")
        assert not bench.power.get()
        bench.power.on()
        shown_first(bench, model, "reconnecting")  # and it was not reset by a finger


def test_parts_that_are_missing_are_let_be() -> None:
    class Bare:
        """A bench with a switch only."""

        def __init__(self) -> None:
            self.power = self
            self.done: list[str] = []

        def off(self) -> None:
            self.done.append("off")

        def __getattr__(self, part: str) -> None:
            raise Missing(part)

    bare = Bare()
    as_bench: Callable[[object], Bench] = lambda it: it  # type: ignore[assignment,return-value] # noqa: E731
    rest(as_bench(bare))
    assert bare.done == ["off"]


def test_there_is_no_other_start() -> None:
    with open_bench("nvr") as bench, pytest.raises(UsageError, match="no start 'broken'; there"):
        bring(bench, Model("nvr"), "broken")


def test_a_light_that_does_not_come_leaves_its_trace() -> None:
    model = Model("nvr")
    with open_bench("nvr") as bench:
        bench.power.on()
        with pytest.raises(LightNotSeen, match="none of waiting, unbound within 8 s: it was blue"):
            shown_first(bench, model, "waiting", "unbound", timeout_s=8)


def test_a_device_that_has_not_heard_of_its_release_can_be_had() -> None:
    """The power fails after the cloud's commit: it waits, and there is nothing left to unbind."""
    model = Model("nvr")
    with open_bench("nvr") as bench:
        bring(bench, model, "returned")
        bench.phone.unbind_by_wire()
        bench.clock.sleep(0.1)
        bench.power.cycle(1)
        assert shown_first(bench, model, "waiting", "unbound") == "waiting"
        hand_over(bench, model)
        assert shown_first(bench, model, "unbound", "activation_failed") == "activation_failed"
        shown_first(bench, model, "waiting")
        hand_over(bench, model, "pair")
        assert shown_first(bench, model, "online") == "online"
