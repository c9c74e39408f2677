"""`fleet bench bridge`: what it tries, what it writes, and what it says when a part does not answer."""

from pathlib import Path

import msgspec
import pytest

from firmware_sim.bench.capabilities import Missing, Reading
from firmware_sim.bench.reader.classify import read
from firmware_sim.errors import UsageError
from fleet.__main__ import run
from fleet.commands import bench_bridge
from fleet.run.bridge import opening
from fleet.run.bridge.member import Member, load_member
from fleet.run.population import Network
from tests.run.bridge.fake import FakeBench

KEY = "0123456789abcdef0123456789abcdef"
SECRET = "not to be seen"


class Clock:
    """Ticks as the bench samples."""

    def __init__(self, bench: FakeBench) -> None:
        self._bench = bench

    def now_s(self) -> float:
        return self._bench.now_ms / 1000


class Obedient(FakeBench):
    """A bench whose light follows its power."""

    def __init__(self, profile: str, lit: str = "booting", dark: str = "off") -> None:
        super().__init__(profile)
        self._lit, self._dark = lit, dark
        self.clock = Clock(self)

    def on(self) -> None:
        super().on()
        self.light = self._lit

    def off(self) -> None:
        super().off()
        self.light = self._dark

    def read(self, duration_s: float) -> Reading:
        return read(self.sample(duration_s))


def member(tmp_path: Path, profile: str = "ipc-red-green") -> Member:
    return Member(
        env=str(tmp_path / "env.yaml"),
        profile=profile,
        uuid="real0001",
        auth_key=KEY,
        product_id="realproduct00001",
        cloud="http://127.0.0.1:8480",
        lan="192.168.7.0/24" if profile == "nvr" else "",
        wifi=None if profile == "nvr" else Network('Bä"nch', SECRET),
    )


@pytest.mark.parametrize(("profile", "last"), [("ipc-red-green", "hide"), ("nvr", "up")])
def test_parts_are_tried_and_what_was_said_is_written(
    profile: str, last: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench, out, wanted = Obedient(profile), tmp_path / "member.toml", member(tmp_path, profile)
    bench_bridge.bridge(wanted, out, "power-cut", bench.open)
    assert bench.done == ["off", "on", "release", last, "off"]
    assert load_member(out) == wanted
    assert out.stat().st_mode & 0o777 == 0o600
    said = capsys.readouterr().out
    assert "red after power-on" in said
    assert f"fleet run power-cut --bench {out}" in said
    assert KEY not in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("lit", "dark", "message"),
    [
        ("booting", "online", "without power the light is read as"),
        ("off", "off", "no light within"),
    ],
)
def test_a_light_that_does_not_follow_the_power(
    lit: str, dark: str, message: str, tmp_path: Path
) -> None:
    bench, out = Obedient("ipc-red-green", lit, dark), tmp_path / "member.toml"
    with pytest.raises(UsageError, match=message):
        bench_bridge.bridge(member(tmp_path), out, "power-cut", bench.open)
    assert bench.done[-1] == "off"
    assert not out.exists()


def test_what_cannot_be_is_said_before_anything_is_touched(tmp_path: Path) -> None:
    bench = Obedient("nvr")
    nowhere = msgspec.structs.replace(member(tmp_path, "nvr"), lan="")
    with pytest.raises(UsageError, match="on a cable"):
        bench_bridge.bridge(nowhere, tmp_path / "member.toml", "power-cut", bench.open)
    assert not bench.opened


def test_the_command_takes_the_model_from_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[Member, Path, str]] = []
    monkeypatch.setattr(opening, "model_at", lambda env, target: {"e.yaml": "nvr"}[env])
    monkeypatch.setattr(bench_bridge, "bridge", lambda *given: asked.append(given))
    keys = ["--uuid", "u", "--auth-key", KEY, "--product-id", "p", "--cloud", "http://x:1"]
    assert run(["bench", "bridge", "e.yaml", *keys, "--lan", "192.168.7.0/24"]) == 0
    more = ["--ssid", "s", "--wifi-password", "w", "--target", "t", "--profile", "ipc-new"]
    place = ["--out", str(tmp_path / "m.toml"), "--scenario", "midnight"]
    assert run(["bench", "bridge", "e.yaml", *keys, *more, *place]) == 0
    wired = Member("e.yaml", "nvr", "u", KEY, "p", "http://x:1", lan="192.168.7.0/24")
    camera = Member("e.yaml", "ipc-new", "u", KEY, "p", "http://x:1", "t", wifi=Network("s", "w"))
    assert asked == [
        (wired, Path("member.toml"), "batch-unbind"),
        (camera, tmp_path / "m.toml", "midnight"),
    ]


def test_a_part_that_is_missing_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    bench, out = Obedient("ipc-red-green"), tmp_path / "member.toml"
    bench.trouble = Missing("this bench has no sensor")
    with pytest.raises(UsageError, match="no sensor"):
        bench_bridge.bridge(member(tmp_path), out, "power-cut", bench.open)
    assert not out.exists()
