import msgspec

from fleet.run.expectations import Outcomes
from fleet.run.histogram import Histogram
from fleet.run.result import Generator, RunResult


def a_result() -> RunResult:
    """Return the result of a run that went well."""
    boot = Histogram()
    for value_ms in (2000, 2001, 2500):
        boot.record(value_ms)
    return RunResult(
        scenario="small",
        seed=7,
        devices=3,
        decoder="zxing",
        shards=1,
        wall_s=12.3456,
        cpu_s={"runner": 1.0, "cloud": 2.0, "shards": 3.25},
        peak_rss_bytes=256 << 20,
        outcomes=Outcomes(3, 1, {"token_full": 1, "account_quota": 2}, {"wifi_password": 1}),
        phases={"boot": boot, "rebind": Histogram()},
        by_method={"qr": 2, "wired": 1},
        generator=Generator(loop_lag_p99_ms=1.234, cpu_pct=12.34),
        violations=(),
        unmet=(),
        left_out=(),
        incidents=(),
        tickets=1,
        frames=40,
        decoded=5,
    )


def test_a_run_passes_when_nothing_stands_against_it() -> None:
    assert a_result().passed
    for name, value in (("violations", ("x",)), ("unmet", ("x",)), ("aborted", "interrupted")):
        assert not msgspec.structs.replace(a_result(), **{name: value}).passed
    for name in ("left_out", "incidents"):
        assert msgspec.structs.replace(a_result(), **{name: ("x",)}).passed
