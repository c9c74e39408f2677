from collections.abc import Iterator

import msgspec

from fleet.report.keys import MEANINGS, listing
from tests.report.support import a_played_report


def paths(value: object, prefix: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{prefix}{key}"
            yield from paths(inner, f"{prefix}{key}.")


def test_every_key_is_explained_once_in_the_order_of_the_file() -> None:
    listed = [key for key, _ in listing()]
    assert len(listed) == len(set(listed))
    top = msgspec.json.decode(msgspec.json.encode(a_played_report()))
    explained = list(dict.fromkeys(key.partition(".")[0].removesuffix("[]") for key in listed))
    assert explained == list(top)


def test_no_explanation_is_left_over() -> None:
    used = {what for _, what in listing()}
    assert [name for name, what in MEANINGS.items() if what not in used] == []


def test_keys_are_found_where_they_are_in_a_file() -> None:
    listed = {key for key, _ in listing()}
    assert {"phases.*.p95_ms", "recovery[].back_50_s", "over_time.unbound"} <= listed
    assert {"lights.devices[].changes", "health.sentence", "thresholds[].passed"} <= listed
    plain = {key for key in listed if "[" not in key and "*" not in key}
    found = set(paths(msgspec.json.decode(msgspec.json.encode(a_played_report()))))
    assert plain <= found
