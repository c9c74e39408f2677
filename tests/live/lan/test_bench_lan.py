"""The benchmark of the LAN runs from end to end, with a handful of devices."""

import pytest

from firmware_sim.wire.lan_version import LanVersion
from tools import bench_lan

TINY = (
    *("--devices", "6", "--announcing", "8", "--clients", "4", "--peer", "1"),
    *("--seconds", "0.2", "--repeats", "1"),
)


@pytest.mark.parametrize("where", [["--loopback"], ["--network", "10.204.0.0/24"]])
def test_every_figure_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: list[str]
) -> None:
    monkeypatch.setattr(bench_lan, "ANNOUNCE_MS", 200)
    monkeypatch.setattr(bench_lan, "FLOOD_PAUSE_S", 0.0)  # these few are no flood
    monkeypatch.setattr(bench_lan, "CALLS", 10)
    monkeypatch.setattr(bench_lan, "pin", lambda core: None)
    bench_lan.main([*TINY, *where])
    lines = capsys.readouterr().out.splitlines()
    begins = (
        "6 devices answer one solicitation",
        "8 devices announce every",
        "one device on the LAN",
        *(f"{version}: connect" for version in ("3.3", "3.4", "3.5")),
        "status at 4 connected clients, 10 a second each",
        "status at 4 connected clients, rush",
        *(f"{version}: seal" for version in LanVersion),
    )
    for begin in begins:
        [line] = [line for line in lines if line.startswith(begin)]
        assert any(figure.isdecimal() for figure in line[len(begin) :])
