"""Writes a report where somebody will look for it: whole or not at all."""

import tempfile
from pathlib import Path

import msgspec

from firmware_sim.errors import UsageError
from fleet.report.model import Report
from fleet.run.files import write_atomically

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
