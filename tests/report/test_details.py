import msgspec

from fleet.cloud.quotas import Quota
from fleet.report.details import QuotaUse, expectations, lights, quota_uses
from fleet.run.expectations import OTHERS, Expected
from tests.report.support import FORMULA, NASTY, a_played_result
from tests.run.fakes import small
from tests.run.test_result import a_result


def judged(**changes: tuple[str, ...] | str) -> dict[str, bool | None]:
    result = a_played_result()
    assert result.details is not None
    listed = (
        Expected("unbound", "100 %"),
        Expected("refused x", "at least 1"),
        Expected(OTHERS, "none"),
    )
    details = msgspec.structs.replace(result.details, expected=listed)
    found = expectations(msgspec.structs.replace(result, details=details, **changes))
    return {one.name: one.met for one in found}


def test_each_expectation_gets_the_lines_that_begin_with_its_name() -> None:
    assert judged() == {"unbound": True, "refused x": True, OTHERS: True}
    assert judged(unmet=("unbound: 1 of 2",)) == {"unbound": False, "refused x": True, OTHERS: True}
    surprise = ("refused y: 3, not expected at all",)
    assert judged(unmet=surprise) == {"unbound": True, "refused x": True, OTHERS: False}


def test_what_a_run_could_not_show_is_not_judged() -> None:
    assert judged(left_out=("x: 3 expected, this population can give 0",))["refused x"] is None
    assert set(judged(aborted="interrupted").values()) == {None}


def test_without_details_there_are_none() -> None:
    assert expectations(a_result()) == ()


def test_quotas_are_told_by_the_names_of_products() -> None:
    population = small(12)
    product = population.products[0]
    found = quota_uses(
        population,
        (
            Quota("product", product.product_id, "2026-01-02", 3, 100),
            Quota("account", "owner@maker", "2026-01-01", 9, 90),
        ),
    )
    assert found == (
        QuotaUse("account", "owner@maker", "2026-01-01", 9, 90),
        QuotaUse("product", "camera", "2026-01-02", 3, 100),
    )


def test_lights_are_told_with_their_patterns() -> None:
    details = a_played_result().details
    assert details is not None
    found = lights(details)
    assert (found.tracked, found.every, len(found.devices)) == (8, 1, 8)
    assert {device.product for device in found.devices} == {NASTY, FORMULA}
    assert set(found.patterns) == {"ipc-red-green", "nvr"}
    for device in found.devices:
        times = [at_s for at_s, _ in device.changes]
        assert times == sorted(times)
        assert {light for _, light in device.changes} <= set(found.patterns[device.profile])
    unbound = found.patterns["ipc-red-green"]["unbound"]
    assert unbound.on_ms > 0
    assert unbound.words
