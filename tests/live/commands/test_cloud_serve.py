"""`fleet cloud` as people start it: it says where it is, keeps its data, and ends when told."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire import iot_dns
from fleet.__main__ import run
from fleet.cloud.seed import AccountSeed, Seed
from fleet.cloud.toml_file import demo_seed
from fleet.commands import cloud_serve
from fleet.commands.access import resolve
from fleet.commands.cloud_serve import Key, Papers, Person, Wish, serve

MAKER = {"name": "maker@example.com", "password": "demo-password"}


def log_in(papers: dict[str, Any], form: dict[str, str]) -> bool:
    answer = httpx.post(papers["console"] + "/console/v1/login", json=form)
    return answer.json()["success"] is True


def test_a_command_that_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    ready_file, data = tmp_path / "ready.json", tmp_path / "data"
    words = ["cloud", "--demo", "--data", str(data), "--ready-file", str(ready_file)]
    process = subprocess.Popen(
        [sys.executable, "-m", "fleet", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        while not ready_file.exists():
            assert process.poll() is None
            time.sleep(0.02)
        papers = json.loads(ready_file.read_text())
        assert stat.S_IMODE(ready_file.stat().st_mode) == 0o600
        assert log_in(papers, MAKER)
        access = resolve("", ready_file, MAKER["name"], "")  # as `fleet app --ready` reads it
        assert (access.url, access.password) == (papers["console"], MAKER["password"])
        assert papers["open_api"].startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()
    finally:
        process.kill()
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


# --- the same in this process, where it can be looked into ------------------------------------------


def served(monkeypatch: pytest.MonkeyPatch, wish: Wish) -> dict[str, Any]:
    """Serve until the ready file is written; return what is in it."""
    seen: list[dict[str, Any]] = []

    def write_and_stop(_path: Path, data: bytes, mode: int) -> None:
        assert mode == 0o600
        seen.append(json.loads(data))
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(cloud_serve, "write_atomically", write_and_stop)
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
        ["--host", "no.such.host.invalid"],
        ["--ready-file", str(tmp_path / "no" / "folder.json")],
    ):
        assert run(["cloud", *words]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("fleet: ")


def test_secrets_are_not_shown() -> None:
    key = Key("id", "s3cret", "maker", ())
    people = (Person("maker", "s3cret", "developer"),)
    papers = Papers("http://h", "", "", "", "", "", "id", "s3cret", "", (key,), people)
    assert "s3cret" not in repr((key, people, papers))
