"""The generator: reference vectors, independence of streams, limits of each kind of draw."""

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.rng import Rng, derive, mix

SEEDS = st.integers(min_value=-(1 << 80), max_value=1 << 80)


def test_known_stream() -> None:
    # The first outputs of the reference splitmix64.c (Vigna) for the seed 1234567.
    rng = Rng(1234567)
    assert [rng.next_u64() for _ in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_state_is_the_whole_generator() -> None:
    rng = Rng(7)
    rng.bytes(100)
    copy = Rng(rng.state)
    assert copy.bytes(64) == rng.bytes(64)


def test_an_instance_has_no_dict() -> None:
    assert not hasattr(Rng(1), "__dict__")


def test_mix_gives_distinct_outputs() -> None:
    assert len({mix(value) for value in range(5000)}) == 5000


def test_derived_seeds_depend_on_each_step_and_on_their_order() -> None:
    children = {derive(42), derive(42, 0), derive(42, 1), derive(42, 0, 1), derive(42, 1, 0)}
    assert len(children) == 5
    assert derive(42, 0, 1) == derive(derive(42, 0), 1)


@given(SEEDS, st.lists(st.integers(0, 1 << 40), max_size=4))
def test_derived_seeds_fit_eight_bytes(seed: int, path: list[int]) -> None:
    assert 0 <= derive(seed, *path) < 1 << 64


@given(SEEDS, st.integers(1, 1 << 64))
def test_below_stays_below(seed: int, limit: int) -> None:
    assert 0 <= Rng(seed).below(limit) < limit


def test_below_reaches_every_value() -> None:
    rng = Rng(3)
    assert {rng.below(6) for _ in range(200)} == set(range(6))


@given(SEEDS)
def test_between_stays_between(seed: int) -> None:
    assert -2.5 <= Rng(seed).between(-2.5, 4.0) < 4.0


def test_between_spreads_over_the_range() -> None:
    rng = Rng(9)
    draws = sorted(rng.between(10, 20) for _ in range(1000))
    assert draws[0] < 10.1
    assert 14.5 < draws[500] < 15.5
    assert draws[-1] > 19.9


@given(SEEDS, st.integers(0, 40))
def test_bytes_have_the_length_asked_for(seed: int, count: int) -> None:
    drawn = Rng(seed).bytes(count)
    assert len(drawn) == count
    assert Rng(seed).bytes(40).startswith(drawn)


@given(SEEDS, st.integers(0, 40))
def test_text_uses_its_alphabet_only(seed: int, count: int) -> None:
    drawn = Rng(seed).text(count, "abc")
    assert len(drawn) == count
    assert set(drawn) <= set("abc")
