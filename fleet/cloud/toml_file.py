"""TOML files that an operator writes for a cloud: what it starts with, and its settings.

A mistake in one is told in one line: the file, the key, and what is wrong with it.
"""

import re
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import inspect

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


def complaint(error: msgspec.ValidationError, shape: type) -> str:
    """Return a line that begins with the key, such as `devices[0].uuid: Expected ...`.

    `shape` is what was to be read; of a choice it says what there is.
    """
    what, _, path = str(error).rpartition(" - at `$")
    if not what:
        return str(error)
    choices = _choices(shape, path) if what.startswith("Invalid enum value") else ()
    return f"{path.strip('.`')}: {what}{': one of ' * bool(choices)}{', '.join(choices)}"


def _choices(shape: type, path: str) -> tuple[str, ...]:
    """Return what may stand at `path` in a `shape`, if that is a choice."""
    kind: inspect.Type = inspect.type_info(shape)
    for key in re.findall(r"\w+", path):
        if isinstance(kind, inspect.StructType):
            kind = next(field.type for field in kind.fields if field.encode_name == key)
        elif isinstance(kind, inspect.VarTupleType):
            kind = kind.item_type
        kind = kind.type if isinstance(kind, inspect.Metadata) else kind
    if isinstance(kind, inspect.EnumType):
        return tuple(repr(member.value) for member in kind.cls)
    return tuple(map(repr, kind.values)) if isinstance(kind, inspect.LiteralType) else ()


def _read(path: Path, shape: type[T]) -> T:
    try:
        return msgspec.toml.decode(path.read_text(encoding="utf-8-sig"), type=shape)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {complaint(error, shape)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
