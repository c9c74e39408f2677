"""What was found is played again, from its seed or from its file, and held against the file."""

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from firmware_sim.errors import UsageError
from fleet.run.explore import record
from fleet.run.explore import replay as module
from fleet.run.explore.command import BY_SIGNAL, CLEAN, FOUND
from fleet.run.explore.draw import draw
from fleet.run.explore.record import Record
from fleet.run.explore.replay import replay
from fleet.run.explore.retell import Cut
from fleet.run.explore.trial import play_case
from tests.run.explore.support import DOWN, SMALL, case
from tests.run.explore.test_trial import forget_at_crash

BROKEN = case(DOWN, devices=4)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_scenario", lambda _: SMALL)
    monkeypatch.setattr(record, "program", lambda: "0.2.0 at 5d6e7f8")


def replayed(
    what: str, seed: int | None = None, devices: int | None = None, cut: Cut | None = None
) -> tuple[int, str]:
    screen = Console(file=io.StringIO(), width=300)
    code = replay(what, seed, devices, cut or Cut(), screen)
    return code, screen.file.getvalue()  # type: ignore[attr-defined]


def test_a_seed_is_played_as_exploring_plays_it() -> None:
    code, text = replayed("small", seed=3, devices=4)
    assert code == CLEAN
    assert text.splitlines()[0] == "small, program 0.2.0 at 5d6e7f8"
    assert "  4 devices, 2 products" in text
    assert "firmware_sim/device/lifecycle.py:" in text
    assert text.splitlines()[-1] == "nothing is violated"
    events = play_case(draw(SMALL, 4, 3)).events
    assert len(text.splitlines()) > events / 4


def on_file(path: Path) -> str:
    told = play_case(BROKEN)
    assert told.finding is not None
    record.write(Record(BROKEN, "0.1.0 at 1a2b3c4", told.finding, told.digest), path)
    return str(path)


def test_a_file_fails_as_it_did_to_the_byte(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    forget_at_crash(monkeypatch)
    code, text = replayed(on_file(tmp_path / "case.json"))
    assert code == FOUND
    assert "VIOLATED" in text
    assert "the same run as on file, to the byte" in text.splitlines()[-1]

    changed = msgspec.structs.replace(record.read(tmp_path / "case.json"), digest="another")
    record.write(changed, tmp_path / "case.json")
    _, text = replayed(str(tmp_path / "case.json"))
    assert "in another run; that was program 0.1.0 at 1a2b3c4" in text.splitlines()[-1]


def test_it_says_so_if_it_does_not_fail_any_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as broken:
        forget_at_crash(broken)
        path = on_file(tmp_path / "case.json")
    code, text = replayed(path, cut=Cut(device=0, to_s=2))
    assert code == CLEAN
    assert "nothing is violated" in text
    last = text.splitlines()[-1]
    assert last.startswith("it does not fail as it did: ")
    assert last.endswith("that was program 0.1.0 at 1a2b3c4, this is 0.2.0 at 5d6e7f8")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("small",), "give --seed, or the file of a case"),
        (("case.json", 3), "--seed: the case in case.json has its own"),
        (("case.json", None, 3), "--devices: the case"),
        (("small", 3, 4, Cut(device=4)), "--device 4: this run has devices 0 to 3"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[object, ...], fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        replayed(*arguments)  # type: ignore[arg-type]


def test_ctrl_c_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "retell", interrupt)
    assert replayed("small", seed=1)[0] == BY_SIGNAL
