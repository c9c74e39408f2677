"""Text from others, made fit to be shown: one line, no control characters, not endless."""

TEXT_SIZE_MAX = 200


def printable(text: str, size_max: int = TEXT_SIZE_MAX) -> str:
    """Return text in which anything but visible ASCII and spaces is a question mark, cut off.

    What peers say ends up in notes; nothing of it may move a cursor or end a line.
    """
    shown = "".join(c if " " <= c <= "~" else "?" for c in text[: size_max + 1])
    return shown if len(shown) <= size_max else shown[: size_max - 3] + "..."
