"""HTML from Python calls: every text is escaped, because there is no other way to put one in."""

from collections.abc import Iterable
from html import escape

VOID = ("meta", "br", "rect", "path", "line")


class Html(str):
    """Text that is HTML already; only this module makes it."""

    __slots__ = ()


Child = Html | str | int | None


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Html:
    """Return an element. Texts and values are escaped; None leaves an attribute or a child out.

    A trailing underscore of an attribute's name is dropped (`class_`), others become dashes.
    """
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        own = key.rstrip("_").replace("_", "-")
        words.append(own if value is True else f'{own}="{escape(str(value))}"')
    head = f"<{' '.join(words)}>"
    if name in VOID:
        return Html(head if name in ("meta", "br") else f"{head[:-1]}/>")
    return Html(f"{head}{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """Return children one after the other, texts escaped."""
    return Html(
        "".join(
            child if isinstance(child, Html) else escape(str(child))
            for child in children
            if child is not None
        )
    )


def raw(name: str, text: str, /, **attributes: str) -> Html:
    """Return a `script` or `style` with our own code in it, which cannot be escaped.

    Raises ValueError for a text that would end the element.
    """
    if f"</{name}" in text.lower():
        raise ValueError(f"the text of this {name} would end it")
    head = str(tag(name, **attributes)).removesuffix(f"</{name}>")
    return Html(f"{head}{text}</{name}>")


def json_in_html(data: bytes) -> str:
    """Return JSON that may stand inside a `script`: no character of it means anything to HTML."""
    text = data.decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def table(
    caption: str,
    head: Iterable[Child],
    rows: Iterable[Iterable[Child]],
    *,
    class_: str | None = None,
) -> Html:
    """Return a table whose first column names its rows; cells that are numbers stand right."""
    body = [
        tag(
            "tr",
            *(_cell(child, first=number == 0) for number, child in enumerate(row)),
        )
        for row in rows
    ]
    heads = [tag("th", child, scope="col") for child in head]
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", *heads)),
            tag("tbody", *body),
            class_=class_,
        ),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=caption,
    )


def _cell(child: Child, *, first: bool) -> Html:
    if isinstance(child, Html) and child.startswith("<td"):
        return child
    if first:
        return tag("th", child, scope="row")
    return tag("td", child)
