"""The env file: labgrid reads it as it is, and names are those of a bench of real parts."""

from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")
pytest.importorskip("labgrid")

from labgrid import Environment  # noqa: E402
from labgrid.protocol import ConsoleProtocol, PowerProtocol  # noqa: E402

from firmware_sim.bench.endpoints.http import Serial  # noqa: E402
from firmware_sim.bench.labgrid import protocols  # noqa: E402
from firmware_sim.bench.labgrid.bench import model_of  # noqa: E402
from firmware_sim.errors import UsageError  # noqa: E402
from fleet.hil.env_file import Bench, Member, Via, env_text, write  # noqa: E402

URL = "http://127.0.0.1:8440"
PARTS = (
    PowerProtocol,
    ConsoleProtocol,
    protocols.ButtonProtocol,
    protocols.LinkProtocol,
    protocols.LedProtocol,
    protocols.CurrentProtocol,
    protocols.ToneProtocol,
    protocols.PhoneProtocol,
    protocols.ClockProtocol,
)


def member(index: int, *, wired: bool, profile: str = "nvr") -> Member:
    uart = Serial(f"/run/serial dir/uart{index}", 8441, 8442)
    return Member(profile, wired, f"{URL}/devices/{index}", uart)


def bench(*members: Member, rate: float = 1.0, via: Via = "terminal") -> Bench:
    return Bench(URL, rate, members, via)


def test_labgrid_makes_a_bench_of_it(tmp_path: Path) -> None:
    path = tmp_path / "env.yaml"
    write(path, bench(member(0, wired=False, profile='my "own".toml'), member(1, wired=True)))
    env = Environment(config_file=str(path))
    main, other = env.get_target("main"), env.get_target("device-1")
    assert (model_of(main), model_of(other)) == ('my "own".toml', "nvr")
    for target in (main, other):
        for part in PARTS:
            assert any(isinstance(driver, part) for driver in target.drivers), part
    lenses = [
        [driver for driver in target.drivers if isinstance(driver, protocols.FrameProtocol)]
        for target in (main, other)
    ]
    assert [len(found) for found in lenses] == [1, 0]
    assert env.config.get_features() == {"sim"}
    assert main.get_resource("RawSerialPort", name="uart").port == "/run/serial dir/uart0"


def test_a_supply_that_is_cycled_stays_off_for_two_seconds_of_the_bench() -> None:
    targets = yaml.safe_load(env_text(bench(member(0, wired=True), rate=10)))["targets"]
    [delay] = [
        driver["NetworkPowerDriver"]["delay"]
        for driver in targets["main"]["drivers"]
        if "NetworkPowerDriver" in driver
    ]
    assert delay == 0.2


@pytest.mark.parametrize(("via", "port"), [("raw", 8441), ("rfc2217", 8442)])
def test_the_console_may_be_reached_over_tcp(via: Via, port: int) -> None:
    targets = yaml.safe_load(env_text(bench(member(0, wired=True), via=via)))["targets"]
    assert {
        "NetworkSerialPort": {
            "name": "uart",
            "host": "127.0.0.1",
            "port": port,
            "speed": 115_200,
            "protocol": via,
        }
    } in targets["main"]["resources"]


def test_people_of_another_cloud_are_not_at_this_bench() -> None:
    text = env_text(Bench(URL, 1.0, (member(0, wired=True),), phones=False))
    assert "FleetPhone" not in text
    assert "FleetTone" in text


def test_a_place_where_nothing_can_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the env file"):
        write(tmp_path / "nowhere" / "env.yaml", bench(member(0, wired=True)))
