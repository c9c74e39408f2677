"""A device of any LAN version, as far as a phone can tell: made of wire formats only.

`FakeLink` takes and gives bytes; `listening` puts it behind a port.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ClassVar

from firmware_sim.errors import PeerError
from firmware_sim.wire import lan_body, lan_message, lan_session
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.lan_body import ChildStatus
from firmware_sim.wire.lan_frame import Command, Frame, FrameCutter, RawFrame
from firmware_sim.wire.lan_version import LanVersion

DEV_ID = "ebfake0000000000000001"
KEY = "0123456789abcdef"
CHILD = "00c0ffee00c0ffee"
RAND_B = bytes(range(16, 32))
T_S = 1_700_000_000


class FakeDevice:
    """What all connections of one device share, and how it is to misbehave."""

    def __init__(self, version: LanVersion, key: str = KEY) -> None:
        self.version = version
        self.key = key.encode()
        self.dps: dict[int, Value] = {1: False, 101: 7, 102: "Café"}
        self.children: dict[str, dict[int, Value]] = {CHILD: {1: True}}
        self.refusal = b""  # answers every query and setting
        self.mute: set[int] = set()  # commands that it does not answer
        self.fatal: set[int] = set()  # commands that make it close the connection
        self.fixed: set[int] = set()  # data points that it acknowledges and does not take
        self.hidden: set[int] = set()  # data points that it pushes and has in no status
        self.chatter: dict[int, Value] = {}  # pushed as its own with each setting
        self.proof_key = self.key  # with another one its proof is wrong
        self.asked: list[int] = []
        self.links: list[FakeLink] = []

    def values(self, cid: str | None) -> dict[int, Value]:
        return self.dps if cid is None else self.children[cid]


class FakeLink:
    """The device's end of one connection."""

    def __init__(self, device: FakeDevice) -> None:
        self.device = device
        self.closing = False
        self._key = device.key
        self._rand_a = b""
        self._cutter = FrameCutter()
        self._counter = 0x1000
        device.links.append(self)

    def receive(self, data: bytes) -> bytes:
        """Take what the phone sends; return what it gets for it."""
        return b"".join(self._serve(raw) for raw in self._cutter.feed(data))

    def push(self, dps: dict[int, Value], cid: str | None = None) -> bytes:
        """Return a report, sealed for this connection."""
        device = self.device
        body = lan_body.encode_report(device.version, DEV_ID, T_S, dps, cid)
        return self.say(0, Command.STATUS, body)

    def say(self, sequence: int, command: int, body: bytes, return_code: int = 0) -> bytes:
        """Return any frame, sealed for this connection; 3.5 counts by itself."""
        version = self.device.version
        if version.sealed:
            sequence, self._counter = self._counter, self._counter + 1
        return lan_message.seal(
            Frame(sequence, command, body, return_code),
            version,
            self._key,
            nonce=self._counter.to_bytes(12, "big"),
            header_sequence=self._counter,
        )

    def _serve(self, raw: RawFrame) -> bytes:
        version = self.device.version
        self.device.asked.append(raw.command)
        try:
            frame = lan_message.unframe(raw, version, self._key, from_device=False)
            body = lan_message.reveal(frame, version, self._key)
        except PeerError:  # another key: as real ones do
            self.closing = version.negotiates
            reply = b"" if self.closing else lan_body.BAD_DATA
            return self.say(raw.sequence, raw.command, reply, 1) if reply else b""
        self.closing |= raw.command in self.device.fatal
        if self.closing or raw.command in self.device.mute:
            return b""
        return self._ANSWERS[frame.command](self, frame, body)

    def _start(self, frame: Frame, body: bytes) -> bytes:
        self._rand_a = lan_session.start_random(body)
        proof = lan_session.response(self.device.proof_key, self._rand_a, RAND_B)
        return self.say(frame.sequence, Command.SESSION_RESPONSE, proof)

    def _finish(self, _: Frame, body: bytes) -> bytes:
        lan_session.check_finish(body, self._key, RAND_B)
        version = self.device.version
        self._key = lan_session.session_key(version, self._key, self._rand_a, RAND_B)
        return b""

    def _query(self, frame: Frame, body: bytes) -> bytes:
        if self.device.refusal:
            return self.say(frame.sequence, frame.command, self.device.refusal, 1)
        cid = lan_body.decode_query(body).cid
        status = lan_body.encode_status(self.device.version, DEV_ID, self.device.values(cid), cid)
        return self.say(frame.sequence, frame.command, status)

    def _control(self, frame: Frame, body: bytes) -> bytes:
        if self.device.refusal:
            return self.say(frame.sequence, frame.command, self.device.refusal, 1)
        control = lan_body.decode_control(body)
        fixed, hidden = self.device.fixed, self.device.hidden
        wanted = {dp: v for dp, v in control.dps.items() if v is not None and dp not in fixed}
        kept = {dp: value for dp, value in wanted.items() if dp not in hidden}
        self.device.values(control.cid).update(kept)
        chatter = self.push(self.device.chatter) if self.device.chatter else b""
        return self._acknowledge(frame, b"") + chatter + self.push(wanted, control.cid)

    def _refresh(self, frame: Frame, body: bytes) -> bytes:
        wanted = lan_body.decode_refresh(body).dp_ids
        values = {dp: value for dp, value in self.device.dps.items() if dp in wanted}
        return self._acknowledge(frame, b"") + self.push(values)

    def _children(self, frame: Frame, body: bytes) -> bytes:
        wanted = lan_body.decode_child_query(body) or tuple(self.device.children)
        online = tuple(cid for cid in wanted if cid in self.device.children)
        offline = tuple(cid for cid in wanted if cid not in self.device.children)
        report = lan_body.encode_child_report(ChildStatus(online, offline))
        return self.say(frame.sequence, frame.command, report)

    def _acknowledge(self, frame: Frame, _: bytes) -> bytes:
        return self.say(frame.sequence, frame.command, b"")

    _ANSWERS: ClassVar[dict[int, Callable[["FakeLink", Frame, bytes], bytes]]] = {
        Command.SESSION_START: _start,
        Command.SESSION_FINISH: _finish,
        Command.DP_QUERY: _query,
        Command.DP_QUERY_NEW: _query,
        Command.CONTROL: _control,
        Command.CONTROL_NEW: _control,
        Command.DP_REFRESH: _refresh,
        Command.EXT_STREAM: _children,
        Command.HEART_BEAT: _acknowledge,
    }


@asynccontextmanager
async def listening(device: FakeDevice, ip: str, port: int = 0) -> AsyncIterator[int]:
    """Serve a device at `ip` while the block lasts; yield the port."""
    running: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        link = FakeLink(device)
        while not link.closing and (data := await reader.read(4096)):
            writer.write(link.receive(data))
        writer.close()

    server = await asyncio.start_server(connected, ip, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*running, return_exceptions=True)
