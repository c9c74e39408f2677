"""Codes are told once, without their secrets, and no stranger's text reaches a terminal as it is."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.camera.shots import Shot
from firmware_sim.camera.sources.choose import frames_of
from firmware_sim.errors import UsageError
from fleet.__main__ import run
from fleet.app import qr
from fleet.commands import lens_watch
from fleet.commands.lens_watch import HIDDEN, Memory, Wish, describe, watch
from tests.camera.pictures import PAYLOAD, bomb, picture

NO_LUMA = np.zeros((1, 1), np.uint8)


def shot(time_s: float = 0.0, name: str = "a.png") -> Shot:
    return Shot(time_s, 0, name, NO_LUMA)


# --- what a code says -----------------------------------------------------------------------------


def test_a_code_of_this_field_shows_its_network_only() -> None:
    read = describe(shot(), qr.payload("Café\x1b[2J", "correct horse", "EUabcdefghpr_0"))
    assert (read.kind, read.ssid) == ("provisioning", "Café\\x1b[2J")
    for shown in (read.line(), repr(read)):
        assert "Café" in shown
        assert "horse" not in shown
        assert "EUabcdefgh" not in shown


@pytest.mark.parametrize(
    ("payload", "text", "why"),
    [
        (b"hello", "hello", "JSON"),
        (b"\x1b[31mred", "\\x1b[31mred", "JSON"),
        (b'{"s":1}', '{"s":1}', "Expected `str`"),
        (b'{"s":"a","p":"secret","t":"short"}', HIDDEN, "14 printable"),
        (b'{"s":"\xff","p":"secret","t":"EUabcdefghpr_0"}', HIDDEN, "not UTF-8"),
        (b"{'p': 'secret'}", HIDDEN, "JSON"),
        (rb'{"s":"a","\u0070":"secret"}', HIDDEN, "`t`"),
        (b"WIFI:T:WPA;S:home;P:secret;;", HIDDEN, "JSON"),
        (b"ssid=home&password=secret", HIDDEN, "JSON"),
        (b'{"ssid":"home","pwd":"secret"}', HIDDEN, "`s`"),
        (b"https://example.org/http://a", "https://example.org/http://a", "JSON"),
        (bytes(range(256)) * 11, "\\x00\\x01", "the limit is 1024"),
    ],
)
def test_any_other_code_says_why_a_camera_ignores_it(payload: bytes, text: str, why: str) -> None:
    read = describe(shot(name="\x1b.png"), payload)
    assert (read.kind, read.size) == ("other", len(payload))
    assert read.text.startswith(text)
    assert why in read.ignored
    assert read.line().isprintable()
    assert "secret" not in read.line()


def test_a_code_is_new_where_it_was_not_seen_lately() -> None:
    memory = Memory()
    assert memory.is_new(shot(0.0), b"x")
    assert not memory.is_new(shot(2.9), b"x")
    assert not memory.is_new(shot(5.8), b"x"), "it has been in view all the time"
    assert memory.is_new(shot(9.0), b"x")
    assert memory.is_new(shot(9.0), b"y")
    assert memory.is_new(shot(9.0, "b.png"), b"x")


def test_codes_that_are_remembered_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lens_watch, "_REMEMBERED", 2)
    memory = Memory()
    assert [memory.is_new(shot(), text) for text in (b"a", b"b", b"c", b"c", b"a")] == [
        *(True, True, True),
        *(False, True),
    ]


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in {
        "a.png": picture(),
        "b.png": picture()[:200],
        "c.png": bomb(10_000),
        "d.png": picture(payload=b"hello"),
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lens", "watch", str(folder), "--decoder", "zxing", "--verbose"]) == 0
    said = capsys.readouterr()
    first, second = said.out.splitlines()
    assert f'{folder}/a.png  frame 0  42 bytes  pairing or unbinding, Wi-Fi "home"' in first
    assert 'd.png  frame 3  5 bytes  text "hello" (a camera ignores it' in second
    damaged, large = said.err.splitlines()
    assert "b.png  frame 1  the picture is damaged" in damaged
    assert "c.png  frame 2  a decompression bomb" in large


def test_json_and_the_first_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lens", "watch", str(folder), "--decoder", "zxing", "--json", "--once"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    read = json.loads(line)
    assert (read["kind"], read["ssid"], read["size"]) == ("provisioning", "home", len(PAYLOAD))


def test_nothing_to_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"hello")
    words = ["lens", "watch", str(path), "--decoder", "zxing"]
    assert run(words) == 1
    assert capsys.readouterr() == ("", "no code was read; --verbose says why, of each frame\n")
    assert run([*words, "--verbose"]) == 1
    assert "--verbose says why" not in capsys.readouterr().err


def test_a_source_that_is_none_ends_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lens", "watch", str(folder), "/nowhere", "--decoder", "zxing"]) == 2
    assert (
        capsys.readouterr().err == "fleet: /nowhere: cannot be read (No such file or directory)\n"
    )


def test_bytes_as_they_are_for_programs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Output(io.TextIOWrapper):
        tty = False

        def isatty(self) -> bool:
            return self.tty

    output = Output(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", output)
    assert asyncio.run(watch([str(folder)], Wish("zxing", raw=True))) == 0
    assert output.buffer.getvalue() == PAYLOAD + b"\nhello\n"  # type: ignore[attr-defined]
    output.tty = True
    with pytest.raises(UsageError, match="not for a terminal"):
        asyncio.run(watch([str(folder)], Wish("zxing", raw=True)))


def test_the_first_code_of_any_source_ends_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other source never ends by itself."""
    closed: list[str] = []

    async def endless() -> AsyncGenerator[Shot, None]:
        try:
            while True:
                await asyncio.sleep(0.001)
                yield shot()
        finally:
            closed.append("endless")

    monkeypatch.setattr(
        lens_watch,
        "frames_of",
        lambda source, follow: endless() if source == "endless" else frames_of(source),
    )
    said: list[str] = []
    sources = ["endless", str(folder)]
    assert asyncio.run(watch(sources, Wish("zxing", once=True), said.append)) == 0
    assert (len(said), closed) == (1, ["endless"])
