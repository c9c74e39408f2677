import msgspec

from fleet.report.details import DeviceLights, LightPattern, Lights
from fleet.report.light_strip import STRIPES_MAX, WIDTH, strips
from tests.report.support import NASTY, Page, a_played_report

PATTERNS = {
    "model": {
        "off": LightPattern("off", (), 0, 0, "dark"),
        "online": LightPattern("solid", ("green",), 0, 0, "green"),
        "waiting": LightPattern("blink", ("red",), 250, 250, "red blinks 250/250 ms"),
        "unbound": LightPattern("alternate", ("red", "blue"), 1500, 500, "red and blue"),
    }
}


def lights(
    *changes: tuple[float, str], every: int = 1, others: tuple[DeviceLights, ...] = ()
) -> Lights:
    device = DeviceLights(3, "uuid", NASTY, "model", "slow", 1.5, cut=False, changes=changes)
    return Lights(7, every, PATTERNS, (device, *others))


def rects(html: str) -> list[tuple[str, float, float]]:
    found = [a for name, a in Page(html).elements if name == "rect" and "x" in a]
    return [(a["class"] or "", float(a["x"] or 0), float(a["width"] or 0)) for a in found]


def test_a_steady_light_is_one_piece_in_its_colour() -> None:
    found = rects(strips(lights((0.0, "off"), (5.0, "online"), (10.0, "off"))))
    assert [colour for colour, _, _ in found] == ["c-green"]
    [(_, left, width)] = found
    assert abs(left - WIDTH * 5 / 10.4) < 1
    assert abs(width - WIDTH * 5 / 10.4) < 1


def test_a_blinking_light_is_stripes_of_its_rhythm() -> None:
    found = rects(strips(lights((0.0, "unbound"), (10.0, "off"))))
    assert {colour for colour, _, _ in found} == {"c-red", "c-blue"}
    (_, _, red), (_, _, blue) = found[:2]
    assert abs(red / blue - 3) < 0.2
    assert found[-1][1] + found[-1][2] <= WIDTH
    fast = rects(strips(lights((0.0, "waiting"), (10.0, "off"))))
    assert len(found) // 2 < len(fast) <= STRIPES_MAX


def test_a_light_that_lasts_a_moment_is_still_seen() -> None:
    [(colour, _, width)] = rects(strips(lights((0.0, "online"), (0.001, "off"), (100.0, "off"))))
    assert (colour, width) == ("c-green", 0.4)


def test_strips_share_an_axis_unless_their_stories_are_far_apart() -> None:
    near = DeviceLights(
        4, "u", "p", "model", "typical", None, False, ((2.0, "online"), (9.0, "off"))
    )
    far = msgspec.structs.replace(near, changes=((900.0, "online"), (905.0, "off")))
    changes = ((0.0, "off"), (10.0, "online"))
    assert (
        "All begin at 0.0 s and end at 10.4 s."
        in Page(strips(lights(*changes, others=(near,)))).text
    )
    assert "Each strip has its own axis" in Page(strips(lights(*changes, others=(far,)))).text


def test_words_and_a_table_are_there_for_who_cannot_see_it() -> None:
    html = strips(lights((0.0, "off"), (5.0, "waiting"), every=3))
    page = Page(html)
    assert page.wrong == []
    assert "every 3th device was" in page.text
    assert "waiting: red blinks 250/250 ms, 5.0 to 5.2 s" in page.text
    assert "3, " + NASTY in page.text
    assert "among the slowest" in page.text
    assert page.count("table") == 3
    assert page.count("img") == 0


def test_unknown_models_and_lights_stay_dark() -> None:
    strange = msgspec.structs.replace(lights((0.0, "online"), (1.0, "x")), patterns={})
    assert rects(strips(strange)) == []
    silent = msgspec.structs.replace(lights(), patterns={})
    assert rects(strips(silent)) == []


def test_a_real_run_has_strips() -> None:
    found = a_played_report().lights
    assert found is not None
    page = Page(strips(found))
    assert page.count("svg") == 8
    assert len(rects(strips(found))) > 50
