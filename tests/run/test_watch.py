import asyncio

from fleet.run.messages import Heard, Seen
from fleet.run.watch import NOTES_PER_DEVICE_MAX, REMOVED, Watch


def seen(index: int, lifecycle: str, light: str = "waiting") -> Seen:
    return Seen(index, 0, lifecycle, "DOWN", light, "", "")


def waiting(state: Seen) -> bool:
    return state.lifecycle == "WAITING"


def test_counts_follow_the_devices() -> None:
    watch = Watch(3)
    watch.take_seen(seen(0, "WAITING"))
    watch.take_seen(seen(1, "WAITING"))
    watch.take_seen(seen(1, "WAITING"))
    watch.gone([0], 5)
    assert +watch.lifecycles == {"OFF": 2, "WAITING": 1}
    assert +watch.lights == {"off": 2, "waiting": 1}
    assert watch.changes == 4
    assert watch.last[0].cause == "ShardDied"


def test_devices_come_and_go_for_good() -> None:
    watch = Watch(1)
    watch.grow(3)
    assert [one.index for one in watch.last] == [0, 1, 2]
    watch.take_seen(seen(2, "WAITING"))
    with watch.look_at([1]):
        watch.gone([2], 5, REMOVED)
    watch.take_seen(seen(2, "ONLINE", "online"))  # what was on its way
    assert +watch.lifecycles == {"OFF": 3}
    assert (watch.last[2].cause, watch.last[2].light) == (REMOVED, "off")


def test_somebody_may_be_told_of_each_change() -> None:
    changes: list[tuple[str, str]] = []
    watch = Watch(1, lambda before, after: changes.append((before.lifecycle, after.lifecycle)))
    for lifecycle in ("BOOTING", "WAITING", "WAITING"):
        watch.take_seen(seen(0, lifecycle))
    assert changes == [("OFF", "BOOTING"), ("BOOTING", "WAITING"), ("WAITING", "WAITING")]


def test_a_gaze_misses_nothing_and_sees_only_its_devices() -> None:
    async def story() -> list[str]:
        watch = Watch(2)
        with watch.look_at([1]) as gaze:
            for state in (seen(0, "BOOTING"), seen(1, "BOOTING"), seen(1, "WAITING")):
                watch.take_seen(state)
            first, second = await gaze.next(), await gaze.next()
            asyncio.get_running_loop().call_soon(watch.take_seen, seen(1, "JOINING"))
            third = await gaze.next()
        watch.take_seen(seen(1, "FAILED"))
        return [first.lifecycle, second.lifecycle, third.lifecycle]

    assert asyncio.run(story()) == ["BOOTING", "WAITING", "JOINING"]


def test_until_all_knows_who_was_late() -> None:
    async def story() -> tuple[list[int], list[int]]:
        watch = Watch(3)
        watch.take_seen(seen(0, "WAITING"))
        asyncio.get_running_loop().call_soon(watch.take_seen, seen(1, "WAITING"))
        there = await watch.until_all([0, 1], waiting, 5)
        return there, await watch.until_all([0, 1, 2], waiting, 0.01)

    assert asyncio.run(story()) == ([], [2])


def test_until_all_counts_a_device_that_was_there_and_went_on() -> None:
    async def story() -> list[int]:
        watch = Watch(1)
        loop = asyncio.get_running_loop()
        loop.call_soon(watch.take_seen, seen(0, "WAITING"))
        loop.call_soon(watch.take_seen, seen(0, "JOINING"))
        return await watch.until_all([0], waiting, 5)

    assert asyncio.run(story()) == []


def test_notes_are_bounded() -> None:
    watch = Watch(1)
    for number in range(NOTES_PER_DEVICE_MAX + 5):
        watch.take_heard(Heard(0, number, "activation_refused", "TOKEN_DEAD"))
    assert len(watch.heard[0]) == NOTES_PER_DEVICE_MAX
    assert watch.heard[0][0].at_ms == 5


def test_more_may_listen_later() -> None:
    told: list[str] = []
    watch = Watch(1, lambda _, after: told.append(f"first {after.lifecycle}"))
    watch.take_seen(seen(0, "BOOTING"))
    watch.listen(lambda before, _: told.append(f"second {before.lifecycle}"))
    watch.take_seen(seen(0, "WAITING"))
    assert told == ["first BOOTING", "first WAITING", "second BOOTING"]


def test_a_device_is_in_the_batch_that_began_last() -> None:
    watch = Watch(3)
    watch.begin_batch("first", [0, 1])
    watch.begin_batch("second", [1, 2])
    assert watch.batches == {0: "first", 1: "second", 2: "second"}


def test_only_what_somebody_will_ask_for_is_kept() -> None:
    watch = Watch(1)
    watch.take_heard(Heard(0, 1, "mqtt_lost", "closed"))
    watch.take_heard(Heard(0, 2, "join_refused", "wrong_password"))
    assert [note.at_ms for note in watch.heard[0]] == [2]


def test_whoever_is_called_off_waits_for_nothing() -> None:
    async def story() -> list[str]:
        watch = Watch(1)
        waiter = asyncio.create_task(watch.until_all([0], waiting, 5))
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.wait([waiter])
        watch.take_seen(seen(0, "WAITING"))  # nobody is there to be told
        return [watch.last[0].lifecycle, str(waiter.cancelled())]

    assert asyncio.run(story()) == ["WAITING", "True"]


def test_notes_are_told_to_who_listens_also_those_that_are_not_kept() -> None:
    watch = Watch(1)
    told: list[Heard] = []
    watch.listen_to_notes(told.append)
    note = Heard(0, 1, "bad_qr", "")
    watch.take_heard(note)
    assert (told, watch.heard[0]) == ([note], [])
