import msgspec

from fleet.run.expectations import Outcomes
from fleet.run.histogram import Histogram
from fleet.run.messages import Chip
from fleet.run.recovery import Outage
from fleet.run.result import FaultPlayed, Generator, RunResult, Traffic
from fleet.run.retries import Retry


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


def a_bad_day() -> RunResult:
    """Return the same with everything that a bad day adds."""
    outage = Outage(
        at_s=3.04,
        down_s=60.02,
        devices=4,
        recovered_s={50: 1.234, 95: 2.345, 100: 4.0},
        lost_again=1,
        attempts_while_down=50,
        attempts_after=6,
        attempts_after_max=3,
        cloud_cpu_s=0.5,
    )
    return msgspec.structs.replace(
        a_result(),
        outages=(
            outage,
            msgspec.structs.replace(outage, recovered_s={50: 1.0}),
            msgspec.structs.replace(outage, devices=0, down_s=777),
        ),
        traffic=Traffic(3, calls=10, calls_max=6, connects=4, connects_max=2),
        retries=(Retry("activation_refused: TOKEN_DEAD", 120, 2, 60, 33.333),),
        faults=(
            FaultPlayed("power_cut", "reset", {"resetting": 2, "booting": 1}),
            FaultPlayed("cloud_down", "unbind", {"online": 4}),
            FaultPlayed("half_open", "rebind", {}),
        ),
    )


def test_traffic_is_added_up_over_all_devices() -> None:
    chip = Chip(0, "ONLINE", "UP", "NONE", "online", "", "dev", activated=True, calls=2, connects=1)
    more = msgspec.structs.replace(chip, index=1, calls=5, connects=4)
    assert Traffic.of([chip, more]) == Traffic(2, calls=7, calls_max=5, connects=5, connects_max=4)
    assert Traffic.of([]) == Traffic()


def test_a_run_passes_when_nothing_stands_against_it() -> None:
    assert a_result().passed
    for name, value in (("violations", ("x",)), ("unmet", ("x",)), ("aborted", "interrupted")):
        assert not msgspec.structs.replace(a_result(), **{name: value}).passed
    for name in ("left_out", "incidents"):
        assert msgspec.structs.replace(a_result(), **{name: ("x",)}).passed
