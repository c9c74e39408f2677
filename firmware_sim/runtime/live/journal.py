"""Flash that survives the death of the process which simulates it: an append-only file.

Every write of a device's flash is one record, handed to the kernel before the step's other
effects leave. A process that is killed loses nothing; a half-written last record is ignored, as
the step it belongs to never told anybody anything. A file that has grown large is written anew
with the last image of each device.
"""

import os
import struct
from pathlib import Path

from firmware_sim.errors import UsageError

_HEAD = struct.Struct(">II")  # index of the device, size of the image
IMAGE_SIZE_MAX = 65536
FILE_SIZE_MAX = 16 << 20


class FlashJournal:
    """An open journal; one writer per file."""

    def __init__(self, path: Path) -> None:
        """Open or continue `path` with private permissions; raises UsageError when it cannot."""
        self._path = path
        try:
            _, self._size = _scan(path)
            self._fd = _open(path)
            if os.fstat(self._fd).st_size > self._size:  # a torn record would hide what follows
                os.truncate(self._fd, self._size)
        except OSError as error:
            raise UsageError(f"cannot write the flash journal {path}: {error.strerror}") from error
        self._size_max = FILE_SIZE_MAX

    def save(self, index: int, image: bytes) -> None:
        """Append the image of device `index`; raises UsageError when the disk takes no more."""
        if len(image) > IMAGE_SIZE_MAX:
            raise UsageError(f"flash journal: the flash of device {index} is {len(image)} bytes")
        try:
            if self._size > self._size_max:
                self._renew()
            self._append(self._fd, _record(index, image))
        except OSError as error:
            raise UsageError(f"flash journal {self._path}: {error.strerror}; free space") from error

    def _append(self, fd: int, data: bytes) -> None:
        written = os.write(fd, data)
        self._size += written
        if written != len(data):
            raise UsageError(f"flash journal {self._path}: disk full; free space")

    def _renew(self) -> None:
        """Keep the last image of each device only, in a file that takes the place of this one."""
        images, _ = _scan(self._path)
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.unlink(missing_ok=True)
        fd = _open(fresh)
        self._size = 0
        self._append(fd, b"".join(_record(index, image) for index, image in images.items()))
        fresh.replace(self._path)
        os.close(self._fd)
        self._fd = fd
        self._size_max = max(FILE_SIZE_MAX, 2 * self._size)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    @staticmethod
    def replay(path: Path) -> dict[int, bytes]:
        """Return the last whole image of each device; an absent file means none."""
        return _scan(path)[0]


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _record(index: int, image: bytes) -> bytes:
    return _HEAD.pack(index, len(image)) + image


def _scan(path: Path) -> tuple[dict[int, bytes], int]:
    """Return the last image of each device, and where the last whole record ends."""
    images: dict[int, bytes] = {}
    data = path.read_bytes() if path.is_file() else b""
    offset = 0
    while offset + _HEAD.size <= len(data):
        index, size = _HEAD.unpack_from(data, offset)
        start = offset + _HEAD.size
        if size > IMAGE_SIZE_MAX or start + size > len(data):
            break
        images[index] = data[start : start + size]
        offset = start + size
    return images, offset
