"""Frames to traces: the lamp is found in a lit room, with noise and a camera that adjusts itself."""

import numpy as np
import numpy.typing as npt
import pytest

from firmware_sim.bench.reader.classify import read
from firmware_sim.bench.reader.video import Region, find_lamp, from_frames
from firmware_sim.errors import UsageError

Frame = npt.NDArray[np.uint8]

LIT = {
    "red": (255, 59, 48),
    "green": (52, 209, 88),
    "blue": (61, 139, 255),
    "amber": (255, 159, 26),
    "white": (255, 255, 255),
    "": (57, 66, 77),
}
RATE_HZ = 30.0
LAMP = Region(196, 66, 28, 28)


def film(
    colours: list[str],
    *,
    room: float = 0.5,
    noise: float = 4.0,
    adjusts: float = 0.0,
    height: int = 180,
    width: int = 320,
) -> list[Frame]:
    """Draw a device with a round lamp on a table, a wall behind it, and a red book beside it."""
    rng = np.random.default_rng(8)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    wall = np.stack([200 + 40 * x / width, 190 + 30 * y / height, 180 + 0 * x], axis=2) * room
    wall[height * 3 // 4 :] = np.array([120, 85, 60]) * room
    wall[40:110, 20:60] = np.array([190, 40, 40]) * room
    wall[40:120, 150:270] = (27, 33, 41)
    distance = np.hypot(x - 210, y - 80)[:, :, None]
    disc, halo = np.clip(13 - distance, 0, 1), np.exp(-((distance / 26) ** 2))
    pool = rng.normal(0, noise, (8, *wall.shape))
    pictures = {}
    for colour in set(colours):
        light = np.array(LIT[colour], dtype=np.float64)
        picture = wall * (1 - disc) + light * disc
        if colour:
            picture = picture + 0.12 * halo * light * (1 - disc)
            picture = picture * (1 - adjusts)
        pictures[colour] = np.clip(np.round(picture + pool), 0, 255).astype(np.uint8)
    return [pictures[colour][rng.integers(8)] for colour in colours]


def times(frames: list[Frame]) -> list[float]:
    return [number / RATE_HZ for number in range(len(frames))]


def pattern(colour: str, on_s: float, off_s: float, span_s: float, other: str = "") -> list[str]:
    at_s = np.arange(0, span_s, 1 / RATE_HZ)
    return [colour if t % (on_s + off_s) < on_s else other for t in at_s]


@pytest.mark.parametrize("room", [0.05, 0.5, 1.0])
@pytest.mark.parametrize("adjusts", [0.0, 0.15])
def test_a_blinking_lamp_is_found_and_read(room: float, adjusts: float) -> None:
    frames = film(pattern("red", 0.25, 0.25, 2.5), room=room, adjusts=adjusts)
    reading = read(from_frames(frames, times(frames)))
    assert (reading.mode, reading.colours) == ("blink", ("red",))
    assert reading.hz == pytest.approx(2, rel=0.03)
    assert reading.confidence > 0.9
    x, y, width, height = find_lamp(frames)
    assert abs(x + width / 2 - 210) < 5
    assert abs(y + height / 2 - 80) < 5
    assert 10 < width < 40


def test_two_colours_in_turn() -> None:
    frames = film(pattern("blue", 0.25, 0.25, 2.5, "amber"))
    reading = read(from_frames(frames, times(frames)))
    assert (reading.mode, reading.colours) == ("alternate", ("blue", "amber"))


def test_short_flashes_of_white_are_found() -> None:
    frames = film(pattern("white", 0.1, 1.9, 4.5), noise=8.0)
    reading = read(from_frames(frames, times(frames)))
    assert (reading.mode, reading.colours) == ("blink", ("white",))
    assert reading.duty < 0.15


@pytest.mark.parametrize("colour", ["red", "green", "blue", "amber"])
def test_a_lamp_that_keeps_still_is_where_it_shines(colour: str) -> None:
    frames = film([colour] * 75, room=0.3)
    reading = read(from_frames(frames, times(frames)))
    assert (reading.mode, reading.colours) == ("solid", (colour,))


@pytest.mark.parametrize("region", [LAMP, Region(205, 75, 3, 3)])
def test_a_lamp_may_be_named(region: Region) -> None:
    frames = film(pattern("green", 0.5, 0.5, 3.0))
    reading = read(from_frames(frames, times(frames), region))
    assert (reading.mode, reading.colours) == ("blink", ("green",))


def test_a_dark_lamp_in_a_named_region_is_off() -> None:
    frames = film([""] * 75)
    reading = read(from_frames(frames, times(frames), LAMP))
    assert (reading.mode, reading.confidence > 0.9) == ("off", True)


def test_large_frames_are_reduced() -> None:
    frames = [np.kron(f, np.ones((4, 4, 1), dtype=np.uint8)) for f in film(["blue", ""] * 10)]
    x, y, *_ = find_lamp(frames)
    assert abs(x - 4 * LAMP.x) < 40
    assert abs(y - 4 * LAMP.y) < 40


# --- bad input ----------------------------------------------------------------------------------


def test_a_dark_lamp_cannot_be_found() -> None:
    frames = film([""] * 20, room=0.3)
    for frame in frames:
        frame[40:110, 20:60] = 60  # no red book
    with pytest.raises(UsageError, match="nothing in these frames changes or shines"):
        from_frames(frames, times(frames))


def test_a_bright_window_is_no_lamp() -> None:
    frames = [np.zeros((90, 120, 3), dtype=np.uint8) for _ in range(10)]
    for frame in frames:
        frame[:, :50] = (255, 240, 40)
    with pytest.raises(UsageError, match="too large for a lamp"):
        from_frames(frames, times(frames))


@pytest.mark.parametrize(
    ("frames", "times_s", "message"),
    [
        ([], [], "0 frames and 0 times"),
        ([np.zeros((4, 4, 3), np.uint8)], [0.0, 1.0], "1 frames and 2 times"),
        ([np.zeros((4, 4, 3), np.uint8)] * 2, [1.0, 0.0], "do not run backwards"),
        ([np.zeros((4, 4, 3), np.uint8)], [float("nan")], "are numbers"),
        ([np.zeros((4, 4), np.uint8)], [0.0], "height x width x 3"),
        ([np.zeros((0, 4, 3), np.uint8)], [0.0], "height x width x 3"),
        ([np.zeros((4, 4, 3), np.uint8), np.zeros((5, 4, 3), np.uint8)], [0.0, 1.0], "shape of"),
        ([np.zeros((4, 4, 3))], [0.0], "8 bits a value"),
    ],
)
def test_what_is_no_film(frames: list[Frame], times_s: list[float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_frames(frames, times_s)


@pytest.mark.parametrize(
    "region",
    [Region(300, 0, 30, 10), Region(-1, 0, 5, 5), Region(0, 0, 0, 5), Region(0, 170, 9, 11)],
)
def test_a_region_lies_in_the_frame(region: Region) -> None:
    frames = film(["red"] * 3)
    with pytest.raises(UsageError, match="does not lie in a frame of 320 x 180 pixels"):
        from_frames(frames, times(frames), region)
