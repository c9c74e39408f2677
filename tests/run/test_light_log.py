from fleet.run.light_log import CHANGES_MAX, FAILED, SLOW, TRACKED_MAX, TYPICAL, LightLog, Track
from fleet.run.messages import Seen
from tests.run.fakes import small

POPULATION = small(12)
GOOD = ("booting", "waiting", "joining", "registering", "resetting", "unbound")


def show(log: LightLog, index: int, *lights: str, step_ms: int = 100) -> None:
    for number, light in enumerate(lights):
        log.take(Seen(index, 1_000 + number * step_ms, "", "", light, "", ""))


def by_index(tracks: tuple[Track, ...]) -> dict[int, Track]:
    return {track.unit.index: track for track in tracks}


def test_a_dozen_devices_are_chosen_the_worst_first() -> None:
    population = small(30)
    log = LightLog(30)
    for index in range(30):
        show(log, index, *GOOD, step_ms=100 + index)
    show(log, 7, "join_failed")
    tracks = log.chosen(population, done=(index for index in range(30) if index != 20))
    assert [(track.why, track.unit.index) for track in tracks[:2]] == [(FAILED, 7), (FAILED, 20)]
    assert [track.unit.index for track in tracks if track.why == SLOW] == [29, 28, 27, 26]
    typical = [track.unit.index for track in tracks if track.why == TYPICAL]
    assert len(tracks) == 12
    assert typical == sorted(typical)
    assert all(8 <= index <= 18 for index in typical), "those in the middle"


def test_changes_come_back_as_they_were() -> None:
    log = LightLog(12)
    show(log, 3, *GOOD)
    [track] = log.chosen(POPULATION, done=[3])
    assert track.changes == tuple((1_000 + 100 * n, light) for n, light in enumerate(GOOD))
    assert (track.took_ms, track.cut, track.unit.index) == (300, False, 3)


def test_who_was_never_unbound_took_no_time() -> None:
    log = LightLog(12)
    show(log, 0, *GOOD[:-1])
    [track] = log.chosen(POPULATION, done=[])
    assert (track.took_ms, track.why) == (None, FAILED)


def test_where_nothing_is_unbound_it_counts_who_was_away() -> None:
    population = small(12, unbind=False, rebind_every=0, operators=())
    log = LightLog(12)
    show(log, 0, "booting", "online", "reconnecting", "booting", "online")
    show(log, 1, "booting", "online", "reconnecting")
    show(log, 2, "booting", "reconnecting", "online")
    tracks = by_index(log.chosen(population, done=[0, 2]))
    assert [tracks[index].took_ms for index in (0, 1, 2)] == [200, None, 0]
    assert (tracks[0].why, tracks[1].why) == (SLOW, FAILED)


def test_a_large_fleet_is_followed_in_part() -> None:
    log = LightLog(10 * TRACKED_MAX)
    for index in range(10 * TRACKED_MAX):
        show(log, index, "waiting")
    assert (log.every, log.tracked) == (10, TRACKED_MAX)
    assert LightLog(TRACKED_MAX).every == 1
    assert LightLog(TRACKED_MAX + 1).every == 2


def test_a_light_that_never_rests_loses_the_middle() -> None:
    log = LightLog(12)
    show(log, 0, *("waiting", "joining") * CHANGES_MAX, step_ms=10)
    [track] = log.chosen(POPULATION, done=[0])
    assert (len(track.changes), track.cut) == (CHANGES_MAX, True)
    assert track.changes[0][0] == 1_000
    assert track.changes[-1][0] == 1_000 + 10 * (2 * CHANGES_MAX - 1)


def test_devices_that_come_later_are_bounded_as_well() -> None:
    log = LightLog(12)
    for index in range(3 * TRACKED_MAX):
        show(log, index, "waiting")
    assert log.tracked == TRACKED_MAX
    assert {track.unit.index for track in log.chosen(POPULATION, done=range(12))} == set(range(12))
