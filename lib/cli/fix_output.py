"""Writes the rows to correct, with our columns in front, as text in the form of the file.

Columns that an earlier `fix` wrote are left out. The rows of a workbook become CSV.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from typing import IO, Final

from lib.cli.escaping import in_spreadsheet
from lib.source.delimited import as_line
from lib.source.table import OriginalRow, Table
from lib.source.text import UNDECODABLE

CORRECTION_COLUMNS: Final = ("problem", "what to do", "line")
"""Written in front of the rows to correct, so a corrected file has them."""
GUESSED_MARK: Final = "Compare this row with the file and delete this cell"
"""Follows the cells of a row whose quotes cannot be read."""

_SURROGATES: Final = ("surrogateescape", "surrogatepass")


def correction_columns(header: Sequence[str]) -> frozenset[int]:
    """Return the columns that `fix` wrote, wherever they are now; none if one is missing.

    >>> sorted(correction_columns(["problem", "what to do", "line", "gclid"]))
    [0, 1, 2]
    """
    names = [name.strip().casefold() for name in header]
    if not all(name in names for name in CORRECTION_COLUMNS):
        return frozenset()
    return frozenset(names.index(name) for name in CORRECTION_COLUMNS)


class RowsToFix:
    """The file with the rows to correct, in the encoding and dialect of the file that was read.

    A row is written as it is in the file, unless columns are left out, its quotes cannot be read,
    or one of its cells would be a formula. Bytes that no encoding explains are written so that the
    row is still refused as long as nobody corrects it.
    """

    def __init__(
        self, stream: IO[bytes], table: Table, delimiter: str | None, *, has_undecodable: bool
    ) -> None:
        """`delimiter` is for the rows of a workbook. `has_undecodable`: the file has such bytes."""
        self._stream = stream
        self._table = table
        self._dropped = correction_columns(table.header)
        self._is_text = table.sheet is None
        self._delimiter = table.delimiter if self._is_text else delimiter or ","
        self._spaced = table.spaced and self._is_text
        self._line_end = table.line_end if self._is_text else "\r\n"
        mark = table.text.byte_order_mark if self._is_text else codecs.BOM_UTF8
        if not mark and table.text.encoding == "utf-8" and has_undecodable:
            # Without it, the few rows could look like Windows-1252, in which every byte has a
            # meaning.
            mark = codecs.BOM_UTF8
        stream.write(mark)

    def add_preamble(self, row: OriginalRow) -> None:
        """Write a line above the header."""
        cells = _loosely_read(row.text, self._table) if self._is_text else row.cells or []
        harmless = [in_spreadsheet(cell) for cell in cells]
        self._write(row.text if self._is_text and harmless == cells else self._joined(harmless))

    def add(self, ours: Sequence[str], row: OriginalRow) -> None:
        """Write the header or a row, with our columns in front."""
        # Until a character of the file has decided about its encoding, ours must not.
        encoding = self._encoding if self._table.text.encoding_is_final else "ascii"
        plain = [text.encode(encoding, "replace").decode(encoding) for text in ours]
        if self._is_harmless(row) and row.cells is not None and not self._dropped:
            space = " " if self._spaced else ""
            self._write(self._joined(plain) + self._delimiter + space + row.text)
            return
        cells = enumerate(self._cells(row))
        kept = [cell for column, cell in cells if column not in self._dropped]
        self._write(self._joined([*plain, *kept]))

    def _is_harmless(self, row: OriginalRow) -> bool:
        """Return whether a row can be written as it is: it is text, and no cell is a formula."""
        return self._is_text and all(in_spreadsheet(cell) == cell for cell in row.cells or ())

    def _cells(self, row: OriginalRow) -> list[str]:
        """Return the cells, none of which is a formula; guessed, if the quotes cannot be read."""
        cells = row.cells if row.cells is not None else _guessed(row.text, self._table)
        return [in_spreadsheet(cell) for cell in cells]

    @property
    def _encoding(self) -> str:
        encoding = self._table.text.encoding
        # These two would begin every row with a byte order mark.
        return f"{encoding}-le" if encoding in ("utf-16", "utf-32") else encoding

    def _joined(self, cells: Sequence[str]) -> str:
        return as_line(cells, self._delimiter, self._spaced)

    def _write(self, text: str) -> None:
        encoding = self._encoding
        parts = (text + self._line_end).split(UNDECODABLE)
        undecodable = _undecodable(encoding) if len(parts) > 1 else b""
        self._stream.write(undecodable.join(part.encode(encoding, "replace") for part in parts))


def _guessed(line: str, table: Table) -> list[str]:
    """Return the cells of a line whose quotes cannot be read, so that a person can see them.

    They are a guess. The mark makes one cell too many, so the row is refused until a person has
    looked at it.
    """
    cells = line.replace('"', "").split(table.delimiter)
    if len(cells) != len(table.header):
        cells = _loosely_read(line, table)
    missing = [""] * (len(table.header) - len(cells))
    return [*cells, *missing, GUESSED_MARK]


def _loosely_read(line: str, table: Table) -> list[str]:
    """Return the cells of a line as a spreadsheet shows them, whatever its quotes are."""
    reader = csv.reader(
        [line], delimiter=table.delimiter, skipinitialspace=table.spaced, strict=False
    )
    try:
        return next(reader, [line])
    except csv.Error:
        return line.split(table.delimiter)


def _undecodable(encoding: str) -> bytes:
    """Return bytes that are not valid in an encoding."""
    for candidate in _candidates(encoding):
        try:
            candidate.decode(encoding)
        except UnicodeDecodeError:
            return candidate
    return b"?"


def _candidates(encoding: str) -> Iterator[bytes]:
    for errors in _SURROGATES:
        try:
            yield UNDECODABLE.encode(encoding, errors)
        except UnicodeEncodeError:
            continue
    yield from (bytes([byte]) for byte in range(0xFF, 0x7F, -1))
