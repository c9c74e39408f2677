"""Writes a report where somebody will look for it: whole or not at all."""

import os
import tempfile
from pathlib import Path

import msgspec

from firmware_sim.errors import UsageError
from fleet.report.model import Report

REPORT_NAME = "report.json"


def prepare(folder: Path) -> None:
    """Make the folder for a report before a run begins. Raises UsageError when that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"{folder}: no report can be written there: {error.strerror}; name another --report"
        ) from error


def write_report(report: Report, folder: Path) -> Path:
    """Write `folder`/report.json and return its path. Raises UsageError, e.g. for a full disk."""
    path = folder / REPORT_NAME
    write_atomically(path, msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    return path


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
