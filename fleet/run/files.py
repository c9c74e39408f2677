"""Files and folders of a run: private, whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from firmware_sim.errors import UsageError


def write_atomically(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Put `data` into the file `path`: nobody ever sees half of it, not even after a crash.

    Raises UsageError naming the file and the reason.
    """
    part: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        part = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if part is not None:
            part.unlink(missing_ok=True)
        raise UsageError(
            f"{path}: cannot be written: {error.strerror}; free space or choose another place"
        ) from error


@contextmanager
def announcement(path: Path | None) -> Iterator[Callable[[bytes], None]]:
    """Give the function that writes a file for which others wait; None: no file.

    It is gone before and after, and only its owner may read it. What an earlier start has left is
    put back if this one ends before it has written anything: maybe that one is still up, and is
    why this one failed. Raises UsageError when the file cannot be replaced or written.
    """
    if path is None:
        yield lambda _: None
        return
    left, written = _content(path), b""
    _remove(path)

    def write(data: bytes) -> None:
        nonlocal written
        write_atomically(path, data, mode=0o600)
        written = data

    try:
        yield write
    finally:
        if left and not written:
            with suppress(UsageError):  # there is something worse to be told
                write_atomically(path, left, mode=0o600)
        elif written and _content(path) == written:  # and not that of a later start
            _remove(path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path}: cannot be replaced: {error.strerror}") from error


@contextmanager
def run_folder(data_dir: Path | None) -> Iterator[Path]:
    """Give a private folder for the cloud's data and the devices' flash; a temporary one goes away.

    Raises UsageError when the folder cannot be used, or already holds something.
    """
    if data_dir is None:
        with tempfile.TemporaryDirectory(prefix="fleet-") as name:
            yield Path(name)
        return
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        used = any(data_dir.iterdir())
    except OSError as error:
        raise UsageError(f"{data_dir}: cannot keep data there: {error.strerror}") from error
    if used:
        raise UsageError(f"{data_dir}: not empty; devices and cloud start anew, name a new folder")
    yield data_dir
