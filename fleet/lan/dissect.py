"""A recording as a list of what was said: one entry per frame, opened as far as keys allow.

    for seen in dissect(read_records(path), DeviceBook(read_devices(list_path))):
        print(seen.line())

Connections are followed from whatever their first recorded byte is. What is held is bounded by
CONNECTIONS_MAX and by the limits of `streams`; beyond that the connection that was silent for the
longest time is forgotten. Tokens and passwords are not shown.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from firmware_sim.errors import Malformed, UsageError
from firmware_sim.wire.discovery import PORT_CONTROL
from firmware_sim.wire.lan_frame import Command, RawFrame
from firmware_sim.wire.structs import decode_json
from fleet.lan.conversation import Conversation, Said, read_datagram
from fleet.lan.known_devices import DeviceBook
from fleet.lan.packets import Address, Datagram, Segment, parse
from fleet.lan.pcap import Record
from fleet.lan.streams import Cut, Direction

CONNECTIONS_MAX = 10_000

_NAMES = {command.value: command.name for command in Command}
_SECRETS = r"token|passwd|password|pwd|p|local_?key|sec_?key|auth_?key"
_SECRET = re.compile(  # also within JSON that is a text within JSON
    rf"""((?P<quote>\\{{0,7}}")(?:{_SECRETS})(?P=quote)\s*:\s*(?P=quote))"""
    r""".*?(?:(?<!\\)(?P=quote)|\Z)""",
    re.IGNORECASE | re.DOTALL,
)


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """A frame, or bytes that are none and have a `note` only.

    `time` is UTC, `device` the name of the device on the list, `body` a text without secrets. What
    cannot be told is empty or None.
    """

    time: str
    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")
    device: str = ""
    version: str = ""
    command: str = ""
    sequence: int | None = None
    return_code: int | None = None
    size: int = 0
    body: str = ""
    note: str = ""

    def line(self) -> str:
        """Return all of it as one line for people."""
        parts = [self.time, f"{self.source:>21} > {self.target:<21}", f"{self.version or '-':3}"]
        if self.sequence is not None:
            parts.append(f"{self.command:<16} seq {self.sequence}")
        if self.return_code is not None:
            parts.append(f"ret {self.return_code}")
        parts += [self.body] * bool(self.body)
        parts += [f"({self.note})"] * bool(self.note)
        parts += [f"[{self.device}]"] * bool(self.device)
        return " ".join(parts)


def dissect(records: Iterable[Record], book: DeviceBook) -> Iterator[Seen]:
    """Yield what `records` hold for the LAN; `book` learns what they announce.

    A UsageError of `records` is raised when all that came before it is told.
    """
    dissector = _Dissector(book)
    damage: UsageError | None = None
    try:
        for record in records:
            packet = parse(record)
            if packet is not None:
                yield from dissector.take(packet)
    except UsageError as error:
        damage = error
    yield from dissector.end()
    if damage is not None:
        raise damage


class _Connection:
    """One connection: its two ends, what each said, and what is known of it."""

    __slots__ = ("client", "conversation", "device", "down", "up")

    def __init__(self, client: Address, device: Address, book: DeviceBook) -> None:
        self.client = client
        self.device = device
        self.conversation = Conversation(book, device.ip)
        self.up, self.down = Direction(), Direction()


class _Announced(msgspec.Struct):
    gw_id: str = msgspec.field(default="", name="gwId")
    version: str = ""


class _Dissector:
    """Takes packets one by one."""

    def __init__(self, book: DeviceBook) -> None:
        self._book = book
        self._connections: OrderedDict[tuple[Address, Address], _Connection] = OrderedDict()

    def take(self, packet: Datagram | Segment) -> Iterator[Seen]:
        """Yield what `packet` completes."""
        if isinstance(packet, Datagram):
            yield self._datagram(packet)
        else:
            yield from self._segment(packet)

    def end(self) -> Iterator[Seen]:
        """Yield what is left over in all connections."""
        while self._connections:
            yield from self._forget(next(iter(self._connections)))

    def _segment(self, segment: Segment) -> Iterator[Seen]:
        from_device = segment.source.port == PORT_CONTROL
        ends = segment.source, segment.target
        client, device = reversed(ends) if from_device else ends
        if segment.opens and segment.ack is None:
            yield from self._forget((client, device))  # the same two ports, used again
        one = self._connections.get((client, device))
        if one is None:
            one = self._connections[client, device] = _Connection(client, device, self._book)
        self._connections.move_to_end((client, device))
        heard, other = (one.down, one.up) if from_device else (one.up, one.down)
        if segment.ack is not None:
            yield from self._tell(one, other.acknowledged(segment.ack), from_device=not from_device)
        yield from self._tell(one, heard.take(segment), from_device=from_device)
        if len(self._connections) > CONNECTIONS_MAX:
            yield from self._forget(next(iter(self._connections)))

    def _forget(self, ends: tuple[Address, Address]) -> Iterator[Seen]:
        one = self._connections.pop(ends, None)
        if one is not None:
            yield from self._tell(one, one.up.end(), from_device=False)
            yield from self._tell(one, one.down.end(), from_device=True)

    def _tell(self, one: _Connection, cuts: Iterable[Cut], *, from_device: bool) -> Iterator[Seen]:
        ends = (one.device, one.client) if from_device else (one.client, one.device)
        for cut in cuts:
            name = self._name_at(one.device.ip)
            if cut.frame is not None:
                said = one.conversation.read(cut.frame, from_device=from_device)
                yield _seen(cut.time_ns, ends, name, cut.frame, said)
            else:
                note = f"{cut.lost} bytes were not recorded"
                if cut.foreign:
                    note = f"{cut.foreign} bytes are no whole frame"
                said = Said("", None, note=note)
                yield _seen(cut.time_ns, ends, name, None, said, cut.lost or cut.foreign)

    def _datagram(self, datagram: Datagram) -> Seen:
        raw, said = read_datagram(datagram.data)
        name, ends = "", (datagram.source, datagram.target)
        if raw is None or raw.command != Command.SOLICITATION:
            try:
                announced = decode_json(_Announced, said.body.rstrip(b"\0"))
            except Malformed:
                announced = _Announced()
            if announced.gw_id:
                self._book.announce(datagram.source.ip, announced.gw_id, announced.version)
            said = said._replace(version=announced.version or said.version)
            name = self._name_at(datagram.source.ip)
        return _seen(datagram.time_ns, ends, name, raw, said, len(datagram.data))

    def _name_at(self, ip: str) -> str:
        device = self._book.device_at(ip)
        return "" if device is None else printable(device.name or device.id)


def _seen(
    time_ns: int,
    ends: tuple[Address, Address],
    name: str,
    raw: RawFrame | None,
    said: Said,
    size: int = 0,
) -> Seen:
    return Seen(
        time=_time(time_ns),
        source=str(ends[0]),
        target=str(ends[1]),
        device=name,
        version=printable(said.version),
        command="" if raw is None else _NAMES.get(raw.command, f"0x{raw.command:02X}"),
        sequence=None if raw is None else raw.sequence,
        return_code=said.return_code,
        size=size if raw is None else len(raw.data),
        body=_shown(said.body),
        note=said.note,
    )


def _shown(body: bytes) -> str:
    """Return `body` as a text that hides secrets and cannot play tricks with a terminal."""
    text = body.rstrip(b"\0").decode(errors="backslashreplace")
    return printable(_SECRET.sub(r"\1***\g<quote>", text))


def printable(text: str) -> str:
    """Return `text` with every sign written out that people do not see or that steers a terminal."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _time(time_ns: int) -> str:
    seconds, rest_ns = divmod(time_ns, 1_000_000_000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):  # no capture program writes such a time
        return f"{seconds}.{rest_ns // 1000:06}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest_ns // 1000:06}Z"
