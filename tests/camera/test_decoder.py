"""The two decoders: right bytes for any text, and nothing worse than None for anything else."""

import ctypes.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from firmware_sim.camera.decoder import (
    NAMES,
    SELF_TEST_TEXTS,
    Decoder,
    available,
    make_decoder,
    self_test,
)
from firmware_sim.camera.symbol import Luma, flat_picture
from firmware_sim.errors import UsageError
from firmware_sim.rng import Rng

DECODERS = {name: make_decoder(name) for name in NAMES}
each_decoder = pytest.mark.parametrize("reader", DECODERS.values(), ids=DECODERS.keys())

ALPHABETS = {
    "ASCII": 'abcXYZ0189 -_.!"\\',
    "Latin accents": "éèêàùçñöüäßåøæ",
    "Latin extended": "łżźćśąęőűčšžğışță",
    "Cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюяЁё",
    "Greek": "αβγδεζηθικλμνξοπρστυφχψωΆΈΉ",
    "kana and kanji": "あいうえおアイウエオ日本語倉庫東京通信機器",
    "Chinese": "你好仓库网络设备摄像头解绑批量",
    "hangul": "창고와이파이카메라등록해제",
    "Hebrew": "אבגדהוזחטיכלמנסעפצקרשת",
    "Arabic": "مستودعشبكةكاميرا",
    "emoji": "📶📷🔧🏭☕🚪😀",
}


def matrix_picture(code: segno.QRCode) -> Luma:
    rows = np.pad(1 - np.array(code.matrix, np.uint8), 4, constant_values=1) * np.uint8(255)
    return rows.repeat(4, axis=0).repeat(4, axis=1)


# --- right bytes --------------------------------------------------------------------------------


@each_decoder
@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_network_names_of_every_alphabet(reader: Decoder, alphabet: str) -> None:
    rng = Rng(len(alphabet))
    for _ in range(25):
        name = rng.text(1 + rng.below(10), ALPHABETS[alphabet])
        payload = f'{{"s":"{name}","p":"correct horse","t":"EUabcdefgh1234"}}'.encode()
        assert reader.decode(flat_picture(payload)) == payload


@each_decoder
@settings(max_examples=60)
@given(text=st.text(min_size=1, max_size=60))
def test_any_text(reader: Decoder, text: str) -> None:
    payload = text.encode()
    assert reader.decode(flat_picture(payload)) == payload


@each_decoder
@settings(max_examples=60)
@given(payload=st.binary(min_size=1, max_size=100))
def test_bytes_that_are_no_text_come_out_raw(reader: Decoder, payload: bytes) -> None:
    assert reader.decode(flat_picture(payload)) == payload


@each_decoder
def test_an_eci_header_changes_nothing(reader: Decoder) -> None:
    code = segno.make_qr("Café-5G", encoding="utf-8", eci=True)
    assert reader.decode(matrix_picture(code)) == "Café-5G".encode()


def test_pyzbar_itself_still_has_the_trap() -> None:
    """When this fails, libzbar has stopped guessing and `ZbarDecoder` may become a plain call."""
    from pyzbar import pyzbar

    payload = "Café-5G".encode()
    (guess,) = pyzbar.decode(flat_picture(payload), symbols=[pyzbar.ZBarSymbol.QRCODE])
    assert guess.data != payload
    assert DECODERS["pyzbar"].decode(flat_picture(payload)) == payload


# --- nothing worse than None --------------------------------------------------------------------


@each_decoder
@settings(max_examples=80)
@given(
    luma=arrays.arrays(
        np.uint8, st.tuples(st.integers(0, 48), st.integers(0, 48)), elements=st.integers(0, 255)
    )
)
def test_noise_is_not_a_code(reader: Decoder, luma: Luma) -> None:
    assert reader.decode(luma) is None


@each_decoder
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 70_000), (0, 7), (480, 640)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_frames_of_any_shape(reader: Decoder, shape: tuple[int, int], level: int) -> None:
    assert reader.decode(np.full(shape, level, np.uint8)) is None


@each_decoder
def test_part_of_a_structured_append_does_no_harm(reader: Decoder) -> None:
    """pyzbar.decode raises ValueError here: it has no name for the orientation."""
    text = b"a text that is spread over several symbols " * 3
    parts = segno.make_sequence(text, version=3, error="m", mode="byte")
    assert len(parts) > 1
    for part in parts:
        found = reader.decode(matrix_picture(part))
        assert found is None or found in text


def test_zbar_takes_no_part_for_the_whole() -> None:
    parts = segno.make_sequence(b"0123456789" * 10, version=3, error="m", mode="byte")
    assert DECODERS["pyzbar"].decode(matrix_picture(parts[0])) is None


@each_decoder
def test_a_relative_of_the_qr_code_is_none(reader: Decoder) -> None:
    """Five digits of a Micro QR code were once found in a smeared frame of an ordinary one."""
    assert reader.decode(matrix_picture(segno.make_micro("50964"))) is None


@each_decoder
def test_a_damaged_code_is_not_read(reader: Decoder) -> None:
    luma = flat_picture(b"a code under a thumb").copy()
    luma[40:90, 40:90] = 128
    assert reader.decode(luma) is None


@each_decoder
def test_other_symbols_are_not_asked_for(reader: Decoder) -> None:
    bars = np.repeat(np.array([0, 1, 0, 0, 1, 0, 1, 1, 0, 1], np.uint8) * np.uint8(255), 4)
    assert reader.decode(np.tile(bars, (100, 3))) is None


# --- making one ---------------------------------------------------------------------------------


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UsageError, match="decoder 'quirc' is unknown: use one of pyzbar, zxing"):
        make_decoder("quirc")


@each_decoder
def test_the_self_test_passes(reader: Decoder) -> None:
    self_test(reader)


class Guessing:
    """Reads like stock pyzbar: bytes turned into text by a guess, and back."""

    name = "guessing"

    def decode(self, luma: Luma) -> bytes | None:
        payload = DECODERS["zxing"].decode(luma)
        return payload and payload.decode("latin-1").encode()


def test_the_self_test_finds_a_decoder_that_guesses() -> None:
    with pytest.raises(UsageError, match="decoder guessing misreads 'Café-5G'"):
        self_test(Guessing())


def test_the_self_test_has_no_ascii_text() -> None:
    assert not any(text.isascii() for text in SELF_TEST_TEXTS)


def test_both_are_available_here() -> None:
    assert available() == NAMES


def forget(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)


@pytest.mark.parametrize(
    ("package", "name", "advice"),
    [
        ("pyzbar", "pyzbar", "pyzbar is not installed: .*--decoder zxing"),
        ("zxingcpp", "zxing", "zxing-cpp is not installed: .*--decoder pyzbar"),
    ],
)
def test_a_missing_package(
    monkeypatch: pytest.MonkeyPatch, package: str, name: str, advice: str
) -> None:
    forget(monkeypatch, package)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=advice):
        make_decoder(name)
    assert available() == tuple(other for other in NAMES if other != name)


def test_a_missing_libzbar(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch, "pyzbar")
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    with pytest.raises(UsageError, match=r"package libzbar0 .*, or use --decoder zxing"):
        make_decoder("pyzbar")
    assert available() == ("zxing",)


def test_a_libzbar_without_binary_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyzbar import wrapper

    real = wrapper.zbar_image_scanner_set_config

    def before_0_23_1(scanner: Any, symbol: int, config: int, value: int) -> int:
        return 1 if config == 4 else int(real(scanner, symbol, config, value))

    monkeypatch.setattr(wrapper, "zbar_image_scanner_set_config", before_0_23_1)
    with pytest.raises(UsageError, match=r"update libzbar0 to 0\.23\.1"):
        make_decoder("pyzbar")


def test_libraries_load_only_when_a_decoder_is_made() -> None:
    program = (
        "import sys; import firmware_sim.camera.decoder, firmware_sim.camera.worker\n"
        "print({'pyzbar', 'zxingcpp'} & set(sys.modules))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
