"""Numbers as ids: they follow from what they name, and none comes twice."""

from fleet.cloud.numbers import new_number


def test_a_number_follows_from_what_it_names() -> None:
    first = new_number(lambda _: False, "uid", 1)
    assert first == new_number(lambda _: False, "uid", 1)
    assert first != new_number(lambda _: False, "uid", 2)
    assert len(first) == 9
    assert first.isdigit()


def test_a_taken_number_is_not_given() -> None:
    taken: set[str] = set()
    for _ in range(5):
        number = new_number(taken.__contains__, "\ud800 no text that can be encoded")
        assert number not in taken
        taken.add(number)
