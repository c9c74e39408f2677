"""Payload bytes -> QR symbol, as a phone app draws it.

segno (heuer/segno) would guess an encoding for text: ISO-8859-1, then Kanji, then UTF-8. Phone
apps write the UTF-8 bytes in byte mode and no ECI header, so bytes are what goes in here. Error
correction level M is what such apps use.
"""

from functools import lru_cache

import numpy as np
import segno
from numpy.typing import NDArray

from firmware_sim.camera.scene import check_payload

Luma = NDArray[np.uint8]
"""A grey picture: rows of pixels, 0 black .. 255 white."""

_MASK = 2
"""Any mask makes a valid symbol. Trying all eight, as the standard asks of a printer, costs 2.7 ms
per code and did not change the share of frames read (68 to 69 % for each mask, pyzbar)."""
QUIET_MODULES = 4
"""White border around a symbol (ISO/IEC 18004)."""


@lru_cache(maxsize=64)
def dark_modules(payload: bytes) -> Luma:
    """Return the square matrix of `payload`: 1 where a module is dark, no quiet zone. Read only.

    Cached, because up to 30 cameras are shown the same code. Raises UsageError for a payload
    that no symbol holds.
    """
    check_payload(payload)
    rows = segno.make_qr(payload, error="m", mode="byte", boost_error=False, mask=_MASK).matrix
    return np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1)


def flat_picture(payload: bytes, module_px: int = 4) -> Luma:
    """Return the symbol black on white, upright and sharp, with its quiet zone."""
    light = np.pad(1 - dark_modules(payload), QUIET_MODULES, constant_values=1) * np.uint8(255)
    return light.repeat(module_px, axis=0).repeat(module_px, axis=1)
