"""TOML files that an operator writes for a cloud: what it starts with, and its settings.

A mistake in one is told in one line: the file, the key, and what is wrong with it.
"""

from pathlib import Path
from typing import TypeVar

import msgspec

from firmware_sim.errors import UsageError
from fleet.cloud.seed import Seed
from fleet.cloud.settings import Settings

_DEMO = Path(__file__).parent / "demo.toml"

T = TypeVar("T")


class _Exactly(Settings, frozen=True, forbid_unknown_fields=True):
    """Settings, and nothing that only looks like one."""


def read_seed(path: Path) -> Seed:
    """Return the seed in a file. UsageError when there is none."""
    return _read(path, Seed)


def demo_seed() -> Seed:
    """Return the built-in data set."""
    return read_seed(_DEMO)


def read_settings(path: Path) -> Settings:
    """Return the settings in a file; those that it does not name have their defaults."""
    return Settings(**msgspec.structs.asdict(_read(path, _Exactly)))


def complaint(error: msgspec.ValidationError) -> str:
    """Return a line that begins with the key, such as `devices[0].uuid: Expected ...`."""
    what, _, path = str(error).rpartition(" - at `$")
    return f"{path.strip('.`')}: {what}" if what else str(error)


def _read(path: Path, shape: type[T]) -> T:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=shape)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {complaint(error)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
