"""The row filter: which rows count, and as what, by the values of the file's own columns.

Exports contain lost deals, failed charges and refunds next to the rows that count. The profile says
which are which (`include`, `exclude`, `actions`). A row that does not count is skipped before any
other rule sees it, so that it cannot make another row a duplicate. With `actions`, a row's stage
also chooses its conversion action, its value and the column of its time (`StageActions`).

The first rows of a file show its kind (`lib.source.header`), and a file of sales and adjustments
stops there. An adjustment further down (`RETRACT`, `RESTATE`) gets a problem: as a conversion, a
refund would be a new sale.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import compress
from operator import and_, itemgetter, not_
from typing import Final, Literal, NamedTuple, TypeVar
from unicodedata import normalize

from lib.model.outcomes import Selection
from lib.model.records import Row
from lib.rules.fields.other_kinds import ADJUSTMENTS
from lib.rules.stages import stages_in
from lib.rules.values.cells import Memo, is_placeholder, unwrap

T = TypeVar("T")

_ADJUSTMENT: Final = "ADJUSTMENT_ROW"
_MOST_WORDS: Final = 10
"""A column that names the kinds of rows has few different cells."""
_WORD: Final = re.compile(r"\w+")
_LIKENESS: Final = 80.0
"""Percent."""
_SHORTEST_COMPARED: Final = 4
"""Shorter words are different words: `Won` and `Own`."""
_MOST_COMPARED: Final = 100
"""A column with more different cells in a chunk is not compared for misspelled values: it is not a
list of stages, and every comparison takes time."""

FOOTER: Final = "REPORT_FOOTER"
"""The problem of the last records of a file if they are the report's footer, and no rows."""


class Condition(NamedTuple):
    """Only rows with one of `values` in the column count; those of `exclude`: only the others.

    `key` is the key of the profile, `name` the column's name there, `column` its index in the file.
    `also` are values of rows that count too, but that a file need not have: those of refunds.
    """

    name: str
    column: int
    key: Literal["include", "exclude", "refunds", "actions"]
    values: tuple[str, ...]
    also: tuple[str, ...] = ()

    @property
    def includes(self) -> bool:
        return self.key != "exclude"


class FilterValue(NamedTuple):
    """One value of a condition."""

    condition: Condition
    value: str


class Selected(NamedTuple):
    """The rows of a chunk after the filter. `skipped` contains the lines of the other rows.
    `refunds` are rows that count, but not as conversions."""

    rows: Sequence[Row]
    skipped: Sequence[int]
    selection: Selection
    refunds: Sequence[Row] = ()


class RowFilter:
    """Applies the conditions of a profile: a row counts if it fulfills all of them.

    `stage_columns` (index → name) may contain stages that no condition knows: they are counted in
    the rows that count. `kind_columns` may name the kind of a row: adjustments among the rows that
    count get a problem. Rows that fulfill one of the conditions `refunds` are kept apart. `places`
    tells which cell of a row a column is (`Table.keep_only`); None: a row has all cells.
    """

    def __init__(
        self,
        conditions: Sequence[Condition] = (),
        stage_columns: Mapping[int, str] | None = None,
        kind_columns: Sequence[int] = (),
        refunds: Sequence[Condition] = (),
        places: Mapping[int, int] | None = None,
    ) -> None:
        def place(column: int) -> int:
            return column if places is None else places[column]

        self.stage_columns = stage_columns or {}
        self._stage_places = {column: place(column) for column in self.stage_columns}
        self._kind_places = [*map(place, kind_columns)]
        self.values = [FilterValue(each, value) for each in conditions for value in each.values]
        self.columns = {each.column for each in (*conditions, *refunds)}
        self.read_columns = self.columns.union(self.stage_columns, kind_columns)
        self.refund_columns = [each.column for each in refunds]
        self._refunds = [_ColumnRule(each, 0, place(each.column)) for each in refunds]
        self._rules: list[_ColumnRule] = []
        first = 0
        for each in conditions:
            self._rules.append(_ColumnRule(each, first, place(each.column)))
            first += len(each.values)

    def select(self, rows: Sequence[Row]) -> Selected:
        """Return the rows that count. Rows that could not be read do too: their problem is
        reported."""
        end = len(rows)
        while end and rows[end - 1][2] == FOOTER:
            end -= 1
        footer = [line for line, *_ in rows[end:]]
        rows = rows[:end] if footer else rows
        selected = self._filter(rows) if self._rules else Selected(rows, (), Selection())
        if self._refunds:
            selected = self._without_refunds(rows, selected)
        for column, at in self._stage_places.items():
            cells = Counter(cells[at] for _, cells, problem, _ in selected.rows if not problem)
            if counts := stages_in(cells):
                selected.selection.stages[column] = counts
        selected = selected._replace(rows=_mark_adjustments(selected.rows, self._kind_places))
        return selected._replace(skipped=[*selected.skipped, *footer]) if footer else selected

    def _without_refunds(self, rows: Sequence[Row], selected: Selected) -> Selected:
        """Keep the refunds apart, and count those that the conditions skip. Rows that could not be
        read are not refunds."""
        readable = [row for row in rows if not row[2]]
        lines = set[int]()
        for rule in self._refunds:
            kept = rule.keeps([cells[rule.place] for _, cells, _, _ in readable], Selection())
            lines.update(line for line, *_ in compress(readable, kept))
        if not lines:
            return selected
        skipped = lines.intersection(selected.skipped)
        selected.selection.skipped_refunds = len(skipped)
        selected.selection.refunds = len(lines) - len(skipped)
        return selected._replace(
            rows=[row for row in selected.rows if row[0] not in lines],
            refunds=[row for row in selected.rows if row[0] in lines],
        )

    def _filter(self, rows: Sequence[Row]) -> Selected:
        readable = [row for row in rows if not row[2]]
        selection = Selection()
        keeps: Iterable[bool] = [True] * len(readable)
        for rule in self._rules:
            column = [cells[rule.place] for _, cells, _, _ in readable]
            keeps = map(and_, keeps, rule.keeps(column, selection))
        kept = list(keeps)
        skipped = [line for line, *_ in compress(readable, map(not_, kept))]
        selection.skipped = len(skipped)
        selection.kept = len(rows) - len(skipped)
        if not skipped:
            return Selected(rows, (), selection)
        if len(readable) == len(rows):
            return Selected(list(compress(rows, kept)), skipped, selection)
        lines = set(skipped)
        return Selected([row for row in rows if row[0] not in lines], skipped, selection)


def kind_columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], known: Collection[int]
) -> tuple[int, ...]:
    """Return the columns that may name the kind of a row: without a meaning, and with few different
    cells in the first `rows` of the file. `known` are the columns that have a meaning."""
    unknown = (at for at, name in enumerate(header) if name and at not in known)
    return tuple(at for at in unknown if len({row[at] for row in rows}) <= _MOST_WORDS)


def _mark_adjustments(rows: Sequence[Row], places: Sequence[int]) -> Sequence[Row]:
    """Return the rows. Those with an adjustment's word in the cell at one of `places` get
    ADJUSTMENT_ROW as their problem."""
    if not places:
        return rows
    # All columns at once, because wide files have many. The first one twice: the result for a
    # single one would be no tuple.
    words_of = itemgetter(*places, places[0])
    different = {words_of(cells) for _, cells, problem, _ in rows if not problem}
    adjustments = set[int]()
    for number, at in enumerate(places):
        words = {each[number] for each in different}
        if found := {word for word in words if unwrap(word, "word").upper() in ADJUSTMENTS.words}:
            adjustments.update(
                line for line, cells, problem, _ in rows if not problem and cells[at] in found
            )
    if not adjustments:
        return rows
    return [
        (line, [], _ADJUSTMENT, length) if line in adjustments else (line, cells, problem, length)
        for line, cells, problem, length in rows
    ]


class _ColumnRule:
    """A condition, ready to use. `first` is the position of its first value in the filter, `place`
    that of its column in a row."""

    def __init__(self, condition: Condition, first: int, place: int) -> None:
        self.place = place
        self._includes = condition.includes
        values = enumerate(condition.values, first)
        self._positions = {comparable(value): position for position, value in values}
        self._also = frozenset(map(comparable, condition.also))
        self._position = Memo(self._position_of)
        self._nearest = Memo(self._most_similar)

    def keeps(self, column: Sequence[str], selection: Selection) -> Iterable[bool]:
        """Return for each cell whether its row counts. Count the values in `selection`."""
        counts = Counter(column)
        compares = len(counts) <= _MOST_COMPARED
        kept: dict[str, bool] = {}
        for cell, count in counts.items():
            position = self._position[cell]
            if position is None and self._also and comparable(cell) in self._also:
                kept[cell] = True
                continue
            kept[cell] = (position is not None) == self._includes
            if position is not None:
                selection.found[position] = selection.found.get(position, 0) + count
            elif compares and (near := self._nearest[cell]) is not None:
                selection.near[near] = selection.near.get(near, 0) + count
        return map(kept.__getitem__, column)

    def _position_of(self, cell: str) -> int | None:
        return _listed(cell, self._positions)

    def _most_similar(self, cell: str) -> int | None:
        """Return the position of the first value that a cell resembles: `Close Won`."""
        text = comparable(cell)
        values = self._positions.items()
        return next((position for value, position in values if _is_similar(text, value)), None)


def comparable(text: str) -> str:
    """Return what equal values share: case makes no difference, and neither does what spreadsheets
    add to a value, such as the signs of `="Closed Won"`."""
    return normalize("NFC", unwrap(text, "word")).casefold()


def _listed(cell: str, values: Mapping[str, T]) -> T | None:
    """Return what belongs to the value in a cell. A placeholder, such as NULL, is empty."""
    text = comparable(cell)
    if text not in values and is_placeholder("word", text):
        text = ""
    return values.get(text)


def _is_similar(one: str, other: str) -> bool:
    """Return whether two different texts are probably spellings of one value."""
    words, others = _WORD.findall(one), _WORD.findall(other)
    if "".join(words) == "".join(others):
        return bool(words)
    return len(words) == len(others) and all(map(_is_similar_word, words, others))


def _is_similar_word(one: str, other: str) -> bool:
    if one == other:
        return True
    # `fulfilled` and `unfulfilled`, or `step1` and `step2`, are not spellings of one word.
    if one.endswith(other) or other.endswith(one) or not (one + other).isalpha():
        return False
    if min(len(one), len(other)) < _SHORTEST_COMPARED:
        return False
    from rapidfuzz import fuzz  # few files need its time to import

    return fuzz.ratio(one, other) >= _LIKENESS


# ── stages and their conversion actions ──────────────────────────────────────────────────────

TIME_FIELD: Final = "conversion_date_time"


class StageAction(NamedTuple):
    """What the rows of a stage are: their conversion action, the cell that replaces their own value
    (None: none does), and the field in whose column their time is."""

    action: str
    value: str | None = None
    time: str = TIME_FIELD


class StageActions:
    """The conversion actions of the stages in a column: `actions` by the value of its cells.

    Several columns may contain times: `conversion_date_time`, `conversion_date_time_2`, ... If the
    file has a column with times of day, it `pairs_time_of_day` with the first of them only.
    """

    def __init__(
        self, column: int, actions: Mapping[str, StageAction], *, pairs_time_of_day: bool = True
    ) -> None:
        self.actions = actions
        self.column = column
        self._by_value = {comparable(value): each for value, each in actions.items()}
        self._pairs_time_of_day = pairs_time_of_day
        self._of_cell = Memo(self._of)

    def _of(self, cell: str) -> StageAction:
        return _listed(cell, self._by_value) or StageAction("")

    def of_rows(self, cells: Mapping[int, Sequence[str]]) -> list[StageAction]:
        """Return what each row is. `cells` are the columns of a chunk, by their index."""
        return [self._of_cell[cell] for cell in cells[self.column]]

    def cells(
        self,
        stages: Sequence[StageAction],
        columns: Mapping[str, int],
        cells: Mapping[int, Sequence[str]],
    ) -> dict[str, Sequence[str]]:
        """Return the cells of the fields that depend on the stage, one for each row.

        `columns` maps the fields of the file to their columns.
        """
        empty = ("",) * len(stages)

        def of(field: str) -> Sequence[str]:
            return cells[columns[field]] if field in columns else empty

        times = {field: of(field) for field in {each.time for each in stages}}
        own_values, times_of_day = of("conversion_value"), of("time_of_day")
        return {
            "conversion_action": [each.action for each in stages],
            TIME_FIELD: [times[each.time][row] for row, each in enumerate(stages)],
            "conversion_value": [
                own if each.value is None else each.value
                for own, each in zip(own_values, stages, strict=True)
            ],
            "time_of_day": [
                cell if self._pairs_time_of_day and each.time == TIME_FIELD else ""
                for cell, each in zip(times_of_day, stages, strict=True)
            ],
        }
