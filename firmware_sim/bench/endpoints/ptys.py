"""Serial lines as pseudo-terminals: files that programs open like /dev/ttyUSB0.

What nobody reads is lost, as on a serial line without flow control: all of it while no program has
the terminal open, and what is more than `UNREAD_MAX` while one has it open and does not read. A
program may close a terminal and open it again; what it left unread is gone then. See the manual
pages pty(7), termios(3) and ioctl_tty(2).
"""

import asyncio
import errno
import fcntl
import os
import select
import termios
import tty
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from firmware_sim.errors import UsageError

READ_SIZE = 4096
UNREAD_MAX = 64 * 1024  # bytes, besides those that the kernel keeps
LOOK_S = 0.1  # what is typed at once after opening a terminal is seen after that
_LOCK = ".fleet-bench"
_NO_EVENT = 0  # a hang-up is told all the same


class Pty:
    """One terminal; made by `Ptys.open`."""

    def __init__(self, link: Path, feed: Callable[[bytes], None], on_hang_up: "_Told") -> None:
        """Make the terminal, without its name: `link` is where that will be."""
        self.link = link
        self.lost = 0
        self.opened = False
        self._unread = bytearray()
        self._feed = feed
        self._on_hang_up = on_hang_up
        self._loop = asyncio.get_running_loop()
        self.fd, slave = os.openpty()
        self.device = os.ttyname(slave)
        os.close(slave)  # or nobody could tell that there is no other reader
        os.set_blocking(self.fd, False)
        self._hang_up = select.poll()
        self._hang_up.register(self.fd, _NO_EVENT)
        self._refresh()

    def send(self, data: bytes) -> None:
        """Let whoever has the terminal open read `data`; never waits."""
        if not self.opened and not self.look():
            return
        if not self._unread:
            data = data[self._write(data) :]
            if data:
                self._loop.add_writer(self.fd, self._write_more)
        room = UNREAD_MAX - len(self._unread)
        self._unread += data[:room]
        self.lost += len(data[room:])

    def look(self) -> bool:
        """Return whether some program has the terminal open; listen to it from now on."""
        if not self.opened and not self._hang_up.poll(0):
            self.opened = True
            self._loop.add_reader(self.fd, self._read)
        return self.opened

    def close(self) -> None:
        """Hang up."""
        self._loop.remove_reader(self.fd)
        self._loop.remove_writer(self.fd)
        os.close(self.fd)

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0

    def _write_more(self) -> None:
        del self._unread[: self._write(self._unread)]
        if not self._unread:
            self._loop.remove_writer(self.fd)

    def _read(self) -> None:
        try:
            data = os.read(self.fd, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._loop.remove_reader(self.fd)
            self._loop.remove_writer(self.fd)
            self._unread.clear()
            self.opened = False
            self._refresh()
            self._on_hang_up(self)
        else:
            self._feed(data)

    def _refresh(self) -> None:
        """Make the terminal as it was at first: bytes pass unchanged, and none are left over."""
        slave = os.open(self.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            tty.setraw(slave)
            termios.tcflush(slave, termios.TCIFLUSH)
        finally:
            os.close(slave)


_Told = Callable[[Pty], None]


class Ptys:
    """The terminals of a bench, each with a name of its own in one folder."""

    def __init__(self, folder: Path) -> None:
        """Take a folder for names; it is made if there is none.

        Raises UsageError when another bench has it, or it cannot be written.
        """
        self._folder = folder
        self._loop = asyncio.get_running_loop()
        self._ptys: list[Pty] = []
        self._closed: dict[int, Pty] = {}
        self._hung_up = select.poll()
        self._timer: asyncio.TimerHandle | None = None
        self._stack = ExitStack()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock(folder / _LOCK)
        except OSError as error:
            raise UsageError(
                f"{folder}: no place for serial ports: {error.strerror or error}"
            ) from None

    def _lock(self, path: Path) -> None:
        lock = _locked(path)
        if lock is None:
            raise UsageError(
                f"{self._folder}: another bench has its serial ports there; name another folder"
            )
        self._stack.callback(os.close, lock)

    def open(self, name: str, feed: Callable[[bytes], None]) -> Pty:
        """Make a terminal called `name`; `feed` is told what is typed. UsageError."""
        link = self._folder / name
        try:
            pty = Pty(link, feed, self._hangs_up)
        except OSError as error:
            raise UsageError(f"{link}: no terminal can be made: {error.strerror}") from None
        self._ptys.append(pty)
        if link.exists() and not link.is_symlink():
            raise UsageError(f"{link}: a serial port is to have that name, and there is a file")
        with suppress(FileNotFoundError):
            link.unlink()  # of a bench that was killed
        link.symlink_to(pty.device)
        self._hangs_up(pty)
        return pty

    def close(self) -> None:
        """Hang up all, and take their names away."""
        if self._timer is not None:
            self._timer.cancel()
        for pty in self._ptys:
            with suppress(OSError):
                if str(pty.link.readlink()) == pty.device:
                    pty.link.unlink()
            pty.close()
        self._ptys.clear()
        self._closed.clear()
        self._stack.close()

    def _hangs_up(self, pty: Pty) -> None:
        self._closed[pty.fd] = pty
        self._hung_up.register(pty.fd, _NO_EVENT)
        if self._timer is None:
            self._timer = self._loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        """Find who has been opened; the kernel tells when a terminal is closed, and only that."""
        hung_up = {fd for fd, _ in self._hung_up.poll(0)}
        for fd in self._closed.keys() - hung_up:
            self._closed[fd].look()
            self._hung_up.unregister(fd)
            del self._closed[fd]
        self._timer = self._loop.call_later(LOOK_S, self._look) if self._closed else None


def is_taken(folder: Path) -> bool:
    """Say whether a bench has its terminals in a folder now."""
    try:
        lock = _locked(folder / _LOCK) if (folder / _LOCK).exists() else -1
    except OSError:
        return False
    if lock is not None and lock >= 0:
        os.close(lock)
    return lock is None


def _locked(path: Path) -> int | None:
    """Return a descriptor that holds the lock of a folder, None when another has it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
