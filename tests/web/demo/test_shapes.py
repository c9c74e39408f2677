"""What a page may ask for has bounds."""

import pytest

from firmware_sim.errors import Malformed
from firmware_sim.wire.structs import decode_json
from fleet.web.demo import shapes


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (shapes.Start, b'{"profile":"nvr","speed":0}'),
        (shapes.Start, b'{"profile":"nvr","speed":21}'),
        (shapes.Start, b'{"profile":"nvr","speed":null}'),
        (shapes.Start, b'{"profile":"%s"}' % (b"x" * 41)),
        (shapes.Start, b'{"profile":"nvr","seed":1}'),
        (shapes.TimeOrder, b'{"speed":1e400}'),
        (shapes.Hand, b'{"do":"explode"}'),
        (shapes.CodeOrder, b'{"role":"owner","life_s":0}'),
        (shapes.CodeOrder, b'{"role":"owner","life_s":86401}'),
        (shapes.Send, b'{"code":0}'),
    ],
)
def test_what_is_out_of_bounds_is_refused(kind: type, text: bytes) -> None:
    with pytest.raises(Malformed):
        decode_json(kind, text)


def test_what_is_left_out_has_a_default() -> None:
    start = decode_json(shapes.Start, b'{"profile":"nvr"}')
    assert (start.light, start.speed) == ("online", 1.0)
