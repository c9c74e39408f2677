"""One line before anything starts, or nothing."""

import resource
from collections.abc import Iterator

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.doctor import require, run_checks
from tests.doctor.test_checks import GOOD


@pytest.fixture
def _soft_limit_of_600() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("_soft_limit_of_600")
def test_a_fit_machine_is_made_ready() -> None:
    require(300, facts=GOOD)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft in {hard, 1 << 17}
    require(300, facts=GOOD)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)


@pytest.mark.usefixtures("_soft_limit_of_600")
def test_the_first_problem_is_said_in_one_line_and_nothing_is_changed() -> None:
    facts = msgspec.structs.replace(GOOD, disk_problem="/data is read-only", memory_mb=1)
    with pytest.raises(UsageError) as caught:
        require(300, facts=facts)
    assert str(caught.value) == (
        "/data is read-only; choose another folder for the data or make room"
    )
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 600


def test_further_problems_are_counted() -> None:
    facts = msgspec.structs.replace(GOOD, udp_problem="a", tcp_problem="b", broadcast_problem="c")
    with pytest.raises(UsageError, match=r"^a; .*\(and 2 more: see fleet doctor\)$"):
        require(300, facts=facts)


def test_parameters_reach_the_checks() -> None:
    facts = msgspec.structs.replace(GOOD, files_hard=2000, decoders=(("zxing", "gone: x"),))
    checks = run_checks(1000, shards=1, decoder="zxing", facts=facts)
    assert [check.name for check in checks if check.blocks] == ["open files", "decoder zxing"]
