"""Secrets: made evenly from entropy, kept as hashes, compared as a whole."""

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.rng import Rng
from fleet.cloud import keys


@given(st.integers(0, 2**64 - 1), st.integers(0, 40))
def test_random_text_has_its_length_and_alphabet(seed: int, count: int) -> None:
    text = keys.random_text(Rng(seed).bytes, count)
    assert len(text) == count
    assert set(text) <= set(keys.ALPHANUMERIC)


def test_random_text_draws_evenly() -> None:
    """Each byte value once: every letter comes equally often, the unfair rest is drawn again."""
    source = iter(bytes(range(256)) * 2)
    text = keys.random_text(lambda count: bytes(next(source) for _ in range(count)), 248)
    assert {text.count(letter) for letter in keys.ALPHANUMERIC} == {4}


def test_a_password_fits_its_own_hash_only() -> None:
    entropy = Rng(1).bytes
    first = keys.hash_password("häßlich", entropy, 3)
    second = keys.hash_password("häßlich", entropy, 3)
    assert first != second, "each has its own salt"
    assert first.startswith("3$")
    assert "lich" not in first
    assert keys.password_fits("häßlich", first)
    assert not keys.password_fits("hässlich", first)


def test_without_password_there_is_no_way_in() -> None:
    assert keys.hash_password("", Rng(1).bytes, 3) == ""
    assert not keys.password_fits("", "")
    assert not keys.password_fits("x", "")


@given(st.text(), st.text())
def test_secrets_compare_as_texts(left: str, right: str) -> None:
    assert keys.secret_fits(left, right) is (left == right)
    assert keys.secret_fits(left, left)


def test_text_that_was_not_utf8_is_just_another_text() -> None:
    assert not keys.secret_fits("\udcff", "x")
    assert keys.session_hash("\udcff") != keys.session_hash("x")
