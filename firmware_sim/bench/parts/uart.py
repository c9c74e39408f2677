"""The serial console of a device, sans-IO: boot log, log lines, and a shell.

115,200 baud 8N1, lines end with CR LF. Bytes take their time on the line: `due` returns those
that are out, `next_ms` when to ask again. Nothing is printed without supply, and input counts
only while the shell is up, which is from the end of the boot on. What nobody fetches is lost,
oldest first, as on a line without a listener.
"""

from collections import deque
from typing import Protocol

from firmware_sim.bench.parts import boot_log
from firmware_sim.bench.parts.happenings import TONE
from firmware_sim.bench.parts.line_editor import LineEditor
from firmware_sim.bench.parts.printable import printable
from firmware_sim.bench.parts.shell import PROMPT, Facts, Level, Wish, run
from firmware_sim.device.device import Identity
from firmware_sim.device.profile import Profile
from firmware_sim.effects import Noted, StateShown

BYTES_PER_MS = 11.52  # 115,200 baud, ten bits to a byte
OUTPUT_SIZE_MAX = 65_536
_ROUNDING = 0.01  # of a byte: times since 1970 have no more digits
BACKLOG_MS_MAX = 1000  # input is lost while more output than this waits: nobody answers faster
_DOWN = ("OFF", "BOOTING")
_INFO = (TONE, "upgrade", "child_upgrade", "wiped", "child_removed")
_UPGRADED = "Upgraded"  # the cause of the boot after new firmware was installed


class Wishes(Protocol):
    """What somebody at the console can ask of the device; the host carries it out."""

    def reboot(self) -> None:
        """Restart the device."""
        ...

    def factory_reset(self) -> None:
        """Have the device erase its memory, as if its button had been held."""
        ...


class Uart:
    """One serial line. `wishes` is set by the host; without it the two commands are refused."""

    def __init__(self, profile: Profile, identity: Identity) -> None:
        """Make a line without power."""
        self.wishes: Wishes | None = None
        self._facts = Facts(profile, printable(identity.uuid), profile.firmware.software_version)
        self._editor = LineEditor()
        self._powered = False
        self._loading = ""  # the version that boots next, if new firmware gets that far
        self._boot_log: deque[tuple[int, str]] = deque()
        self._out: deque[tuple[float, bytes]] = deque()  # when its first bit leaves, bytes
        self._out_size = 0
        self._free_ms = 0.0  # when the line has sent all that is in `_out`

    # --- what the world tells -------------------------------------------------------------------

    def powered(self, now_ms: int, *, on: bool) -> None:
        """Take it that the supply comes on or goes off; what is not yet out is never printed."""
        self._advance(now_ms)
        self._powered = on
        self._cut(now_ms)
        self._facts.lifecycle, self._facts.session, self._loading = "OFF", "DOWN", ""

    def shown(self, state: StateShown, now_ms: int) -> None:
        """Take a state of the device; a boot prints its log, any other change one line or two."""
        self._advance(now_ms)
        if not self._powered:
            return
        facts = self._facts
        before, cloud, facts.light = facts.lifecycle, facts.session, state.light
        facts.lifecycle, facts.session = state.lifecycle, state.session
        facts.operator = state.operator
        if state.lifecycle == "BOOTING" and before != "BOOTING":
            self._boot(state.cause, now_ms)
        elif state.lifecycle not in _DOWN:
            self._boot_log.clear()
            self._tell_change(state, before, cloud, now_ms)

    def noted(self, note: Noted, now_ms: int) -> None:
        """Take a note of the device and log it."""
        self._advance(now_ms)
        if note.kind == "upgrade":
            self._loading = printable(note.detail.rpartition(" ")[2], 40)
        level = Level.INFO if note.kind in _INFO else Level.WARN
        self._log(level, f"{printable(note.kind, 40)}: {printable(note.detail)}", now_ms)

    # --- what is on the line --------------------------------------------------------------------

    def due(self, now_ms: int) -> bytes:
        """Return what has been printed until now and not been returned yet."""
        self._advance(now_ms)
        ready = bytearray()
        while self._out and self._out[0][0] < now_ms:
            start_ms, data = self._out.popleft()
            count = min(len(data), int((now_ms - start_ms) * BYTES_PER_MS + _ROUNDING))
            ready += data[:count]
            if count < len(data):
                self._out.appendleft((start_ms + count / BYTES_PER_MS, data[count:]))
                break
        self._out_size -= len(ready)
        return bytes(ready)

    def next_ms(self) -> int | None:
        """Return when there is something to print next, None if not before something happens."""
        if self._out:
            start_ms, data = self._out[0]
            return int(start_ms + len(data) / BYTES_PER_MS) + 1
        return self._boot_log[0][0] + 1 if self._boot_log else None

    def feed(self, data: bytes, now_ms: int) -> None:
        """Take what somebody has typed."""
        self._advance(now_ms)
        for byte in data:
            if not self.up or self._free_ms > now_ms + BACKLOG_MS_MAX:
                return
            typed = self._editor.take(byte)
            self._print(typed.echo, now_ms)
            if typed.line is not None:
                self._run(typed.line, now_ms)

    @property
    def up(self) -> bool:
        """Say whether a shell listens."""
        return self._powered and self._facts.lifecycle not in _DOWN

    # --- inside ---------------------------------------------------------------------------------

    def _run(self, line: str, now_ms: int) -> None:
        answer = run(self._facts, line, now_ms)
        wish = answer.wish
        lines = answer.lines
        if wish is not None and self.wishes is None:
            lines, wish = (f"{wish.value}: not permitted",), None
        text = "".join(f"{each}\r\n" for each in lines)
        self._print(text.encode("ascii", "replace") + PROMPT, now_ms)
        # Last of all: the host may take the power away before this returns.
        if wish is Wish.REBOOT and self.wishes is not None:
            self.wishes.reboot()
        elif wish is Wish.FACTORY_RESET and self.wishes is not None:
            self.wishes.factory_reset()

    def _boot(self, cause: str, now_ms: int) -> None:
        """Begin to print the boot log; whatever a running system was printing is gone."""
        facts = self._facts
        if cause == _UPGRADED and self._loading:
            facts.version = self._loading
        self._loading = ""
        self._cut(now_ms)
        facts.booted_ms, facts.level = now_ms, Level.INFO
        for since_ms, line in boot_log.lines(facts.profile, facts.version):
            self._boot_log.append((now_ms + since_ms, line))

    def _cut(self, now_ms: int) -> None:
        """Stop printing: what has left the chip stays, what waits is dropped."""
        self._boot_log.clear()
        self._editor.clear()
        out = self.due(now_ms)
        self._out.clear()
        self._out_size, self._free_ms = 0, now_ms
        if out:
            self._out.append((now_ms - len(out) / BYTES_PER_MS, out))
            self._out_size = len(out)

    def _tell_change(self, state: StateShown, before: str, cloud: str, now_ms: int) -> None:
        if state.lifecycle != before:
            after = state.lifecycle.lower()
            reading = "" if state.operator in ("", after) else f", {state.operator}"
            change = f"{before.lower()} -> {after}{reading}"
            self._log(Level.INFO, f"life: {change} ({state.cause})", now_ms)
        if state.session != cloud:
            self._log(Level.INFO, f"cloud: {state.session.lower()}", now_ms)
        self._log(Level.DEBUG, f"led: {state.light}", now_ms)

    def _log(self, level: Level, text: str, now_ms: int) -> None:
        """Print a log line; a prompt and what is typed behind it follow once more."""
        if not self.up or level > self._facts.level:
            return
        since_s = (now_ms - self._facts.booted_ms) / 1000
        line = f"\r\n[{since_s:9.3f}] {level.name[0]}/{text}\r\n".encode("ascii", "replace")
        self._print(line + PROMPT + self._editor.text, now_ms)

    def _advance(self, now_ms: int) -> None:
        while self._boot_log and self._boot_log[0][0] <= now_ms:
            at_ms, line = self._boot_log.popleft()
            self._print(f"{printable(line)}\r\n".encode("ascii"), at_ms)

    def _print(self, data: bytes, now_ms: int) -> None:
        if not data:
            return
        start_ms = max(self._free_ms, now_ms)
        self._free_ms = start_ms + len(data) / BYTES_PER_MS
        self._out.append((start_ms, data))
        self._out_size += len(data)
        while self._out_size > OUTPUT_SIZE_MAX:
            self._out_size -= len(self._out.popleft()[1])
