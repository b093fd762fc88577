"""Text on a screen of 100 columns, in which Chinese characters are two wide."""

from __future__ import annotations

from unicodedata import east_asian_width

WIDTH = 100


def width(text: str) -> int:
    """Columns of a terminal that a text takes.

    Examples
    --------
    >>> width("place"), width("学位")
    (5, 4)
    """
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def left(text: str, columns: int) -> str:
    """Fill a text up on the right."""
    return text + " " * (columns - width(text))


def right(text: str, columns: int) -> str:
    """Fill a text up on the left."""
    return " " * (columns - width(text)) + text


def wrapped(head: str, parts: list[str]) -> list[str]:
    """Write `head: part · part …` over lines of at most `WIDTH` columns, indented by two.

    Examples
    --------
    >>> wrapped("What binds", ["posts", "land"])
    ['What binds:', '  posts · land']
    >>> wrapped("Cost decided here: 0 RMB", [])
    ['Cost decided here: 0 RMB.']
    """
    if not parts:
        return [f"{head}."]
    lines, line = [head + ":"], " "
    for part in parts:
        joined = f"{line} {part}" if line == " " else f"{line} · {part}"
        if width(joined) > WIDTH - 2 and line != " ":
            lines.append(line + " ·")
            joined = f"  {part}"
        line = joined
    return [*lines, line]


def filled(text: str, hang: str = "", most: int = WIDTH) -> list[str]:
    """Break a text into lines of at most so many columns, the later ones beginning with `hang`.

    Between Chinese characters a line may end anywhere; elsewhere at a blank.

    Examples
    --------
    >>> filled("a " * 60)[1], filled("学" * 60, "  ")[1]
    ('a a a a a a a a a a', '  学学学学学学学学学学')
    """
    begin = text[: len(text) - len(text.lstrip())]
    lines, line = [], begin
    for piece in _pieces(text.lstrip()):
        if line.strip() and width((line + piece).rstrip()) > most:
            lines.append(line.rstrip())
            line = hang
        line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    """Cut a text where a line may end."""
    pieces = [""]
    for character in text:
        pieces[-1] += character
        if character == " " or east_asian_width(character) in "WF":
            pieces.append("")
    return [piece for piece in pieces if piece]
