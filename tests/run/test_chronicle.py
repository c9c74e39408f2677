from collections.abc import Iterable
from random import Random

import msgspec
import pytest

from fleet.run.chronicle import SLOT_MS, SLOTS_MAX, Chronicle, OverTime, Slot
from fleet.run.histogram import Histogram
from fleet.run.messages import Heard, Seen
from fleet.run.retries import Retries
from fleet.run.tally import Tally
from fleet.run.watch import Watch

START_MS = 1_700_000_000_000


class Story:
    """Two devices, and what people have found out about them."""

    def __init__(self) -> None:
        self.watch = Watch(2)
        self.retries = Retries()
        self.tally = Tally()
        self.cpu_s = {"cloud": 0.0}
        self.chronicle = Chronicle(self.watch, self.retries, START_MS, lambda: dict(self.cpu_s))
        self.chronicle.follow(self.tally)

    def see(self, at_s: float, light: str, index: int = 0) -> None:
        self.watch.take_seen(Seen(index, at(at_s), "WAITING", "DOWN", light, "", ""))

    def end(self, at_s: float) -> OverTime:
        return self.chronicle.over_time(at(at_s))


def at(seconds: float) -> int:
    return START_MS + round(seconds * 1000)


def counts(slots: Iterable[Slot], method: str, phase: str) -> list[int]:
    return [slot.phases.get(method, {}).get(phase, Histogram()).count for slot in slots]


def test_what_people_found_out_is_looked_at_once_per_slot() -> None:
    story = Story()
    story.see(0.5, "waiting")
    story.tally.unbound[0] = "qr"
    story.see(1.2, "unbound")
    story.tally.unbound[1] = "wired"
    story.tally.refused["token_full"] += 2
    story.cpu_s["cloud"] = 1.5
    found = story.end(2.5)
    assert (found.start_ms, found.end_ms, found.slot_ms) == (START_MS, at(2.5), SLOT_MS)
    assert [slot.unbound for slot in found.slots] == [1, 2, 2]
    assert [slot.refused for slot in found.slots] == [{}, {"token_full": 2}, {"token_full": 2}]
    assert [slot.changes for slot in found.slots] == [2, 2, 2], "the change that was noticed counts"
    assert found.slots[-1].lights == {"unbound": 1, "off": 1}
    assert [slot.cpu_s["cloud"] for slot in found.slots] == [0.0, 1.5, 1.5]


def test_phases_belong_to_the_slot_in_which_they_end() -> None:
    story = Story()
    story.chronicle.took("qr", "boot", 100)
    story.see(1.1, "waiting")
    story.chronicle.took("qr", "boot", 300)
    story.chronicle.took("wired", "unbind", 5)
    found = story.end(1.9)
    assert counts(found.slots, "qr", "boot") == [1, 1]
    assert counts(found.slots, "wired", "unbind") == [0, 1]
    assert found.slots[1].phases["qr"]["boot"].max_ms == 300
    assert found.by_method()["qr"]["boot"].count == 2


def test_shards_tell_their_phases_and_lag_together() -> None:
    story, boots, lag = Story(), Histogram(), Histogram()
    boots.record(100)
    boots.record(200)
    lag.record(7)
    story.chronicle.measured(at(3.5), {"qr": {"boot": boots}}, lag)
    story.chronicle.measured(at(3.6), {"qr": {"boot": boots}}, lag)
    found = story.end(3.7)
    assert counts(found.slots, "qr", "boot") == [0, 0, 0, 4]
    assert [slot.loop_lag.count for slot in found.slots] == [0, 0, 0, 2]
    assert boots.count == 2, "what a shard sent is not changed"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lasts_s", [20, 3_000, 2_600_000])
def test_slots_are_bounded_and_their_sums_exact(lasts_s: int, seed: int) -> None:
    rng, story = Random(seed), Story()
    whole = Histogram()
    for number, moment in enumerate(sorted(rng.uniform(0, lasts_s) for _ in range(2_000))):
        story.see(moment, rng.choice(["waiting", "online", "unbound"]))
        if rng.random() < 0.5:
            value_ms = rng.randint(1, 5_000)
            story.chronicle.took("qr", "unbind", value_ms)
            whole.record(value_ms)
            story.tally.unbound[number] = "qr"
            story.tally.refused[rng.choice("abc")] += 1
            story.retries.take(Heard(0, at(moment), "mqtt_lost", "x"))
    found = story.end(lasts_s)
    assert len(found.slots) <= SLOTS_MAX
    assert len(found.slots) > min(lasts_s, SLOTS_MAX // 2) - 1
    assert (
        len(found.slots) * found.slot_ms
        >= 1000 * lasts_s
        > (len(found.slots) - 1) * found.slot_ms - 1
    )
    assert found.by_method()["qr"]["unbind"] == whole
    last = found.slots[-1]
    assert last.unbound == len(story.tally.unbound)
    assert last.refused == story.tally.refused
    assert last.attempts == {"mqtt_lost": whole.count}
    assert last.changes == 2_000
    for before, after in zip(found.slots, found.slots[1:], strict=False):
        assert before.unbound <= after.unbound
        assert before.changes <= after.changes


def test_a_gap_of_years_ends() -> None:
    story = Story()
    story.tally.unbound[0] = "qr"
    story.see(10 * 365 * 86_400, "waiting")
    found = story.end(10 * 365 * 86_400)
    assert len(found.slots) <= SLOTS_MAX
    assert {slot.unbound for slot in found.slots} == {1}


def test_what_comes_late_counts_now() -> None:
    story = Story()
    story.see(5.5, "waiting")
    story.see(2.0, "online", index=1)
    assert story.end(6.0).slots[-1].changes == 2


def test_refusals_of_the_history_count_at_their_time() -> None:
    story = Story()
    story.tally.refused["read_by_people"] = 1
    story.see(3.5, "waiting")
    rows = [(at(-5), "a"), (at(0.5), "a"), (at(1.5), "b"), (at(99), "a")]
    story.chronicle.refusals(iter(rows))
    found = story.end(3.9)
    assert [slot.refused for slot in found.slots] == [
        {"a": 2},
        {"a": 2, "b": 1},
        {"a": 2, "b": 1},
        {"a": 3, "b": 1},
    ]


def test_merging_keeps_what_is_as_of_the_end() -> None:
    first, second = Slot(unbound=1, lights={"off": 2}), Slot(unbound=3, lights={"online": 2})
    first.took("qr", "boot").record(5)
    second.took("qr", "boot").record(9)
    second.took("wired", "boot").record(1)
    both = first.merge(second)
    assert (both.unbound, both.lights) == (3, {"online": 2})
    assert (both.phases["qr"]["boot"].count, both.phases["qr"]["boot"].max_ms) == (2, 9)
    assert msgspec.json.decode(msgspec.json.encode(both), type=Slot) == both


def test_what_devices_do_while_everything_ends_is_not_of_the_run() -> None:
    story = Story()
    story.see(0.5, "online")
    story.see(1.5, "unbound", 1)
    story.chronicle.rest(at(2.2))
    story.see(2.4, "reconnecting")  # the cloud has ended before the devices
    story.chronicle.measured(at(3.1), {"qr": {"unbind": Histogram({1: 1}, 1, 5.0)}}, Histogram())
    found = story.end(3.5)
    assert found.slots[-1].lights == {"online": 1, "unbound": 1}
    assert [slot.changes for slot in found.slots] == [2, 2, 2, 2], "as they were then"
    assert counts(found.slots, "qr", "unbind") == [0, 0, 0, 1], "shards tell the rest at the end"
