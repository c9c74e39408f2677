from fleet.run.tally import QR, WIRED, Tally


def test_methods_are_counted_even_when_unused() -> None:
    assert Tally().by_method() == {"qr": 0, "wired": 0}
    assert Tally(unbound={1: QR, 2: WIRED, 5: QR}).by_method() == {"qr": 2, "wired": 1}


def test_tallies_share_nothing() -> None:
    first, second = Tally(), Tally()
    first.refused["token_full"] += 1
    first.rebound.add(1)
    assert second == Tally()
