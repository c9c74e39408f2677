from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.run.metrics import METRICS
from fleet.run.thresholds import THRESHOLDS_MAX, Threshold, read


def test_conditions_are_read() -> None:
    table = {"unbind.p95_ms": ["< 4000", ">=0.5"], "outcomes.unbound_pct": ">= 99"}
    assert read(table, METRICS) == (
        Threshold("unbind.p95_ms", "<", 4000),
        Threshold("unbind.p95_ms", ">=", 0.5),
        Threshold("outcomes.unbound_pct", ">=", 99),
    )


def test_names_may_be_written_as_tables() -> None:
    assert read({"unbind": {"qr": {"p95_ms": "< 1"}}}, METRICS) == read(
        {"unbind.qr.p95_ms": ["< 1"]}, METRICS
    )


@pytest.mark.parametrize("condition", ["<4", "< 4", "  <=  -4.25 ", "==0", "!= 12345"])
def test_space_does_not_matter(condition: str) -> None:
    [found] = read({"run.wall_s": condition}, METRICS)
    assert read({"run.wall_s": found.condition}, METRICS) == (found,)


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "<",
        "4000",
        "< 4s",
        "< 1e3",
        "< 4 or 1",
        "=< 4",
        "=4",
        "< nan",
        "< .5",
        "< ٤",
        "<4\n",
        4,
        None,
        True,
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(condition: object) -> None:
    with pytest.raises(ValueError, match=r'thresholds\."unbind\.p95_ms": .*allowed: ') as caught:
        read({"unbind.p95_ms": [condition]}, METRICS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [4, None, [], True, 1.5])
def test_a_value_that_is_no_list_of_conditions_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r'is no list of conditions; allowed: \["< 4000"\]'):
        read({"unbind.p95_ms": value}, METRICS)


def test_a_name_that_means_nothing_is_refused_with_what_was_meant() -> None:
    with pytest.raises(ValueError, match=r'"unbind\.p96_ms".*there are unbind\.p9._ms'):
        read({"unbind.p96_ms": "< 1"}, METRICS)
    with pytest.raises(ValueError, match=r"there are traffic\.calls_per_device, .*"):
        read({"traffic.zzzzzzzzzzzz": "< 1"}, METRICS)
    with pytest.raises(ValueError, match=r"there are boot\.\*, .*run\.\*$"):
        read({"§": "< 1"}, METRICS)


def test_there_may_not_be_too_many() -> None:
    with pytest.raises(ValueError, match=f"allowed: {THRESHOLDS_MAX}"):
        read({"run.wall_s": ["< 1"] * (THRESHOLDS_MAX + 1)}, METRICS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(METRICS)[:9]) | st.text(), JSON))
def test_no_table_does_more_than_be_refused(table: dict[str, Any]) -> None:
    with suppress(ValueError):
        read(table, METRICS)
