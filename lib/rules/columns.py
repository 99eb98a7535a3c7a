"""The mechanics of the rules: cells, caches, and problems by row.

    FileColumns   the columns of a file, and what is known of its cells: all of its chunks share it
    ChunkColumns  a chunk, column by column
    RowProblems   the errors and warnings of its rows

Every rule reads a cell that is not plain with `plain_text`, so placeholders and the additions of
spreadsheets are the same in every column.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import compress, repeat
from operator import is_, itemgetter
from typing import Any, TypeVar, cast

from lib.model.fields import HIGHEST_NUMBER, ValueKind, base_name
from lib.model.outcomes import MAX_PROBLEMS, Problem
from lib.model.spelling import unwrap
from lib.rules.fields import BY_NAME
from lib.rules.row_rules import RowRules
from lib.rules.values.cells import Memo, is_placeholder
from lib.rules.values.time_reader import TimeReader

T = TypeVar("T")


def plain_text(cell: str, column: str) -> str | None:
    """Return the text in a cell of `column`, unwrapped and trimmed. None: it is a placeholder."""
    kind = _kind_of(column)
    text = unwrap(cell, kind)
    return None if is_placeholder(kind, text) else text


@lru_cache
def _kind_of(column: str) -> ValueKind:
    return BY_NAME[base_name(column)].value_kind


def is_sent(column: str, sendable: Collection[str]) -> bool:
    """Return whether a column's field is in `sendable`, or helps to read other columns."""
    field = base_name(column)
    return field in sendable or BY_NAME[field].only_helps


class RowProblems:
    """Errors and warnings by the row's position in the chunk, in the order of the rules.

    A row with an error is not sent. A warning reports a value that was left out, or a decision.
    Placeholders are not reported row by row: `with_placeholders` are the columns that have any.
    A row keeps `MAX_PROBLEMS` errors and as many warnings: it can have a thousand columns.
    """

    def __init__(self) -> None:
        self.with_placeholders = set[str]()
        self.errors: defaultdict[int, list[Problem]] = defaultdict(list)
        self.warnings: defaultdict[int, list[Problem]] = defaultdict(list)

    def plain_text(self, cell: str, column: str) -> str | None:
        """Return the plain text in a cell. None: it is a placeholder, and its column is noted."""
        text = plain_text(cell, column)
        if text is None:
            self.with_placeholders.add(column)
        return text

    def reject(self, row: int, code: str, column: str = "", detail: str = "") -> None:
        """Add an error."""
        if len(found := self.errors[row]) < MAX_PROBLEMS:
            found.append(Problem(code, column, detail))

    def reject_problems(self, column: Sequence[T | Problem], placeholder: T) -> list[T]:
        """Reject the rows in which a column has a `Problem`. Return the column with `placeholder`
        there.

        With a problem in row 1, `["GRANTED", Problem("INVALID_CONSENT")]` becomes
        `["GRANTED", None]`.
        """
        values = list(column)
        is_problem = map(is_, map(type, column), repeat(Problem))
        for row in compress(range(len(values)), is_problem):
            self.errors[row].append(cast("Problem", values[row]))
            values[row] = placeholder
        return cast("list[T]", values)

    def warn(self, row: int, code: str, column: str = "") -> None:
        """Add a warning, once: two rules may read one cell, as those of phones and addresses do."""
        warning = Problem(code, column)
        if len(found := self.warnings[row]) < MAX_PROBLEMS and warning not in found:
            found.append(warning)


class FileColumns:
    """The columns of one file, and what is known of its cells: all of its chunks share it.

    `columns` maps each field to the place of its cell in a row, for each entry of the profile
    (None: its rows have no such cell). They are fields that are sent, or that help to read others.
    `sales` are those of the conversions that adjustments are about, None for other records.
    `can` is what the destination can do with records of this kind.
    """

    def __init__(
        self,
        columns: Mapping[str, Sequence[int | None]],
        rules: RowRules,
        sales: FileColumns | None = None,
    ) -> None:
        self.columns = columns
        self.rules = rules
        self.can = rules.capabilities.kinds[rules.kind]  # `lib.run.reading` refuses others
        self.sales = sales
        self.with_placeholders = set[str]()
        """The columns with placeholders, of those that a memo reads."""
        self.time_reader = TimeReader(rules.now, rules.zone, rules.date_order)
        """Reads all times."""
        self.phones_read = 0
        self.phones_without_country = 0
        """Phone numbers that are left out because nobody says in which country they are dialled."""
        self._memos: dict[Callable[..., Any], Memo[Any]] = {}

    @property
    def loses_most_phones(self) -> bool:
        """Whether most phone numbers so far have been left out because of their country."""
        return self.phones_without_country > self.phones_read

    def memo(self, read: Callable[..., T], *columns: str) -> Memo[T]:
        """Return what `read` makes of cells. For the same cells it is called only once, with the
        plain texts of those in `columns`, whatever else its key has, and the rules.

        With `memo(resolve_action, "conversion_action")`, `memo['="1001"', "1002"]` is
        `resolve_action("1001", "1002", rules)`.
        """
        found = self._memos.get(read)
        if found is None:
            read_cells = _with_plain_texts(read, columns, self.rules, self.with_placeholders)
            found = self._memos[read] = Memo(read_cells)
        return found


def _with_plain_texts(
    read: Callable[..., T], columns: Sequence[str], rules: RowRules, with_placeholders: set[str]
) -> Callable[..., T]:
    """Return `read` as a `Memo` calls it: with plain texts for the cells of `columns`, then the
    rest of the key, and the rules. It does not know `FileColumns`, whose memo has it: such a cycle
    would keep what is read in memory."""

    def read_cells(*key: str) -> T:
        texts = [plain_text(cell, column) for cell, column in zip(key, columns, strict=False)]
        with_placeholders.update(
            column for column, text in zip(columns, texts, strict=True) if text is None
        )
        return read(*texts, *key[len(columns) :], rules)

    return read_cells


class ChunkColumns:
    """A chunk, column by column: its cells, and the problems that the rules find in its rows.

    A rule takes it, and columns that other rules have returned. It returns a column: one value for
    each row.
    """

    def __init__(
        self,
        file: FileColumns,
        lines: Sequence[int],
        rows: Sequence[Sequence[str]],
        entries: Sequence[int] = (),
    ) -> None:
        self.file = file
        self.lines = lines
        self.rows = rows
        self.size = len(rows)
        self.entries = entries
        """The entry of each row. Empty: all rows are of the first entry."""
        self.problems = RowProblems()
        used = {place for of_field in file.columns.values() for place in of_field}
        self._cells = _transposed(rows, sorted(place for place in used if place is not None))
        self._empty = ("",) * self.size

    def cells(self, field: str) -> Sequence[str]:
        """Return the cells of a field's column, one for each row.

        A column that is not in the file has empty cells. Each entry may have a column of its own.
        """
        places = self.file.columns.get(field)
        if places is None or not self.size:
            return self._empty
        columns = [self._empty if place is None else self._cells[place] for place in places]
        if not self.entries or all(place == places[0] for place in places):
            return columns[0]  # all rows have it in the same place
        return [columns[entry][row] for row, entry in enumerate(self.entries)]

    def values_of_entries(self, values: Sequence[T]) -> Sequence[T]:
        """Return for each row the value of its entry, from one value for each entry.

        If the rows are of the entries 0, 1, 0, `["a", "b"]` becomes `["a", "b", "a"]`.
        """
        if not self.entries:
            return [values[0]] * self.size
        return [values[entry] for entry in self.entries]

    def read_once(self, read: Callable[..., T], *fields: str) -> Sequence[T]:
        """Return for each row what `read` makes of the texts in these columns, and of the rules.

        For columns with few different cells: `read` is called only once for each of them
        (`FileColumns.memo`).
        """
        # Of one column, the memo's keys are cells; of several, tuples of cells.
        memo = self.file.memo(read, *fields)
        if len(fields) > 1:
            return list(map(memo.__getitem__, zip(*map(self.cells, fields), strict=True)))
        if fields[0] not in self.file.columns:
            return [memo[""]] * self.size
        return list(map(memo.__getitem__, self.cells(fields[0])))

    def named(self, is_wanted: Callable[[str], bool]) -> list[tuple[str, Sequence[str]]]:
        """Return (name, cells) of the columns with such names, in the file's order."""
        return [(name, self.cells(name)) for name in self.file.columns if is_wanted(name)]

    def numbered(self, field: str) -> list[tuple[str, Sequence[str]]]:
        """Return the columns `email`, `email_2`, ... that the file has, in that order."""
        names = [field, *(f"{field}_{number}" for number in range(2, HIGHEST_NUMBER + 1))]
        return [(name, self.cells(name)) for name in names if name in self.file.columns]

    def has_columns(self, fields: Iterable[str]) -> bool:
        """Return whether the file has all of these columns."""
        return self.file.columns.keys() >= set(fields)

    def doubtful_rows(
        self,
        field: str,
        declared: T,
        unread: Iterable[int],
        meanings: Callable[[str], Mapping[T, object]],
    ) -> list[int]:
        """Return the rows whose cell can mean two things, if more of the column's cells that can
        mean only one contradict the `declared` way to write them than agree with it.

        `meanings` returns what a text means in each way in which it can be read. `unread` are the
        rows that cannot be read as declared, as are all that contradict. The cells are those of the
        file. Each entry may have a column of its own.
        """
        cells, columns = self.cells(field), self.values_of_entries(self.file.columns[field])

        def meanings_of(row: int) -> Mapping[T, object]:
            return meanings(plain_text(cells[row], field) or "")

        contradicting = Counter(
            columns[row] for row in unread if (ways := meanings_of(row)) and declared not in ways
        )
        doubtful = []
        for row, column in enumerate(columns):
            if contradicting[column] <= 0:
                continue  # enough cells agree: for speed, no more are read
            found = meanings_of(row)
            if [*found] == [declared]:
                contradicting[column] -= 1
            elif len({*found.values()}) == 2:
                doubtful.append(row)
        return [row for row in doubtful if contradicting[columns[row]] > 0]

    def sendable(self) -> list[int]:
        """Return the rows without an error."""
        errors = self.problems.errors
        return [row for row in range(self.size) if row not in errors]

    def accepted(self, unsent: Iterable[int] = ()) -> bytearray:
        """Return 1 for each row that has no error and is not `unsent`, and 0 for the others."""
        found = bytearray(b"\1" * self.size)
        for row in (*self.problems.errors, *unsent):
            found[row] = 0
        return found

    def count_placeholders(self) -> dict[str, int]:
        """Return the number of placeholders in each column that has any."""
        counts: dict[str, int] = {}
        with_placeholders = self.file.with_placeholders | self.problems.with_placeholders
        for name, cells in self.named(with_placeholders.__contains__):
            distinct = Counter(cells).items()
            count = sum(n for cell, n in distinct if plain_text(cell, name) is None)
            if count:
                counts[name] = count
        return counts


def _transposed(rows: Sequence[Sequence[str]], used: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """Return the cells of each place in use. Those of other columns are left out: an export may
    have many."""
    if not (rows and used):
        return {}
    if len(used) == len(rows[0]):
        return dict(enumerate(zip(*rows, strict=True)))
    if len(used) == 1:  # `itemgetter` would return the cell alone, not in a tuple
        return {used[0]: [row[used[0]] for row in rows]}
    return dict(zip(used, zip(*map(itemgetter(*used), rows), strict=True), strict=True))
