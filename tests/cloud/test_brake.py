"""Wrong passwords cost time, and the list of who gave them stays small."""

import pytest

from fleet.cloud.brake import FORGOTTEN_MS, FREE_OF_ALL, NAMES_MAX, Brake
from fleet.cloud.reasons import Reason, Refused

FREE, WAIT_S_MAX = 5, 300


def fresh() -> Brake:
    return Brake(free=FREE, wait_s_max=WAIT_S_MAX)


def fail(brake: Brake, count: int, name: str = "eve", now_ms: int = 0) -> None:
    for _ in range(count):
        brake.failed(name, now_ms)


def test_people_may_mistype() -> None:
    brake = fresh()
    fail(brake, FREE - 1)
    assert brake.wait_s("eve", 0) == 0


def test_the_wait_doubles_and_is_bounded() -> None:
    brake = fresh()
    fail(brake, FREE)
    assert brake.wait_s("eve", 0) == 1
    fail(brake, 3)
    assert brake.wait_s("eve", 0) == 8
    fail(brake, 30)
    assert brake.wait_s("eve", 0) == WAIT_S_MAX
    assert brake.wait_s("eve", 1) == WAIT_S_MAX
    assert brake.wait_s("eve", 1_000 * WAIT_S_MAX) == 0


def test_others_do_not_have_to_wait_for_one() -> None:
    brake = fresh()
    fail(brake, FREE + 3)
    assert brake.wait_s("bob", 0) == 0


def test_many_names_are_one_attack() -> None:
    brake = fresh()
    for number in range(FREE * FREE_OF_ALL):
        brake.failed(f"name {number}", 0)
    assert brake.wait_s("somebody else", 0) == 1


def test_a_quiet_quarter_of_an_hour_clears_the_record() -> None:
    brake = fresh()
    fail(brake, FREE + 3)
    fail(brake, 1, now_ms=FORGOTTEN_MS + 1)
    assert brake.wait_s("eve", FORGOTTEN_MS + 1) == 0


def test_the_list_is_bounded_and_everybody_stays_on_it() -> None:
    brake = fresh()
    for number in range(NAMES_MAX + 10):
        brake.failed(f"name {number}", 0)
    assert len(brake) == NAMES_MAX
    assert brake.wait_s("somebody else", 0) == WAIT_S_MAX


def test_it_can_be_off() -> None:
    brake = Brake(free=1, wait_s_max=0)
    fail(brake, 100)
    assert brake.wait_s("eve", 0) == 0


def test_who_has_to_wait_is_not_even_heard() -> None:
    brake, heard = fresh(), []

    def log_in() -> str:
        heard.append("a password")
        if len(heard) <= FREE:
            raise Refused(Reason.BAD_LOGIN, "wrong name or password")
        return "in"

    for _ in range(FREE):
        with pytest.raises(Refused, match="bad_login"):
            brake.watch("eve", 0, log_in)
    with pytest.raises(Refused, match="too_many: too many wrong passwords: wait 1 s"):
        brake.watch("eve", 0, log_in)
    assert len(heard) == FREE
    assert brake.watch("eve", 1_000, log_in) == "in"


def test_who_knows_the_password_does_not_wait_for_strangers() -> None:
    brake = fresh()
    brake.watch("bob", 0, lambda: None)
    for number in range(FREE * FREE_OF_ALL):
        brake.failed(f"name {number}", 0)
    assert brake.wait_s("alice", 0) == 1
    assert brake.wait_s("bob", 0) == 0
    fail(brake, FREE, "bob")
    assert brake.wait_s("bob", 0) == 1


def test_only_so_many_of_those_who_know_it_are_remembered() -> None:
    brake = fresh()
    for number in range(NAMES_MAX + 1):
        brake.passed(f"name {number}")
    for number in range(FREE * FREE_OF_ALL):
        brake.failed(f"stranger {number}", 0)
    assert brake.wait_s("name 0", 0) == 1
    assert brake.wait_s("name 1", 0) == 0
