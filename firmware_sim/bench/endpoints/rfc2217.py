"""A serial line over Telnet with its settings: RFC 2217 "Telnet Com Port Control Option".

Sans-IO: the server's side for one client. Line settings are acknowledged and change nothing: there
is no wire whose speed could be wrong. Options as in RFC 854 to 858.
"""

from collections.abc import Callable

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
BINARY, ECHO, GO_AHEAD, COM_PORT = 0, 1, 3, 44
_KNOWN = frozenset((BINARY, ECHO, GO_AHEAD, COM_PORT))
_YES, _NO = {DO: WILL, WILL: DO}, {DO: WONT, DONT: WONT, WILL: DONT, WONT: DONT}
_OPPOSITE = {DONT: DO, WONT: WILL}
_SERVER = 100  # is added to the number of a command in what the server sends
(
    SIGNATURE,
    SET_BAUDRATE,
    SET_DATASIZE,
    SET_PARITY,
    SET_STOPSIZE,
    SET_CONTROL,
    NOTIFY_LINESTATE,
    NOTIFY_MODEMSTATE,
    FLOWCONTROL_SUSPEND,
    FLOWCONTROL_RESUME,
    SET_LINESTATE_MASK,
    SET_MODEMSTATE_MASK,
    PURGE_DATA,
) = range(13)
_SIZES = {
    SET_BAUDRATE: 4,
    SET_DATASIZE: 1,
    SET_PARITY: 1,
    SET_STOPSIZE: 1,
    SET_CONTROL: 1,
    SET_LINESTATE_MASK: 1,
    SET_MODEMSTATE_MASK: 1,
    PURGE_DATA: 1,
}
_AT_FIRST = {SET_BAUDRATE: 115_200, SET_DATASIZE: 8, SET_PARITY: 1, SET_STOPSIZE: 1}
# What is asked for, and the answer: no flow control, no break, DTR and RTS on.
_CONTROL = {0: 1, 4: 6, 7: 8, 10: 11, 13: 14}
_MODEM_STATE = b"\xb0"  # carrier, ready, clear to send
_NAME = b"simulated serial console"
_SUBOPTION_MAX = 64  # bytes; a longer one is passed over


class ComPort:
    """One client's view of the line (a `tcp.Dialect`)."""

    def __init__(self) -> None:
        """Start as a plain Telnet connection."""
        self._settings = dict(_AT_FIRST)
        self._agreed: set[tuple[int, int]] = set()  # DO: our options; WILL: the client's
        self._suspended = False
        self._take: Callable[[int], None] = self._data
        self._verb = 0
        self._suboption = bytearray()
        self._for_line = bytearray()
        self._answer = bytearray()
        self._last = 0

    def hello(self) -> bytes:
        """Return what is offered to begin with; the option itself is for the client to offer."""
        for verb, option in ((DO, BINARY), (DO, GO_AHEAD), (WILL, BINARY)):
            self._agreed.add((verb, option))
            self._answer += bytes((IAC, _YES[verb], option))
        return self._taken(self._answer)

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """Take bytes from the client; return those for the line, and the answer."""
        for byte in data:
            self._take(byte)
        return self._taken(self._for_line), self._taken(self._answer)

    def wrap(self, data: bytes) -> bytes:
        """Return bytes of the line as they are sent; none while the client has suspended it."""
        return b"" if self._suspended else _escaped(data)

    @staticmethod
    def _taken(buffer: bytearray) -> bytes:
        data = bytes(buffer)
        buffer.clear()
        return data

    # --- one byte after the other ----------------------------------------------------------------

    def _data(self, byte: int) -> None:
        if byte == IAC:
            self._take = self._command
        elif byte or self._last != ord("\r"):  # CR NUL is a bare CR of a Telnet client
            self._for_line.append(byte)
        self._last = byte

    def _command(self, byte: int) -> None:
        self._take = self._data
        if byte == IAC:
            self._for_line.append(IAC)
        elif byte in _NO:
            self._verb = byte
            self._take = self._option
        elif byte == SB:
            self._suboption.clear()
            self._take = self._inside

    def _option(self, option: int) -> None:
        """Answer what changes something; an answer to an answer would never end."""
        self._take = self._data
        if (self._verb, option) == (WILL, COM_PORT):
            self._say(NOTIFY_MODEMSTATE, _MODEM_STATE)
        if self._verb in _YES:
            if (self._verb, option) in self._agreed:
                return
            if option in _KNOWN:
                self._agreed.add((self._verb, option))
                self._answer += bytes((IAC, _YES[self._verb], option))
                return
        elif (agreed := (_OPPOSITE[self._verb], option)) in self._agreed:
            self._agreed.remove(agreed)
        else:
            return
        self._answer += bytes((IAC, _NO[self._verb], option))

    def _inside(self, byte: int) -> None:
        if byte == IAC:
            self._take = self._inside_command
        elif len(self._suboption) <= _SUBOPTION_MAX:
            self._suboption.append(byte)

    def _inside_command(self, byte: int) -> None:
        if byte == IAC:
            self._take = self._inside
            if len(self._suboption) <= _SUBOPTION_MAX:
                self._suboption.append(IAC)
            return
        self._take = self._data
        if byte == SE and 2 <= len(self._suboption) <= _SUBOPTION_MAX:
            option, command, *value = self._suboption
            if option == COM_PORT:
                self._com_port(command, bytes(value))

    # --- the option ------------------------------------------------------------------------------

    def _com_port(self, command: int, value: bytes) -> None:
        if command == SIGNATURE:
            if not value:
                self._say(command, _NAME)
        elif command in (FLOWCONTROL_SUSPEND, FLOWCONTROL_RESUME):
            self._suspended = command == FLOWCONTROL_SUSPEND
        elif command == NOTIFY_MODEMSTATE:  # no client should; that of pyserial asks like this
            self._say(command, _MODEM_STATE)
        elif len(value) == _SIZES.get(command, -1):
            self._say(command, self._set(command, int.from_bytes(value)).to_bytes(len(value)))

    def _set(self, command: int, value: int) -> int:
        """Return the value that is in force; 0 asks for it."""
        if command == SET_CONTROL:
            return _CONTROL.get(value, value)
        if command in self._settings:
            if value:
                self._settings[command] = value
            return self._settings[command]
        return value

    def _say(self, command: int, value: bytes) -> None:
        self._answer += bytes((IAC, SB, COM_PORT, command + _SERVER)) + _escaped(value)
        self._answer += bytes((IAC, SE))


def _escaped(data: bytes) -> bytes:
    return data.replace(b"\xff", b"\xff\xff")
