"""`fleet doctor`: every check with what to do, and an exit code for scripts."""

import pytest

from fleet.__main__ import run
from fleet.commands import checkup
from fleet.doctor import Check


@pytest.mark.parametrize(
    ("fatal", "ok", "mark", "code"),
    [(True, True, "ok", 0), (False, False, "weak", 0), (True, False, "missing", 1)],
)
def test_doctor_tells_what_to_do(
    *,
    fatal: bool,
    ok: bool,
    mark: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = []

    def run_checks(devices: int) -> list[Check]:
        asked.append(devices)
        return [Check("files", ok, "20", "raise it", fatal=fatal)]

    monkeypatch.setattr(checkup, "run_checks", run_checks)
    assert run(["doctor", "--devices", "7"]) == code
    assert asked == [7]
    assert capsys.readouterr().out.splitlines()[1].split() == [mark, "files", "20", "raise", "it"]
