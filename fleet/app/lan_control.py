"""One connection of the phone to one device: requests to frames, bytes to answers and pushes.

A core: the driver in `lan_device` owns the connection, the clock and the source of chance; here
bytes, time and random numbers are arguments. All LAN versions are spoken; 3.4 and 3.5 agree on a
session key first. Answers name no request in 3.5, so an answer belongs to the oldest request with
its command. Sources: jasonacox/tinytuya, tinytuya/core/XenonDevice.py; codetheweb/tuyapi, index.js;
tuya/TuyaOpen, src/tuya_cloud_service/lan/tuya_lan.c.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from typing import ClassVar

import msgspec

from firmware_sim.errors import PeerError, UsageError
from firmware_sim.wire import lan_body, lan_message, lan_session
from firmware_sim.wire.ciphers import KEY_SIZE, NONCE_SIZE
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.lan_frame import Command, Frame, FrameCutter, RawFrame
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.structs import Secretive
from fleet.app.lan_happenings import (
    Answered,
    End,
    Ended,
    Happening,
    Pushed,
    Ready,
    Send,
    Unbound,
    read_answer,
)

HEARTBEAT_MS = 10_000
ANSWER_MS = 5_000
ASKED_MAX = 32
CHANCE_SIZE = lan_session.RANDOM_SIZE + NONCE_SIZE


class Peer(Secretive, frozen=True, gc=False):
    """The device at the other end: its id, its local key of 16 ASCII characters, its version."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"local_key"})

    dev_id: str
    local_key: str
    version: LanVersion

    @property
    def key(self) -> bytes:
        """The local key as bytes; raises `UsageError` unless it is one."""
        if len(self.local_key) != KEY_SIZE or not self.local_key.isascii():
            raise UsageError(
                f"device {self.dev_id}: a local key has {KEY_SIZE} ASCII characters, "
                f"this one has {len(self.local_key)}"
            )
        return self.local_key.encode()


class Request(msgspec.Struct, frozen=True, gc=False):
    """The bytes of a request; its `Answered` will have the same number."""

    number: int
    data: bytes


# --- the connection -----------------------------------------------------------------------------


class State(Enum):
    """How far a connection is."""

    CONNECTING = auto()
    NEGOTIATING = auto()
    OPEN = auto()
    ENDED = auto()


Handler = Callable[["LanControl", Frame, bytes, int], list[Happening]]

# Requests whose answer has another command.
_ANSWERED_BY = {Command.SESSION_START: Command.SESSION_RESPONSE}


class _Asked(msgspec.Struct, frozen=True, gc=False):
    number: int
    command: int
    until_ms: int


class LanControl:
    """The phone's end of one connection. After `Ended` it is of no further use."""

    __slots__ = (
        "_answer_ms",
        "_asked",
        "_cutter",
        "_heartbeat_at_ms",
        "_key",
        "_nonce",
        "_peer",
        "_proven",
        "_rand_a",
        "_sequence",
        "state",
    )

    def __init__(self, peer: Peer, chance: bytes, *, answer_ms: int = ANSWER_MS) -> None:
        """Prepare to speak with `peer`, which gets `answer_ms` for each answer.

        `chance` is `CHANCE_SIZE` random bytes, never the same for two connections. Raises
        `UsageError` if it is of another size or the local key is none.
        """
        if len(chance) != CHANCE_SIZE:
            raise UsageError(f"a connection needs {CHANCE_SIZE} random bytes, not {len(chance)}")
        self.state = State.CONNECTING
        self._peer = peer
        self._key = peer.key
        self._answer_ms = answer_ms
        self._rand_a = chance[: lan_session.RANDOM_SIZE]
        self._nonce = int.from_bytes(chance[lan_session.RANDOM_SIZE :], "big")
        self._cutter = FrameCutter()
        self._sequence = 0
        self._asked: deque[_Asked] = deque()
        self._heartbeat_at_ms = 0
        self._proven = False  # whether anything said by the device could be read with our key

    # --- the driver's side ---

    def opened(self, now_ms: int) -> list[Happening]:
        """The connection stands: begin the negotiation, or be ready at once."""
        if not self._peer.version.negotiates:
            return self._open(now_ms)
        self.state = State.NEGOTIATING
        return [Send(self._ask(Command.SESSION_START, self._rand_a, now_ms).data)]

    def received(self, data: bytes, now_ms: int) -> list[Happening]:
        """Take bytes cut anywhere; never raises for what the device does."""
        try:
            raws = self._cutter.feed(data)
        except PeerError as error:
            return self._end(End.GARBLED, str(error))
        return [happening for raw in raws for happening in self._take(raw, now_ms)]

    def woken(self, now_ms: int) -> list[Happening]:
        """The time of `next_deadline_ms` has come: give up, or send a heartbeat."""
        if self._asked and self._asked[0].until_ms <= now_ms:
            command = self._asked[0].command
            return self._end(End.SILENT, f"no answer to command {command:#04x}")
        if self.state is State.OPEN and self._heartbeat_at_ms <= now_ms:
            self._heartbeat_at_ms = now_ms + HEARTBEAT_MS
            return [Send(self._ask(Command.HEART_BEAT, b"", now_ms).data)]
        return []

    def closed(self) -> list[Happening]:
        """The device closed the connection, or it broke."""
        return self._end(End.CLOSED if self.state is State.OPEN else End.TURNED_AWAY)

    def left(self) -> list[Happening]:
        """We close the connection."""
        return self._end(End.LEFT)

    def next_deadline_ms(self) -> int | None:
        """Return when `woken` is to be called, None for never."""
        due_ms = [self._heartbeat_at_ms] if self.state is State.OPEN else []
        if self._asked:
            due_ms.append(self._asked[0].until_ms)
        return min(due_ms, default=None)

    # --- requests ---

    def query(self, now_ms: int, cid: str | None = None) -> Request:
        """Ask for all data points, of sub-device `cid` if given; answered by `Status`."""
        peer = self._peer
        body = lan_body.encode_query(peer.version, peer.dev_id, now_ms // 1000, cid)
        return self._request(lan_body.query_command(peer.version), body, now_ms)

    def control(self, now_ms: int, dps: Mapping[int, Value], cid: str | None = None) -> Request:
        """Set data points; answered by `Acknowledged`, followed by `Pushed` if anything changed."""
        peer = self._peer
        body = lan_body.encode_control(peer.version, peer.dev_id, now_ms // 1000, dps, cid)
        return self._request(lan_body.control_command(peer.version), body, now_ms)

    def refresh(self, now_ms: int, dp_ids: Iterable[int]) -> Request:
        """Have the device measure data points anew; answered as `control` is."""
        return self._request(Command.DP_REFRESH, lan_body.encode_refresh(tuple(dp_ids)), now_ms)

    def query_children(self, now_ms: int, cids: Iterable[str] = ()) -> Request:
        """Ask a gateway which sub-devices are online; answered by `ChildStatus`."""
        body = lan_body.encode_child_query(tuple(cids))
        return self._request(Command.EXT_STREAM, body, now_ms)

    def _request(self, command: Command, body: bytes, now_ms: int) -> Request:
        if self.state is not State.OPEN:
            raise UsageError(f"device {self._peer.dev_id}: the connection is not open")
        if len(self._asked) >= ASKED_MAX:
            raise UsageError(f"device {self._peer.dev_id}: {ASKED_MAX} requests are unanswered")
        return self._ask(command, body, now_ms)

    def _ask(self, command: Command, body: bytes, now_ms: int) -> Request:
        data = self._seal(command, body)
        until_ms = now_ms + self._answer_ms
        self._asked.append(_Asked(self._sequence, _ANSWERED_BY.get(command, command), until_ms))
        return Request(self._sequence, data)

    def _seal(self, command: Command, body: bytes) -> bytes:
        self._sequence += 1
        self._nonce = (self._nonce + 1) % (1 << 8 * NONCE_SIZE)
        nonce = self._nonce.to_bytes(NONCE_SIZE, "big")
        frame = Frame(self._sequence, command, body)
        return lan_message.seal(frame, self._peer.version, self._key, nonce=nonce)

    # --- what the device says ---

    def _take(self, raw: RawFrame, now_ms: int) -> list[Happening]:
        """Read one frame and do what the table says; frames that nobody asked for are passed over.

        Until something could be read, the key or the version is to blame for what cannot be.
        """
        peer = self._peer
        try:
            frame = lan_message.unframe(raw, peer.version, self._key, from_device=True)
            handler = self._HANDLERS[self.state].get(frame.command)
            if handler is None:
                return []
            body = lan_message.reveal(frame, peer.version, self._key)
            happenings = handler(self, frame, body, now_ms)
        except PeerError as error:
            return self._end(End.GARBLED if self._proven else End.WRONG_KEY, str(error))
        self._proven |= bool(body)
        return happenings

    def _agree(self, _: Frame, body: bytes, now_ms: int) -> list[Happening]:
        """The device has answered the negotiation: check its proof, give ours, change the key."""
        version, local_key = self._peer.version, self._key
        rand_b = lan_session.check_response(body, local_key, self._rand_a)
        self._asked.clear()
        finish = self._seal(Command.SESSION_FINISH, lan_session.finish(local_key, rand_b))
        self._key = lan_session.session_key(version, local_key, self._rand_a, rand_b)
        return [Send(finish), *self._open(now_ms)]

    def _answer(self, frame: Frame, body: bytes, _: int) -> list[Happening]:
        """Answer the oldest request of this command; without one, the frame is passed over."""
        asked = next((asked for asked in self._asked if asked.command == frame.command), None)
        if asked is None:
            return []
        answer = read_answer(frame, body)
        self._asked.remove(asked)
        return [Answered(asked.number, answer)]

    def _beat(self, frame: Frame, _: bytes, now_ms: int) -> list[Happening]:
        """A heartbeat is answered: nobody waits for that."""
        self._answer(frame, b"", now_ms)
        return []

    def _push(self, _: Frame, body: bytes, __: int) -> list[Happening]:
        return [Pushed(lan_body.decode_status(body))]

    def _unbound(self, _: Frame, __: bytes, ___: int) -> list[Happening]:
        return [Unbound()]

    def _open(self, now_ms: int) -> list[Happening]:
        self.state = State.OPEN
        self._heartbeat_at_ms = now_ms + HEARTBEAT_MS
        return [Ready()]

    def _end(self, why: End, detail: str = "") -> list[Happening]:
        if self.state is State.ENDED:
            return []
        self.state = State.ENDED
        self._asked.clear()
        return [Ended(why, detail)]

    # What is done with a frame, by state and command. Everything else is passed over.
    _HANDLERS: ClassVar[dict[State, dict[int, Handler]]] = {
        State.CONNECTING: {},
        State.NEGOTIATING: {Command.SESSION_RESPONSE: _agree},
        State.OPEN: {
            Command.DP_QUERY: _answer,
            Command.DP_QUERY_NEW: _answer,
            Command.CONTROL: _answer,
            Command.CONTROL_NEW: _answer,
            Command.DP_REFRESH: _answer,
            Command.EXT_STREAM: _answer,
            Command.HEART_BEAT: _beat,
            Command.STATUS: _push,
            Command.GATEWAY_UNBOUND: _unbound,
        },
        State.ENDED: {},
    }
