"""Forms of the Developer app page: what is hidden, what is bounded."""

import msgspec
import pytest

from firmware_sim.errors import Malformed
from firmware_sim.wire.structs import decode_json
from fleet.web.app_words import Aimed, Chosen, CodeForm


def test_a_wifi_password_is_not_shown() -> None:
    assert "geheim" not in repr(CodeForm(ssid="x", password="geheim"))


@pytest.mark.parametrize(("kind", "count"), [(Chosen, 600), (Aimed, 30)])
def test_lists_of_devices_are_bounded(kind: type[Chosen | Aimed], count: int) -> None:
    def form(size: int) -> bytes:
        return msgspec.json.encode({"uuids": ["uuid"] * size})

    assert len(decode_json(kind, form(count)).uuids) == count
    for size in (0, count + 1):
        with pytest.raises(Malformed):
            decode_json(kind, form(size))
    with pytest.raises(Malformed):
        decode_json(kind, msgspec.json.encode({"uuids": ["x" * 65]}))
