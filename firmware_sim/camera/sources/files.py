"""Picture files: one, and a folder of them, in which more may appear."""

import asyncio
import os
import stat
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

from firmware_sim.camera.shots import SIZE_MAX, Shot
from firmware_sim.errors import UsageError

POLL_S = 0.25
_Mark = tuple[
    int, int
]  # how a file is known to have stopped growing: its size, and when it changed


def content_of(path: Path) -> bytes:
    """Return what is in a file; one byte more than a picture may have, if it has more.

    Raises UsageError, also for what is no file: a pipe or a device may have no end.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # opening a pipe would wait
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError(f"{path}: cannot be read (it is no file)")
            return file.read(SIZE_MAX + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from None


async def one(path: Path) -> AsyncGenerator[Shot, None]:
    """Yield the picture in a file. Raises UsageError."""
    yield Shot(0.0, 0, str(path), await asyncio.to_thread(content_of, path))


async def folder(path: Path, *, follow: bool = False) -> AsyncGenerator[Shot, None]:
    """Yield the files of a folder by their names, and with `follow` those that appear, for ever.

    A new file is taken once it has the same size and time in two looks in a row, and again when it
    is written anew. What begins with a dot is left alone. Raises UsageError when there is no folder.
    """
    began_s = time.monotonic()
    number = 0
    taken: dict[str, _Mark] = {}
    before: dict[str, _Mark] | None = None
    while True:
        there = await asyncio.to_thread(_files, path)
        for name in sorted(there):
            unfinished = before is not None and before.get(name) != there[name]
            if taken.get(name) == there[name] or unfinished:
                continue
            taken[name] = there[name]
            content, problem = await asyncio.to_thread(_try, path / name)
            taken_s = time.monotonic() - began_s
            yield Shot(taken_s, number, str(path / name), content, problem)
            number += 1
        if not follow:
            return
        before = there
        taken = {name: mark for name, mark in taken.items() if name in there}
        await asyncio.sleep(POLL_S)


def _try(path: Path) -> tuple[bytes, str]:
    try:
        return content_of(path), ""
    except UsageError as error:
        return b"", str(error)


def _files(path: Path) -> dict[str, _Mark]:
    found = {}
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                with suppress(OSError):  # gone meanwhile, or a link to itself: so is one file only
                    about = entry.stat()
                    if stat.S_ISREG(about.st_mode):
                        found[entry.name] = (about.st_size, about.st_mtime_ns)
    except FileNotFoundError:
        if not path.is_dir():
            raise UsageError(f"{path}: the folder is not there") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    return found
