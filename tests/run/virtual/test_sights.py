"""The lenses of a virtual run: the model by default, real frames on request."""

import pytest

from firmware_sim.camera import lens
from firmware_sim.camera.decoder import NAMES, make_decoder
from firmware_sim.camera.readability import ReadabilityModel
from firmware_sim.camera.scene import LensSettings
from firmware_sim.camera.symbol import Luma
from firmware_sim.errors import UsageError
from fleet.run.virtual import sights
from fleet.run.virtual.sights import MODEL, REAL, RealSight, make_sight

CODE = b'{"s":"Warehouse-5G","p":"correct horse 7","t":"EUabcd1234"}'
each_name = pytest.mark.parametrize("name", NAMES)


@each_name
def test_a_lens_has_a_name(name: str) -> None:
    assert isinstance(make_sight(MODEL, name), ReadabilityModel)
    assert isinstance(make_sight(REAL, name), RealSight)


@each_name
def test_the_real_lens_makes_frames_until_one_is_read(name: str) -> None:
    sight, reader = RealSight(name), make_decoder(name)
    reads = [sight.first_read(seed, CODE) for seed in range(10)]
    assert reads == [lens.first_read(reader, seed, CODE) for seed in range(10)]
    assert len(set(reads)) > 1
    assert reads == [RealSight(name).first_read(seed, CODE) for seed in range(10)]


def test_it_gives_up_at_a_code_that_is_too_fine() -> None:
    far = LensSettings(start_mm=(1500.0, 1500.0), hold_mm=(1500.0, 1500.0))
    sight = RealSight("zxing", far)
    assert sight.first_read(1, CODE) is None
    assert (sight.frames, sight.decoded) == (lens.FRAMES_MAX, 0)


def test_frames_are_counted() -> None:
    sight = RealSight("zxing")
    reads = [sight.first_read(seed, CODE) for seed in range(3)]
    assert sight.decoded == 3
    assert sight.frames == sum(frame + 1 for frame in reads if frame is not None)


def test_both_count_frames_as_the_settings_say() -> None:
    assert (make_sight(MODEL, "zxing").frame_ms, make_sight(REAL, "zxing").frame_ms) == (200, 200)
    assert RealSight("zxing", LensSettings(frames_per_second=10)).frame_ms == 100


def test_an_unknown_lens_is_refused() -> None:
    with pytest.raises(UsageError, match="lens 'glass' is unknown: use one of model, real"):
        make_sight("glass", "zxing")


@pytest.mark.parametrize("kind", [MODEL, REAL])
def test_an_unknown_decoder_is_refused(kind: str) -> None:
    with pytest.raises(UsageError, match="decoder 'quirc' is unknown: use one of pyzbar, zxing"):
        make_sight(kind, "quirc")


class Guessing:
    name = "guessing"

    def decode(self, _: Luma) -> bytes | None:
        return b"a guess"


def test_a_decoder_that_misreads_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sights, "make_decoder", lambda _: Guessing())
    with pytest.raises(UsageError, match="decoder guessing misreads"):
        make_sight(REAL, "zxing")
