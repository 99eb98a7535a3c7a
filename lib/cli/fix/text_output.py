"""Writes rows as text, in the encoding and dialect of the file that they are from."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterator, Sequence
from typing import IO, Final

from lib.cli.fix.original import Original, OriginalRow
from lib.source.text import UNDECODABLE

_SURROGATES: Final = ("surrogateescape", "surrogatepass")


class TextOutput:
    """A text file with our columns in front. `dropped` are the columns that are left out.

    Rows are written as they are in the file, unless columns are left out or the row cannot be read.
    `has_undecodable`: rows contain bytes that no encoding explains. They are written so that the
    rows are still refused as long as nobody corrects them.
    """

    def __init__(
        self,
        stream: IO[bytes],
        original: Original,
        dropped: Collection[int],
        *,
        has_undecodable: bool,
    ) -> None:
        self._stream = stream
        self._original = original
        self._dropped = dropped
        mark = original.byte_order_mark
        if not mark and original.encoding == "utf-8" and has_undecodable:
            # Without it, the few rows could look like Windows-1252, in which every byte has a
            # meaning.
            mark = codecs.BOM_UTF8
        stream.write(mark)

    def add_preamble(self, row: OriginalRow) -> None:
        """Write a row above the header."""
        self._write(row.text if row.text is not None else self._joined([c.text for c in row.cells]))

    def add(
        self, ours: Sequence[str], row: OriginalRow, marked: Collection[int], *, is_header: bool
    ) -> None:
        """Write a row. Text has no marked cells."""
        head = self._original.head
        encoding = self._encoding_of_ours()
        plain = [text.encode(encoding, "replace").decode(encoding) for text in ours]
        if row.text is not None and not self._dropped:
            space = " " if head.spaced else ""
            self._write(self._joined(plain) + head.delimiter + space + row.text)
            return
        cells = [cell.text for at, cell in enumerate(row.cells) if at not in self._dropped]
        self._write(self._joined([*plain, *cells]))

    def close(self) -> None:
        """Nothing remains to be written."""

    def _encoding_of_ours(self) -> str:
        """Until a character of the file has decided about its encoding, ours must not."""
        return self._encoding if self._original.encoding_is_known else "ascii"

    @property
    def _encoding(self) -> str:
        encoding = self._original.encoding
        # These two would begin every row with a byte order mark.
        return f"{encoding}-le" if encoding in ("utf-16", "utf-32") else encoding

    def _joined(self, cells: Sequence[str]) -> str:
        head = self._original.head
        text = io.StringIO()
        csv.writer(text, delimiter=head.delimiter, lineterminator="").writerow(cells)
        if not head.spaced:
            return text.getvalue()
        quoted = []
        for cell in cells:
            text = io.StringIO()
            csv.writer(text, delimiter=head.delimiter, lineterminator="").writerow([cell])
            quoted.append(text.getvalue())
        return f"{head.delimiter} ".join(quoted)

    def _write(self, text: str) -> None:
        encoding = self._encoding
        parts = (text + self._original.line_end).split(UNDECODABLE)
        undecodable = _undecodable(encoding) if len(parts) > 1 else b""
        self._stream.write(undecodable.join(part.encode(encoding, "replace") for part in parts))


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
