"""Flash that survives the death of the process which simulates it: an append-only file.

Every write of a device's flash is one record, handed to the kernel before the step's other
effects leave. A process that is killed loses nothing; a half-written last record is ignored, as
the step it belongs to never told anybody anything.
"""

import os
import struct
from pathlib import Path

from firmware_sim.errors import UsageError

_HEAD = struct.Struct(">II")  # index of the device, size of the image
IMAGE_SIZE_MAX = 4096


class FlashJournal:
    """An open journal; one writer per file."""

    def __init__(self, path: Path) -> None:
        """Open or continue `path` with private permissions; raises UsageError when it cannot."""
        self._path = path
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise UsageError(f"cannot write the flash journal {path}: {error.strerror}") from error

    def save(self, index: int, image: bytes) -> None:
        """Append the image of device `index`; raises UsageError when the disk takes no more."""
        record = _HEAD.pack(index, len(image)) + image
        try:
            written = os.write(self._fd, record)
        except OSError as error:
            raise UsageError(f"flash journal {self._path}: {error.strerror}; free space") from error
        if written != len(record):
            raise UsageError(f"flash journal {self._path}: disk full; free space")

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    @staticmethod
    def replay(path: Path) -> dict[int, bytes]:
        """Return the last whole image of each device; an absent file means none."""
        images: dict[int, bytes] = {}
        data = path.read_bytes() if path.exists() else b""
        offset = 0
        while offset + _HEAD.size <= len(data):
            index, size = _HEAD.unpack_from(data, offset)
            start = offset + _HEAD.size
            if size > IMAGE_SIZE_MAX or start + size > len(data):
                break
            images[index] = data[start : start + size]
            offset = start + size
        return images
