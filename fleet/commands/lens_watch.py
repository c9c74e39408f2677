"""`fleet lens watch`: what codes there are in pictures, videos, before cameras and on screens.

What is read comes from strangers. It is shown as what it says to a camera of this field, without its
secrets, or as text that no terminal obeys.
"""

import asyncio
import re
import sys
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import msgspec
import typer

from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.camera.shots import Shot
from firmware_sim.camera.sources.choose import frames_of
from firmware_sim.errors import PeerError, UsageError
from firmware_sim.wire.provisioning import decode_qr
from fleet.commands.plain import plain

AGAIN_S = 3.0  # a code that was away for longer is new when it comes back
_REMEMBERED = 4096
_WORKERS = 2
HIDDEN = "hidden: it may hold a password or a token"
# Keys of a pairing code, also of a damaged one or with an escaped key; words that other makers have
# for the same; and the code by which phones hand on their Wi-Fi.
_SECRETIVE = re.compile(
    rb"(?i:\b[pt]\b[\"']?\s*[:=]|\\u00[0-9a-f]{2}|pass(?:word|phrase|wd)?\b|\b(?:pwd|psk|key)\b"
    rb"|token|secret|\bwifi:)"
)
Say = Callable[[str], None]


class Wish(msgspec.Struct, frozen=True):
    """How codes are looked for, and how they are told."""

    decoder: str
    follow: bool = False
    once: bool = False
    verbose: bool = False
    json: bool = False
    raw: bool = False


class Read(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code that was read. `ssid` is that of a code of this field, `text` what another one says.

    `ignored` says why a camera of this field takes no notice of it.
    """

    time_s: float
    source: str
    frame: int
    size: int
    kind: str  # provisioning or other
    ssid: str = ""
    text: str = ""
    ignored: str = ""

    def line(self) -> str:
        """Return it in words."""
        head = f"{_place(self.time_s, self.source, self.frame)}  {self.size} bytes  "
        if self.kind == "provisioning":
            return f'{head}pairing or unbinding, Wi-Fi "{self.ssid}"'
        return f'{head}text "{self.text}" (a camera ignores it: {self.ignored})'


def _place(time_s: float, source: str, frame: int) -> str:
    shown = plain(source.encode(errors="surrogateescape"))  # names of files are not ours either
    return f"{time_s:9.3f} s  {shown}  frame {frame}"


def _where(shot: Shot) -> str:
    return _place(shot.time_s, shot.name, shot.number)


def describe(shot: Shot, payload: bytes) -> Read:
    """Return what a code says, without its secrets."""
    name = shot.name.encode(errors="surrogateescape").decode(errors="backslashreplace")
    about = (round(shot.time_s, 3), name, shot.number, len(payload))
    try:
        code = decode_qr(payload)
    except PeerError as error:
        # There may be a password in it all the same, as in one with half a token or another maker's.
        shown = plain(payload) if _SECRETIVE.search(payload) is None else HIDDEN
        return Read(*about, "other", text=shown, ignored=plain(str(error).encode()))
    return Read(*about, "provisioning", ssid=plain(code.ssid.encode()))


class Memory:
    """Which codes were seen lately, and where."""

    def __init__(self) -> None:
        """Begin with none."""
        self._last_s: OrderedDict[tuple[str, bytes], float] = OrderedDict()

    def is_new(self, shot: Shot, payload: bytes) -> bool:
        """Say whether a code was not in view of this source lately; and remember it."""
        key = (shot.name, payload)
        last_s = self._last_s.pop(key, None)
        self._last_s[key] = shot.time_s
        if len(self._last_s) > _REMEMBERED:
            self._last_s.popitem(last=False)
        return last_s is None or shot.time_s - last_s > AGAIN_S


async def watch(sources: Sequence[str], wish: Wish, say: Say = typer.echo) -> int:
    """Tell the codes of sources as they are read; return 0 if there was one, else 1.

    Raises UsageError when a source or the decoder cannot be used.
    """
    if wish.raw and sys.stdout.isatty():
        raise UsageError(
            "--raw: what strangers have written is not for a terminal; send it elsewhere"
        )
    shots = [frames_of(source, follow=wish.follow) for source in sources]
    async with FrameReader(wish.decoder, workers=_WORKERS, waiting_max=len(shots)) as reader:
        watcher = _Watcher(reader, wish, say)
        looking = [asyncio.create_task(watcher.look(one)) for one in shots]
        try:
            # One that cannot go on ends all; so does the first code, if that was the wish.
            for task in asyncio.as_completed(looking):
                if await task and wish.once:
                    break
        finally:
            for each in looking:
                each.cancel()
            await asyncio.gather(*looking, return_exceptions=True)
    if not watcher.found and not wish.verbose:
        typer.echo("no code was read; --verbose says why, of each frame", err=True)
    return 0 if watcher.found else 1


class _Watcher:
    """Looks at sources side by side, with one reader and one memory."""

    def __init__(self, reader: FrameReader, wish: Wish, say: Say) -> None:
        self.found = False
        self._reader = reader
        self._wish = wish
        self._say = say
        self._memory = Memory()

    async def look(self, shots: AsyncGenerator[Shot, None]) -> bool:
        """Look until a source ends, or at the first code, if once is enough; say if there was one."""
        found = False
        async with aclosing(shots):
            async for shot in shots:
                problem = shot.problem
                if not problem:
                    number = None if isinstance(shot.frame, bytes) else shot.number
                    result = await self._reader.read(shot.frame, number)
                    problem = result.problem
                    if result.text is not None:
                        found = True
                        self._found(shot, result.text)
                if problem and self._wish.verbose:
                    typer.echo(f"{_where(shot)}  {plain(problem.encode())}", err=True)
                if found and self._wish.once:
                    break
        return found

    def _found(self, shot: Shot, payload: bytes) -> None:
        if self._wish.once and self.found:
            return
        self.found = True
        if not self._memory.is_new(shot, payload):
            return
        if self._wish.raw:
            sys.stdout.buffer.write(payload + b"\n")
            sys.stdout.buffer.flush()
            return
        read = describe(shot, payload)
        self._say(msgspec.json.encode(read).decode() if self._wish.json else read.line())
