"""Sheets of a workbook in which text stays text, numbers stay exact and equal sheets equal bytes.

A spreadsheet takes ``=1+1`` for a formula and ``1-3`` for a date; here a text cell is written as
text, whatever it looks like, in a column formatted as text. Characters that a workbook cannot
hold are written ``_x0007_``, as spreadsheets themselves do.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.writer.excel import ExcelWriter

from capsim.scenario.folder import number_text

TEXT, DATE = "@", "yyyy-mm-dd"
MOST_ROWS, MOST_LETTERS = 1_048_576, 32_767
EPOCH = dt.date(1899, 12, 30)
FIRST_DATE = dt.date(1900, 3, 1)
"""Spreadsheets hold 1900 for a leap year: earlier dates are written as text."""
STAMP = (1980, 1, 1, 0, 0, 0)
"""Date of a workbook and of the files in it, whenever they are written."""
HEAD = PatternFill("solid", fgColor="DDE7F0")
MUST = PatternFill("solid", fgColor="F8D9A8")
UNFIT = re.compile("[\x00-\x1f\x7f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
SURROGATE = re.compile("[\ud800-\udfff]")
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True)
class Field:
    """A column of a sheet.

    Attributes
    ----------
    heads : tuple of str
        Its header, a line for each language.
    form : str
        Number format; ``TEXT`` and ``DATE`` for those.
    width : float
        In characters.
    must : bool
        Whether its header is marked as one that must be filled in.
    allowed : tuple of str
        The only values there are, offered as a list; empty: any.
    help : str
        What to fill in, on a line below the header; none where no column has any.
    """

    heads: tuple[str, ...]
    form: str = TEXT
    width: float = 14
    must: bool = False
    allowed: tuple[str, ...] = ()
    help: str = ""


def encoded(text: str) -> str:
    r"""Return a text as a workbook can hold it.

    Examples
    --------
    >>> encoded("=1+1"), encoded("bell\x07"), encoded("_x0041_"), encoded(" ")
    ('=1+1', 'bell_x0007_', '_x005F_x0041_', '_x0020_')
    """
    text = UNFIT.sub(lambda match: f"_x{ord(match[0]):04X}_", SURROGATE.sub("\ufffd", text))
    return text if text.strip() else "".join(f"_x{ord(letter):04X}_" for letter in text)


def decoded(text: str) -> str:
    r"""Return the text that a workbook holds, from its cell.

    Examples
    --------
    >>> decoded("bell_x0007_"), decoded(encoded("_x0041_"))
    ('bell\x07', '_x0041_')
    """
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def new_book(title: str) -> Workbook:
    """Make a workbook without sheets."""
    book = Workbook(write_only=True)
    book.properties.creator = "capsim"
    book.properties.title = encoded(title)
    book.properties.created = book.properties.modified = dt.datetime(*STAMP)
    return book


def add_sheet(
    book: Workbook,
    title: str,
    fields: Sequence[Field],
    rows: Iterable[Sequence[Any]],
    *,
    frozen: int = 1,
    spare: int = 0,
) -> None:
    """Add a sheet with a frozen header, column widths, formats and a filter.

    Parameters
    ----------
    rows
        None, NaN and ``""`` are blank; dates are dates; what is infinite is written ``∞``.
        A pair is a value and its own number format.
    frozen
        Columns that stay in sight.
    spare
        Rows below for which lists of allowed values are offered too.

    Raises
    ------
    ValueError
        More rows, or a longer text, than a sheet can hold.
    """
    sheet: Any = book.create_sheet(title)
    lines = len(fields[0].heads)
    sheet.freeze_panes = f"{get_column_letter(frozen + 1)}{lines + 1}"
    sheet.print_title_rows = f"1:{lines}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    for at, field in enumerate(fields, 1):
        column = sheet.column_dimensions[get_column_letter(at)]
        column.width = field.width
        column.number_format = field.form
    for line in range(lines):
        sheet.append([_head(sheet, field, field.heads[line]) for field in fields])
    if any(field.help for field in fields):
        sheet.append([_help(sheet, field, at == 0) for at, field in enumerate(fields)])
        lines += 1
    last = lines
    for row in rows:
        last += 1
        if last > MOST_ROWS:
            raise ValueError(
                f"sheet {title}: more than {MOST_ROWS:,} rows do not fit in a workbook"
            )
        sheet.append(
            [_cell(sheet, field.form, value) for field, value in zip(fields, row, strict=True)]
        )
    sheet.auto_filter.ref = f"A{lines}:{get_column_letter(len(fields))}{max(last, lines + 1)}"
    for at, field in enumerate(fields, 1):
        if field.allowed and (last > lines or spare):
            letter = get_column_letter(at)
            choices = DataValidation(
                "list", formula1=f'"{",".join(field.allowed)}"', allow_blank=True
            )
            choices.add(f"{letter}{lines + 1}:{letter}{last + spare}")
            sheet.data_validations.append(choices)


def to_bytes(book: Workbook) -> bytes:
    """Return the file: the same sheets give the same bytes."""
    content = BytesIO()
    ExcelWriter(book, _Archive(content, "w")).save()
    return content.getvalue()


class _Archive(ZipFile):
    """A zip archive whose files all have the same date."""

    def writestr(self, zinfo_or_arcname: str | ZipInfo, data: Any, *_: Any, **__: Any) -> None:
        entry = ZipInfo(str(zinfo_or_arcname), STAMP)
        entry.external_attr = 0o644 << 16
        super().writestr(entry, data, ZIP_DEFLATED)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        self.writestr(arcname or filename, Path(filename).read_bytes())


HELP = "※"
"""What a line of help begins with, which is passed over in reading."""


def _help(sheet: Any, field: Field, first: bool) -> Any:
    cell = _cell(sheet, TEXT, f"{HELP} {field.help}" if first else field.help)
    if cell is not None:
        cell.font = Font(italic=True, color="595959")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _head(sheet: Any, field: Field, text: str) -> Any:
    cell = _cell(sheet, TEXT, text)
    if cell is not None:
        cell.font = Font(bold=True)
        cell.fill = MUST if field.must else HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _cell(sheet: Any, form: str, value: Any) -> Any:
    """Make a cell of a value, past the library's guesses at what a text means; None is blank."""
    if isinstance(value, tuple):
        value, form = value
    if value is None or value == "" or value != value:
        return None
    if isinstance(value, float) and math.isinf(value):
        value = "∞" if value > 0 else "−∞"
    if isinstance(value, str) or (isinstance(value, dt.date) and value < FIRST_DATE):
        form, kind, text = TEXT, "s", encoded(str(value))
        if len(text) > MOST_LETTERS:
            raise ValueError(f"sheet {sheet.title}: {text[:40]!r}… is longer than a cell can hold")
    elif isinstance(value, bool):
        kind, text = "b", "1" if value else "0"
    elif isinstance(value, dt.date):
        form, kind, text = DATE, "n", str((value - EPOCH).days)
    else:
        # The library would print 16 digits of a number; it takes up to 17 to read back as itself.
        kind = "n"
        text = number_text(float(value)) if isinstance(value, float) else str(int(value))
    cell: Any = WriteOnlyCell(sheet, text)
    cell.data_type = kind
    cell.number_format = form
    return cell
