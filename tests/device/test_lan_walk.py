"""Clients that say anything at all: each connection closes when the rules say so, and only then.

The rules of a connection stand here a second time, as a model. A client in good order sits beside
the others and is answered after each step.
"""

from typing import Final, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.effects import Effect
from firmware_sim.wire import lan_message, lan_session
from firmware_sim.wire.lan_frame import SIZE_MAX, Command, Frame
from firmware_sim.wire.lan_version import LanVersion
from tests.device.lan_peer import NONCE, RANDOM, Peer, bound
from tests.device.stage import LOCAL_KEY

IGNORED_MAX = 3
IDLE_MS = 30_000
LOCAL, OTHER = LOCAL_KEY.encode(), b"another key 1234"
START, FINISH = Command.SESSION_START, Command.SESSION_FINISH
STEPS = (START, Command.SESSION_RESPONSE, FINISH)
REMOVING = (Command.TOKEN_BIND, Command.GATEWAY_RESET, Command.LAN_RESET)
PROOF = b"stands for the proof that the device waits for"

COMMANDS = st.sampled_from(
    [*STEPS, *(each for each in Command if each not in REMOVING), 0x77, 0xFFFFFFFF]
)
BODIES = st.sampled_from(
    [
        b"",
        b"short",
        RANDOM,
        PROOF,
        bytes(32),
        b"{}",
        b'{"dpId":[1,1,-1,999999999999999999999]}',
        b'{"dps":{"1":"arm","2":null,"4":7.5,"45":"%b"}}' % (b"x" * 255),
        b'{"protocol":5,"data":{"cid":"","dps":{"45":"\\u0000"}}}',
        b'{"dps":{%b}}' % b",".join(b'"%d":1' % number for number in range(1, 256)),
        b'{"dps":' * 200,
        b"\xff" * 48,
    ]
)
PLACES = st.integers(0, 1)
ANSWERED = (
    *(Command.HEART_BEAT, Command.DP_QUERY, Command.DP_QUERY_NEW, Command.DP_REFRESH),
    *(Command.CONTROL, Command.CONTROL_NEW, Command.EXT_STREAM),
)


class Words(NamedTuple):
    """A frame, the version in which it is said, and whether under a key that nobody has."""

    frame: Frame
    version: LanVersion
    stranger: bool


class Line:
    """What the model knows of one connection; `half` is a frame that came in part, and the rest."""

    def __init__(self, peer: Peer, now_ms: int) -> None:
        self.peer = peer
        self.conn = peer.conn
        self.heard_ms = now_ms
        self.last = -1
        self.ignored = 0
        self.keyed = False
        self.randoms: tuple[bytes, bytes] | None = None
        self.half: tuple[Words, bytes] | None = None


class LanMachine(RuleBasedStateMachine):
    """A device of one version, a witness, and at most two other clients at once."""

    def __init__(self, version: LanVersion) -> None:
        super().__init__()
        self.version: Final = version
        self.stage = bound(version)
        self.witness = Peer(self.stage, version, 0).negotiated()
        self.lines: dict[int, Line] = {}
        self.conns = 0

    def whole(self) -> list[Line]:
        return [line for line in self.lines.values() if line.half is None]

    def halves(self) -> list[Line]:
        return [line for line in self.lines.values() if line.half is not None]

    def trusted(self) -> set[int]:
        """Return who hears pushes."""
        open_to_all = not self.version.negotiates
        return {0, *(line.conn for line in self.lines.values() if line.keyed or open_to_all)}

    def talks(self) -> bool:
        return bool(self.whole())

    def stutters(self) -> bool:
        return bool(self.halves())

    def tell(self, line: Line, data: bytes) -> list[Effect]:
        return self.stage.tell(ev.LanReceived(line.conn, data))

    # --- who is there ---------------------------------------------------------------------------

    @rule()
    def come(self) -> None:
        self.conns += 1
        full = len(self.lines) + 1 == self.stage.device.profile.firmware.lan_clients_max
        peer = Peer(self.stage, self.version, self.conns)
        assert peer.closed is full
        if not full:
            self.lines[self.conns] = Line(peer, self.stage.now_ms)

    @precondition(lambda self: self.lines)
    @rule(place=PLACES, noise=st.none() | st.binary(min_size=16, max_size=SIZE_MAX))
    def go(self, place: int, noise: bytes | None) -> None:
        """Leave, or be thrown out for what is no frame."""
        line = list(self.lines.values())[place % len(self.lines)]
        if noise is None:
            del self.lines[line.conn]
            self.stage.tell(ev.LanClosed(line.conn))
        elif line.half is None:
            self.check(line, self.tell(line, b"\x01" + noise), closed=True)

    @rule(delay_ms=st.sampled_from([1, 1, 15_000, IDLE_MS - 1]))
    def wait(self, delay_ms: int) -> None:
        before = len(self.stage.said)
        self.stage.wait(delay_ms)
        limit_ms = self.stage.now_ms - IDLE_MS
        idle = {conn for conn, line in self.lines.items() if line.heard_ms <= limit_ms}
        said = self.stage.said[before:]
        assert idle == {each.conn for each in said if isinstance(each, fx.LanClose)}
        for conn in idle:
            del self.lines[conn]

    # --- what they say --------------------------------------------------------------------------

    @precondition(talks)
    @rule(
        place=PLACES,
        command=COMMANDS,
        body=BODIES,
        stranger=st.sampled_from([*7 * [False], True]),
        version=st.sampled_from([*7 * [None], *LanVersion]),
        ahead=st.sampled_from([*7 * [1], 9, 0, -1]),
        share=st.sampled_from([*7 * [100], 1, 50, 99]),
    )
    def speak(
        self,
        place: int,
        command: int,
        body: bytes = b"",
        version: LanVersion | None = None,
        ahead: int = 1,
        share: int = 100,
        *,
        stranger: bool = False,
    ) -> None:
        """Send a frame, or a share of it in per cent."""
        line = self.whole()[place % len(self.whole())]
        if body is PROOF and line.randoms is not None:
            body = lan_session.finish(LOCAL, line.randoms[1])
        words = Words(
            Frame(max(0, line.last + ahead), command, body), version or self.version, stranger
        )
        key = OTHER if stranger else line.peer.key
        data = lan_message.seal(words.frame, words.version, key, nonce=NONCE)
        cut = max(1, len(data) * share // 100)
        said = self.tell(line, data[:cut])
        if cut == len(data):
            self.judge(line, words, said)
        else:
            assert said == []
            line.half = words, data[cut:]

    @precondition(stutters)
    @rule(place=PLACES)
    def go_on(self, place: int) -> None:
        """Send the rest of a frame."""
        line = self.halves()[place % len(self.halves())]
        assert line.half is not None
        (words, rest), line.half = line.half, None
        self.judge(line, words, self.tell(line, rest))

    @precondition(talks)
    @rule(place=PLACES)
    def shake_hands(self, place: int) -> None:
        self.speak(place, START, RANDOM)
        if self.whole():
            self.speak(place, FINISH, PROOF)

    @precondition(talks)
    @rule(place=PLACES, command=COMMANDS, body=BODIES)
    def ask(self, place: int, command: int, body: bytes) -> None:
        self.speak(place, command, body)

    # --- the model ------------------------------------------------------------------------------

    def judge(self, line: Line, words: Words, said: list[Effect]) -> None:
        """Compare what the device did about a whole frame with what the rules say."""
        line.heard_ms = self.stage.now_ms
        fits = words.version is self.version and not words.stranger
        if not self.version.negotiates:
            self.check(line, said, closed=False)
        elif not fits:
            bears = words.frame.command == START and words.version.sealed != self.version.sealed
            line.ignored += bears and not line.keyed
            self.check(line, said, closed=not (bears or line.keyed) or self.fed_up(line))
        elif words.frame.sequence < line.last + (line.keyed or self.version.sealed):
            self.check(line, said, closed=True)
        else:
            line.last = words.frame.sequence
            self.check(line, said, closed=self.takes_offence(line, words.frame, said))
        if fits and line.conn in self.lines:
            self.listen(line, words.frame, said)

    def fed_up(self, line: Line) -> bool:
        return not line.keyed and line.ignored > IGNORED_MAX

    def takes_offence(self, line: Line, frame: Frame, said: list[Effect]) -> bool:
        """Say whether a frame closes that is genuine and comes in its turn."""
        if line.keyed:
            return frame.command in STEPS
        if frame.command == START and len(frame.payload) >= len(RANDOM):
            (answer,) = line.peer.heard(said)
            theirs = lan_session.check_response(answer.payload, LOCAL, frame.payload[:16])
            line.randoms = frame.payload[:16], theirs
        elif frame.command == FINISH and line.randoms is not None and len(frame.payload) >= 32:
            if frame.payload[:32] != lan_session.finish(LOCAL, line.randoms[1]):
                return True
            line.peer.key = lan_session.session_key(self.version, LOCAL, *line.randoms)
            line.keyed = True
        else:
            line.ignored += 1
        return self.fed_up(line)

    def check(self, line: Line, said: list[Effect], *, closed: bool) -> None:
        closing = [each.conn for each in said if isinstance(each, fx.LanClose)]
        assert closing == ([line.conn] if closed else [])
        assert hearers(said) <= {line.conn, *self.trusted()}
        if closed:
            del self.lines[line.conn]

    def listen(self, line: Line, frame: Frame, said: list[Effect]) -> None:
        """Read every answer; those that are due have come."""
        may_ask = line.keyed or not self.version.negotiates
        answers = line.peer.heard(said) if may_ask and frame.command not in STEPS else []
        if may_ask and frame.command in ANSWERED:
            assert answers[0].command in (frame.command, Command.DP_QUERY)
            assert answers[0].return_code in (0, 1)
        assert all(each.command == Command.STATUS for each in answers[1:])

    @invariant()
    def nobody_else_notices(self) -> None:
        (answer,) = self.witness.ask(Command.HEART_BEAT)
        assert (answer.command, answer.return_code) == (Command.HEART_BEAT, 0)
        refresh = self.witness.frame(Command.DP_REFRESH, b"{}")
        assert hearers(self.stage.tell(ev.LanReceived(0, refresh))) == self.trusted()
        clients = self.stage.device.clients or {}
        assert set(clients) == {0, *self.lines}
        assert all(client.cutter.pending_size < SIZE_MAX for client in clients.values())
        assert len(self.stage.device.flash.image()) < 1024
        assert self.stage.state == "ONLINE"


def hearers(said: list[Effect]) -> set[int]:
    return {each.conn for each in said if isinstance(each, fx.LanSend)}


@pytest.mark.parametrize("version", LanVersion)
def test_a_connection_ends_as_the_rules_say(version: LanVersion) -> None:
    class Machine(LanMachine):
        def __init__(self) -> None:
            super().__init__(version)

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=60, stateful_step_count=50, deadline=None)
    )
