"""Counting by day and country, against counting one by one."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.open.device_counts import UNKNOWN, Life, Tally, country_name

days = st.integers(0, 12)
lives = st.lists(
    st.builds(
        lambda first, more, code: Life(first, first + more, country_name(code)),
        days,
        st.integers(0, 5),
        st.sampled_from(["49", "86", "", "999"]),
    ),
    max_size=12,
)


@given(lives, days, st.integers(0, 5))
def test_counts_are_those_of_going_through_all(found: list[Life], first: int, more: int) -> None:
    counted, last = Tally(found, 12), first + more
    assert counted.activated(first, last) == sum(first <= one.first_day <= last for one in found)
    active = [one for one in found if one.first_day <= last and one.last_day >= first]
    assert counted.live(first, last) == len(active)
    countries = counted.by_country()
    assert [name for name, _ in countries] == sorted({one.country for one in found})
    assert sum(one.live(first, last) for _, one in countries) == len(active)


def test_countries_that_are_not_told_apart() -> None:
    assert country_name("49") == ("Germany", "德国")
    assert country_name("999") == country_name("") == UNKNOWN
