"""Prompt tones: which were played, and what a microphone beside the speaker would record.

Which tone means what is the vendor's (page "IPC Specification for Tone and Light"); how they
sound is not published, so the two melodies are our choice: one climbs, one knocks twice.
"""

import io
import wave

import msgspec
import numpy as np

from firmware_sim.bench.parts import chance
from firmware_sim.bench.trace import Floats
from firmware_sim.errors import UsageError
from firmware_sim.rng import derive

RATE_HZ = 16_000
AUDIO_MS_MAX = 60_000
LOUDNESS = 0.35  # of full scale
ROOM = 0.004  # noise of a quiet room, as a standard deviation
RAMP_MS = 5  # a note comes and goes softly, or it would click

MELODIES: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((660, 130), (880, 130), (1320, 260)),
    2: ((1760, 90), (0, 70), (1760, 180)),
}
"""Notes of each tone, as (frequency in Hz, 0 for a pause; duration in ms)."""
TONE_MS_MAX = max(sum(length_ms for _, length_ms in notes) for notes in MELODIES.values())


class Tone(msgspec.Struct, frozen=True):
    """A prompt tone: when it began (ms, same clock as the station's), and which (1 or 2)."""

    at_ms: int
    tone: int


def wav(tones: tuple[Tone, ...], start_ms: int, end_ms: int, seed: int) -> bytes:
    """Return a recording of a window as a WAV file, mono, 16 bits, 16 kHz.

    `tones` are those that began up to `TONE_MS_MAX` before it. Raises UsageError for a window that
    runs backwards or lasts longer than a minute.
    """
    if not 0 <= end_ms - start_ms <= AUDIO_MS_MAX:
        raise UsageError(f"a recording lasts 0 to {AUDIO_MS_MAX // 1000} s")
    count = (end_ms - start_ms) * RATE_HZ // 1000
    sound = ROOM * chance.noise(derive(seed, start_ms), (count,))
    for tone in tones:
        _add(sound, _melody(tone.tone), (tone.at_ms - start_ms) * RATE_HZ // 1000)
    return _file(np.clip(sound, -1.0, 1.0))


def _add(sound: Floats, melody: Floats, at: int) -> None:
    first, last = max(0, at), min(len(sound), at + len(melody))
    if first < last:
        sound[first:last] += melody[first - at : last - at]


def _melody(tone: int) -> Floats:
    notes = [_note(hz, length_ms) for hz, length_ms in MELODIES.get(tone, ())]
    return np.concatenate(notes) if notes else np.zeros(0)


def _note(hz: int, length_ms: int) -> Floats:
    count = length_ms * RATE_HZ // 1000
    at = np.arange(count) / RATE_HZ
    ramp = np.minimum(1.0, np.minimum(at, at[::-1]) * 1000 / RAMP_MS)
    note: Floats = LOUDNESS * ramp * np.sin(2 * np.pi * hz * at)
    return note


def _file(sound: Floats) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.round(sound * 32767).astype("<i2").tobytes())
    return buffer.getvalue()
