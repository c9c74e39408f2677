"""`fleet demo` as people start it: it says where it is, serves its page, and ends when told."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from firmware_sim.errors import UsageError
from fleet.commands.demo import demo
from fleet.commands.screen import make_screen

API = "/api/demo"


@contextmanager
def running(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command for as long as the block lasts; give it and its URL."""
    command = [sys.executable, "-m", "fleet", "demo", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.match(r"demo: (http://\S+)/demo \(Ctrl-C", process.stdout.readline())
        assert found is not None
        yield process, found[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def test_it_serves_a_world_and_ends_with_it() -> None:
    with (
        running("--web", "0", "--decoder", "zxing") as (process, url),
        httpx.Client(base_url=url) as browser,
    ):
        assert "Indicator demo" in browser.get("/demo").text
        proof = {"X-Fleet-Proof": browser.get("/api/session").json()["proof"]}
        start = browser.post(f"{API}/start", json={"profile": "nvr"}, headers=proof)
        assert start.json()["model"]["name"] == "nvr"
        with browser.stream("GET", f"{API}/events") as events:
            lines = events.iter_lines()
            assert next(lines).startswith("retry:")
            process.send_signal(signal.SIGINT)
            assert "event: closing" in list(lines)
    assert process.returncode == 0


def test_strangers_are_asked_for_the_password(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("open sesame\n")
    with running("--web", "0.0.0.0:0", "--web-password-file", str(file)) as (_, url):
        reply = httpx.get(url.replace("0.0.0.0", "127.0.0.1") + "/demo")
    assert (reply.status_code, reply.headers["location"]) == (303, "/login")


def test_a_place_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}"):
            demo(str(port), None, "zxing", make_screen())
