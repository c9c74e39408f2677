"""`fleet app show` as a program: its addresses, what scripts change, its password, its end."""

import asyncio
import base64
import io
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from rich.console import Console

from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.picture import read
from firmware_sim.camera.strategy import Strategy
from firmware_sim.errors import UsageError
from fleet.commands import app_show
from fleet.commands.app_show import Show, Wish
from fleet.web.monitor import Look
from tests.camera.pictures import PAYLOAD, picture
from tests.live.web.premises import URL, command


def call(method: str, url: str, body: bytes = b"", kind: str = "", password: str = "") -> bytes:
    request = urllib.request.Request(url, method=method, data=body or None)
    request.add_header("content-type", kind)
    if password:
        secret = base64.b64encode(f"any:{password}".encode()).decode()
        request.add_header("authorization", f"Basic {secret}")
    with urllib.request.urlopen(request, timeout=30) as reply:
        content: bytes = reply.read()
    return content


def code_at(frame: str) -> bytes | None:
    base = frame.removesuffix("/devices/0/frame")
    return read(call("GET", f"{base}/api/monitor/picture"), Strategy(make_decoder("zxing"))).text


def test_a_script_changes_what_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    path.write_bytes(picture())
    words = ["--picture", str(path), "--no-browser", "--decoder", "zxing"]
    with command("app", "show", *words) as running:
        frame = running.url("for test scripts:")
        assert code_at(frame) == PAYLOAD
        call("PUT", frame, "Café".encode(), "text/plain")
        assert code_at(frame) == "Café".encode()
        with pytest.raises(urllib.error.HTTPError, match="422"):
            call("PUT", frame, b"nonsense", "image/png")


# --- in this process ------------------------------------------------------------------------------


def shown(wish: Wish, where: str | None = None) -> tuple[int, str]:
    """Return the exit code, and what is printed."""
    console = Console(file=io.StringIO(), width=200)
    code = app_show.show(wish, where, None, console)
    assert isinstance(console.file, io.StringIO)
    return code, console.file.getvalue()


def test_a_code_of_an_account_is_shown_until_it_is_used_up() -> None:
    async def follow(show: Show) -> int:
        show(PAYLOAD)
        show(b'{"s":"a","p":"secret","t":"short"}')
        return 3

    code, said = shown(Wish(Look(), "zxing", follow=follow, browser=False))
    assert code == 3
    assert "ignores this code: a token has 14" in said
    assert "secret" not in said


def test_ctrl_c_takes_a_code_away_before_it_is_used_up() -> None:
    async def follow(_: Show) -> int:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)
        return 0

    assert shown(Wish(Look(), "zxing", follow=follow, browser=False))[0] == 130


def test_others_are_asked_for_a_password_and_this_machine_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLEET_WEB_PASSWORD", "correct horse")
    answers: list[int] = []

    async def follow(_: Show) -> int:
        others, own, _ = URL.findall(said.getvalue())
        for page, password in ((own, ""), (others, ""), (others, "correct horse")):
            frame = f"{page.removesuffix('/monitor')}/devices/0/frame"
            try:
                await asyncio.to_thread(call, "PUT", frame, PAYLOAD, "text/plain", password)
            except urllib.error.HTTPError as error:
                answers.append(error.code)
            else:
                answers.append(204)
        return 0

    said = io.StringIO()
    wish = Wish(Look(), "zxing", follow=follow, browser=False)
    assert app_show.show(wish, "0.0.0.0:0", None, Console(file=said, width=200)) == 0
    assert answers == [204, 401, 204]
    assert "correct horse" not in said.getvalue()


def test_what_is_typed_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"hello")))

    async def follow(_: Show) -> int:
        return 0

    code, said = shown(Wish(Look(), "zxing", text="-", follow=follow, browser=False))
    assert code == 0
    assert "ignores this code" in said


@pytest.mark.parametrize(
    ("content", "why"), [(b"nonsense", "not a picture"), (picture()[:200], "damaged")]
)
def test_a_picture_that_cannot_be_shown(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "code.png"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"code\.png: .*{why}"):
        shown(Wish(Look(), "zxing", picture=path, browser=False))
