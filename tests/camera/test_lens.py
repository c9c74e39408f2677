"""A camera and a phone: read after a few frames, by both decoders, in any alphabet."""

import statistics

import pytest

from firmware_sim.camera.decoder import NAMES, make_decoder
from firmware_sim.camera.lens import FRAMES_MAX, first_read, see
from firmware_sim.camera.messages import Look, Sight
from firmware_sim.camera.scene import LensSettings
from firmware_sim.camera.symbol import Luma
from firmware_sim.errors import UsageError
from tests.camera.poses import QR_TEXT

DECODERS = {name: make_decoder(name) for name in NAMES}
each_name = pytest.mark.parametrize("name", NAMES)
FRAMES_ENOUGH = 20
DEFAULTS = LensSettings()

LONGEST = '{"s":"ЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩ","p":"' + "w" * 63 + '","t":"EUabcdefgh1234"}'


def frames_until_read(
    name: str, seed: int, payload: bytes, settings: LensSettings = DEFAULTS
) -> int:
    for frame in range(FRAMES_ENOUGH):
        sight = see(DECODERS[name], Look(3, seed, frame, payload, settings))
        assert (sight.camera, sight.frame) == (3, frame)
        if sight.text is not None:
            assert sight.text == payload
            return frame + 1
    return FRAMES_ENOUGH + 1


@each_name
def test_a_hundred_cameras_read_after_a_few_frames(name: str) -> None:
    counts = sorted(frames_until_read(name, seed, QR_TEXT) for seed in range(100))
    assert counts[-1] <= FRAMES_ENOUGH
    assert 3 <= statistics.median(counts) <= 5
    assert 4 <= counts[90] <= 7


@each_name
@pytest.mark.parametrize("lines", [480, 720, 1080, 2160])
def test_the_longest_name_and_password_are_read_too(name: str, lines: int) -> None:
    settings = LensSettings(picture_height_px=lines)
    counts = [frames_until_read(name, seed, LONGEST.encode(), settings) for seed in range(15)]
    assert max(counts) <= FRAMES_ENOUGH


@each_name
@pytest.mark.parametrize(
    "ssid", ["Café-5G", "Müller Straße", "日本語", "你好", "Łódź", "창고", "📶☕"]
)
def test_names_that_stock_pyzbar_misreads(name: str, ssid: str) -> None:
    payload = f'{{"s":"{ssid}","p":"pässwörd","t":"EUabcdefgh1234"}}'.encode()
    assert max(frames_until_read(name, seed, payload) for seed in range(5)) <= FRAMES_ENOUGH


@each_name
def test_an_empty_room_shows_nothing(name: str) -> None:
    for frame in range(10):
        assert see(DECODERS[name], Look(1, 5, frame, None)) == Sight(1, frame, None)


@each_name
def test_a_phone_far_away_is_not_read(name: str) -> None:
    far = LensSettings(start_mm=(1500.0, 1500.0), hold_mm=(1500.0, 1500.0))
    for frame in range(10):
        assert see(DECODERS[name], Look(1, 5, frame, QR_TEXT, far)).text is None


# --- until it is read ---------------------------------------------------------------------------


@each_name
def test_the_first_frame_that_is_read(name: str) -> None:
    for seed in range(10):
        frame = first_read(DECODERS[name], seed, QR_TEXT)
        assert frame == frames_until_read(name, seed, QR_TEXT) - 1


class Counting:
    """Reads one frame, wrongly or not, and nothing else."""

    name = "counting"

    def __init__(self, at: int, text: bytes) -> None:
        self.at = at
        self.text = text
        self.frames = 0

    def decode(self, _: Luma) -> bytes | None:
        self.frames += 1
        return self.text if self.frames == self.at else None


def test_a_misreading_is_no_reading() -> None:
    assert first_read(Counting(3, QR_TEXT), 1, QR_TEXT) == 2
    assert first_read(Counting(3, b"12345"), 1, QR_TEXT) is None


def test_nobody_waits_for_ever() -> None:
    reader = Counting(FRAMES_MAX + 1, QR_TEXT)
    assert first_read(reader, 1, QR_TEXT) is None
    assert reader.frames == FRAMES_MAX


def test_what_no_symbol_holds_cannot_be_shown() -> None:
    with pytest.raises(UsageError, match="must be 1 to 2331"):
        first_read(DECODERS["zxing"], 1, b"")
