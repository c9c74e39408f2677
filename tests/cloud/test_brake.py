"""Wrong passwords cost time, and the list of who gave them stays small."""

from fleet.web.attempts import ADDRESSES_MAX, FORGOTTEN_S, FREE, FREE_OF_ALL, WAIT_S_MAX, Attempts


def fail(attempts: Attempts, count: int, address: str = "192.0.2.1", now_s: float = 0.0) -> None:
    for _ in range(count):
        attempts.failed(address, now_s)


def test_people_may_mistype() -> None:
    attempts = Attempts()
    fail(attempts, FREE - 1)
    assert attempts.wait_s("192.0.2.1", 0.0) == 0


def test_the_wait_doubles_and_is_bounded() -> None:
    attempts = Attempts()
    fail(attempts, FREE)
    assert attempts.wait_s("192.0.2.1", 0.0) == 1
    fail(attempts, 3)
    assert attempts.wait_s("192.0.2.1", 0.0) == 8
    fail(attempts, 30)
    assert attempts.wait_s("192.0.2.1", 0.0) == WAIT_S_MAX
    assert attempts.wait_s("192.0.2.1", 0.5) == WAIT_S_MAX
    assert attempts.wait_s("192.0.2.1", WAIT_S_MAX + 0.0) == 0


def test_others_do_not_have_to_wait_for_one() -> None:
    attempts = Attempts()
    fail(attempts, FREE + 3)
    assert attempts.wait_s("192.0.2.2", 0.0) == 0


def test_many_addresses_are_one_attack() -> None:
    attempts = Attempts()
    for number in range(FREE_OF_ALL):
        attempts.failed(f"192.0.2.{number}", 0.0)
    assert attempts.wait_s("203.0.113.9", 0.0) == 1


def test_a_quiet_quarter_of_an_hour_clears_the_record() -> None:
    attempts = Attempts()
    fail(attempts, FREE + 3)
    fail(attempts, 1, now_s=FORGOTTEN_S + 1.0)
    assert attempts.wait_s("192.0.2.1", FORGOTTEN_S + 1.0) == 0


def test_the_list_is_bounded_and_everybody_stays_on_it() -> None:
    attempts = Attempts()
    for number in range(ADDRESSES_MAX + 10):
        attempts.failed(f"address {number}", 0.0)
    assert len(attempts._records) == ADDRESSES_MAX
    assert attempts.wait_s("somebody else", 0.0) == WAIT_S_MAX
