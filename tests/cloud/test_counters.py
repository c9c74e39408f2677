"""The counters begin at nothing and are plain numbers for JSON."""

import msgspec

from fleet.cloud.counters import Counters


def test_all_begin_at_zero_and_travel_as_numbers() -> None:
    shown = msgspec.json.decode(msgspec.json.encode(Counters()), type=dict[str, float])
    assert set(shown.values()) == {0}
    assert {"requests", "commits", "mqtt_connections", "loop_lag_p99_ms", "cpu_ms"} <= set(shown)
