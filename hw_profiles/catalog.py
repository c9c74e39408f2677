"""Finds, reads and checks device models. A new model is one more TOML file beside this module.

What models share, such as light patterns, is merged from `extends`, so a file says only what
differs; everything is checked when it is read, never when a device runs.
"""

import tomllib
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from firmware_sim.device.indicator import Pattern
from firmware_sim.device.profile import CHILDREN_MAX, Profile
from firmware_sim.errors import UsageError
from firmware_sim.schema import explain

Record = TypeVar("Record", Pattern, Profile)

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
    table = _with_bases(label, table)
    _number_children(label, table)
    table.setdefault("name", Path(label).stem)
    lights = table.get("indicator")
    if isinstance(lights, dict):  # one by one: a complaint about the whole would not name the light
        for light, pattern in lights.items():
            lights[light] = _convert(label, f"indicator.{light}", pattern, Pattern)
    return _convert(label, "", table, Profile)


def _convert(label: str, key: str, value: object, kind: type[Record]) -> Record:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        path, separator, fault = explain(error, kind).partition(": ")
        if key:
            path = key if path == "(top level)" else f"{key}.{path}"
        raise UsageError(f"{label}: {path}{separator}{fault}") from error


def _with_bases(label: str, table: dict[str, Any]) -> dict[str, Any]:
    """Merge the files named in `extends`, later ones over earlier ones, and this one over all."""
    extends = table.pop("extends", [])
    merged: dict[str, Any] = {}
    for name in extends if isinstance(extends, list) else [extends]:
        if name not in _bases():
            raise UsageError(f"{label}: extends: no base {name!r}; allowed: {', '.join(_bases())}")
        text = (_FOLDER / f"_{name}.toml").read_text(encoding="utf-8")
        merged = _merged(merged, tomllib.loads(text))
    return _merged(merged, table)


def _number_children(label: str, table: dict[str, Any]) -> None:
    """Put as many sub-devices in the place of one as its `count` says, with numbered titles."""
    given = table.get("children")
    if not isinstance(given, list):  # which is found out later, if it is no list
        return
    numbered: list[Any] = []
    for child in given:
        if not isinstance(child, dict) or "count" not in child:
            numbered.append(child)
            continue
        count = child["count"]
        if type(count) is not int or not 1 <= count <= CHILDREN_MAX:
            raise UsageError(f"{label}: children.count: takes a number from 1 to {CHILDREN_MAX}")
        rest = {key: child[key] for key in child if key != "count"}
        titles = (f"{child.get('title', '')} {number}" for number in range(1, count + 1))
        numbered += [{**rest, "title": title} for title in titles]
    table["children"] = numbered


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Put one table over another; tables in them are merged key by key, everything else goes."""
    both = {key for key in over if isinstance(over[key], dict) and isinstance(base.get(key), dict)}
    return base | {key: base[key] | over[key] if key in both else over[key] for key in over}


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
