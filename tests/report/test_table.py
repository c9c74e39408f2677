import io
from typing import Any

import msgspec
from rich.console import Console

from fleet.report.making import make_report
from fleet.report.table import render
from fleet.run.expectations import Outcomes
from tests.run.test_result import a_bad_day, a_result


def text_of(**changes: Any) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    report = make_report(msgspec.structs.replace(a_result(), **changes))
    console.print(render(report), soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_run_that_passed() -> None:
    text = text_of()
    assert text.startswith("passed  small, 3 devices, 12.3 s\n\n")
    assert "unbound (qr 2, wired 1)" in text
    assert "refused at first: account_quota" in text
    assert "failed: wifi_password" in text
    boot = next(line for line in text.splitlines() if line.startswith("boot")).split()
    assert boot[1] == "3"
    assert boot[-1] == "2,500"
    assert "6.2 s CPU (runner 1.0, cloud 2.0, shards 3.2), 256 MiB at most" in text


def test_a_run_that_failed_says_why_first() -> None:
    text = text_of(
        aborted="disk full",
        violations=("one_owner: u",),
        unmet=("unbound: 1",),
        incidents=("the cloud died",),
        left_out=("product_quota: 1",),
    )
    head = text.split("\n\n", 1)[0].splitlines()
    assert [line.strip() for line in head] == [
        "FAILED  small, 3 devices, 12.3 s",
        "ended early: disk full",
        "violated: one_owner: u",
        "not as expected: unbound: 1",
        "on the way: the cloud died",
        "left out: product_quota: 1",
    ]


def test_a_campaign_is_told_day_by_day() -> None:
    text = text_of(unbound_by_day={"2026-01-01": 75, "2026-01-02": 45}, tickets=3)
    assert "2026-01-02" in text
    assert line_of(text, "tickets") == "tickets 3"
    assert "2026-01-01" not in text_of(unbound_by_day={"2026-01-01": 75}), "one day is all of it"


def test_what_tampered_firmware_tried_is_told() -> None:
    outcomes = msgspec.structs.replace(a_result().outcomes, attacks={"replay": 2})
    assert line_of(text_of(outcomes=outcomes), "attack") == "attack in vain: replay 2"


def test_without_phases_there_is_no_table_of_them() -> None:
    assert "phase (ms)" not in text_of(phases={})


def line_of(text: str, start: str) -> str:
    """Return a row of a table without its gaps."""
    return " ".join(next(one for one in text.splitlines() if one.startswith(start)).split())


def test_a_bad_day_is_told_in_tables() -> None:
    day = a_bad_day()
    text = text_of(outages=day.outages, traffic=day.traffic, retries=day.retries, faults=day.faults)
    assert line_of(text, "60 s, 4 devices") == (
        "60 s, 4 devices 1.2 s 2.4 s 4.0 s 1 12.5 + 1.5 3 0.5 s"
    )
    assert "never" in text
    assert "777" not in text, "nobody was there to come back"
    assert line_of(text, "power_cut") == "power_cut reset 3 booting 1, resetting 2"
    assert line_of(text, "cloud_down") == "cloud_down unbind 4 online 4"
    assert line_of(text, "half_open") == "half_open rebind 0 -"
    assert "never came to pass: half_open during rebind" in text
    assert line_of(text, "activation_refused") == ("activation_refused: TOKEN_DEAD 120 2 60 33 %")
    assert "3.3 calls and 1.3 connects per device" in text


def test_what_did_not_happen_is_not_shown() -> None:
    text = text_of()
    assert "rebind  " not in text.partition("phase (ms)")[2], "nobody has completed that phase"
    for head in ("cloud away", "fault", "tried again", "per device"):
        assert head not in text
    nothing = Outcomes(0, 0, {}, {})
    assert "unbound (" not in text_of(outcomes=nothing, outages=a_bad_day().outages)
    assert "unbound (" in text_of(outcomes=nothing)
