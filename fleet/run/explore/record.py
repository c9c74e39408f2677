"""A finding on file: the case, what came of it, and which program it was played with.

Seed and commit are the report of a failure; the file is the same for a case that was shrunk, which
no seed gives any more. It is JSON, for people to read and to change.
"""

import os
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.schema import explain
from fleet.run.explore.case import Case
from fleet.run.explore.outcome import Finding
from fleet.run.scenario import inconsistency

GIT_S = 5.0
_HERE = Path(__file__).parent


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in a file. `program` names version and commit; `digest` is that of the whole trace."""

    case: Case
    program: str = ""
    finding: Finding | None = None
    digest: str = ""


def program() -> str:
    """Return version and commit of this program, `0.1.0 at 1a2b3c4`; a plus: with local changes."""
    try:
        number = version("firmware-sim")
    except PackageNotFoundError:
        number = "no version"
    commit = _git("rev-parse", "--short", "HEAD")
    if not commit:
        return number
    changed = "+" if _git("status", "--porcelain", "--untracked-files=no") else ""
    return f"{number} at {commit}{changed}"


def _git(*words: str) -> str:
    """Return what git says of the folder that this file is in, "" where there is none."""
    command = ["git", "-C", str(_HERE), *words]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            command, capture_output=True, text=True, timeout=GIT_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def check_place(path: Path) -> None:
    """Raise UsageError for a file that could not be written; nothing is written yet."""
    folder = path.parent
    if path.is_dir():
        raise UsageError(f"{path}: cannot write the case: this is a folder")
    if not folder.is_dir():
        raise UsageError(f"{path}: cannot write the case: there is no folder {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError(f"{path}: cannot write the case: that is not allowed")


def write(record: Record, path: Path) -> None:
    """Write a file. Raises UsageError when that cannot be done."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=2)
    try:
        path.write_bytes(text + b"\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot write the case: {error.strerror}") from error


def read(path: Path) -> Record:
    """Read a file. Raises UsageError for one that is not there, or not such a file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot read the case: {error.strerror}") from error
    try:
        record = msgspec.json.decode(data, type=Record)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {explain(error, Record)}") from error
    except msgspec.DecodeError as error:
        raise UsageError(f"{path}: not a JSON file: {error}") from error
    if (fault := inconsistency(record.case.scenario)) is not None:
        raise UsageError(f"{path}: case.scenario: {fault}")
    return record
