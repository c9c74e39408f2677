"""A Feasa LED Analyser on a serial line, sans-IO, for stations whose scripts speak to one.

Public (Feasa, "LED Analyser User Manual Functional Version", Rev 8.7, and clients in VB.NET and
Python that people have published): 57,600 baud 8N1; commands in ASCII of any case that end with
CR or LF; answers that end with CR LF, and EOT (0x04) behind the last line if that is enabled; the
commands below, their digits and answers, `NN ` before each line of an answer about all fibres;
how long captures take and that OK comes when they are done; silence for another analyser's
serial number. Inferred, with one setting each in `Habits`: what is answered to a command that does
not exist or has a wrong number, the version, what a sequence is called that is like none.
Inferred from their neighbours: that `capturesequence` answers OK as other captures do, how
`getfactor`, `getsequencemode` and `getsequencechannel` write their numbers, and that `getstatus`
may leave out lines about parts that are not simulated.

The analyser has its own supply. `set` and `put` do the same here: nobody cycles its power.
"""

import re
from collections import deque
from collections.abc import Callable

import msgspec

from firmware_sim.bench.parts.feasa_sequence import SETTINGS, Sequence
from firmware_sim.bench.parts.feasa_values import COLUMNS, Captured, Rgb, captured

LINE_SIZE_MAX = 64
WAITING_MAX = 16  # commands that wait for a capture to end; what comes then is lost
ANSWER_SIZE_MAX = 65_536  # what one call answers at most; commands beyond it are lost
FIBRES_MAX = 20
INSTANTS_MAX = 200  # at which the light is looked at during one capture
LOOK_AGAIN_MS = 60_000  # the light's history does not reach back for ever
UNSTEADY = 0.25  # change of a channel, in its full scale, that is no steady light any more

EXPOSURE_MS = {1: 650, 2: 200, 3: 22, 4: 4, 5: 2}
AUTO_MS, AUTO_EXPOSURE_MS = 350, 22
PWM_MS = {0: 2000, 1: 4500, 2: 3500, 3: 2500, 4: 500, 5: 250}


class Habits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers that no public page gives."""

    refusal: str = "SYNTAX ERROR"
    version: str = "F211"
    unidentified: str = "99"


class _Capture(msgspec.Struct):
    """A capture under way: when the light is looked at, what was seen, and what becomes of it."""

    instants: list[int]
    end_ms: int
    finish: Callable[[list[list[Rgb]]], None]
    seen: list[list[Rgb]] = []


class Feasa:
    """The command interpreter.

    `read(fibre, at_ms)` returns the light at a fibre (from 1) at an instant of the past, 0 to 1
    each: `Station.fibre`. A capture takes its time, so its answer comes out of `due` later.
    """

    def __init__(
        self,
        read: Callable[[int, int], Rgb],
        fibres: int = 3,
        serial: str = "A001",
        habits: Habits | None = None,
    ) -> None:
        """Make an analyser with nothing captured, of 1 to 20 fibres."""
        self.fibres = max(1, min(fibres, FIBRES_MAX))
        self.serial = serial
        self.habits = habits or Habits()
        self.factor = 1
        self.linear = self.auto_pwm = self.eot = False
        self.sequence = Sequence()
        self.stored = [Captured()] * self.fibres
        self._read = read
        self._line = bytearray()
        self._waiting: deque[tuple[str, int]] = deque()
        self._capture: _Capture | None = None
        self._free_ms = 0  # when the last capture is over: what waited for it begins then

    def feed(self, data: bytes, now_ms: int) -> bytes:
        """Take bytes from the line and return what is answered at once; the rest is in `due`."""
        answers = bytearray(self.due(now_ms))
        for byte in data:
            if byte not in b"\r\n":
                if len(self._line) <= LINE_SIZE_MAX:  # one more than fits: then it is refused
                    self._line.append(byte)
            elif self._line:
                line = self._line.decode("latin-1")
                self._line.clear()
                if len(self._waiting) < WAITING_MAX and len(answers) < ANSWER_SIZE_MAX:
                    self._waiting.append((line, now_ms))
                    answers += self.due(now_ms)
        return bytes(answers)

    def due(self, now_ms: int) -> bytes:
        """Return what has been answered until now and not been returned yet."""
        answers = bytearray()
        while True:
            if self._capture is not None:
                self._free_ms = self._capture.end_ms
                if not self._look(self._capture, now_ms):
                    return bytes(answers)
                answers += self._ended("OK")
            if not self._waiting:
                return bytes(answers)
            line, come_ms = self._waiting.popleft()
            answer = self._obey(line, max(come_ms, self._free_ms))
            answers += b"" if answer is None else self._ended(answer)

    def next_ms(self) -> int | None:
        """Return when `due` is to be called next, None if no capture is under way."""
        if self._capture is None:
            return None
        seen = len(self._capture.seen)
        again_ms = self._capture.instants[seen - 1 if seen else 0] + LOOK_AGAIN_MS
        return min(self._capture.end_ms, again_ms)

    # --- captures -------------------------------------------------------------------------------

    def _look(self, capture: _Capture, now_ms: int) -> bool:
        """Look at the light up to now; return whether the capture is over, and is stored."""
        left = capture.instants[len(capture.seen) :]
        for at_ms in left:
            if at_ms > now_ms:
                break
            capture.seen.append([self._read(n, at_ms) for n in range(1, self.fibres + 1)])
        if capture.end_ms > now_ms:
            return False
        self._capture = None
        capture.finish(capture.seen)
        return True

    def begin_capture(self, now_ms: int, ranged: int, *, pwm: bool) -> None:
        """Begin a capture in a range from 1 to 5, 0 for the automatic one."""
        pwm = pwm or (self.auto_pwm and not ranged)
        exposure_ms = EXPOSURE_MS.get(ranged, AUTO_EXPOSURE_MS)
        length_ms = PWM_MS[ranged] if pwm else EXPOSURE_MS.get(ranged, AUTO_MS)
        length_ms *= self.factor
        count = min(INSTANTS_MAX, length_ms)
        instants = [now_ms + i * length_ms // count for i in range(count)]

        def finish(seen: list[list[Rgb]]) -> None:
            for fibre in range(self.fibres):
                light = [looked[fibre] for looked in seen]
                mean = _mean(light)
                blinks = not (ranged or pwm) and _unsteady(light)
                long_ms = exposure_ms * self.factor
                self.stored[fibre] = captured(mean, long_ms, linear=self.linear, blinks=blinks)

        self._capture = _Capture(instants, now_ms + length_ms, finish, [])

    def begin_sequence(self, now_ms: int) -> None:
        """Begin to capture a sequence with the settings as they are."""
        values = self.sequence.values
        exposure_ms, period_ms = values["capture"], values["capture"] + values["wait"]
        start_ms = now_ms + values["startdelay"]
        instants = [start_ms + i * period_ms for i in range(max(1, values["number"]))]

        def finish(seen: list[list[Rgb]]) -> None:
            rows = [[row[fibre] for row in seen] for fibre in range(self.fibres)]
            self.sequence.keep(
                [[captured(rgb, exposure_ms, linear=self.linear).intensity for rgb in row]
                 for row in rows]
            )  # fmt: skip

        self._capture = _Capture(instants, instants[-1] + period_ms, finish, [])

    # --- commands -------------------------------------------------------------------------------

    def _obey(self, line: str, now_ms: int) -> str | None:
        """Carry out a command; return its answer, None if none comes or it comes later."""
        command = line.strip(" ").lower()
        for form, obey in COMMANDS:
            if match := form.fullmatch(command):
                return obey(self, match, now_ms)
        return self.habits.refusal

    def _ended(self, answer: str) -> bytes:
        return f"{answer}\r\n".encode("latin-1") + (b"\x04" if self.eot else b"")


def _mean(light: list[Rgb]) -> Rgb:
    red, green, blue = (sum(part) / len(light) for part in zip(*light, strict=True))
    return red, green, blue


def _unsteady(light: list[Rgb]) -> bool:
    return any(max(part) - min(part) > UNSTEADY for part in zip(*light, strict=True))


Obey = Callable[[Feasa, re.Match[str], int], str | None]


def _capture(box: Feasa, match: re.Match[str], now_ms: int) -> str | None:
    readings = match["readings"] if "readings" in match.re.groupindex else None
    if readings and not 1 <= int(readings) <= 15:
        return box.habits.refusal
    box.begin_capture(now_ms, int(match["range"] or 0), pwm="pwm" in match[0])
    return None


def _get(box: Feasa, match: re.Match[str], _: int) -> str:
    write = COLUMNS[match["what"]]
    if match["fibre"] == "all":
        return "\r\n".join(f"{n:02d} {write(light)}" for n, light in enumerate(box.stored, 1))
    number = int(match["fibre"])
    return write(box.stored[number - 1]) if 1 <= number <= box.fibres else box.habits.refusal


def _put_factor(box: Feasa, match: re.Match[str], _: int) -> str:
    if not 1 <= int(match[1]) <= 15:
        return box.habits.refusal
    box.factor = int(match[1])
    return "OK"


def _set(name: str, value: str) -> Obey:
    """Return a command that sets a switch of the analyser to whether its text is `value`."""

    def obey(box: Feasa, match: re.Match[str], _: int) -> str:
        setattr(box, name, match[1] == value)
        return "OK"

    return obey


def _status(box: Feasa, _match: re.Match[str], _now_ms: int) -> str:
    rows = {
        "Hardware": f"Feasa {box.fibres}-F",
        "Serial number": box.serial,
        "Firmware Version": box.habits.version,
        "Intensity Mode": "Linear" if box.linear else "Logarithmic",
        "Exposure Factor": f"{box.factor:02d}",
        "Auto PWM mode": "ON" if box.auto_pwm else "OFF",
        "Number of Fibers": f"{box.fibres:02d}",
        "End of Transmission Character": "Enabled" if box.eot else "Disabled",
    }
    return "\r\n".join(f"{name}: {value}" for name, value in rows.items())


def _put_sequence(box: Feasa, match: re.Match[str], _: int) -> str:
    return "OK" if box.sequence.put(match[1], match[2]) else box.habits.refusal


def _capture_sequence(box: Feasa, _match: re.Match[str], now_ms: int) -> None:
    box.begin_sequence(now_ms)


def _of_fibre(answer: Callable[[Sequence, int], str]) -> Obey:
    """Return a command about one fibre of the last sequence."""

    def obey(box: Feasa, match: re.Match[str], _: int) -> str:
        known = 1 <= int(match[1]) <= len(box.sequence.bits)
        return answer(box.sequence, int(match[1])) if known else box.habits.refusal

    return obey


def _identify(box: Feasa, _match: re.Match[str], _now_ms: int) -> str:
    number = box.sequence.identified()
    return box.habits.unidentified if number is None else f"{number:02d}"


_WHAT = "|".join(sorted(COLUMNS, key=len, reverse=True))
_SETTING = "|".join(SETTINGS)
_TABLE: tuple[tuple[str, Obey], ...] = (
    (r"(?:bus)?c(?:apture)?(?P<range>[1-5]?)", _capture),
    (r"c(?:apture)?(?P<range>[1-5]?)pwm(?P<readings>\d\d)?", _capture),
    (rf"get(?P<what>{_WHAT})(?P<fibre>\d\d|all)", _get),
    (r"getserial", lambda box, _, __: box.serial),
    (r"getversion", lambda box, _, __: box.habits.version),
    (r"getstatus", _status),
    (r"(?:set|put)factor(\d\d)", _put_factor),
    (r"getfactor", lambda box, _, __: f"{box.factor:02d}"),
    (r"(?:set|put)(log|lin)", _set("linear", "lin")),
    (r"setautopwm([01])", _set("auto_pwm", "1")),
    (r"getautopwm", lambda box, _, __: "01"[box.auto_pwm]),
    (r"(enable|disable)eot", _set("eot", "enable")),
    (r"busfree", lambda _, __, ___: "OK"),
    (r"busget(\w{4})", lambda box, m, _: "OK" if m[1] == box.serial.lower() else None),
    (r"capturesequence", _capture_sequence),
    (rf"(?:set|put)sequence({_SETTING})(\d+)", _put_sequence),
    (rf"getsequence({_SETTING})", lambda box, m, _: box.sequence.shown(m[1])),
    (r"getsequence(\d\d)", _of_fibre(Sequence.lines)),
    (r"getsequencetimes(\d\d)", _of_fibre(Sequence.times)),
    (
        r"storesequence(\d\d)",
        lambda box, m, _: "OK" if box.sequence.store(int(m[1])) else box.habits.refusal,
    ),
    (r"identifysequence", _identify),
)
COMMANDS = tuple((re.compile(form, re.ASCII), obey) for form, obey in _TABLE)
