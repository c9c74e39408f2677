import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire import atop_calls, atop_children, atop_old, atop_upgrade
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.atop_calls import CALLS

from .support import outcome


def test_every_call_is_in_the_table_once() -> None:
    assert len(CALLS) == len(atop_calls._CALLS)
    modules = (messages, atop_children, atop_old, atop_upgrade)
    apis = [value for module in modules for value in vars(module).values()]
    named = {value for value in apis if isinstance(value, messages.Api)}
    assert {call.api for call in CALLS.values()} >= named


def test_who_signs() -> None:
    by_uuid = {name for name, call in CALLS.items() if call.by_uuid}
    assert by_uuid == {
        "tuya.device.active",
        "thing.device.opensdk.active",
        "tuya.device.config.get",
        "s.gw.token.get",
        "s.gw.dev.pk.active",
    }


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("tuya.device.active", 8192),
        ("thing.device.opensdk.active", 8192),
        ("tuya.device.upgrade.get", 2048),
        ("tuya.device.upgrade.silent.get", 2048),
        ("tuya.device.info.sync", 1024),
        ("nobody.knows.this", 1024),
    ],
)
def test_how_long_an_answer_may_be(name: str, size: int) -> None:
    assert atop_calls.reply_size_max(name) == size


KINDS = sorted(
    {kind for call in CALLS.values() for kind in (call.request, call.result) if kind is not None},
    key=lambda kind: f"{kind.__module__}.{kind.__name__}",
)
SCALARS = st.none() | st.booleans() | st.integers() | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(KINDS), st.data())
def test_garbage_is_a_message_or_a_peer_error(
    kind: type[messages.Message], data: st.DataObject
) -> None:
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    record = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON)))
    got = outcome(messages.decode, msgspec.json.encode(record), kind)
    if isinstance(got, messages.Message):
        assert messages.decode(messages.encode(got), kind) == got
