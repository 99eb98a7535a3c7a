"""The end of a file: a last line that may have been cut, and the footer of a report.

What the last records are is only known at the end, so they are held back until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import chain
from typing import Literal

from lib.model.records import Row
from lib.source.footer import LONGEST_FOOTER, footer_length
from lib.source.records import RecordReader
from lib.source.text import Block

Hold = Literal["never", "broken", "always"]
"""When the row in a last line without a line end is held as UNTERMINATED_LAST_LINE: a file that was
cut ends like this. `broken`: only if the row is incomplete too."""


class Ending:
    """Reads all records of a file, and treats the last ones.

    `hold` says when the record in an open last line waits. `open_record` tells whether such a line
    has been read, and how its record ends there. `key_columns` contain click IDs, identifiers and
    times, if they are known: without them, no record is taken for the report's footer. `footer` has
    the lines of its records, after reading.
    """

    def __init__(self, reader: RecordReader) -> None:
        self.hold: Hold = "never"
        self.open_record: Literal["complete", "broken"] | None = None
        self.key_columns: Set[int] | None = None
        self.footer: list[int] = []
        self._reader = reader

    def records(self, blocks: Iterator[Block], line: int) -> Iterator[Row]:
        """Return the records of `blocks`. The first line of `blocks` has the number `line`."""
        return chain.from_iterable(self._until_end(self._reader.read(blocks, line)))

    def _until_end(self, batches: Iterator[Iterable[Row]]) -> Iterator[Iterable[Row]]:
        back: list[Row] = []
        size = 0
        try:
            for batch in batches:
                records = [*back, *batch]
                size = len(records) - len(back)
                kept = max(0, len(records) - max(size, LONGEST_FOOTER))
                yield records[:kept]
                back = records[kept:]
        except Exception:
            # The rest cannot be read, so these are not the last records of the file.
            yield back
            raise
        if length := self._footer_length(back):
            footer = back[-length:]
            self.footer = [line for line, *_ in footer]
            yield back[:-length]
            yield [(line, [], "REPORT_FOOTER", chars) for line, _, _, chars in footer]
        elif self._reader.ends_open:
            last = len(back) - size
            yield back[:last] + self._held(back[last:])
        else:
            yield back

    def _footer_length(self, records: list[Row]) -> int:
        if self.key_columns is None:
            return 0
        short = dict(self._reader.short)
        cells = [short.get(line, cells) for line, cells, *_ in records[-LONGEST_FOOTER:]]
        return footer_length(cells, self.key_columns)

    def _held(self, records: list[Row]) -> list[Row]:
        """Return the records at the end of a file whose last line has no line end.

        What is read of an incomplete record, such as the lines after an open quote, belongs to it.
        """
        if not records:
            return records
        held = len(records) - 1
        while held and records[held][2] and records[held - 1][2]:
            held -= 1
        is_broken = records[-1][2] is not None
        self.open_record = "broken" if is_broken else "complete"
        if self.hold == "always" or (self.hold == "broken" and is_broken):
            return records[:held] + [
                (line, [], "UNTERMINATED_LAST_LINE", length)
                for line, _, _, length in records[held:]
            ]
        return records
