import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError
from firmware_sim.wire import atop_children as children
from firmware_sim.wire import atop_messages as messages

from .support import outcome, truncations

CID = "a4c1382a6c5e4e5a"
CARRIED = [
    children.SubBind(
        cid=CID, product_key="pid", soft_ver="1.0.0", type=10, uddd=children.CHANNEL_UDDD, t=5
    ),
    children.SubBindResult(dev_id="6c01", schema_id="000004abcd", schema="[]", reset_factory=True),
    children.SubUnbind(cid=CID, t=5),
    children.SubPresence(cids=(CID, "2"), t=5),
    children.SubUpdate(cid=CID, soft_ver="1.0.1", t=5),
    children.SubListResult(children=(children.SubEntry(cid=CID, dev_id="6c01", product_key="p"),)),
]
node_ids = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)


@pytest.mark.parametrize("message", CARRIED)
def test_both_ways(message: messages.Message) -> None:
    data = messages.encode(message)
    assert messages.decode(data, type(message)) == message
    for cut in truncations(data):
        with pytest.raises(PeerError):
            messages.decode(cut, type(message))


@given(st.lists(node_ids, max_size=5), st.integers(0, 2**31))
def test_every_node_id_travels(cids: list[str], t_s: int) -> None:
    presence = children.SubPresence(cids=tuple(cids), t=t_s)
    assert messages.decode(messages.encode(presence), children.SubPresence) == presence


def test_names_on_the_wire() -> None:
    assert messages.encode(CARRIED[0]) == (
        b'{"cid":"a4c1382a6c5e4e5a","productKey":"pid","softVer":"1.0.0","type":10,'
        b'"uddd":33554432,"t":5}'
    )
    assert messages.encode(children.SubUnbind(cid=CID, t=5)) == b'{"cid":"a4c1382a6c5e4e5a","t":5}'
    assert children.SUB_BIND == ("tuya.device.sub.bind", "4.4")


@pytest.mark.parametrize("cid", ["", "x" * 65, "a b", "\n", "\N{BLACK STAR}", 5, None])
def test_a_bad_node_id_is_malformed(cid: object) -> None:
    with pytest.raises(Malformed):
        messages.decode(msgspec.json.encode({"cid": cid, "t": 5}), children.SubUnbind)


def test_lists_are_bounded() -> None:
    longest = msgspec.json.encode({"cids": ["x"] * messages.CHILDREN_MAX, "t": 5})
    assert len(messages.decode(longest, children.SubPresence).cids) == messages.CHILDREN_MAX
    with pytest.raises(Malformed):
        messages.decode(longest.replace(b'["x",', b'["x","x",'), children.SubPresence)


@given(st.sampled_from([type(message) for message in CARRIED]), st.binary(max_size=200))
def test_garbage_is_a_message_or_a_peer_error(kind: type[messages.Message], data: bytes) -> None:
    outcome(messages.decode, data, kind)
