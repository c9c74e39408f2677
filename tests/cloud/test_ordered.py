from firmware_sim.rng import Rng
from fleet.cloud.ordered import Ordered


def test_what_comes_in_no_order_is_in_order() -> None:
    rng, ordered, known = Rng(1), Ordered([5, 2]), [2, 5]
    for number in range(200):
        item = 10 + rng.below(1 << 40)
        ordered.add(item)
        known.append(item)
        if number % 7 == 0:
            assert ordered.items == sorted(known)
    assert ordered.items == sorted(known)
    assert len(ordered) == len(known)


def test_what_is_removed_is_gone_wherever_it_was() -> None:
    ordered = Ordered("bd")
    for item in "cea":
        ordered.add(item)
    for item in "ace":
        ordered.remove(item)
    assert ordered.items == ["b", "d"]


def test_what_comes_in_order_stays_in_order() -> None:
    ordered: Ordered[int] = Ordered()
    for item in range(5):
        ordered.add(item)
    assert ordered.items == [0, 1, 2, 3, 4]
