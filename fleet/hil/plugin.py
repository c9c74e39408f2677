"""pytest plugin `fleet-bench`: a bench with a device, for test files that do not know what it is.

The fixtures are `bench`, `device` and `clock`, with the types of `firmware_sim.bench.capabilities`.
With `--lg-env FILE` the bench is a labgrid target: a simulated one behind endpoints, or real parts.
Without it, each test has a bench of its own in this process and in virtual time. Nothing is
imported before a test asks for it: other people's test runs load this module as well.
"""

import os
import re
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from firmware_sim.bench.capabilities import Bench, Clock, DeviceUnderTest, Reading
    from firmware_sim.bench.trace import LedTrace

PROFILE = "ipc-red-green"
START = "off"
_EXAMPLES = {"bench_start": "owned", "bench_only": "lens"}
_BENCH: "pytest.StashKey[Bench]" = pytest.StashKey()
_FOLDER: "pytest.StashKey[Path]" = pytest.StashKey()
_TARGETS: "pytest.StashKey[dict[int, Any]]" = pytest.StashKey()  # that were used
_NAME_MAX = 120
_HAPPENINGS_MAX = 40


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("fleet-bench", "a bench with a device under test")
    text = f"device model of the bench in virtual time (else {PROFILE}); again for several"
    group.addoption("--bench-profile", action="append", metavar="NAME", help=text)
    text = "where pictures and tables of what a light did go, for tests that fail"
    group.addoption("--bench-artifacts", metavar="DIR", help=text)
    parser.addini("bench_profile", "device model of the bench in virtual time", default=PROFILE)


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    for text in (
        "bench_start(state): how the device is when the test begins: off, owned, returned, unbound",
        "bench_only(part): skip the test where the device has no `lens`, or no socket for a `cable`",
    ):
        config.addinivalue_line("markers", text)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each model that was asked for."""
    chosen = metafunc.config.getoption("bench_profile") or []
    marks = metafunc.definition.iter_markers("parametrize")
    free = not any("bench_profile" in str(mark.args[:1]) for mark in marks)
    if len(chosen) > 1 and "bench_profile" in metafunc.fixturenames and free:
        metafunc.parametrize("bench_profile", chosen)


@pytest.fixture
def bench_profile(request: pytest.FixtureRequest) -> str:
    """Return the name of the device model. Parametrise or redefine it to have another."""
    chosen: list[str] | None = request.config.getoption("bench_profile")
    if chosen:
        return chosen[0]
    if _at_labgrid(request.config):
        from firmware_sim.bench.labgrid.bench import model_of

        return model_of(request.getfixturevalue("target"))
    return str(request.config.getini("bench_profile"))


@pytest.fixture
def device(bench_profile: str) -> "DeviceUnderTest":
    """Return what is known of the device under test: its model."""
    from fleet.hil.device_model import Model

    return Model(bench_profile)


@pytest.fixture
def bench(
    request: pytest.FixtureRequest,
    device: "DeviceUnderTest",
    tmp_path_factory: pytest.TempPathFactory,
) -> "Iterator[Bench]":
    """Return a bench with the device on it, in the state that the test's `bench_start` says."""
    from fleet.hil.start import bring

    chosen = request.config.getoption("bench_artifacts")
    folder = Path(chosen) if chosen else tmp_path_factory.getbasetemp() / "bench-report"
    request.node.stash[_FOLDER] = folder
    _skip_without_part(request, device)
    start = _marked(request, "bench_start") or START
    with _opened(request, device.profile) as bench:
        request.node.stash[_BENCH] = bench
        bring(bench, device, start)
        yield bench


@pytest.fixture
def clock(bench: "Bench") -> "Clock":
    """Return the bench's time."""
    return bench.clock


def _at_labgrid(config: pytest.Config) -> bool:
    """Say whether this run has a labgrid environment, as labgrid's own plugin sees it."""
    if not config.pluginmanager.hasplugin("labgrid"):
        return False
    return bool(config.getoption("lg_env", None) or os.environ.get("LG_ENV"))


def _skip_without_part(request: pytest.FixtureRequest, model: "DeviceUnderTest") -> None:
    reasons = {"lens": "this device has no lens", "cable": "this device has no socket for a cable"}
    wanted = _marked(request, "bench_only")
    if wanted is not None and wanted not in reasons:
        pytest.fail(f"bench_only({wanted!r}): there are {', '.join(reasons)}", pytrace=False)
    if wanted == ("lens" if model.wired else "cable"):
        pytest.skip(reasons[wanted])


def _marked(request: pytest.FixtureRequest, name: str) -> str | None:
    """Return the one argument of a mark, None where a test has not got it."""
    mark = request.node.get_closest_marker(name)
    if mark is None:
        return None
    if len(mark.args) != 1 or mark.kwargs or not isinstance(mark.args[0], str):
        pytest.fail(f"{name} takes one word, as {name}({_EXAMPLES[name]!r})", pytrace=False)
    return str(mark.args[0])


def _opened(request: pytest.FixtureRequest, profile: str) -> "AbstractContextManager[Bench]":
    if _at_labgrid(request.config):
        return _of_target(request, request.getfixturevalue("target"), profile)
    from fleet.hil.virtual import open_bench

    return open_bench(profile)


@contextmanager
def _of_target(request: pytest.FixtureRequest, target: Any, profile: str) -> "Iterator[Bench]":
    """Make a bench of a labgrid target, and let go of it after the test.

    The device keeps its power for the next test, which saves its boot; after the last it is dark.
    """
    from firmware_sim.bench.capabilities import Missing
    from firmware_sim.bench.labgrid.bench import make_bench, model_of
    from fleet.hil.start import let_go, rest

    try:
        there = model_of(target)
    except Missing:
        there = profile  # the command line says it
    if there != profile:
        pytest.skip(f"the device at this bench is {there}, and this test is for {profile}")
    bench = make_bench(target)
    used = request.config.stash.setdefault(_TARGETS, {})
    if target not in used.values():
        used[len(used)] = target
        request.session.addfinalizer(lambda: rest(bench))  # before labgrid lets go of its drivers
    try:
        bench.forget()
        yield bench
    finally:
        let_go(bench)


# --- reports ------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the light of a device did whose test failed, as a picture and a table."""
    report = yield
    bench = item.stash.get(_BENCH, None)
    if not report.failed or bench is None:
        return report
    lines = _diary(bench)
    error = call.excinfo.value if call.excinfo else None
    trace = getattr(error, "trace", None)
    if trace is not None:
        reading = getattr(error, "reading", None)
        try:
            for what, path in _written(trace, reading, item, report.when).items():
                item.user_properties.append((what, str(path)))
                lines.append(f"{what}: {path}")
        except OSError as problem:  # a full disk costs the picture, not the results of the run
            where, why = item.stash[_FOLDER], problem.strerror
            lines.append(
                f"{where}: what the light did cannot be written: {why}; name another "
                "--bench-artifacts"
            )
    if lines:
        report.sections.append(("bench", "\n".join(lines)))
    return report


def _diary(bench: "Bench") -> list[str]:
    """Return what the device has done, of a bench that knows."""
    happenings = getattr(bench, "happenings", None)
    told = [] if happenings is None else happenings()[-_HAPPENINGS_MAX:]
    return [f"{one.at_ms / 1000:9.3f} s  {one.text}" for one in told]


def _written(
    trace: "LedTrace", reading: "Reading | None", item: pytest.Item, when: str
) -> dict[str, Path]:
    """Write a trace into the folder for reports, and return what is where."""
    from firmware_sim.bench.reader.classify import read
    from firmware_sim.bench.reader.picture import trace_csv, trace_png

    folder = item.stash[_FOLDER]
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^\w.-]+", "_", f"{item.nodeid}-{when}")[-_NAME_MAX:]
    picture, table = folder / f"{stem}.png", folder / f"{stem}.csv"
    picture.write_bytes(trace_png(trace, reading or read(trace)))
    table.write_text(trace_csv(trace))
    return {"light_png": picture, "light_csv": table}
