"""Whatever a device says: the phone's end of a connection ends at most once, and never raises."""

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire.lan_frame import SIZE_MAX, Command
from firmware_sim.wire.lan_version import LanVersion
from fleet.app.lan_control import State
from fleet.app.lan_happenings import Ended
from tests.app.lan_pair import NOW_MS, Pair

VERSIONS = list(LanVersion)
NEGOTIATING = [version for version in LanVersion if version.negotiates]
PIECES = st.lists(st.binary(max_size=200), max_size=8)


@given(version=st.sampled_from(VERSIONS), early=st.booleans(), pieces=PIECES)
def test_garbage_is_an_end_and_never_an_exception(
    version: LanVersion, early: bool, pieces: list[bytes]
) -> None:
    pair = Pair(version)
    pair.phone.opened(NOW_MS) if early else pair.open()
    feed(pair, pieces)


@given(
    version=st.sampled_from(VERSIONS),
    command=st.sampled_from([*Command, 0x77]),
    code=st.integers(0, 255),
    bodies=st.lists(
        st.binary(max_size=64)
        | st.sampled_from([b"{}", b'{"dps":{"0":1}}', b'{"data":{"dps":null}}', b"[" * 3000]),
        max_size=4,
    ),
)
def test_sealed_garbage_is_not_worse(
    version: LanVersion, command: int, code: int, bodies: list[bytes]
) -> None:
    """What a device with the right key could say, in answer to everything that can be asked."""
    pair = Pair(version).open()
    pair.phone.query(NOW_MS)
    pair.phone.control(NOW_MS, {1: True})
    pair.phone.query_children(NOW_MS)
    feed(pair, [pair.link.say(3, command, body, code) for body in bodies])


@given(
    version=st.sampled_from(NEGOTIATING),
    body=st.binary(max_size=80),
    command=st.sampled_from(list(Command)),
)
def test_a_negotiation_that_goes_wrong_is_an_end(
    version: LanVersion, body: bytes, command: Command
) -> None:
    pair = Pair(version)
    pair.phone.opened(NOW_MS)
    feed(pair, [pair.link.say(1, command, body)])


def feed(pair: Pair, pieces: list[bytes]) -> None:
    """Give the phone what was made up; it may end, and must not grow."""
    ends = 0
    for piece in pieces:
        happenings = pair.phone.received(piece, NOW_MS)
        ends += sum(isinstance(happening, Ended) for happening in happenings)
        assert pair.phone._cutter.pending_size <= SIZE_MAX
    assert ends <= 1
    assert (pair.phone.state is State.ENDED) == bool(ends)
