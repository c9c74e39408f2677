from fleet.run.metrics import METRICS, listing
from fleet.run.phases import PHASES


def test_every_phase_has_its_figures_over_all_and_by_method() -> None:
    for phase in PHASES:
        for name in (phase, f"{phase}.qr", f"{phase}.wired"):
            assert {f"{name}.{stat}" for stat in ("count", "p50_ms", "p999_ms", "max_ms")} <= set(
                METRICS
            )


def test_names_have_their_units_last() -> None:
    assert [name for name in METRICS if name.endswith(("_ms", "_s", "_pct", "_mb"))]
    assert all(name == name.lower() and " " not in name for name in METRICS)


def test_what_is_good_is_said_of_those_that_decide() -> None:
    assert METRICS["outcomes.unbound"].better == 1
    assert METRICS["unbind.p95_ms"].better == -1
    assert METRICS["run.violations"].exact
    assert METRICS["generator.cpu_pct"].mode == "live"


def test_the_list_for_people_names_all_families() -> None:
    told = {word for line in listing() for word in line[0].strip("`").split(".")}
    phases_are_told_apart = set(PHASES)
    assert {name.partition(".")[0] for name in METRICS} - phases_are_told_apart <= told
