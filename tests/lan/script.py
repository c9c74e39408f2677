"""What a client and a device of each version say to each other, as bytes."""

from collections.abc import Iterator
from typing import NamedTuple

from firmware_sim.wire import lan_session
from firmware_sim.wire.lan_frame import Command, Frame
from firmware_sim.wire.lan_message import seal
from firmware_sim.wire.lan_version import LanVersion

KEY = b"0123456789abcdef"
DEVICE_ID = "ebfake0000000000000001"
RAND_A, RAND_B = bytes(range(16)), bytes(range(16, 32))
STATUS = b'{"dps":{"1":true}}'
REPORT = b'{"protocol":4,"t":1700000000,"data":{"dps":{"1":false}}}'


class Line(NamedTuple):
    """One message: its frame, who says it, and its plain body."""

    frame: bytes
    from_device: bool
    command: Command
    body: bytes
    sequence: int
    return_code: int | None


class Script:
    """Seals messages, one after the other, under the key that is in force."""

    def __init__(self, version: LanVersion, key: bytes = KEY) -> None:
        self._version = version
        self._local_key = self._key = key
        self._count = 0

    def client(self, command: Command, body: bytes = b"") -> Line:
        return self._line(command, body, None)

    def device(self, command: Command, body: bytes = b"", code: int = 0) -> Line:
        return self._line(command, body, code)

    def negotiation(self) -> Iterator[Line]:
        """Yield the three steps; the session key is in force when they are taken."""
        yield self.client(Command.SESSION_START, RAND_A)
        proof = lan_session.response(self._local_key, RAND_A, RAND_B)
        yield self.device(Command.SESSION_RESPONSE, proof)
        yield self.client(Command.SESSION_FINISH, lan_session.finish(self._local_key, RAND_B))
        self._key = lan_session.session_key(self._version, self._local_key, RAND_A, RAND_B)

    def _line(self, command: Command, body: bytes, code: int | None) -> Line:
        self._count += 1
        message = Frame(self._count, command, body, code)
        nonce = self._count.to_bytes(12, "big")
        frame = seal(message, self._version, self._key, nonce=nonce)
        return Line(frame, code is not None, command, body, self._count, code)


def talk(version: LanVersion, key: bytes = KEY) -> list[Line]:
    """Return a whole conversation: negotiation, query, setting, report, heartbeat."""
    script = Script(version, key)
    new = version.negotiates
    query = Command.DP_QUERY_NEW if new else Command.DP_QUERY
    control = Command.CONTROL_NEW if new else Command.CONTROL
    return [
        *(script.negotiation() if new else ()),
        script.client(query, b'{"gwId":"x","devId":"x"}'),
        script.device(query, STATUS),
        script.client(control, b'{"dps":{"1":false}}'),
        script.device(control),
        script.device(Command.STATUS, REPORT),
        script.client(Command.HEART_BEAT, b"{}"),
        script.device(Command.HEART_BEAT),
        script.device(query, b"json obj data unvalid", 1),
    ]
