"""What the control API takes: bounds, and that a code is never shown."""

import msgspec
import pytest

from fleet.web.fleet_words import Inject, Power, Press, ShowText


def test_a_code_is_not_shown() -> None:
    wish = msgspec.json.decode(b'{"devices": [1], "text": "s3cret"}', type=ShowText)
    assert "s3cret" not in repr(wish)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"hold_ms": 0}', Press),
        (b'{"hold": 5}', Press),
        (b'{"on": true, "per_s": -1}', Power),
        (b'{"devices": [1]}', Power),
        (b'{"kind": "x", "for_s": 3601}', Inject),
    ],
)
def test_bounds(body: bytes, kind: type[msgspec.Struct]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=kind)


def test_an_injection_is_a_table_of_a_scenario() -> None:
    table = Inject(kind="slow", for_s=1.5, latency_ms=40, state="online").table()
    assert (table.kind, table.during, table.for_s, table.latency_ms) == ("slow", "always", 1.5, 40)
    assert table.state == "online"
