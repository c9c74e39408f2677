"""Bytes of strangers -> text that a terminal can be shown: no control signs, and no end of it."""

SHOWN_MAX = 200  # signs


def plain(data: bytes, most: int = SHOWN_MAX) -> str:
    """Return `data` as one line of printable text, at most `most` signs and a word about the rest.

    What is no UTF-8, and every sign that a terminal may obey or that turns the direction of text
    around, is written as a Python string would have it.
    """
    text = data.decode(errors="backslashreplace")
    shown = "".join(sign if sign.isprintable() else _written(sign) for sign in text[: most + 1])
    if len(shown) <= most:
        return shown
    return f"{shown[:most]}... ({len(data)} bytes)"


def _written(sign: str) -> str:
    return sign.encode("unicode_escape").decode()
