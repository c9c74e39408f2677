"""Finds, reads and checks device models. A new model is one more TOML file beside this module.

The light patterns that most models share are merged from `extends`, so a file says only what
differs; everything is checked when it is read, never when a device runs.
"""

import tomllib
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from firmware_sim.device.profile import Profile
from firmware_sim.errors import UsageError
from firmware_sim.schema import explain

_FOLDER = resources.files("hw_profiles")


def names() -> tuple[str, ...]:
    """Return the names of the built-in models, in alphabetical order."""
    stems = (file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if _is_model(file.name))
    return tuple(sorted(stems))


def _is_model(name: str) -> bool:
    return name.endswith(".toml") and not name.startswith("_")


@lru_cache(maxsize=256)
def load(name_or_path: str) -> Profile:
    """Return a built-in model by name, or one from a file (anything with a dot or a slash).

    Raises UsageError with one line: file, key, what is wrong, what is allowed.
    """
    label, table = _read(name_or_path)
    table = _with_base(label, table)
    table.setdefault("name", Path(label).stem)
    try:
        return msgspec.convert(table, Profile)
    except msgspec.ValidationError as error:
        raise UsageError(f"{label}: {explain(error, Profile)}") from error


def _with_base(label: str, table: dict[str, Any]) -> dict[str, Any]:
    """Merge the file named in `extends` under this one; one level is enough."""
    base_name = table.pop("extends", None)
    if base_name is None:
        return table
    file = _FOLDER / f"_{base_name}.toml"
    if not isinstance(base_name, str) or not file.is_file():
        raise UsageError(f"{label}: extends: no base {base_name!r}; allowed: {', '.join(_bases())}")
    base = tomllib.loads(file.read_text(encoding="utf-8"))
    for key, value in table.items():
        both_tables = isinstance(value, dict) and isinstance(base.get(key), dict)
        base[key] = {**base[key], **value} if both_tables else value
    return base


def _bases() -> list[str]:
    stems = (file.name.removesuffix(".toml") for file in _FOLDER.iterdir())
    return sorted(stem[1:] for stem in stems if stem.startswith("_") and not stem.startswith("__"))


def _read(name_or_path: str) -> tuple[str, dict[str, Any]]:
    if "/" in name_or_path or "." in name_or_path:
        label, path = name_or_path, Path(name_or_path)
    else:
        if name_or_path not in names():
            raise UsageError(
                f"no profile {name_or_path!r}; allowed: {', '.join(names())}, "
                "or the path of a .toml file"
            )
        label = f"{name_or_path}.toml"
        path = Path(str(_FOLDER / label))
    try:
        return label, tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{label}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{label}: not TOML: {error}") from error
