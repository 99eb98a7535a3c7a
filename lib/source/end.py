"""The end of a file: the footer of a report, and a last line that may have been cut.

A Salesforce report ends with five lines of one cell each, and spreadsheets end with a row "Total".
A file whose upload broke off ends in the middle of a line. Both are only known at the end, so the
last rows are held back until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

from lib.model.records import Row
from lib.model.spelling import comparable
from lib.source.delimited import SHORT_ROWS, RowReader

MAX_FOOTER_ROWS: Final = SHORT_ROWS
_MAX_FILLED_IN_FOOTER: Final = 1
"""Most filled cells of a footer's row, in the columns that are used."""

TOTAL_WORDS: Final = frozenset(
    {
        *("total", "totals", "grand total", "subtotal", "sub total", "sub-total", "sum"),
        *("gesamt", "gesamtsumme", "gesamtbetrag", "summe", "insgesamt", "zwischensumme"),
        *("totale", "totaal", "total general", "total général", "suma", "soma", "summa"),
        *("razem", "i alt", "yhteensä", "toplam", "итого", "всего", "合計", "总计", "总和"),
    }
)
"""What the cell of a total says, as `comparable` writes it. It makes a note, and tells a
footer from a row that was cut."""

Hold = Literal["never", "broken", "always"]
"""When the row in a last line without a line end is held as UNTERMINATED_LAST_LINE. `broken`: only
if the row is incomplete too."""


class LastRows:
    """Passes on the rows of a file, and changes the last ones that are no ordinary rows.

    `used_places` are the places of the used columns among a row's cells (None: a footer is not
    looked for). After reading, `footer` has the lines of the footer, `total` the first of the last
    rows that looks like a total although it is no footer, and `open_row` tells how the row in a
    last line without a line end ends.
    """

    def __init__(self, reader: RowReader, used_places: Sequence[int] | None, hold: Hold) -> None:
        self.footer: list[int] = []
        self.total: Row | None = None
        self.open_row: Literal["complete", "broken"] | None = None
        self._reader = reader
        self._used_places = used_places
        self._hold = hold

    def mark_last(self, groups: Iterator[Iterable[Row]]) -> Iterator[Iterable[Row]]:
        """Yield the rows of these groups, in groups. Some of the last ones have a problem."""
        held: list[Row] = []
        last_group = 0  # how many of the held rows are of the group that was read last
        try:
            for group in groups:
                rows = [*held, *group]
                # It is held whole: a last line without a line end is a group of its own.
                last_group = len(rows) - len(held)
                passed = max(0, len(rows) - max(last_group, MAX_FOOTER_ROWS))
                yield rows[:passed]
                held = rows[passed:]
        except Exception:
            # The rest of the file cannot be read, so these are not its last rows.
            yield held
            raise
        length = self._footer_length(held)
        if length == 1 and self._reader.ends_open and self._may_be_cut(held[-1]):
            length = 0
        self.total = self._find_total(held[: len(held) - length])
        if length:
            self.footer = [line for line, *_ in held[-length:]]
            yield held[:-length]
            yield [(line, [], "REPORT_FOOTER", size) for line, _, _, size in held[-length:]]
        elif self._reader.ends_open:
            yield held[: len(held) - last_group]
            yield self._of_open_line(held[len(held) - last_group :])
        else:
            yield held

    def _footer_length(self, rows: list[Row]) -> int:
        """Return how many of the last rows are the footer: those below the last one that is no
        footer."""
        if self._used_places is None:
            return 0
        short = dict(self._reader.short_rows)
        length = 0
        for line, kept, problem, _ in reversed(rows[-MAX_FOOTER_ROWS:]):
            cells = short.get(line, kept)
            if (problem and line not in short) or not is_footer(cells, self._used_places):
                break
            length += 1
        return length

    def _may_be_cut(self, row: Row) -> bool:
        """Return whether a last line that is no whole row could be the beginning of one: nothing in
        it says that it is a total."""
        line, _, problem, _ = row
        short = dict(self._reader.short_rows).get(line, [])
        cells = [short[place] for place in self._used_places or () if short]
        return problem is not None and not any(map(is_total_word, cells))

    def _find_total(self, rows: list[Row]) -> Row | None:
        """Return the first of the last rows that has the word of a total in a used column."""
        places = self._used_places or ()
        for row in rows[-MAX_FOOTER_ROWS:]:
            _, cells, problem, _ = row
            if not problem and any(is_total_word(cells[place]) for place in places):
                return row
        return None

    def _of_open_line(self, rows: list[Row]) -> list[Row]:
        """Return the last rows of a file whose last line has no line end.

        The lines after an open quote are part of the incomplete row.
        """
        if not rows:
            return rows
        first = len(rows) - 1
        while first and rows[first][2] and rows[first - 1][2]:
            first -= 1
        is_broken = rows[-1][2] is not None
        self.open_row = "broken" if is_broken else "complete"
        if self._hold == "always" or (self._hold == "broken" and is_broken):
            problem = "UNTERMINATED_LAST_LINE"
            return rows[:first] + [(line, [], problem, size) for line, _, _, size in rows[first:]]
        return rows


def is_total_word(cell: str) -> bool:
    """Return whether a cell says that its row is a total: `Total`, `Summe:`, `Total (9 rows)`."""
    return comparable(cell.partition("(")[0]).rstrip(": ") in TOTAL_WORDS


def is_footer(cells: Sequence[str], used_places: Sequence[int]) -> bool:
    """Return whether one of the last rows of a file can belong to a footer.

    >>> is_footer(["Total", ""], [0, 1])
    True
    """
    return sum(bool(cells[place].strip()) for place in used_places) <= _MAX_FILLED_IN_FOOTER
