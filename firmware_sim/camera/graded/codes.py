"""What is on the screen: modules of ordinary codes, and of codes that mean harm.

Hostile ones are what a stranger could hold before a camera: symbols that belong together and say
one part of a text each (structured append), fields of finder patterns that cost a decoder time,
random modules, symbols of the largest sizes, bytes that are no text.
"""

from typing import NamedTuple

import numpy as np
import segno

from firmware_sim.camera.graded.table import Recipe
from firmware_sim.camera.symbol import QUIET_MODULES, Luma
from firmware_sim.rng import Rng

PAYLOAD_SIZE = 61
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_BYTES_MAX_M = {10: 213, 20: 666, 30: 1370, 40: 2331}
_BYTES_MAX_L = {4: 78, 10: 271, 25: 1273, 40: 2953}
"""What symbols of a version hold, in byte mode (ISO/IEC 18004)."""
_FINDER = np.pad(np.pad(np.pad(np.ones((3, 3), np.uint8), 1), 1, constant_values=1), 1)
"""With the light border on all sides that keeps one apart from the next."""
_FIELD_PX = 640
_PART_SIZE = 60


class Code(NamedTuple):
    """Modules, 1 where dark, without a quiet zone, and the one text that they say, if any."""

    dark: Luma
    text: bytes | None


def code_for(recipe: Recipe, rng: Rng) -> Code:
    """Return a code for one picture; `rng` makes each another one."""
    if recipe.kind in ("finders", "chaos"):
        return Code(_field(recipe, rng), None)
    if recipe.kind == "append":
        return _part(recipe, rng)
    text = _text(recipe, rng)
    error = "l" if recipe.kind == "binary" else recipe.error
    dark = _modules(
        segno.make_qr(text, error=error, mode="byte", boost_error=False, mask=_mask(rng))
    )
    return Code(_flipped(dark, recipe.flipped_pct, rng), text)


def payload(size: int, rng: Rng) -> bytes:
    """Return what a phone app shows: a name of a network, a password, a token, as ASCII JSON."""
    token = f'","t":"EU{rng.text(12, _LETTERS)}"}}'
    head = f'{{"s":"{rng.text(8, _LETTERS)}","p":"'
    return (head + rng.text(size - len(head) - len(token), _LETTERS) + token).encode()


def with_quiet_zone(dark: Luma) -> Luma:
    """Return the modules with the border that the standard asks for."""
    return np.pad(dark, QUIET_MODULES)


def _text(recipe: Recipe, rng: Rng) -> bytes:
    if recipe.kind == "binary":
        return rng.bytes(_BYTES_MAX_L[recipe.version])
    if recipe.kind == "version":
        return payload(_BYTES_MAX_M[recipe.version], rng)
    return payload(PAYLOAD_SIZE + recipe.more_bytes, rng)


def _part(recipe: Recipe, rng: Rng) -> Code:
    """Return one of the symbols over which a text is spread: it says its part, and no more."""
    text = payload(_PART_SIZE * recipe.parts, rng)
    parts = segno.make_sequence(text, symbol_count=recipe.parts, error="m", mode="byte")
    number = rng.below(len(parts))
    first = number * _PART_SIZE
    return Code(_modules(parts[number]), text[first : first + _PART_SIZE])


def _field(recipe: Recipe, rng: Rng) -> Luma:
    """Return modules that fill a picture."""
    count = round(_FIELD_PX / recipe.module_px)
    if recipe.kind == "chaos":
        return np.frombuffer(rng.bytes(count * count), np.uint8).reshape(count, count) & np.uint8(1)
    tiles = -(-count // len(_FINDER))
    return np.tile(_FINDER, (tiles, tiles))[:count, :count]


def _flipped(dark: Luma, share_pct: float, rng: Rng) -> Luma:
    flips = round(dark.size * share_pct / 100)
    changed = dark.copy()
    for _ in range(flips):
        changed.flat[rng.below(dark.size)] ^= 1
    return changed


def _modules(symbol: segno.QRCode) -> Luma:
    rows = symbol.matrix
    return np.frombuffer(b"".join(bytes(row) for row in rows), np.uint8).reshape(len(rows), -1)


def _mask(rng: Rng) -> int:
    return rng.below(8)
