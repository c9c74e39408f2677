"""`fleet device` as a person or a script uses it, with a cloud of its own."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.__main__ import run
from fleet.commands import device
from fleet.commands.device import Choice, with_own_cloud
from fleet.run.population import Network
from tests.live.test_app_live import QUICK


@pytest.fixture
def gateway(tmp_path: Path) -> str:
    path = tmp_path / "gateway.toml"
    path.write_text(QUICK.format(kind="gateway", pairing="wired"))
    return str(path)


def fleet(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fleet", *arguments]
    return subprocess.run(
        command, input=typed, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_script_is_played_and_each_state_is_a_line(
    gateway: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["device", gateway, "--script", "p; wait online; hold; wait waiting; p"]) == 0
    out = capsys.readouterr().out
    assert "fleet app unbind --wired --cloud http://127.0.0.1:" in out
    states = [line.split()[1] for line in out.splitlines() if "<-" in line]
    assert states[0] == "BOOTING/DOWN"
    assert "ONLINE/UP" in states
    assert states[-1] == "OFF/DOWN"


def test_steps_may_come_from_standard_input(gateway: str) -> None:
    done = fleet("device", gateway, "--state", "waiting", typed="p\nwait waiting\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "WAITING/DOWN [waiting]" in done.stdout


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("fly", "no step 'fly'"),
        ("c; show x.png", "has no lens"),
        ("wait online 50ms", "wait online: after 0.05 s the device still shows off"),
    ],
)
def test_a_mistake_in_a_script_is_one_line(
    gateway: str, script: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["device", gateway, "--script", script]) == 2
    err = capsys.readouterr().err
    assert err.startswith("fleet: ")
    assert err.count("\n") == 1
    assert line in err


def test_a_terminal_shows_the_face_until_x(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def keys(_: int) -> AsyncGenerator[str, None]:
        for key in "px":
            await asyncio.sleep(0)
            yield key

    camera = tmp_path / "camera.toml"
    camera.write_text(QUICK.format(kind="camera", pairing="qr"))
    monkeypatch.setattr(device, "keys", keys)
    monkeypatch.setattr("sys.stdin.fileno", lambda: 0)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert run(["device", str(camera), "--decoder", "zxing", "--ssid", "Café 5"]) == 0
    out = capsys.readouterr().out
    assert "fleet app unbind --qr --ssid 'Café 5' --wifi-password workshop --out code.png" in out
    assert "hands  power o" in out


def test_an_unknown_model_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["device", "toaster", "--script", ""]) == 2
    assert "no profile 'toaster'; allowed: base-station," in capsys.readouterr().err


def test_at_another_cloud_the_device_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["device", "gateway", "--cloud", "http://127.0.0.1:9"]) == 2
    assert "give --uuid, --auth-key and --product-id" in capsys.readouterr().err


def test_at_another_cloud_the_device_starts_as_from_the_factory(
    gateway: str, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = ["--uuid", "u1", "--auth-key", "k" * 32, "--product-id", "p1"]
    script = ["--script", "p; wait waiting"]
    assert run(["device", gateway, "--cloud", "http://127.0.0.1:9", *identity, *script]) == 0
    assert "WAITING/DOWN [waiting]" in capsys.readouterr().out


def test_a_cloud_that_dies_is_told(gateway: str) -> None:
    async def kill() -> None:
        while not (children := multiprocessing.active_children()):
            await asyncio.sleep(0.02)
        [cloud] = children
        await asyncio.sleep(0.5)
        assert cloud.pid is not None
        os.kill(cloud.pid, signal.SIGKILL)

    async def story() -> None:
        choice = Choice(gateway, 1, Network("w", "p"), "zxing", bound=True, script="sleep 30s")
        killing = asyncio.ensure_future(kill())
        try:
            await with_own_cloud(choice)
        finally:
            await killing

    with pytest.raises(UsageError, match="the cloud"):
        asyncio.run(story())


def test_ctrl_c_ends_everything(gateway: str) -> None:
    command = [sys.executable, "-m", "fleet", "device", gateway, "--script", "p; sleep 60s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "BOOTING" in line:
                process.send_signal(signal.SIGINT)
                break
        process.stdout.read()
        assert process.wait(30) == 130
