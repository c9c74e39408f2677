"""Who is in reach, and what is news."""

from fleet.cloud.reach import CHANGES_PER_S_MAX, Reach


def test_only_a_change_is_news() -> None:
    reach = Reach()
    assert not reach.note("bf1", near=False)
    assert reach.note("bf1", near=True)
    assert not reach.note("bf1", near=True)
    assert "bf1" in reach
    assert "bf2" not in reach
    assert reach.note("bf1", near=False)
    assert "bf1" not in reach


def test_who_arrives_is_named_once() -> None:
    reach = Reach()
    for dev_id, near in (("bf1", True), ("bf2", True), ("bf2", True), ("bf1", False)):
        reach.note(dev_id, near=near)
    assert reach.take_arrivals() == ["bf1", "bf2"]
    assert reach.take_arrivals() == []


def test_a_gateway_tells_of_so_many_changes_in_a_second() -> None:
    reach = Reach()
    told = [reach.spend("bf1", 5_000 + number) for number in range(CHANGES_PER_S_MAX + 2)]
    assert told == [True] * CHANGES_PER_S_MAX + [False, False]
    assert reach.spend("bf2", 5_999), "another one has its own"
    assert reach.spend("bf1", 6_000)
    assert reach._spent["bf1"] == (6, 1)
    reach.forget("bf1")
    reach.forget("bf1")
    assert list(reach._spent) == ["bf2"]
