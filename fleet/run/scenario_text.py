"""A scenario as TOML again: what was played, without what goes without saying, and without secrets.

It is made from what was read and not from the file, so comments are gone, and what a command line
has changed is in it. Passwords are stars.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from fleet.run.scenario import Scenario

HIDDEN = "***"
SECRET = ("password", "secret", "token")


def in_toml(scenario: Scenario) -> str:
    """Return the scenario as the text of a file."""
    return "\n".join(_table(_without_defaults(scenario), "")).strip() + "\n"


def _without_defaults(value: object) -> Any:
    """Return a struct as a dictionary of what differs from its defaults."""
    if isinstance(value, msgspec.Struct):
        kind = inspect.type_info(type(value))
        assert isinstance(kind, inspect.StructType), "a struct is described as one"
        shown = {}
        for field in kind.fields:
            own = getattr(value, field.name)
            usual = field.default
            if usual is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT:
                usual = field.default_factory()
            if own != usual:
                hide = any(word in field.name for word in SECRET) and isinstance(own, str)
                shown[field.encode_name] = HIDDEN if hide else _without_defaults(own)
        return shown
    if isinstance(value, tuple | list):
        return [_without_defaults(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _without_defaults(one) for key, one in value.items()}
    return value


def _table(table: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the lines of a table: its values, then the tables in it."""
    inner = {key: value for key, value in table.items() if _is_table(value)}
    for key, value in table.items():
        if key not in inner:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in inner.items():
        name = f"{path}{_key(key)}"
        for one in value if isinstance(value, list) else [value]:
            yield ""
            yield f"[[{name}]]" if isinstance(value, list) else f"[{name}]"
            yield from _table(one, f"{name}.")


def _is_table(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, dict) for one in value)
    return isinstance(value, dict)


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, bool | str):  # a basic string of TOML may hold whatever one of JSON may
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)


def _key(key: str) -> str:
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isascii() and plain.isalnum() else _value(key)
