"""Is this machine fit for a run of N devices? And if it is not, what to do about it.

`facts` looks at the machine and is the only part that touches it; `checks` judges what was seen.
`fleet doctor` prints all checks; everything that starts devices calls `require` first.
"""

from pathlib import Path

from firmware_sim.errors import UsageError
from fleet.doctor.checks import Check, judge, shards_wanted
from fleet.doctor.facts import LOOPBACK, Facts, Lan, look, raise_files_limit

__all__ = ["LOOPBACK", "Check", "Facts", "Lan", "require", "run_checks", "shards_wanted"]


def run_checks(
    devices: int,
    *,
    shards: int = 0,
    decoder: str = "",
    data_dir: Path | None = None,
    lan: Lan = LOOPBACK,
    facts: Facts | None = None,
) -> list[Check]:
    """Judge this machine for `devices` live devices; nothing is started.

    `shards` 0 means as many as a run would use, `decoder` "" any that works, `data_dir` None the
    temporary folder. `lan` is where the devices will live; `facts` replaces the look at the machine.
    """
    return judge(facts or look(data_dir, lan), devices, shards=shards, decoder=decoder)


def require(
    devices: int,
    *,
    shards: int = 0,
    decoder: str = "",
    data_dir: Path | None = None,
    lan: Lan = LOOPBACK,
    facts: Facts | None = None,
) -> None:
    """Make this machine ready for a run, or raise UsageError with one line that says what to do.

    The soft limit of open files is raised as far as it goes; child processes inherit it.
    Parameters as in `run_checks`.
    """
    checks = run_checks(
        devices, shards=shards, decoder=decoder, data_dir=data_dir, lan=lan, facts=facts
    )
    failed = [check for check in checks if check.blocks]
    if failed:
        more = f" (and {len(failed) - 1} more: see fleet doctor)" if len(failed) > 1 else ""
        raise UsageError(f"{failed[0].detail}; {failed[0].advice}{more}")
    raise_files_limit()
