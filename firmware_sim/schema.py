"""From a decoder's complaint to a line for people: which key, what is wrong, what is allowed.

msgspec says what it met and where (`$.products[0].share`); what it does not say, such as the
allowed keys of a table or the values of a choice, is read from the type itself.
"""

import re

import msgspec
from msgspec import inspect

_WHERE = re.compile(r"^(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[([^\]]*)\]")


def explain(error: msgspec.ValidationError, kind: type) -> str:
    """Return one line about a mistake that was found while decoding a `kind`."""
    found = _WHERE.match(str(error))
    assert found is not None  # the pattern fits every text
    path = found["path"] or ""
    node = _walk(inspect.type_info(kind), [name or index for name, index in _STEP.findall(path)])
    if found["key"] and isinstance(node, inspect.DictType):
        node = node.key_type
    allowed = _allowed(node)
    what = found["what"]
    key = path.lstrip(".") or "(top level)"
    return f"{key}: {what[:1].lower()}{what[1:]}" + (f"; allowed: {allowed}" if allowed else "")


def _walk(node: inspect.Type, steps: list[str]) -> inspect.Type:
    """Follow a path such as products, 0, share through the types, as far as it leads."""
    for step in steps:
        if isinstance(node, inspect.StructType):
            node = next(field.type for field in node.fields if field.encode_name == step)
        elif isinstance(node, inspect.VarTupleType):
            node = node.item_type
        elif isinstance(node, inspect.DictType):
            node = node.value_type
    return node


def _allowed(node: inspect.Type) -> str:
    """Return what a value of this type may be."""
    if isinstance(node, inspect.StructType):
        return "keys " + ", ".join(field.encode_name for field in node.fields)
    if isinstance(node, inspect.EnumType):
        return ", ".join(str(member.value) for member in node.cls)
    if isinstance(node, inspect.LiteralType):
        return ", ".join(str(value) for value in node.values)
    if isinstance(node, inspect.IntType):
        return _range("a whole number", node.ge, node.le)
    if isinstance(node, inspect.FloatType):
        return _range("a number", node.ge, node.le)
    if isinstance(node, inspect.StrType):
        if node.pattern:
            return f"text like {node.pattern}"
        return _range("text, characters", node.min_length, node.max_length)
    if isinstance(node, inspect.VarTupleType):
        return _range("a list, entries", node.min_length, node.max_length)
    return ""


def _range(what: str, low: object, high: object) -> str:
    ends = [f"{word} {end}" for word, end in (("from", low), ("to", high)) if end is not None]
    return " ".join([what, *ends])
