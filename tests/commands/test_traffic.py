"""`fleet lan capture` and `dissect` as people see them; real packets are in tests/live/lan."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire.lan_version import LanVersion
from fleet.commands import traffic
from fleet.lan.recorder import Counts, Limits
from tests.lan.script import DEVICE_ID, KEY, talk
from tests.lan.wire_tap import DEVICE, Connection, records, write_pcap

# --- capture ------------------------------------------------------------------------------------


class FakeRecording:
    """Records what it was asked for; interrupted while it waits, if that is wanted."""

    counts = Counts(3, 200)
    interruption: signal.Signals | None = None
    asked: list[Any]

    def __init__(self, *asked: Any) -> None:
        FakeRecording.asked = [*asked]

    def start(self) -> None:
        self.asked.append("start")

    def ended(self, seconds: float | None) -> bool:
        self.asked.append(seconds)
        if self.interruption is not None:
            signal.raise_signal(self.interruption)
        return False

    def stop(self) -> Counts:
        self.asked.append("stop")
        return self.counts


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeRecording]:
    monkeypatch.setattr(traffic, "Recording", FakeRecording)
    return FakeRecording


def capture(path: Path = Path("a.pcap"), **options: Any) -> int:
    defaults = {"ready": None, "interface": "", "lan": "", "seconds": None, "packets_max": None}
    return traffic.capture(path, **defaults | options)


def test_everything_is_recorded_until_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert capture() == 0
    everything = [Path("a.pcap"), "0.0.0.0/0", "", Limits()]
    assert FakeRecording.asked == [*everything, "start", None, "stop"]
    assert capsys.readouterr().err == (
        "recording all LANs into a.pcap; Ctrl-C ends it\na.pcap: 3 packets in 200 bytes\n"
    )


def test_limits_and_the_interface_are_handed_on() -> None:
    assert capture(interface="eth0", seconds=2.5, packets_max=9) == 0
    wanted = [Path("a.pcap"), "0.0.0.0/0", "eth0", Limits(packets=9)]
    assert FakeRecording.asked == [*wanted, "start", 2.5, "stop"]


def test_a_ready_file_narrows_it_to_its_fleet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text(json.dumps({"console": "http://x", "devices": [{"ip": "127.16.1.1"}]}))
    assert capture(ready=ready) == 0
    assert FakeRecording.asked[1] == "127.16.0.0/16"
    assert "recording 127.16.0.0/16 into" in capsys.readouterr().err


def test_a_lan_is_entered_first(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shop:
        network = "10.77.0.0/16"

    monkeypatch.setattr(traffic, "enter", lambda name, _: {"shop": Shop}[name])
    assert capture(lan="shop") == 0
    assert FakeRecording.asked[1] == "10.77.0.0/16"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_is_a_good_end(
    fake: type[FakeRecording], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(fake, "interruption", number)
    before = signal.getsignal(signal.SIGTERM)
    assert capture() == 0
    assert FakeRecording.asked[-1] == "stop"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("counts", [Counts(3, 200, lost=1), Counts(3, 200, left_out=1)])
def test_a_recording_that_misses_something_is_not_a_success(
    fake: type[FakeRecording], monkeypatch: pytest.MonkeyPatch, counts: Counts
) -> None:
    monkeypatch.setattr(fake, "counts", counts)
    assert capture() == 1


# --- dissect ------------------------------------------------------------------------------------


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    connection = Connection()
    connection.open()
    for line in talk(LanVersion.V35):
        connection.say(line.frame, from_device=line.from_device)
    return write_pcap(tmp_path / "a.pcap", records(connection.packets))


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    path = tmp_path / "devices.json"
    path.write_text(json.dumps([{"id": DEVICE_ID, "key": KEY.decode(), "ip": DEVICE.ip}]))
    return path


def test_each_frame_is_a_line(
    recorded: Path, devices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert traffic.dissect(recorded, devices=devices, as_json=False) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == len(talk(LanVersion.V35))
    assert 'DP_QUERY_NEW     seq 5 ret 0 {"dps":{"1":true}}' in printed.out
    assert printed.err == ""


def test_each_frame_is_an_object(
    recorded: Path, devices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert traffic.dissect(recorded, devices=devices, as_json=True) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["sequence"] for one in told] == [line.sequence for line in talk(LanVersion.V35)]
    assert told[4]["body"] == '{"dps":{"1":true}}'


def test_without_keys_frames_are_told_and_stay_closed(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert traffic.dissect(recorded, devices=None, as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.endswith("(no key for this device)") for line in lines)


def test_a_recording_of_something_else_is_said_to_be_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_pcap(tmp_path / "a.pcap", [])
    assert traffic.dissect(path, devices=None, as_json=False) == 0
    assert capsys.readouterr() == ("", f"{path}: nothing of a LAN is in it\n")


def test_a_recording_that_breaks_off_is_told_as_far_as_it_goes(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded.write_bytes(recorded.read_bytes()[:-1])
    with pytest.raises(UsageError, match="ends in the middle of a packet"):
        traffic.dissect(recorded, devices=None, as_json=False)
    assert len(capsys.readouterr().out.splitlines()) == len(talk(LanVersion.V35)) - 1


def test_a_terminal_that_lacks_a_sign_is_no_problem(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = tmp_path / "devices.json"
    entry = {"id": DEVICE_ID, "key": KEY.decode(), "ip": DEVICE.ip, "name": "Haust\u00fcr"}
    devices.write_text(json.dumps([entry]))
    with (tmp_path / "out").open("w", encoding="ascii") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        assert traffic.dissect(recorded, devices=devices, as_json=False) == 0
    assert "[Haust\\xfcr]" in (tmp_path / "out").read_text()
