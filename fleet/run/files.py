"""Files and folders of a run: private, whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
