"""Frame -> text: the two QR decoders, and what keeps each of them honest.

pyzbar drives libzbar (Debian package libzbar0); zxing-cpp brings its own library and is some ten
times faster. Both are asked for QR symbols only, and give back the payload's raw bytes: whether
they are UTF-8 is for the wire format to judge.

The trap in zbar: without an ECI header it guesses an encoding (Big5, Shift-JIS, ISO-8859-1, and
only then UTF-8) and returns the guess converted to UTF-8, so the Wi-Fi name "Café" comes back as
other characters and nothing says so (mchehab/zbar, zbar/qrcode/qrdectxt.c). ZBAR_CFG_BINARY
switches that off. pyzbar has no argument for it (NaturalHistoryMuseum/pyzbar, pull request 82)
and calls its number CFG_NUM, so `ZbarDecoder` makes the same calls as `pyzbar.decode`, on
pyzbar's own bindings, with that option set. This also avoids pyzbar's ValueError on symbols of a
structured append, whose orientation it cannot name.
"""

import ctypes
from typing import Any, Protocol

from firmware_sim.camera.symbol import Luma, flat_picture
from firmware_sim.errors import UsageError

NAMES = ("pyzbar", "zxing")
"""What `make_decoder` accepts."""

SELF_TEST_TEXTS = (
    "Café-5G",
    "Straße Müller",
    "Łódź żółw",
    "Склад-2",
    "Αποθήκη",
    "倉庫ネットワーク",
    "你好，仓库",
    "창고 와이파이",
    "מחסן",
    "حفلة 📶 ☕",
)
"""Network names that stock pyzbar misreads, or might; the first is enough to show the trap."""


class Decoder(Protocol):
    """Reads the QR code in a frame."""

    name: str

    def decode(self, luma: Luma) -> bytes | None:
        """Return the raw payload of a QR symbol in the frame, or None when none is legible."""
        ...


def make_decoder(name: str) -> Decoder:
    """Return decoder `name`, one of NAMES, or raise UsageError saying what to install instead."""
    if name == ZbarDecoder.name:
        return ZbarDecoder()
    if name == ZxingDecoder.name:
        return ZxingDecoder()
    raise UsageError(f"decoder {name!r} is unknown: use one of {', '.join(NAMES)}")


def available() -> tuple[str, ...]:
    """Return the names of the decoders whose libraries load on this machine."""
    return tuple(name for name in NAMES if _loads(name))


def self_test(decoder: Decoder) -> None:
    """Raise UsageError unless `decoder` returns non-ASCII texts byte for byte."""
    for text in SELF_TEST_TEXTS:
        payload = text.encode()
        if decoder.decode(flat_picture(payload)) != payload:
            raise UsageError(
                f"decoder {decoder.name} misreads {text!r}: its library is unfit, "
                "update it or use another --decoder"
            )


class ZbarDecoder:
    """libzbar through pyzbar's bindings, in binary mode."""

    name = "pyzbar"

    _QR_SYMBOL = 64
    _ALL_SYMBOLS = 0
    _ENABLE = 0
    _BINARY = 4
    _FORMAT_Y800 = int.from_bytes(b"Y800", "little")

    def __init__(self) -> None:
        """Load libzbar and check that it knows binary mode (0.23.1 and later)."""
        self._zbar: Any = _import_zbar()
        scanner = self._make_scanner()
        self._zbar.zbar_image_scanner_destroy(scanner)

    def decode(self, luma: Luma) -> bytes | None:
        """Return the raw payload of a QR symbol in the frame, or None when none is legible."""
        if luma.size == 0:
            return None
        # One scanner per frame: libzbar keeps some 200 bytes per symbol for a scanner's lifetime.
        scanner = self._make_scanner()
        image = self._zbar.zbar_image_create()
        try:
            return self._scan(scanner, image, luma)
        finally:
            self._zbar.zbar_image_destroy(image)
            self._zbar.zbar_image_scanner_destroy(scanner)

    def _make_scanner(self) -> Any:
        zbar = self._zbar
        scanner = zbar.zbar_image_scanner_create()
        refused = (
            zbar.zbar_image_scanner_set_config(scanner, self._ALL_SYMBOLS, self._ENABLE, 0)
            or zbar.zbar_image_scanner_set_config(scanner, self._QR_SYMBOL, self._ENABLE, 1)
            or zbar.zbar_image_scanner_set_config(scanner, self._QR_SYMBOL, self._BINARY, 1)
        )
        if refused:
            zbar.zbar_image_scanner_destroy(scanner)
            raise UsageError(
                "libzbar has no binary mode and would misread non-ASCII Wi-Fi names: "
                "update libzbar0 to 0.23.1 or later, or use --decoder zxing"
            )
        return scanner

    def _scan(self, scanner: Any, image: Any, luma: Luma) -> bytes | None:
        zbar = self._zbar
        pixels = luma.tobytes()
        zbar.zbar_image_set_format(image, self._FORMAT_Y800)
        zbar.zbar_image_set_size(image, luma.shape[1], luma.shape[0])
        zbar.zbar_image_set_data(image, ctypes.c_char_p(pixels), len(pixels), None)
        zbar.zbar_scan_image(scanner, image)
        symbol = zbar.zbar_image_first_symbol(image)
        while symbol:
            # Part of a structured append has another type and is no complete text.
            if symbol.contents.type == self._QR_SYMBOL:
                size = zbar.zbar_symbol_get_data_length(symbol)
                return ctypes.string_at(zbar.zbar_symbol_get_data(symbol), size)
            symbol = zbar.zbar_symbol_next(symbol)
        return None


class ZxingDecoder:
    """zxing-cpp: needs no system library."""

    name = "zxing"

    _SIDE_PX_MAX = 65_535  # it refuses what is longer

    def __init__(self) -> None:
        """Load zxing-cpp."""
        self._zxing: Any = _import_zxing()

    def decode(self, luma: Luma) -> bytes | None:
        """Return the raw payload of a QR symbol in the frame, or None when none is legible."""
        if luma.size == 0 or max(luma.shape) > self._SIDE_PX_MAX:
            return None
        # Model 2 is what everybody calls a QR code. `QRCode` would mean its relatives, too, and now
        # and then a Micro QR code with five digits is found in a frame of an ordinary one.
        # Without searching for light-on-dark symbols: no phone shows one, and it doubles the cost.
        found = self._zxing.read_barcodes(
            luma, formats=self._zxing.BarcodeFormat.QRCodeModel2, try_invert=False
        )
        return bytes(found[0].bytes) if found else None


def _import_zbar() -> Any:
    try:
        import pyzbar  # noqa: F401 - tells a missing package from a missing library
    except ImportError:
        raise UsageError(
            "pyzbar is not installed: install it with pip, or use --decoder zxing"
        ) from None
    try:
        from pyzbar import wrapper
    except (ImportError, OSError):
        raise UsageError(
            "pyzbar finds no libzbar: install the Debian package libzbar0 "
            "(apt-get install libzbar0), or use --decoder zxing"
        ) from None
    return wrapper


def _import_zxing() -> Any:
    try:
        import zxingcpp
    except ImportError:
        raise UsageError(
            "zxing-cpp is not installed: install it with pip (pip install zxing-cpp), "
            "or use --decoder pyzbar"
        ) from None
    return zxingcpp


def _loads(name: str) -> bool:
    try:
        make_decoder(name)
    except UsageError:
        return False
    return True
