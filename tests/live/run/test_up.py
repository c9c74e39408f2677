import hashlib
import hmac
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import tinytuya

from firmware_sim.errors import UsageError
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.consumer import ConsumerClient
from fleet.run import up as module
from fleet.run.hosting import in_loop
from fleet.run.up import up

from .support import Striker, family, interrupt

KEYS = [
    "console",
    "open_api",
    "device_api",
    "iot_dns",
    "mqtt",
    "push",
    "ca_file",
    "access_id",
    "access_secret",
    "schema",
    "regions",
    "projects",
    "accounts",
    "devices",
    "pages",
    "pages_password",
]


TOKEN = "v1.0/token?grant_type=1"


class Guest:
    """Reads both files and visits the cloud, then presses Ctrl-C."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.list_path = path.with_name("devices.json")
        self.ready: dict[str, Any] = {}
        self.listed: list[dict[str, Any]] = []
        self.owned: list[str] = []
        self.open_api: dict[str, Any] = {}
        self.modes: set[int] = set()

    def visit(self) -> None:
        try:
            self.modes = {p.stat().st_mode & 0o777 for p in self.path.parent.glob("*.json")}
            self.ready = json.loads(self.path.read_text())
            self.listed = tinytuya.load_devicefile(self.list_path)
            in_loop(self._log_in())
        finally:
            interrupt()

    async def _log_in(self) -> None:
        async with CloudLink(self.ready["console"], ca_file=self.ready["ca_file"]) as link:
            for account in self.ready["accounts"]:
                if account["role"] != "consumer":
                    await ConsoleClient.login(link, account["name"], account["password"])
                else:
                    app = await ConsumerClient.login(link, account["name"], account["password"])
                    there = [d.uuid for d in await app.devices() if d.online]
                    self.owned += [uuid for uuid in there if uuid.startswith("sim")]
        trust = ssl.create_default_context(cafile=self.ready["ca_file"] or None)
        async with httpx.AsyncClient(base_url=self.ready["open_api"], verify=trust) as http:
            reply = await http.get(f"/{TOKEN}", headers=self._signed())
            self.open_api = reply.json()

    def _signed(self) -> dict[str, str]:
        """Sign the call for a token as the vendor's page says, with the key of the ready file."""
        access_id, t = self.ready["access_id"], str(time.time_ns() // 1_000_000)
        text = f"{access_id}{t}GET\n{hashlib.sha256().hexdigest()}\n\n/{TOKEN}"
        sign = hmac.new(self.ready["access_secret"].encode(), text.encode(), "sha256").hexdigest()
        return {"client_id": access_id, "t": t, "sign_method": "HMAC-SHA256", "sign": sign.upper()}


def test_everything_is_up_and_says_where(tmp_path: Path) -> None:
    guest = Guest(tmp_path / "ready.json")
    screen = Striker("4 devices online", guest.visit)
    code = up(
        devices=4,
        ready_file=guest.path,
        devices_json=guest.list_path,
        decoder="zxing",
        console=screen.console,
    )
    assert code == 0
    assert list(guest.ready) == KEYS
    assert guest.modes == {0o600}
    assert guest.ready["push"].startswith("ws://127.")
    assert guest.open_api["success"], guest.open_api
    assert guest.open_api["result"]["expire_time"] == 7200
    devices = guest.ready["devices"]
    assert guest.owned == [device["uuid"] for device in devices]
    assert {device["profile"] for device in devices} == {"ipc-red-green", "nvr", "gateway"}
    assert {device["state"] for device in devices} == {"bound"}
    assert all(device["id"] and device["local_key"] and device["auth_key"] for device in devices)
    assert len({device["ip"] for device in devices}) == 4
    assert len({device["mac"] for device in devices}) == 4
    assert {device["version"] for device in devices} == {"3.1", "3.3", "3.4", "3.5"}
    alone = [entry for entry in guest.listed if not entry["sub"]]
    assert [(e["id"], e["key"], e["ip"], e["mac"], e["version"]) for e in alone] == [
        (d["id"], d["local_key"], d["ip"], d["mac"], d["version"]) for d in devices
    ]
    parents = {device["id"] for device in devices if device["profile"] in ("nvr", "gateway")}
    assert {entry["parent"] for entry in guest.listed if entry["sub"]} == parents
    assert [a["role"] for a in guest.ready["accounts"]].count("consumer") == 4
    assert not guest.path.exists()
    assert not guest.list_path.exists()
    assert family() == set()


def test_devices_of_one_model_that_wait(tmp_path: Path) -> None:
    guest = Guest(tmp_path / "ready.json")
    guest.path.write_text("of an earlier start")
    guest.list_path.write_text("of an earlier start")
    screen = Striker("2 devices waiting", guest.visit)
    up(
        devices=2,
        profile="dvr",
        state="waiting",
        ready_file=guest.path,
        devices_json=guest.list_path,
        console=screen.console,
    )
    assert guest.listed == []
    assert guest.modes == {0o600}
    assert [(d["profile"], d["state"], d["id"]) for d in guest.ready["devices"]] == [
        ("dvr", "waiting", ""),
        ("dvr", "waiting", ""),
    ]
    assert guest.owned == []


def test_everything_can_be_encrypted(tmp_path: Path) -> None:
    guest = Guest(tmp_path / "ready.json")
    screen = Striker("2 devices online", guest.visit)
    up(devices=2, ready_file=guest.path, console=screen.console, tls=True, device_https_port=0)
    assert guest.ready["console"].startswith("https://")
    assert guest.open_api["success"], guest.open_api
    assert guest.owned == [device["uuid"] for device in guest.ready["devices"]]
    assert not Path(guest.ready["ca_file"]).exists(), "it goes with the data"


def test_returned_goods_are_reset_and_still_somebodys(tmp_path: Path) -> None:
    guest = Guest(tmp_path / "ready.json")
    screen = Striker("1 devices waiting", guest.visit)
    up(devices=1, profile="nvr", state="returned", ready_file=guest.path, console=screen.console)
    (device,) = guest.ready["devices"]
    assert (device["state"], device["local_key"]) == ("returned", "")
    assert device["id"], "the cloud still has it in its owner's list"
    assert guest.owned == [], "but nothing of it is online"


def test_without_a_file_it_is_up_as_well() -> None:
    screen = Striker("1 devices online", interrupt)
    assert up(devices=1, profile="nvr", console=screen.console) == 0


def test_what_a_killed_start_has_left_is_gone_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "ready.json"
    left.touch()

    def settle(*_: object, **__: object) -> None:
        assert not left.exists()
        raise UsageError("there is no such LAN")

    monkeypatch.setattr(module, "settle", settle)
    with pytest.raises(UsageError, match="no such LAN"):
        up(ready_file=left)


def test_devices_that_do_not_come_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    with pytest.raises(UsageError, match="1 of 1 devices did not come up within 0 s"):
        up(devices=1, profile="nvr", console=Striker("never", interrupt).console)
    assert family() == set()


@pytest.mark.parametrize("devices", [0, -1])
def test_a_number_that_makes_no_sense(devices: int) -> None:
    with pytest.raises(UsageError, match=f"--devices {devices}: "):
        up(devices=devices)


def test_when_the_parent_is_killed_nothing_stays(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    program = (
        "from pathlib import Path; from fleet.run.up import up\n"
        f"if __name__ == '__main__': up(devices=2, ready_file=Path({str(ready)!r}), "
        f"data_dir=Path({str(tmp_path / 'data')!r}))"
    )
    script = tmp_path / "up.py"
    script.write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen([sys.executable, str(script)], env=environment) as parent:
        while not ready.exists():
            assert parent.poll() is None
            time.sleep(0.05)
        children = family() - {parent.pid}
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert children
    while any(Path(f"/proc/{pid}/cmdline").exists() for pid in children):
        time.sleep(0.05)
