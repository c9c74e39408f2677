from fleet.run.messages import Seen
from fleet.run.recovery import Outage, Recovery

T0_MS = 1_000_000


class Fleet:
    """Devices that come and go by word of mouth."""

    def __init__(self, count: int) -> None:
        self.cpu_s = 10.0
        self.recovery = Recovery(count, T0_MS, lambda: self.cpu_s)
        self.last = [Seen(i, 0, "ONLINE", "DOWN", "off", "", "") for i in range(count)]
        for index in range(count):
            self.up(index, 0)

    def enter(self, index: int, at_s: float, session: str, light: str) -> None:
        before = self.last[index]
        at_ms = T0_MS + round(1000 * at_s)
        self.last[index] = Seen(index, at_ms, "ONLINE", session, light, "", "")
        self.recovery.saw(before, self.last[index])

    def up(self, index: int, at_s: float) -> None:
        self.enter(index, at_s, "UP", "online")

    def down(self, index: int, at_s: float) -> None:
        self.enter(index, at_s, "BACKOFF", "reconnecting")

    def tries(self, index: int, at_s: float) -> None:
        self.enter(index, at_s, "CONNECTING", "reconnecting")

    def outage(self) -> Outage:
        self.recovery.close()
        return self.recovery.outages[-1]


def away(fleet: Fleet, devices: range) -> None:
    fleet.recovery.begin(T0_MS + 5000)
    for index in devices:
        fleet.down(index, 5.1)
    fleet.recovery.returned(T0_MS + 65_000)


def test_how_long_it_took_until_so_many_were_back() -> None:
    fleet = Fleet(20)
    away(fleet, range(20))
    for index in range(20):
        fleet.tries(index, 65 + index)
        fleet.cpu_s += 0.1
        fleet.up(index, 65.5 + index)
    fleet.cpu_s += 50  # of later
    outage = fleet.outage()
    assert (outage.at_s, outage.down_s, outage.devices) == (5.0, 60.0, 20)
    assert outage.recovered_s == {50: 9.5, 95: 18.5, 100: 19.5}
    assert (outage.attempts_while_down, outage.attempts_after) == (0, 20)
    assert (outage.attempts_after_max, outage.lost_again) == (1, 0)
    assert round(outage.cloud_cpu_s, 3) == 2.0


def test_a_second_outage_makes_the_recovery_long() -> None:
    fleet = Fleet(2)
    away(fleet, range(2))
    for index, at_s in ((0, 66), (1, 67)):
        fleet.up(index, at_s)
    fleet.down(0, 70)
    fleet.tries(0, 71)
    fleet.up(0, 75)
    outage = fleet.outage()
    assert outage.recovered_s == {50: 1.0, 95: 10.0, 100: 10.0}
    assert outage.lost_again == 1


def test_who_never_comes_back_is_told() -> None:
    fleet = Fleet(4)
    away(fleet, range(4))
    fleet.cpu_s += 1
    for index in range(3):
        fleet.tries(0, 65.5)
        fleet.down(0, 65.6)
        fleet.up(index, 66)
    outage = fleet.outage()
    assert outage.recovered_s == {50: 1.0}
    assert outage.attempts_after_max == 3
    assert outage.cloud_cpu_s == 1.0


def test_attempts_into_the_void_are_counted_apart() -> None:
    fleet = Fleet(2)
    fleet.recovery.begin(T0_MS)
    for _ in range(3):
        fleet.down(0, 1)
        fleet.tries(0, 2)
        fleet.tries(0, 2)
    fleet.recovery.returned(T0_MS + 10_000)
    fleet.up(0, 11)
    outage = fleet.outage()
    assert (outage.attempts_while_down, outage.attempts_after) == (3, 0)


def test_shards_report_in_turn_and_are_put_in_order() -> None:
    fleet = Fleet(2)
    fleet.recovery.begin(T0_MS + 5000)
    fleet.recovery.returned(T0_MS + 6000)
    fleet.up(1, 5.2)
    for index in (1, 0):
        fleet.down(index, 5.1)
    fleet.up(0, 9)
    fleet.up(1, 7)
    assert fleet.outage().recovered_s == {50: 1.0, 95: 3.0, 100: 3.0}


def test_an_outage_that_nobody_noticed() -> None:
    fleet = Fleet(1)
    away(fleet, range(0))
    fleet.cpu_s += 5
    outage = fleet.outage()
    assert outage.recovered_s == {50: 0.0, 95: 0.0, 100: 0.0}
    assert outage.cloud_cpu_s == 0


def test_only_who_was_there_is_expected_back() -> None:
    fleet = Fleet(3)
    fleet.down(2, 1)
    away(fleet, range(2))
    fleet.tries(2, 65.5)
    fleet.up(2, 66)
    fleet.up(0, 67)
    fleet.up(1, 68)
    outage = fleet.outage()
    assert (outage.devices, outage.recovered_s[100], outage.attempts_after) == (2, 3.0, 0)


def test_one_outage_after_the_other() -> None:
    fleet = Fleet(1)
    fleet.recovery.close()
    assert not fleet.recovery.outages
    away(fleet, range(1))
    fleet.up(0, 66)
    fleet.recovery.begin(T0_MS + 100_000)
    fleet.down(0, 101)
    fleet.recovery.returned(T0_MS + 110_000)
    second = fleet.outage()
    assert [outage.recovered_s.get(100) for outage in fleet.recovery.outages] == [1.0, None]
    assert (second.at_s, second.down_s, second.recovered_s) == (100.0, 10.0, {})


def test_who_had_not_come_back_is_expected_back_after_the_next_outage() -> None:
    fleet = Fleet(2)
    away(fleet, range(2))
    fleet.up(0, 66)
    fleet.recovery.begin(T0_MS + 70_000)
    fleet.down(0, 71)
    fleet.recovery.returned(T0_MS + 80_000)
    fleet.up(0, 82)
    fleet.up(1, 84)
    second = fleet.outage()
    assert fleet.recovery.outages[0].recovered_s == {50: 1.0}
    assert (second.devices, second.recovered_s) == (2, {50: 2.0, 95: 4.0, 100: 4.0})


def test_an_outage_in_which_the_run_ends_tells_nothing() -> None:
    fleet = Fleet(2)
    fleet.recovery.begin(T0_MS + 5000)
    fleet.down(0, 6)
    fleet.recovery.close()
    assert fleet.recovery.outages == ()


def test_who_has_not_noticed_that_its_session_is_gone_is_not_back() -> None:
    fleet = Fleet(4)
    away(fleet, range(2))
    for index in range(2):
        fleet.up(index, 66)
    fleet.recovery.close(severed=[1, 3])
    [outage] = fleet.recovery.outages
    assert outage.recovered_s == {50: 1.0}, "1 came back and was cut off later, 3 never noticed"


def test_who_is_reset_meanwhile_is_not_expected_back() -> None:
    fleet = Fleet(3)
    away(fleet, range(3))
    fleet.up(0, 66)
    fleet.up(1, 67)
    fleet.cpu_s += 1
    gone = Seen(2, T0_MS + 68_000, "RESETTING", "DOWN", "resetting", "", "")
    fleet.recovery.saw(fleet.last[2], gone)
    fleet.up(2, 90)
    outage = fleet.outage()
    assert (outage.devices, outage.recovered_s[100]) == (2, 2.0)


def test_who_is_carried_away_is_not_expected_back() -> None:
    fleet = Fleet(2)
    fleet.recovery.let_go()
    away(fleet, range(2))
    for index in range(2):
        fleet.up(index, 66)
    fleet.recovery.let_go()
    fleet.down(0, 70)
    [first] = fleet.recovery.outages
    assert (first.recovered_s[100], first.lost_again) == (1.0, 0)
    fleet.recovery.begin(T0_MS + 80_000)
    fleet.down(1, 81)
    fleet.recovery.let_go()
    fleet.recovery.returned(T0_MS + 90_000)
    second = fleet.outage()
    assert (second.devices, second.lost_again) == (0, 0)


def test_devices_may_come_before_an_outage() -> None:
    fleet = Fleet(2)
    fleet.recovery.grow(3)
    late = Seen(2, T0_MS, "ONLINE", "UP", "online", "", "")
    fleet.recovery.saw(Seen(2, 0, "OFF", "DOWN", "off", "", ""), late)
    fleet.recovery.begin(T0_MS + 60_000)
    fleet.recovery.returned(T0_MS + 61_000)
    assert fleet.outage().devices == 3
