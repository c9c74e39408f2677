"""Texts that fit, and grounds that fit around texts."""

from fleet.light.shapes import clipped, pill, width_of


def test_a_text_is_cut_only_where_it_must_be() -> None:
    assert clipped("twelve", 6) == "twelve"
    assert clipped("two words", 5) == "two…"


def test_a_pill_is_around_its_text() -> None:
    box, words = pill(10, 40, "waiting", 12)
    assert box.x == 10
    assert words.anchor == "middle"
    assert words.x == box.x + box.width / 2
    assert box.width > width_of("waiting", 12) > width_of("wait", 12)
    assert box.y < words.y < box.y + box.height
