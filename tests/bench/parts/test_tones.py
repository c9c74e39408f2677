"""Prompt tones as a recording."""

import io
import wave

import numpy as np
import numpy.typing as npt
import pytest

from firmware_sim.bench.parts.tones import MELODIES, RATE_HZ, TONE_MS_MAX, Tone, wav
from firmware_sim.errors import UsageError


def heard(recording: bytes) -> npt.NDArray[np.float64]:
    with wave.open(io.BytesIO(recording)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32767


def loudest_hz(sound: npt.NDArray[np.float64]) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound)))) * RATE_HZ / len(sound)


def test_a_quiet_room_is_not_silent() -> None:
    sound = heard(wav((), 0, 1000, 1))
    assert len(sound) == RATE_HZ
    assert 0 < np.abs(sound).max() < 0.05


@pytest.mark.parametrize("tone", MELODIES)
def test_each_tone_plays_its_notes(tone: int) -> None:
    sound = heard(wav((Tone(5000, tone),), 4900, 5900, 1))
    at_ms = 100
    for hz, length_ms in MELODIES[tone]:
        note = sound[at_ms * 16 : (at_ms + length_ms) * 16]
        if hz:
            assert loudest_hz(note) == pytest.approx(hz, abs=12)
        else:
            assert np.abs(note).max() < 0.05
        at_ms += length_ms


def test_tones_can_be_told_apart() -> None:
    one, two = (heard(wav((Tone(0, n),), 0, TONE_MS_MAX, 1)) for n in (1, 2))
    assert abs(float(np.corrcoef(one, two)[0, 1])) < 0.2


def test_a_recording_may_begin_and_end_within_a_tone() -> None:
    whole = heard(wav((Tone(0, 1),), 0, 600, 1))
    part = heard(wav((Tone(0, 1),), 100, 300, 1))
    assert np.abs(part - whole[1600:4800]).max() < 0.05
    assert np.abs(part).max() > 0.2


def test_an_unknown_tone_is_silent() -> None:
    assert np.abs(heard(wav((Tone(0, 9),), 0, 500, 1))).max() < 0.05


@pytest.mark.parametrize(("start_ms", "end_ms"), [(1, 0), (0, 60_001)])
def test_windows_that_cannot_be(start_ms: int, end_ms: int) -> None:
    with pytest.raises(UsageError, match="60 s"):
        wav((), start_ms, end_ms, 1)
