"""Writes a report where somebody will look for it, each file whole or not at all, and reads it back."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.schema import explain
from fleet.report import html, junit, tables_csv
from fleet.report.model import Report
from fleet.run.files import write_atomically

REPORT_NAME, HTML_NAME, JUNIT_NAME = "report.json", "report.html", "junit.xml"
REPORT_SIZE_MAX = 256 << 20


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


def write_views(report: Report, folder: Path, written: Callable[[Path], None]) -> None:
    """Write everything that is made of a report, what is for people first.

    Each path is given to `written` as soon as the file is there. Raises UsageError, e.g. for a full
    disk.
    """
    files = {HTML_NAME: html.render(report).encode(), JUNIT_NAME: junit.document(report)}
    files |= {name: text.encode() for name, text in tables_csv.tables(report).items()}
    for name, data in files.items():
        write_atomically(folder / name, data)
        written(folder / name)


def read_report(place: Path) -> Report:
    """Read a report, given its folder or its file; one of an older version lacks some figures.

    Raises UsageError for what is not there, or no report.
    """
    path = place / REPORT_NAME if place.is_dir() else place
    try:
        with path.open("rb") as file:
            data = file.read(REPORT_SIZE_MAX)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot read the report: {error.strerror}; name a folder that `fleet run "
            f"--report` has made, or its {REPORT_NAME}"
        ) from error
    try:
        return msgspec.json.decode(data, type=Report)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: no report of a run: {explain(error, Report)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a JSON file: {error}") from error
