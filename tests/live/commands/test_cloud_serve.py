"""`fleet cloud` as people start it: it says where it is, keeps its data, and ends when told."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tuya_connector import TuyaOpenAPI
from websockets.sync.client import connect

from firmware_sim.errors import UsageError
from firmware_sim.wire import iot_dns
from fleet.__main__ import run
from fleet.cloud.open.push_crypto import password
from fleet.cloud.seed import AccountSeed, Seed
from fleet.cloud.toml_file import demo_seed
from fleet.commands import cloud_seed, cloud_serve
from fleet.commands.access import resolve
from fleet.commands.cloud_serve import Wish, read_region_ports, serve

MAKER = {"name": "maker@example.com", "password": "demo-password"}


def log_in(papers: dict[str, Any], form: dict[str, str]) -> bool:
    answer = httpx.post(papers["console"] + "/console/v1/login", json=form)
    return answer.json()["success"] is True


@contextmanager
def running(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run the command for as long as the block lasts; give it and what its ready file says."""
    ready_file = folder / "ready.json"
    command = [sys.executable, "-m", "fleet", "cloud", *words, "--ready-file", str(ready_file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        while not ready_file.exists():
            assert process.poll() is None
            time.sleep(0.02)
        yield process, json.loads(ready_file.read_text())
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_a_command_that_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    ready_file, data = tmp_path / "ready.json", tmp_path / "data"
    with running(tmp_path, "--demo", "--data", str(data)) as (process, papers):
        assert stat.S_IMODE(ready_file.stat().st_mode) == 0o600
        assert log_in(papers, MAKER)
        access = resolve("", ready_file, MAKER["name"], "")  # as `fleet app --ready` reads it
        assert (access.url, access.password) == (papers["console"], MAKER["password"])
        assert papers["open_api"].startswith("http://127.0.0.1:")
        again = ["cloud", "--data", str(data), "--ready-file", str(ready_file)]
        assert run(again) == 2, "the data are in use"
        assert json.loads(ready_file.read_text()) == papers, "of the one that is up"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()
    assert process.returncode == 0
    assert not ready_file.exists()
    assert out.splitlines() == [
        f"Open API, console, app: {papers['open_api']}, access id demo0access0id000001",
        f"message push: {papers['push']}",
        f"devices: {papers['iot_dns']}, {papers['mqtt']}",
        "Ctrl-C stops it",
    ]
    assert "demo0secret" not in out
    assert data.is_dir()


def test_a_data_centre_may_have_a_port_of_its_own(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--region-port", "us=0") as (_, papers):
        there = {region["code"]: region for region in papers["regions"]}
        us = there["AZ"]["open_api"]
        assert there["IN"]["open_api"] == papers["console"] + "/in"
        assert us.rpartition(":")[0] == papers["console"].rpartition(":")[0]
        assert log_in({"console": us}, MAKER), "it is the same cloud"
        camera = f"/v1.0/devices/{demo_seed().devices[0].dev_id}"
        for endpoint, code in (
            (papers["open_api"], None),
            (there["EU"]["open_api"], None),
            (us, 1106),
            (there["AZ"]["open_api"] + "/eu", None),
            (there["IN"]["open_api"], 1106),
        ):
            api = TuyaOpenAPI(endpoint, papers["access_id"], papers["access_secret"])
            api.connect()
            assert api.get(camera).get("code") == code, endpoint
        push = f"ws/v2/consumer/persistent/{api.access_id}/out/event/{api.access_id}-sub"
        headers = {
            "username": api.access_id,
            "password": password(api.access_id, papers["access_secret"]),
        }
        with connect(there["AZ"]["push"] + push, additional_headers=headers) as consumer:
            api = TuyaOpenAPI(us, papers["access_id"], papers["access_secret"])
            api.connect()
            form = {"country_code": "1", "username": "ann", "password": "0" * 32}
            assert api.post("/v1.0/apps/fleet/user", form)["success"]
            assert "payload" in json.loads(consumer.recv(timeout=20))


@pytest.mark.parametrize("line", ["us", "us=", "us=x", "us=-1", "XX=1"])
def test_a_port_of_no_data_centre(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cloud", "--region-port", line]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "us=8081" in said or "choose one of AY, AZ" in said


def test_one_port_for_each_data_centre() -> None:
    assert read_region_ports(["us=8081", "IN=0"]) == {"AZ": 8081, "IN": 0}
    with pytest.raises(UsageError, match="give each data centre one port"):
        read_region_ports(["us=8081", "AZ=8082"])


# --- the same in this process, where it can be looked into ------------------------------------------


def served(monkeypatch: pytest.MonkeyPatch, wish: Wish) -> dict[str, Any]:
    """Serve until the ready file is written; return what is in it."""
    seen: list[dict[str, Any]] = []

    def write_and_stop(data: bytes) -> None:
        seen.append(json.loads(data))
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(cloud_serve, "announcement", lambda _: nullcontext(write_and_stop))
    serve(wish)
    (papers,) = seen
    return papers


def test_the_ready_file_names_every_address_and_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = Wish(seed=demo_seed(), ready_file=tmp_path / "ready.json")
    papers = served(monkeypatch, wish)
    url = papers["console"]
    assert papers["iot_dns"] == url + iot_dns.PATH
    assert papers["device_api"] == url + "/d.json"
    assert papers["push"] == url.replace("http:", "ws:") + "/"
    assert papers["mqtt"].startswith("mqtt://127.0.0.1:")
    assert papers["access_secret"] == papers["projects"][0]["access_secret"]
    assert (papers["access_id"], papers["schema"]) == ("demo0access0id000001", "fleet")
    assert [key["owner"] for key in papers["projects"]] == [MAKER["name"], "other@example.com"]
    assert papers["accounts"][0] == {**MAKER, "role": "developer"}
    assert papers["accounts"][-1]["role"] == "consumer"
    assert papers["accounts"][0]["password"] not in capsys.readouterr().out


def test_passwords_are_told_only_of_people_who_are_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = Seed(accounts=(AccountSeed(name="somebody", password="pw"),))
    ready_file = tmp_path / "ready.json"
    wish = Wish(data=str(tmp_path / "data"), seed=own, ready_file=ready_file)
    assert [one["name"] for one in served(monkeypatch, wish)["accounts"]] == ["somebody"]
    again = Wish(data=wish.data, seed=demo_seed(), ready_file=ready_file)
    papers = served(monkeypatch, again)
    assert (papers["accounts"], papers["projects"], papers["access_id"]) == ([], [], "")
    assert "access id" not in capsys.readouterr().out.splitlines()[-4]


def test_the_first_key_is_that_of_the_data_set_whatever_others_are_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data, shop = str(tmp_path / "data"), demo_seed()
    (first, other) = shop.projects
    before = msgspec.structs.replace(other, access_id="0", schemas=())
    cloud_seed.put(msgspec.structs.replace(shop, projects=(first, other, before)), "s", data, None)
    wish = Wish(data=data, seed=shop, ready_file=tmp_path / "ready.json")
    papers = served(monkeypatch, wish)
    assert papers["access_id"] == first.access_id
    assert [key["access_id"] for key in papers["projects"]][1] == "0"


def test_an_empty_cloud_says_how_people_come_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served(monkeypatch, Wish(ready_file=tmp_path / "ready.json"))
    assert capsys.readouterr().out.splitlines()[-2].startswith("nobody can log in yet: ")


def test_devices_and_readers_are_told_another_host(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wish = Wish(host="0.0.0.0", told_host="cloud.test", ready_file=tmp_path / "ready.json")
    papers = served(monkeypatch, wish)
    assert papers["console"].startswith("http://cloud.test:")
    assert papers["mqtt"].startswith("mqtt://cloud.test:")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_every_address_is_none_that_a_device_could_use(host: str) -> None:
    with pytest.raises(UsageError, match="--told-host"):
        serve(Wish(host=host))


def test_what_is_wrong_is_one_line_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    for words in (
        ["--data", str(tmp_path / "file")],
        ["--port", "70000"],
        ["--told-host", "cloud.test:8080"],
        ["--ready-file", str(tmp_path)],
        ["--host", "no.such.host.invalid"],
        ["--ready-file", str(tmp_path / "no" / "folder.json")],
    ):
        assert run(["cloud", *words]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("fleet: ")
