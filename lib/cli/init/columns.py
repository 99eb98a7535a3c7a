"""Which column has which role, by the names and cells of the rows that count (`lib.rules.roles`).

Cells choose where they are clear. Where two columns are plausible, a person is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from lib.cli.init.proposal import TITLES, Choice, Entry, Given, Proposal, Question
from lib.cli.init.sample import (
    Sample,
    SampleRow,
    amounts_of,
    are_times_of_day,
    filled,
    is_amount,
    is_sum,
    kind_of_cells,
)
from lib.model.fields import HIGHEST_NUMBER, ParseCell, base_name
from lib.rules.fields import BY_NAME, FIELDS
from lib.rules.fields.languages import (
    AMOUNT_WORDS,
    AREA_CODE_WORDS,
    DEAL_WORDS,
    ID_WORDS,
    NO_VALUE_WORDS,
    ORDER_WORDS,
    OTHER_ID_WORDS,
    OTHER_PERSON_WORDS,
    OWN_SHARE_WORDS,
    PART_WORDS,
    PHONE_WORDS,
    Words,
    is_id,
    words_of,
)
from lib.rules.identity import CLICK_IDS
from lib.rules.roles import NAMED_OTHERWISE, Candidate, Role, amount_in, candidates
from lib.rules.values.cells import RuleError
from lib.rules.values.click_ids import check_click_id
from lib.rules.values.countries import find_region
from lib.rules.values.dates import is_moment, read_moment
from lib.run.column_content import columns_by_content
from lib.source.header import columns_named
from lib.source.vocabulary import Tier, header_key, header_parts, vocabulary_of

_LEAST_CENTS: Final = 2
"""Rows that must agree: one row may be a coincidence."""
_CENTS: Final = 100
_FEWEST_CLICKS: Final = 2
_MORE: Final = 1.5
_WHICH: Final = Words(
    """
    number no nr 番号 main メイン サブ primary home private work other alt geschaftlich privat
    домашн рабоч billing contact customer client buyer kunde kontakt
    """
)
"""Which phone of a customer it is."""
_FEWEST_PEOPLE: Final = 0.2
"""Share of the rows that have another person: a company's own number is the same in all."""
_FEWEST_NUMBERS: Final = 0.3
"""An order may have several lines."""
_OWN_ADDRESSES: Final = 3
"""So few addresses or numbers in many sales are the company's own, not those of people."""
_NUMBER: Final = re.compile(r"[+(]{0,2}\d(?:[\s()./-]{0,3}\d){6,14}")
_FEWEST_DIGITS: Final = 7
"""Of a phone number."""

_LETTERS_AND_NUMBER: Final = re.compile(r"[A-Z]{1,5}[-_/]?\d[\d/_-]{2,}", re.ASCII)
_DATE: Final = re.compile(r"\D{0,12}(?:20\d\d\D{1,4}\d?\d\D{1,4}\d?\d|\d?\d\D{1,15}20\d\d)(?!\d)")
"""A date in whatever language."""
_MONEY: Final = re.compile(r"[^\d%:/#]{0,8}\d[\d.,'\s]*[^\d%:/#]{0,8}$")
"""An amount in whatever currency."""
_CELLS_SHOWN: Final = 3
_MOST_CHOICES: Final = 9
_LONGEST_CELL: Final = 40
_SOON: Final = timedelta(days=1)
_CERTAIN_TIME: Final = 1
"""Up to this rank, the name of a column says that something was sold or paid."""
_CERTAIN_ID: Final = 5
"""Up to this rank, the name of a column says that it is an ID."""
_NAMED_ID: Final = 6
"""Up to this rank, it is an ID of something. If there is only one, it is that of the row."""
_BOOKED: Final = Words("booked booking gebucht *buchung* reservation* reserva* prenota* boekings*")
_BEGINS: Final = Words("start starts begin* appointment visit arrival session termin* inicio debut")
_NO_CODES: Final = 8
"""From this rank on, its cells are no codes, and its name does not say that it is an ID."""
_OF_ROWS: Final = Words("item record row entry element eintrag zeile ligne fila riga rij linha")
_NO_ORDER: Final = ("no order ID", "a sale is recognized by its click or person, and time")
_ENOUGH_ROWS: Final = 20
_FEWEST_ORDERS: Final = 0.2
"""Share of the rows that have an order of their own, if an order has several lines."""

Columns = dict[str, tuple[int, str]]
"""Field → its column and the reason."""


class _Choosing(NamedTuple):
    """What the columns are chosen from: the sample, the cells of the rows that count and of the
    others, and what a person has said. `found` and `asked` are the results."""

    sample: Sample
    rows: Sequence[SampleRow]
    cells: Sequence[Sequence[str]]
    others: Sequence[Sequence[str]]
    given: Given
    now: datetime
    found: Columns
    switched_off: dict[str, str]
    asked: list[Choice]

    def column_of(self, field: str) -> int | None:
        """Return the column that holds a field by its name, or that was chosen for it."""
        if field in self.found:
            return self.found[field][0]
        return self.sample.field_of(field)

    def lacks(self, field: str) -> bool:
        """Return whether a field has no column yet, and nobody has decided on it."""
        return self.column_of(field) is None and not self.given.decides("headers", field)

    def taken(self, but: str = "") -> set[int]:
        """Return the columns with a meaning, except that of the field `but`."""
        held = {**self.sample.header.fields, **{f: at for f, (at, _) in self.found.items()}}
        return {at for field, at in held.items() if field != but}

    def free(self) -> list[tuple[int, str]]:
        """Return the columns without a meaning that a profile can name, with their names."""
        taken, sample = self.taken(), self.sample
        free = (at for at in range(len(sample.names)) if at not in taken)
        return [(at, sample.names[at]) for at in free if sample.can_be_named(at)]

    def candidates(self, role: Role, field: str) -> list[Candidate]:
        """Return the columns that may hold a field, also the one that holds it by its name."""
        names = self.sample.names
        found = candidates(role, names, self.cells, self.taken(field), others=self.others)
        usable = (each for each in found if self.sample.can_be_named(each.column))
        return [each for each in usable if filled(self.rows, each.column)]

    def choose(self, field: str, candidate: Candidate, several: bool) -> None:
        """Take a column. It is named in the profile if its name is not enough, or if there are
        several, so that a new column changes nothing."""
        at, name = candidate.column, self.sample.names[candidate.column]
        if several or self.sample.field_of(field) != at:
            self.found[field] = (at, f'"{name}": {candidate.why}.')

    def ask(self, field: str, choices: Sequence[Candidate], none: str, without: str) -> None:
        """Ask which of the columns holds a field."""
        for each in choices[:_MOST_CHOICES]:
            name = self.sample.names[each.column]
            self.asked.append(Choice(name, name, self._shown(each.column), field))
        self.asked.append(Choice(none, None, without, field))

    def question(self) -> tuple[Question, ...]:
        """Return one question about all fields that are asked about: a sale is a row with a time
        and a value."""
        fields = list(dict.fromkeys(each.column for each in self.asked))
        if not fields:
            return ()
        titles = [TITLES[each][0].lower() + TITLES[each][1:] for each in fields]
        return (
            Question(
                key="headers",
                where=fields[0] if len(fields) == 1 else "",
                is_needed=fields != ["order_id"],
                text=f"Which column{'s'[: len(fields) > 1]} say{'s'[len(fields) > 1 :]} "
                f"{' and '.join(titles)}?",
                option=" ".join(f"--column {each}=COLUMN" for each in fields),
                choices=tuple(self.asked),
                takes_several=len(fields) > 1,
            ),
        )

    def _shown(self, at: int) -> str:
        cells = filled(self.rows, at)
        few = f"in {len(cells):,} of {len(self.rows):,} rows: " * (2 * len(cells) < len(self.rows))
        first = list(dict.fromkeys(cells))[:_CELLS_SHOWN]
        return few + " | ".join(each[:_LONGEST_CELL] for each in first)


def find_columns(
    sample: Sample,
    rows: Sequence[SampleRow],
    given: Given,
    now: datetime,
    refund_time: int | None,
) -> tuple[dict[str, int], Proposal]:
    """Return the column of each field, and the key `headers` with those that the profile must name.

    `rows` are those that count, and `refund_time` is the column with the time of a refund.
    """
    lines = {row.line for row in rows}
    others = [row.cells for row in sample.rows if row.line not in lines]
    at = _Choosing(sample, rows, [row.cells for row in rows], others, given, now, {}, {}, [])
    if refund_time is not None:
        at.found["adjustment_date_time"] = (refund_time, "the time of a refund.")
    is_sales = sample.header.kind == "conversion"
    steps: tuple[Callable[[_Choosing], None], ...] = (
        *(_misnamed, _by_spelling, _shared, _by_content, _some_clicks),
        *(_further_phones, _whole_numbers_only, _of_the_company),
    )
    if is_sales:
        steps = (*steps, _time, _time_of_day, _value, _currency, _identity)
    for step in (*steps, _namesakes):
        step(at)
    _chosen_by_name(at)
    named: Mapping[str, Sequence[str]] = given.values.get("headers", {})
    for field in named:
        at.found.pop(field, None)
    columns = {**sample.header.fields, **{field: each for field, (each, _) in at.found.items()}}
    for field, names in {**dict.fromkeys(at.switched_off, ()), **named}.items():
        columns.pop(field, None)
        columns.update(
            (field, each) for name in names for each in columns_named(name, sample.names)
        )
    return columns, Proposal(_headers(at, named), at.question())


def _headers(at: _Choosing, named: Mapping[str, Sequence[str]]) -> tuple[Entry, ...]:
    parts: list[tuple[str, Sequence[str], str]] = [
        *((field, [at.sample.names[each]], reason) for field, (each, reason) in at.found.items()),
        *((field, [], reason) for field, reason in at.switched_off.items()),
        *((field, names, at.given.reason("headers", field)) for field, names in named.items()),
    ]
    headers = {field: list(names) for field, names, _ in parts}
    reasons = [f"{field}: {reason}" for field, _, reason in parts]
    return (Entry("headers", headers, "\n".join(reasons)),) if parts else ()


# ── money and time ───────────────────────────────────────────────────────────────────────────────


def _value(at: _Choosing) -> None:
    """Choose the amount of a sale. Several amounts with different cells are a question."""
    field = "conversion_value"
    if at.given.decides("headers", field) or _is_explicit(at, field):
        return
    found = at.candidates("value", field) or _whole_numbers(at)
    found += (each for each in _unread(at, _MONEY, is_amount) if _may_be_money(at, each.column))
    plausible = _different(at, [each for each in found if each.rank < NAMED_OTHERWISE])
    plausible = [each for each in plausible if not _is_in_cents(at, each, found)]
    shares = [each for each in found if each.rank == NAMED_OTHERWISE]
    owns = [each for each in shares if _says(at, each, OWN_SHARE_WORDS)]
    if len(plausible) == 1:
        plausible += _rests(at, plausible[0], found)
    if len(found) == 1 and found[0].rank < NAMED_OTHERWISE:
        at.choose(field, found[0], several=False)
    elif len(plausible) == 1 and not owns and not (shares and plausible[0].rank):
        at.choose(field, plausible[0], len(found) > 1)
    elif found:
        at.ask(field, found, "no value", "send sales without a value")


def _whole_numbers(at: _Choosing) -> list[Candidate]:
    """Return the columns of numbers without cents, whose names do not say what they are."""
    return [
        Candidate(column, "cells", NAMED_OTHERWISE, "numbers")
        for column in at.sample.free_columns()
        if column not in at.taken() and _may_be_value(at, column)
    ]


def _may_be_value(at: _Choosing, column: int) -> bool:
    words = words_of(at.sample.names[column])
    if any(each.match(words) for each in (ID_WORDS, OTHER_ID_WORDS, NO_VALUE_WORDS)):
        return False
    amounts = set(amounts_of(at.cells, column))
    return kind_of_cells(at.rows, column) == "amount" and len(amounts) > 1


def _different(at: _Choosing, found: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates without those whose cells are the same as those of a better one."""
    kept: dict[tuple[str, ...], Candidate] = {}
    for each in found:
        kept.setdefault(tuple(row[each.column] for row in at.cells), each)
    return list(kept.values())


def _is_in_cents(at: _Choosing, candidate: Candidate, found: Iterable[Candidate]) -> bool:
    """Return whether a column has 100 times the amounts of another one."""
    for other in found:
        pairs = [
            (amount_in(row[candidate.column]), amount_in(row[other.column])) for row in at.cells
        ]
        both = [(one, two) for one, two in pairs if one and two]
        if len(both) >= _LEAST_CENTS and all(one == _CENTS * two for one, two in both):
            return True
    return False


def _rests(at: _Choosing, whole: Candidate, found: Sequence[Candidate]) -> list[Candidate]:
    """Return the columns with what is left of the value without another amount: a refund, a tax."""
    amounts = {each.column: [*amounts_of(at.cells, each.column)] for each in found}
    wholes = amounts[whole.column]
    return [
        each
        for each in found
        if (rests := amounts[each.column]) != wholes
        and any(
            any(parts) and is_sum(wholes, rests, parts)
            for column, parts in amounts.items()
            if column not in (whole.column, each.column)
        )
    ]


def _may_be_money(at: _Choosing, column: int) -> bool:
    """Return whether a column is named like an amount, and like the whole of it."""
    words = words_of(at.sample.names[column])
    is_other = NO_VALUE_WORDS.match(words) or PART_WORDS.match(words)
    return AMOUNT_WORDS.match(words) and not is_other


def _unread(
    at: _Choosing, shape: re.Pattern[str], is_read: Callable[[str], bool]
) -> Iterator[Candidate]:
    """Yield the columns with cells of a shape that cannot be read. Whoever chooses one hears of it;
    the only one that can be read is not better for that."""
    for column, _ in at.free():
        cells = filled(at.rows, column)
        if 2 * sum(bool(shape.match(cell)) and not is_read(cell) for cell in cells) > len(cells):
            yield Candidate(column, "cells", _CERTAIN_TIME, "cells that cannot be read")


def _time(at: _Choosing) -> None:
    """Choose the time of a sale. A column with dates in the future is a plan."""
    field = "conversion_date_time"
    if at.given.decides("headers", field) or _is_explicit(at, field):
        return
    found = [*at.candidates("time", field), *_unread(at, _DATE, is_moment)]
    possible = [each for each in found if not _is_planned(at, each)] or found
    # A sale has its time in most rows.
    rows = _without_own_time(at)
    possible = [each for each in possible if 2 * _dates(rows, each.column) >= len(rows)]
    plausible = _different(at, [each for each in possible if each.rank <= NAMED_OTHERWISE])
    plausible = plausible or possible
    if not plausible:
        return
    best, *rest = plausible
    # The better name has no date yet in most rows, or a planned one: a person knows which counts.
    is_doubtful = any(each.rank <= _CERTAIN_TIME < best.rank for each in found)
    # An appointment of the sample may be still to come.
    is_doubtful |= best.rank >= NAMED_OTHERWISE and any(_is_planned(at, each) for each in found)
    # An appointment counts on its day, or when it was booked.
    is_doubtful |= _says(at, best, _BOOKED) and any(
        _says(at, each, _BEGINS) for each in found if each is not best
    )
    is_clear = best.rank <= _CERTAIN_TIME and all(each.rank >= NAMED_OTHERWISE for each in rest)
    is_only_one = len(possible) == 1 or (not rest and best.rank <= _CERTAIN_TIME)
    if ((is_only_one or is_clear) and not is_doubtful) or not rows:
        at.choose(field, best, len(found) > 1)
    else:
        at.ask(field, found, "no date", "the file has none of sales")


def _says(at: _Choosing, candidate: Candidate, words: Words) -> bool:
    return words.match(words_of(at.sample.names[candidate.column]))


def _time_of_day(at: _Choosing) -> None:
    """Join a date with the times of day in the next column: `Data de fechamento`, `Hora de
    fechamento`."""
    field = "conversion_date_time"
    given: Mapping[str, Sequence[str]] = at.given.values.get("headers", {})
    dates = [each for name in given.get(field, ()) for each in columns_named(name, at.sample.names)]
    date = dates[0] if dates else at.column_of(field)
    if date is None or not at.lacks("time_of_day"):
        return
    has_time = any(":" in cell for cell in filled(at.rows, date))
    if not has_time and date + 1 in dict(at.free()) and are_times_of_day(at.rows, date + 1):
        why = f'"{at.sample.names[date + 1]}" is next to the date.'
        at.found["time_of_day"] = (date + 1, why)


def _without_own_time(at: _Choosing) -> Sequence[SampleRow]:
    """Return the rows whose stage has no time of its own."""
    for name, stages in at.given.values.get("actions", {}).items():
        own = {stage for stage, each in stages.items() if "time" in each}
        columns = columns_named(name, at.sample.names)
        return [row for row in at.rows if not any(row.cells[each] in own for each in columns)]
    return at.rows


def _dates(rows: Sequence[SampleRow], at: int) -> int:
    return sum(is_moment(row.cells[at]) for row in rows)


def _is_planned(at: _Choosing, candidate: Candidate) -> bool:
    """Return whether a column contains a time that is still to come, in every order of day and
    month."""
    late = (at.now + _SOON).timestamp()
    return any(_earliest(cell) > late for cell in {row[candidate.column] for row in at.cells})


def _earliest(cell: str) -> float:
    moments = []
    for day_first in (False, True):
        try:
            moments.append(read_moment(cell, UTC, day_first=day_first).instant)
        except RuleError:
            continue
    return min(moments, default=0)


def _is_explicit(at: _Choosing, field: str) -> bool:
    """Return whether a column is named like the field, in words that mean nothing else, and most
    rows have it: `Conversion Date` may be the day on which a lead became a deal."""
    column = at.sample.field_of(field)
    if column is None or 2 * len(filled(at.rows, column)) < len(at.rows):
        return False
    return header_key(at.sample.names[column]).startswith("conversion")


def _currency(at: _Choosing) -> None:
    if at.lacks("currency_code") and (found := at.candidates("currency", "currency_code")):
        at.choose("currency_code", found[0], True)


# ── identity ─────────────────────────────────────────────────────────────────────────────────────


def _identity(at: _Choosing) -> None:
    """Choose the ID of the order. Several IDs are a question. If nobody answers it, the profile
    says that there is none, unless one is certain."""
    field = "order_id"
    if field in at.given.values.get("headers", {}):
        return
    found = [
        each
        for each in at.candidates("identity", field)
        if (each.rank < NAMED_OTHERWISE or _is_of_rows(at, each.column))
        and not are_times_of_day(at.rows, each.column)
        and not _numbers_lines(at, each.column)
    ]
    # An address is different in each row too.
    found = [
        each
        for each in found
        if each.rank < _NO_CODES or _is_order(at, each) or _is_of_rows(at, each.column)
    ] or found
    if (held := at.column_of(field)) is not None:
        # A shop's `Transaction ID` may be that of the payment, if an order has a number too. An
        # `Order No.` in a few rows may be the customer's own.
        is_sparse = 2 * len(filled(at.rows, held)) < len(at.rows)
        if found and held not in {each.column for each in found}:
            found.append(Candidate(held, "name", _NO_CODES, "its name"))
        ids = _different(at, found)
        is_certain = header_key(at.sample.names[held]).startswith("order") and not is_sparse
        if len(ids) > 1 and not is_certain and not at.given.decides("headers", field):
            at.ask(field, ids, *_NO_ORDER)
        return
    named = [each for each in found if each.rank <= _NAMED_ID]
    likely = [each for each in named if each.rank <= _CERTAIN_ID or len(named) == 1]
    likely += [each for each in found if _is_of_rows(at, each.column)]
    is_left_open = at.given.decides("headers", field)
    shared = _ids_of_lines(at, "conversion_date_time", "conversion_value", "email", "phone")
    if shared:
        at.choose(field, shared[0], True)
        return
    # The lines of a deal with two contacts, or the lines of an event with its guests.
    known = {each.column for each in found}
    lines = _ids_of_lines(at, "conversion_date_time", "conversion_value", by_cells=not found)
    found += [each for each in lines if each.column not in known]
    if likely and (len(found) == 1 or is_left_open):
        at.choose(field, likely[0], True)
    elif is_left_open:
        at.switched_off[field] = "no column is certainly the ID of an order."
    elif found:
        at.ask(field, found, *_NO_ORDER)


def _is_order(at: _Choosing, candidate: Candidate) -> bool:
    return _says(at, candidate, ORDER_WORDS) or _says(at, candidate, DEAL_WORDS)


def _numbers_lines(at: _Choosing, column: int) -> bool:
    """Return whether a column only counts the lines of the file: `S.No.` is 1 again tomorrow."""
    words = words_of(at.sample.names[column])
    cells = {row.cells[column] for row in at.sample.rows if row.cells[column]}
    is_named = "id" in words or ORDER_WORDS.match(words) or DEAL_WORDS.match(words)
    return not is_named and cells == {str(number) for number in range(1, len(cells) + 1)}


def _is_of_rows(at: _Choosing, column: int) -> bool:
    """Return whether a column has the ID of the row itself: in a file of this many rows, a product
    or a person would come again."""
    cells = [row.cells[column] for row in at.sample.rows]
    is_named = _OF_ROWS.match(words_of(at.sample.names[column]))
    return is_named and len(set(cells)) == len(cells) >= _ENOUGH_ROWS


def _ids_of_lines(at: _Choosing, *fields: str, by_cells: bool = False) -> list[Candidate]:
    """Return the columns that may be the order, if an order has several lines: they share the cells
    of these fields. The best name comes first. `by_cells`: also those with any name and codes."""
    found = []
    shared = [column for each in fields if (column := at.column_of(each)) is not None]
    for column, name in at.free():
        words = words_of(name)
        is_order = len(words) == 1 and ORDER_WORDS.match(words)
        is_named = is_id(words) or is_order or (by_cells and _are_codes(at, column))
        if not is_named or OTHER_ID_WORDS.match(words) or _numbers_lines(at, column):
            continue
        orders: dict[str, set[tuple[str, ...]]] = {}
        rows = [row for row in at.cells if row[column]]
        for row in rows:
            orders.setdefault(row[column], set()).add(tuple(row[each] for each in shared))
        is_repeated = len(orders) < len(rows) and len(orders) >= _FEWEST_ORDERS * len(rows)
        has_one_sale = all(len(each) == 1 for each in orders.values())
        if is_repeated and has_one_sale and len(rows) == len(at.cells):
            rank = 0 if ORDER_WORDS.match(words) else 1 if DEAL_WORDS.match(words) else 2
            why = "lines of one order share it, and their time and value"
            found.append(Candidate(column, "cells", rank, why))
    # People know an order by its number, and only the shop by its ID.
    return sorted(
        found, key=lambda each: (each.rank, "id" in words_of(at.sample.names[each.column]))
    )


def _are_codes(at: _Choosing, column: int) -> bool:
    """Return whether all cells are like `CH0026093`."""
    return all(_LETTERS_AND_NUMBER.fullmatch(cell) for cell in filled(at.rows, column))


# ── names ────────────────────────────────────────────────────────────────────────────────────────


def _misnamed(at: _Choosing) -> None:
    """Switch off a field whose column has no cell that can be read as it: a text of what was
    bought in `items`. With it, every row would be refused or warned of."""
    for field, column in at.sample.header.fields.items():
        cells = filled(at.rows, column)
        # Who misreads a consent or a country sends what nobody has agreed to, or to nobody.
        is_optional = BY_NAME[base_name(field)].bad_value == "cell" and field != "country_code"
        is_open = is_optional and not at.given.decides("headers", field)
        if cells and is_open and not _readable(field, cells):
            at.switched_off[field] = f'no cell of "{at.sample.names[column]}" can be read as this.'


def _namesakes(at: _Choosing) -> None:
    """Choose one of several columns with names of one field: `Country` and `Country code`. A file
    with two of them is refused."""
    columns: dict[str, list[int]] = {}
    vocabulary = vocabulary_of(FIELDS)
    for column, name in at.free():
        meaning = vocabulary.meaning(name)
        if meaning is not None and meaning.tier is Tier.ALIAS:
            columns.setdefault(meaning.field, []).append(column)
    for field, several in columns.items():
        is_read = BY_NAME[base_name(field)].parse is not None or field == "country_code"
        if len(several) < 2 or not is_read or not at.lacks(field):
            continue
        counts = {each: _readable(field, filled(at.rows, each)) for each in several}
        best = max(several, key=lambda each: counts[each])
        if counts[best]:
            at.found[field] = (best, f'"{at.sample.names[best]}" has the most that can be read.')
        else:
            at.switched_off[field] = "several columns have its name, and none can be read as this."


def _readable(field: str, cells: Iterable[str]) -> int:
    """Return how many cells can be read as a field."""
    return sum(_is_readable(base_name(field), cell) for cell in cells)


def _is_readable(base: str, cell: str) -> bool:
    if base == "country_code":
        return find_region(cell) is not None
    parse = BY_NAME[base].parse
    return parse is None or any(_parses(parse, cell, comma) for comma in (False, True))


def _parses(parse: ParseCell, cell: str, decimal_comma: bool) -> bool:
    try:
        parse(cell, decimal_comma)
    except RuleError:
        return False
    return True


# ── clicks and people ────────────────────────────────────────────────────────────────────────────


def _by_spelling(at: _Choosing) -> None:
    """`order_id (metadata)` and `custom.Order Number` mean what they mean without the rest."""
    vocabulary = vocabulary_of(FIELDS)
    for column, name in at.free():
        parts = header_parts(name)
        inner = parts.name if parts and parts.in_brackets else name.rpartition(".")[2]
        meaning = vocabulary.meaning(inner) if inner != name else None
        if meaning is None or meaning.tier is not Tier.ALIAS:
            continue
        declared = BY_NAME[base_name(meaning.field)]
        # `Amount (thousands)` is another amount, and no column may be a mixture of two.
        if declared.read_unit is None and at.lacks(meaning.field):
            at.found[meaning.field] = (column, f'"{name}" contains the usual name "{inner}".')


def _by_content(at: _Choosing) -> None:
    """The cells look like click IDs, email addresses or phone numbers. Of two columns with the
    phones of one person, the one that has more of them counts; of two people, a person chooses."""
    for fields, alike in _alike(at):
        usable = [
            each
            for each in alike
            if at.sample.can_be_named(each)
            and len(set(cells := filled(at.rows, each))) >= _FEWEST_PEOPLE * len(cells)
        ]
        if not usable or any(at.given.decides("headers", field) for field in fields):
            continue
        theirs = sorted(each for each in usable if _is_theirs(at, each, usable))
        best, held = min(theirs or usable), at.column_of(fields[0])
        name, rivals = at.sample.names[best], theirs
        if all(map(at.lacks, fields)):
            why = f'the cells of "{name}" look like this.'
        elif held is None or not _is_theirs(at, best, [held]):
            continue
        elif len(filled(at.rows, best)) > _MORE * len(filled(at.rows, held)):
            rivals, why = [held, *theirs], f'"{name}" has one in more rows.'
        elif not _is_theirs(at, held, [best]):
            rivals, why = [best], f'"{at.sample.names[held]}" has few different ones.'
        else:
            continue
        if "phone" in fields and len({_whose(at.sample.names[each]) for each in rivals}) > 1:
            found = [Candidate(each, "cells", 0, "phone numbers") for each in rivals]
            at.ask("phone", found, "no phone number", "send none")
        else:
            at.found[fields[0]] = (best, why)


def _alike(at: _Choosing) -> Iterator[tuple[Sequence[str], set[int]]]:
    """Yield fields, and the columns without a meaning whose cells look like theirs."""
    for fields, columns in columns_by_content(at.sample.names, at.cells, at.taken()):
        yield fields, {*columns, *(_named_phones(at) if "phone" in fields else ())}


def _named_phones(at: _Choosing) -> Iterator[int]:
    """Yield the columns that are named like a phone, and have enough digits: `Cep Telefonu`; also
    those in which people have written each number in their own way."""
    for column, name in at.free():
        cells = filled(at.rows, column)
        numbers = [cell for cell in cells if sum(map(str.isdigit, cell)) >= _FEWEST_DIGITS]
        is_phone = PHONE_WORDS.match(words_of(name)) or (
            any(cell[0] == "+" for cell in cells) and all(map(_NUMBER.fullmatch, cells))
        )
        if is_phone and len(set(numbers)) >= _FEWEST_NUMBERS * len(cells) > 0:
            yield column


def _is_theirs(at: _Choosing, column: int, alike: Sequence[int]) -> bool:
    """Return whether a column is about the customers: a parcel may go to somebody else."""
    is_other = OTHER_PERSON_WORDS.match(words_of(at.sample.names[column]))
    return not is_other and _is_their_own(at, column, alike)


def _is_their_own(at: _Choosing, column: int, alike: Sequence[int]) -> bool:
    """Return whether all cells of a column are different, or about as many as in those like it. The
    address of a salesperson, or the phone of a front desk, is the same in many rows."""
    different = {each: len(set(filled(at.rows, each))) for each in {column, *alike}}
    all_different = different[column] == len(filled(at.rows, column))
    return all_different or 2 * different[column] > max(different.values())


def _some_clicks(at: _Choosing) -> None:
    """A column of landing pages, or of notes, has a click ID in some rows. What else it has may not
    pass for one, as an order's number does: the API would refuse the row."""
    content = BY_NAME["gclid"].content
    if content is None or not all(map(at.lacks, CLICK_IDS)):
        return
    counts = dict[int, int]()
    for column, _ in at.free():
        cells = filled(at.rows, column)
        others = [cell for cell in cells if not content.pattern.fullmatch(cell)]
        if not any(map(_passes_for_click, others)):
            counts[column] = len(cells) - len(others)
    best = max(counts, key=lambda column: counts[column], default=None)
    if best is not None and counts[best] >= _FEWEST_CLICKS:
        name = at.sample.names[best]
        at.found["gclid"] = (best, f'some cells of "{name}" look like this.')


def _passes_for_click(cell: str) -> bool:
    """Return whether a cell would be sent as a click ID without saying that it is one."""
    try:
        check_click_id(cell)
    except RuleError:
        return False
    return "gclid" not in cell.casefold()


def _further_phones(at: _Choosing) -> None:
    """Shops have a phone number of the customer, and one of the invoice; agencies have a mobile and
    another number of one person."""
    first = at.column_of("phone")
    if first is None or at.given.decides("headers", "phone"):
        return
    whose = _whose(at.sample.names[first])
    for column in sorted(
        each for fields, alike in _alike(at) if "phone" in fields for each in alike
    ):
        name = at.sample.names[column]
        numbers = (f"phone_{number}" for number in range(2, HIGHEST_NUMBER + 1))
        numbered = next(filter(at.lacks, numbers), None)
        is_usable = at.sample.can_be_named(column) and _is_theirs(at, column, [first])
        if numbered and is_usable and _whose(name) == whose:
            at.found[numbered] = (column, f'the cells of "{name}" look like this too.')


def _whose(name: str) -> frozenset[str]:
    """Return the words of a phone's name without those for phones: whose it is."""
    about_phones = (PHONE_WORDS, _WHICH)
    return frozenset(w for w in words_of(name) if not any(each.match([w]) for each in about_phones))


def _shared(at: _Choosing) -> None:
    """Leave out a phone or an email address that several people have, beside their own: that of a
    front desk."""
    for field in ("phone", "email"):
        header = at.sample.header.fields
        columns = [column for each, column in header.items() if base_name(each) == field]
        own = [each for each in columns if _is_their_own(at, each, columns)]
        if len(own) == len(columns) or at.given.decides("headers", field):
            continue
        for number, column in enumerate(own, 1):
            if at.sample.can_be_named(column):
                why = f'"{at.sample.names[column]}" is each person\'s own.'
                at.found[field if number == 1 else f"{field}_{number}"] = (column, why)


def _of_the_company(at: _Choosing) -> None:
    """Leave out the addresses and numbers of the company itself, which are in every sale."""
    for field in ("phone", "email"):
        column = at.sample.field_of(field)
        if column is None or field in at.found or at.given.decides("headers", field):
            continue
        cells, content = filled(at.rows, column), BY_NAME[field].content
        if content is None or not all(map(content.pattern.fullmatch, set(cells))):
            continue
        is_usual = len(cells) >= max(_ENOUGH_ROWS, len(at.rows) / 2)
        if is_usual and len(set(cells)) <= _OWN_ADDRESSES:
            at.switched_off[field] = f'"{at.sample.names[column]}" has the same few in most rows.'


def _whole_numbers_only(at: _Choosing) -> None:
    """A phone number without its area code, which another column has, is that of somebody else."""
    column = at.column_of("phone")
    has_code = any(AREA_CODE_WORDS.match(words_of(name)) for name in at.sample.names)
    if column is not None and has_code and not at.given.decides("headers", "phone"):
        at.found.pop("phone", None)
        at.switched_off["phone"] = f'"{at.sample.names[column]}" lacks the area code.'


def _chosen_by_name(at: _Choosing) -> None:
    """Columns that were chosen among several by their names are named in the profile too."""
    codes = {note.code: note.detail for note in at.sample.header.notes}
    asked = {each.column for each in at.asked}
    for field, column in at.sample.header.fields.items():
        code = BY_NAME[base_name(field)].choice_code
        free = field not in at.found and field not in asked
        if code in codes and free and at.sample.can_be_named(column):
            at.found[field] = (column, f"chosen by its name: {codes[code]}.")
