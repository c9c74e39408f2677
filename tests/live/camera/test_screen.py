"""A monitor in a browser that fills an X screen, read from that very screen: nothing is simulated."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.camera.pictures import PAYLOAD, picture
from tests.live.web.premises import command


@pytest.fixture
def display() -> Iterator[str]:
    """Start an X server without a screen to look at."""
    program = shutil.which("Xvfb")
    if program is None or shutil.which("chromium") is None:
        pytest.skip("no X server or no Chromium here: apt-get install xvfb chromium")
    reading, writing = os.pipe()
    words = [program, "-displayfd", str(writing), "-screen", "0", "1024x768x24", "-nolisten", "tcp"]
    server = subprocess.Popen(words, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            yield f":{said.readline().strip()}"
    finally:
        server.terminate()
        server.wait(20)


def test_a_code_on_the_monitor_is_read_from_the_screen(display: str, tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    path.write_bytes(picture())
    shown = command("app", "show", "--picture", str(path), "--decoder", "zxing", DISPLAY=display)
    watched = command("lens", "watch", "screen", "--once", "--decoder", "zxing", DISPLAY=display)
    with shown as monitor:
        assert "a browser shows it" in monitor.until("monitor:")
        with watched as watch:
            assert f'{len(PAYLOAD)} bytes  pairing or unbinding, Wi-Fi "home"' in watch.until(
                "frame"
            )
