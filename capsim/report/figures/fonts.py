"""Fonts of the figures: Chinese text is drawn where an installed font has its characters.

A font is found by its file, not by a name that a cache remembers, so that one installed a moment
ago counts and one taken away does not. Where there is none, one warning says what to install.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

from matplotlib import font_manager

LATIN = "DejaVu Sans"
FILES = (
    "NotoSansCJK",
    "NotoSansSC",
    "SourceHanSans",
    "wqy-microhei",
    "wqy-zenhei",
    "PingFang",
    "Hiragino Sans GB",
    "STHeiti",
    "msyh",
    "Deng",
    "simhei",
    "DroidSansFallback",
)
"""How files of fonts with Chinese characters begin, the best first."""

HINT = "install one with Chinese, for example fonts-wqy-microhei or Noto Sans CJK"
MISSING = re.compile(r"Glyph (\d+) .* missing from font")


@cache
def chinese_font() -> str | None:
    """Name of an installed font with Chinese characters; None where there is none."""
    files = sorted(font_manager.findSystemFonts())
    for start in FILES:
        for file in files:
            if Path(file).name.lower().startswith(start.lower()) and Path(file).is_file():
                return _add(file)
    return None


def _add(file: str) -> str:
    """Make a font known by its file; one that has no bold face is its own."""
    manager = font_manager.fontManager
    manager.addfont(file)
    name = font_manager.FontProperties(fname=file).get_name()
    faces = [entry for entry in manager.ttflist if entry.name == name]
    if not any(str(entry.weight) in ("bold", "700") for entry in faces):
        manager.ttflist.append(replace(faces[-1], weight=700))
    return name


def families() -> list[str]:
    """Fonts of the figures: a Latin one, then, where there is one, a Chinese one for the rest."""
    chinese = chinese_font()
    return [LATIN, chinese] if chinese else [LATIN]


@contextmanager
def one_warning() -> Iterator[None]:
    """Say once, not once a character, that fonts lack characters of what is drawn."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    lacking: dict[str, None] = {}
    for warning in caught:
        if found := MISSING.match(str(warning.message)):
            lacking[chr(int(found[1]))] = None
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    if lacking:
        some = "".join(list(lacking)[:8]) + ("…" if len(lacking) > 8 else "")
        hint = HINT if any("\u3400" <= one <= "\u9fff" for one in lacking) else "left blank"
        warnings.warn(f"no installed font has the characters {some}: {hint}", stacklevel=4)
