"""The columns of a file, and what their cells look like.

It decides what is suggested, and nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache, partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from lib.adapters.workbook import read_in_child
from lib.cli.escaping import on_terminal
from lib.cli.file_notes import is_of_other_network
from lib.errors import RuleError, SourceError
from lib.model.personal_data import looks_like_email
from lib.model.records import Row, problem_of
from lib.model.spelling import comparable, unwrap
from lib.rules.values.cells import is_placeholder
from lib.rules.values.click_ids import check_click_id
from lib.rules.values.currencies import parse_currency
from lib.rules.values.dates import DateOrder, is_time_of_day, read_moment
from lib.rules.values.enums import parse_consent
from lib.rules.values.money import parse_value
from lib.rules.values.phones import normalize_phone_region
from lib.source.header import looks_like_data, match_names
from lib.source.table import FIX_COLUMNS, SourceOptions, Table, open_table
from lib.source.text import ByteStream
from lib.source.workbook import ReadSheet, Sheet, SheetOptions

Look = str
"""What a cell looks like: a key of `_TESTS`."""

OWN_LOOKS: Final[frozenset[Look]] = frozenset(
    ("date or time", "email address", "phone number", "click ID")
)
"""Looks of cells that are those of one row each."""

MAX_ROWS: Final = 5_000
"""So many rows are looked at, and tried after each answer. Before saving, all rows are tried."""
_MAX_CELLS: Final = 1_000
_MANY_CELLS: Final = 10
_MAX_STAGES: Final = 12
"""Most values of a column that can say at which stage a deal is."""
_MAX_SPELLINGS: Final = 100
_MAX_MONEY: Final = 1e12
_FEWEST_CLICK_CHARS: Final = 15
_PHONE: Final = re.compile(r"(?!.*\.\d\d?$)[+(]*\d(?:[ ().\u00a0/-]*\d){6,14}")
_ID: Final = re.compile(r"[^ ,]*\d[^ ,]*")
_YEARS: Final = range(2000, 2033)
"""A number outside of these years is no Unix time, so that 2125550101 is a phone number."""


class WrongAnswer(ValueError):
    """An answer that is refused where it is given. The text says what to answer instead."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file. `cells` has one for each row, without the additions of spreadsheets.

    A placeholder such as `n/a` is an empty cell. `looks`: what most of the filled cells look like
    (few addresses or phone numbers of many rows are not those of customers).
    `could_be_ids`: most of them differ, without being words, amounts or times. `could_be_stages`:
    they have few values.
    """

    index: int
    name: str
    cells: Sequence[str]
    looks: frozenset[Look]
    could_be_ids: bool
    could_be_stages: bool

    @property
    def filled(self) -> list[str]:
        """The cells that are not empty."""
        return [cell for cell in self.cells if cell]

    def may_be(self, look: Look | None) -> bool:
        """Return whether it is empty, or a cell of it can be read as this. None: as anything."""
        cells = self.filled
        if look is None or look in self.looks or not cells:
            return True
        return any(_is_currency(c) if look == "currency" else has_look(c, look) for c in cells)


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of a file. `rows` are those that can be read, as `Table.records` has them.

    `repeated`: columns that share a name, so that a profile can name none of them. `columns` are
    all others. `is_guessed`: the file has letters, and does not say in which encoding. `options`
    are how the file is read, and `counted` has what `cells_of` knows.
    """

    file: Path
    options: SourceOptions
    counted: dict[int, Counter[str]]
    header_line: int
    columns: Sequence[Column]
    repeated: Sequence[Column]
    rows: Sequence[Row]
    is_whole: bool
    is_guessed: bool

    @property
    def has_fix_columns(self) -> bool:
        """Whether `fix` has written the file."""
        return any(comparable(each.name) in FIX_COLUMNS for each in self.columns)

    def cells_of(self, column: Column) -> Counter[str]:
        """Return the cells of a column as they are in the file, with their numbers of rows. They
        are those of all readable rows. A long file is read again, up to where it breaks off."""
        if column.index not in self.counted:
            rows = [*self.rows]
            if not self.is_whole:
                rows.clear()
                # Saving tries the whole file, and says why it breaks off.
                with self.file.open("rb") as stream, suppress(SourceError):
                    for row in open_table(stream, self.options).records():
                        rows.append(row)
            counts = Counter(
                cells[column.index] for _, cells, problem, _ in rows if problem is None
            )
            self.counted[column.index] = counts
        return self.counted[column.index]

    def column(self, name: str) -> Column:
        """Return the column of this name. Raises `WrongAnswer`."""
        if self.repeats(name):
            raise WrongAnswer(f'The file has several columns "{on_terminal(name)}". Rename them.')
        for column in self.columns:
            if comparable(column.name) == comparable(name):
                return column
        known = [column.name for column in self.columns]
        raise WrongAnswer(f'The file has no column "{on_terminal(name)}".{nearest(name, known)}')

    def repeats(self, name: str) -> bool:
        """Return whether several columns have this name."""
        return comparable(name) in {comparable(column.name) for column in self.repeated}


def nearest(text: str, known: Iterable[str]) -> str:
    """Return ` Did you mean "Amount"?` if a known name is similar, otherwise ""."""
    names = {comparable(name): name for name in known}
    near = get_close_matches(comparable(text), names, 1)
    return f' Did you mean "{on_terminal(names[near[0]])}"?' if near else ""


def read_sample(file: Path, written: Mapping[str, Any]) -> Sample:
    """Read the first rows of a file. `written` has the profile's encoding, delimiter and sheet.

    Raises `SourceError` if the file cannot be read, or has no line of names.
    """
    options = SourceOptions(**written, read_sheet=_reading_once())
    with file.open("rb") as stream:
        line, names = _line_of_names(open_table(stream, options))
    wanted = partial(match_names, [(name,) for name in names if name])
    options = replace(options, wanted=wanted)
    with file.open("rb") as stream:
        table = open_table(stream, options)
        first = [*islice(table.records(), MAX_ROWS + 1)]
    rows = [row for row in first[:MAX_ROWS] if problem_of(row) is None]
    named = []
    for index, name in enumerate(names):
        cells = [_plain(cells_of_row[index]) for _, cells_of_row, *_ in rows]
        if name:
            looks = _looks_of(cells)
            ids, stages = _could_be_ids(cells, looks), _could_be_stages(cells, looks)
            named.append(Column(index, name, cells, looks, ids, stages))
    counts = Counter(comparable(column.name) for column in named)
    columns = [column for column in named if counts[comparable(column.name)] == 1]
    repeated = [column for column in named if counts[comparable(column.name)] > 1]
    texts = (text for column in named for text in (column.name, *column.cells))
    is_guessed = table.text.encoding_guessed and not all(map(str.isascii, texts))
    is_whole = len(first) <= MAX_ROWS
    return Sample(file, options, {}, line, columns, repeated, rows, is_whole, is_guessed)


def _reading_once() -> ReadSheet:
    """Return what reads a sheet of one workbook, and remembers its text, because that takes a
    second."""
    known: dict[SheetOptions, tuple[str, tuple[str, ...], list[bytes]]] = {}

    def read(stream: ByteStream, options: SheetOptions) -> Sheet:
        if options not in known:
            sheet = read_in_child(stream, options)
            known[options] = sheet.title, sheet.unread, [*sheet.text]
        title, unread, pieces = known[options]
        return Sheet(title, unread, (piece for piece in pieces))

    return read


def _line_of_names(table: Table) -> tuple[int, Sequence[str]]:
    """Return the fullest of the first lines, and its number: titles above have fewer cells, and
    rows below have dates or numbers."""
    lines = [
        (sum(map(bool, names)), line, names)
        for line, names in table.possible_headers()
        if 4 * sum(map(looks_like_data, filter(None, names))) < sum(map(bool, names))
    ]
    if not lines:
        detail = "no line looks like names of columns. Add one above the rows"
        raise SourceError("COLUMN_MISSING", detail)
    _, line, names = max(lines, key=itemgetter(0))
    return line, names


def _plain(cell: str) -> str:
    text = unwrap(cell, "text")
    return "" if is_placeholder("unit", text) and text != "0" else text


# ── what a cell looks like ───────────────────────────────────────────────────────────────────


@cache
def has_look(cell: str, look: Look) -> bool:
    """Return whether a filled cell can be read as this."""
    with suppress(RuleError):
        return _TESTS[look](cell)
    return False


def _looks_of(cells: Sequence[str]) -> frozenset[Look]:
    filled = [cell for cell in cells if cell][:_MAX_CELLS]
    is_of_staff = len(filled) >= _MANY_CELLS and 2 * len({*filled}) < len(filled)
    return frozenset(
        look
        for look in _TESTS
        if 2 * sum(has_look(cell, look) for cell in filled) > len(filled)
        and not (is_of_staff and look in ("email address", "phone number"))
    )


def _could_be_ids(cells: Sequence[str], looks: Set[Look]) -> bool:
    filled = [cell for cell in cells if cell]
    ids = [cell for cell in filled if _ID.fullmatch(cell)]
    has_cents = "amount" in looks and any("." in cell for cell in filled)
    is_other = has_cents or looks & {"date or time", "email address", "currency", "yes or no"}
    return not is_other and min(len(ids), len({*filled})) * 2 > len(filled)


def _could_be_stages(cells: Sequence[str], looks: Set[Look]) -> bool:
    spelled = {*cells}
    if looks & OWN_LOOKS or len(spelled) > _MAX_SPELLINGS:
        return False
    return 2 <= len({*map(comparable, spelled)}) <= _MAX_STAGES


def _is_time(cell: str) -> bool:
    orders: Sequence[DateOrder | None] = (None, "DMY", "MDY")
    for order in orders:
        with suppress(RuleError):
            text = read_moment(cell, UTC, order).text
            return datetime.fromisoformat(text).year in _YEARS
    return False


def _is_amount(cell: str) -> bool:
    try:
        return parse_value(cell, None) < _MAX_MONEY
    except RuleError as error:
        return error.code in ("NEGATIVE_VALUE", "DECIMAL_SIGN_UNDECLARED")


def _is_click_id(cell: str) -> bool:
    click_id = check_click_id(cell)
    kinds = (str.isdigit, str.islower, str.isupper)
    is_mixed = all(any(map(kind, click_id)) for kind in kinds)
    is_foreign = is_of_other_network(click_id)
    return len(click_id) >= _FEWEST_CLICK_CHARS and is_mixed and not is_foreign


def _is_currency(cell: str) -> bool:
    """Return whether a run reads it as a currency. A name may be chosen, but does not look like one
    by itself: `Won` is more often the stage of a deal."""
    with suppress(RuleError):
        return bool(parse_currency(cell))
    return False


def _is_phone(cell: str) -> bool:
    """Without a country, `5035550142` could be any number: 7 to 15 digits are offered."""
    return bool(_PHONE.fullmatch(cell)) and not has_look(cell, "date or time")


_TESTS: Final[Mapping[Look, Callable[[str], bool]]] = {
    "date or time": _is_time,
    "time of day": is_time_of_day,
    "amount": _is_amount,
    "currency": lambda cell: parse_currency(cell) == cell.upper() or not cell.isalpha(),
    "yes or no": lambda cell: parse_consent(cell) is not None,
    "country or calling code": lambda cell: bool(normalize_phone_region(cell)),
    "click ID": _is_click_id,
    "email address": looks_like_email,
    "phone number": _is_phone,
}
