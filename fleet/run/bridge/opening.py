"""How a bench is opened: through labgrid, in the thread that will use it.

labgrid is an extra, and is imported when somebody has a bench.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from firmware_sim.bench.capabilities import Bench
from firmware_sim.errors import UsageError
from fleet.run.bridge.member import Member
from fleet.run.bridge.stand import Open


def opener(member: Member) -> Open:
    """Return what opens the bench of a member of the fleet."""
    return partial(open_bench, member.env, member.target)


@contextmanager
def open_bench(env: str, target: str) -> Iterator[Bench]:
    """Give the bench that an environment file of labgrid describes; its parts are let go at the end.

    Raises UsageError when labgrid is missing, or the file, or a part does not answer.
    """
    with _opened(env, target) as found:
        from firmware_sim.bench.labgrid import make_bench

        yield make_bench(found)


def model_at(env: str, target: str) -> str:
    """Return the model that an environment file names. Raises UsageError as `open_bench` does."""
    with _opened(env, target) as found:
        from firmware_sim.bench.labgrid.bench import model_of

        return model_of(found)


@contextmanager
def _opened(env: str, target: str) -> Iterator[Any]:
    try:
        from labgrid import Environment

        import firmware_sim.bench.labgrid  # noqa: F401 - also for files that forget to import it
    except ImportError as error:
        raise UsageError(
            f"{env}: a bench needs labgrid ({error}); install the extra: pip install "
            "'firmware-sim[bench]'"
        ) from None
    if not Path(env).is_file():
        raise UsageError(f"{env}: there is no such environment file; `fleet bench` can write one")
    try:
        environment = Environment(env)
        found = environment.get_target(target)
    except Exception as error:  # noqa: BLE001 - a user's file in the hands of a library
        raise UsageError(f"{env}: {type(error).__name__}: {error}") from None
    try:
        if found is None:
            raise UsageError(f"{env}: there is no target {target!r} in it")
        yield found
    finally:
        environment.cleanup()
