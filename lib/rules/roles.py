"""Roles: what decides about money, time, identity and whether a row counts, each declared once.

For each role, names (in any of our languages) and cells make a column a candidate. In `init`,
candidates are ranked and a person chooses. In a run, names and the profile choose, and cells can
only object: a rival that the profile doesn't answer stops the file (`ROLE_UNDECIDED`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final, Literal, NamedTuple, get_args

from lib.model.fields import Field, base_name
from lib.rules.fields import BY_NAME
from lib.rules.fields.languages import (
    AMOUNT_WORDS,
    CANCEL_WORDS,
    CREATED_WORDS,
    DEAL_WORDS,
    ID_WORDS,
    KIND_WORDS,
    NAME_WORDS,
    NO_COUNTS_WORDS,
    NO_VALUE_WORDS,
    ORDER_WORDS,
    OTHER_DATE_WORDS,
    OTHER_ID_WORDS,
    PART_WORDS,
    RECORD_WORDS,
    REFUND_WORDS,
    SALE_DATE_WORDS,
    TAX_SIDE_WORDS,
    TIME_WORDS,
    Words,
    is_consent_column,
    is_id,
    words_of,
)
from lib.rules.stages import Stage, is_harmless, is_stage_column, stage_of
from lib.rules.values.cells import RuleError, is_placeholder, unwrap
from lib.rules.values.currencies import parse_currency
from lib.rules.values.dates import is_moment
from lib.rules.values.money import parse_value, written_currency
from lib.rules.values.order_ids import looks_personal

Role = Literal["value", "currency", "time", "identity", "counts", "click", "person", "consent"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

_SampleRows = Sequence[Sequence[str]]


class Candidate(NamedTuple):
    """A column that may have a role. A lower `rank` is better.

    `why` has no cell and no name, so it may be shown. The profile makes the column count by its
    `key`: by the column's name alone under `headers`, else by `values`, which only have words for
    stages.
    """

    column: int
    by: Literal["profile", "name", "cells"]
    rank: int
    why: str
    key: Literal["headers", "include", "exclude"] = "headers"
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleReading:
    """The column that has a role, and its rivals: other plausible columns that the profile doesn't
    answer, the best one first. `also`: further columns of the role, such as a second phone.
    `others`: columns that are probably something else."""

    role: Role
    chosen: Candidate | None
    rivals: tuple[Candidate, ...] = ()
    also: tuple[Candidate, ...] = ()
    others: tuple[Candidate, ...] = ()


Reading = Mapping[Role, RoleReading]


# ── what cells look like ─────────────────────────────────────────────────────────────────────────

_MOST_CELLS: Final = 16
"""Different cells of a column that are read. The cost is per file, and must not matter."""
_MOST: Final = 0.6
"""Share of the cells that must look alike: exports have words such as `tbd` among amounts."""
_LONGEST_ID: Final = 64
"""Google's limit of an order ID."""
_FEWEST_DIFFERENT: Final = 0.95
"""Share of the rows that have an ID of their own. Some rows may be repeated by mistake."""
_MOST_KINDS: Final = 40
"""A column with more different cells is no list of kinds."""
_ROWS_OF_A_KIND: Final = 2
_LONGEST_SIGN: Final = 3
_LONGEST_CURRENCY: Final = 30
_FEWEST_OTHERS: Final = 3
_FEW: Final = 0.1
_A_FIFTH: Final = 0.2

_CENTS: Final = re.compile(r"[.,]\d{2}(?:00)?(?!\d)|[.,][1-9](?!\d)")
_GROUPS: Final = re.compile(r"\d[.,' \u00a0\u202f]\d{3}(?!\d)")
_MANY_DECIMALS: Final = re.compile(r"[.,](?!\d\d00(?!\d))\d{4,}(?!\d)")
"""Shops write `1120.0000`: these are cents too."""
_NO_AMOUNT: Final = re.compile(r":|\d[-/]\d|[A-Za-z]{5}|^[A-Za-z]{1,3}-?\d+$")
"""Times, dates, words, and numbers such as `R-1001`: R is also the rand."""
_FALSE: Final = frozenset({"false", "no", "n", "0", "falsch", "nein", "non", "faux", "nee", "não"})
_CODE: Final = re.compile(r"[^\W_]*\d[\w./:#-]*|[A-Za-z]+[-./_#:]?\d[\w./:#-]*")
_CAPITALS: Final = re.compile(r"[A-Z]{6,}", re.ASCII)
"""PrestaShop's order references."""
_SHORT_NUMBER: Final = re.compile(r"#\d+")
_TRUE: Final = frozenset(
    {"true", "yes", "y", "1", "x", "✓", "✔", "wahr", "ja", "oui", "vrai", "si", "sí", "sim", "tak"}
)
_BOOLEANS: Final = _TRUE | _FALSE

Looks = Literal["money", "decimal", "integer", "ratio", "date", "code", "word"]


def amount_in(cell: str) -> float | None:
    """Return the amount in a cell, in any spelling and without its sign; None: it is none."""
    if not any(map(str.isdigit, cell)):
        return None
    for decimal_comma in (False, True):
        try:
            return parse_value(cell, decimal_comma)
        except RuleError as error:
            if error.code == "NEGATIVE_VALUE":
                return amount_in(cell.strip("()").translate(_NO_MINUS))
    return None


_NO_MINUS: Final = dict.fromkeys(map(ord, "-\u2212\u2013"))


class _Read(NamedTuple):
    """What one cell looks like, and its amount."""

    looks: Looks
    amount: float | None = None


def _read(cell: str) -> _Read:
    if not any(map(str.isdigit, cell)):
        return _Read("word")
    if cell.isdecimal():
        return _Read("integer", float(cell))
    amount = None if _NO_AMOUNT.search(cell) else amount_in(cell)
    if amount is None:
        return _Read("date" if is_moment(cell) else "code")
    if not cell.isascii() or any(map(str.isalpha, cell)) or "$" in cell:
        return _Read("money", amount)
    if _MANY_DECIMALS.search(cell):
        return _Read("ratio", amount)
    has_cents = _CENTS.search(cell) or _GROUPS.search(cell)
    return _Read("decimal" if has_cents else "integer", amount)


def names_stage(name: str) -> bool:
    """Return whether the name of a column says that it has stages: `Deal Stage`, `statusName`."""
    return is_stage_column(name) or any(map(is_stage_column, words_of(name)))


class ColumnSample:
    """A column of the first rows: its name, and its cells without what spreadsheets add to them.

    `cells` are those of the rows that count, `others` of the rest. Placeholders are empty.
    """

    def __init__(self, at: int, name: str, cells: Sequence[str], others: Sequence[str]) -> None:
        self.at = at
        self.name = name
        plain = {cell: _plain(cell) for cell in {*cells, *others}}
        self.cells = [plain[cell] for cell in cells]
        self.others = [plain[cell] for cell in others]
        self.counts = Counter(filter(None, self.cells))
        """Its cells in rows that count, each with the number of these rows."""
        self.every = self.counts + Counter(filter(None, self.others)) if others else self.counts

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of its name."""
        return words_of(self.name)

    @cached_property
    def is_named_stage(self) -> bool:
        """Whether its name says that it has stages."""
        return names_stage(self.name)

    def says(self, words: Words) -> bool:
        """Return whether its name has one of these words."""
        return words.match(self.words)

    @property
    def filled(self) -> int:
        """The number of rows that count in which it has a cell."""
        return self.counts.total()

    @cached_property
    def first(self) -> list[str]:
        """Its first different cells."""
        return list(islice(self.every, _MOST_CELLS))

    @cached_property
    def read(self) -> list[_Read]:
        """What these are."""
        return list(map(_read, self.first))

    def share(self, *looks: Looks) -> float:
        """Return the share of the cells that look like this."""
        return sum(each.looks in looks for each in self.read) / (len(self.read) or 1)

    @cached_property
    def is_amounts(self) -> bool:
        """Whether most cells are amounts, with cents or a currency, or with a name that says so."""
        if not self.is_numbers or not any(each.amount for each in self.read):
            return False
        if self.says(AMOUNT_WORDS):
            return True
        is_small = all((each.amount or 0) <= 1 for each in self.read)  # probabilities, flags
        return self.share("money", "decimal") > self.share("ratio") and not is_small

    @cached_property
    def is_numbers(self) -> bool:
        """Whether most cells are numbers, also if all are zero."""
        return self.share("money", "decimal", "integer", "ratio") >= _MOST

    @cached_property
    def is_dates(self) -> bool:
        """Whether most cells are dates. Numbers are, only with a name that says so."""
        if self.share("date") > 0.5:
            return True
        if self.share("integer", "date") <= 0.5 or self.share("integer") == 0:
            return False
        is_time = self.says(TIME_WORDS) or self.says(SALE_DATE_WORDS) or self.says(CREATED_WORDS)
        return is_time and not self.says(ID_WORDS) and all(map(is_moment, self.first))

    @cached_property
    def is_kinds(self) -> bool:
        """Whether it has a few different words, as a list of stages has."""
        return len(self.every) <= _MOST_KINDS and self.share("word") >= 0.5

    @cached_property
    def stages(self) -> Mapping[str, Stage]:
        """What its words say about their rows, as far as it is known."""
        if not self.is_kinds:
            return {}
        return {cell: stage for cell in self.every if (stage := stage_of(cell))}

    @property
    def is_only_in_rows_that_count(self) -> bool:
        """Whether it is filled in most rows that count, and in hardly any other."""
        others = len(self.others)
        if others < _FEWEST_OTHERS or self.filled < _MOST * len(self.cells):
            return False
        return sum(map(bool, self.others)) <= _FEW * others

    @cached_property
    def is_boolean(self) -> bool:
        """Whether all cells are TRUE or FALSE, yes or no."""
        return all(cell.casefold() in _BOOLEANS for cell in self.every)

    def is_codes(self, *, repeated: bool = False) -> bool:
        """Whether the cells are all different, and neither amounts, dates, nor about a person.

        `repeated`: they need not be different, as in a file with a row for each item of an order.
        """
        cells = self.counts
        fewest = _A_FIFTH if repeated else _FEWEST_DIFFERENT
        if not cells or self.filled < len(self.cells) * _FEWEST_DIFFERENT:
            return False
        if len(cells) < fewest * self.filled:
            return False
        if self.share("word") > 1 - _MOST and not all(map(_CAPITALS.fullmatch, cells)):
            return False
        if self.share("money", "decimal", "ratio") > 0.5 or self.is_dates:
            return False
        return not any(len(each) > _LONGEST_ID or looks_personal(each) for each in self.first)


# ── what makes a column a candidate ──────────────────────────────────────────────────────────────

Found = tuple[int, str] | None
"""The rank of a candidate, and why it is one; None: it is none."""

_DATES_OF_ANYTHING: Final = 3
_LAST_ORDER_ID: Final = 3
NAMED_OTHERWISE: Final = 10
"""Candidates from this rank on are probably something else: their name says so."""


def _of_value(column: ColumnSample) -> Found:
    if not column.is_amounts:
        return None
    is_tax = column.says(NO_VALUE_WORDS) and not column.says(TAX_SIDE_WORDS)
    if is_tax or "%" in column.name:
        return NAMED_OTHERWISE + 2, "amounts, but the name says that they are something else"
    if column.says(PART_WORDS):
        return NAMED_OTHERWISE, "amounts, but perhaps a part of the value"
    if column.says(AMOUNT_WORDS):
        return 0, "amounts, and a name that says so"
    return 1 if column.share("money") else 2, "amounts"


def _of_currency(column: ColumnSample) -> Found:
    if column.share("word") < _MOST:
        return None
    are_currencies = sum(currency_in(cell) is not None for cell in column.first)
    return (0, "currencies") if are_currencies >= _MOST * len(column.first) else None


def currency_in(cell: str) -> str | None:
    """Return the currency in a cell: its code, name or sign."""
    if len(cell) > _LONGEST_CURRENCY:
        return None
    try:
        return parse_currency(cell)
    except RuleError:
        pass
    is_sign = len(cell) <= _LONGEST_SIGN and not any(map(str.isdigit, cell))
    return written_currency(f"1 {cell}") if is_sign else None


def _of_time(column: ColumnSample) -> Found:
    if not column.is_dates:
        return None
    if column.says(OTHER_DATE_WORDS):
        return NAMED_OTHERWISE + 2, "dates, but the name says that they are something else"
    is_sale = column.says(SALE_DATE_WORDS)
    if column.says(CREATED_WORDS):
        return NAMED_OTHERWISE, "dates, but perhaps those of the first contact"
    rank = 0 if is_sale else _DATES_OF_ANYTHING
    if column.is_only_in_rows_that_count:
        return rank, "dates, only in rows that count"
    if is_sale:
        return 1, "dates, and a name that says that something was sold or paid"
    return _DATES_OF_ANYTHING + 1, "dates"


def _of_identity(column: ColumnSample) -> Found:
    has_id = is_id(column.words) or "#" in column.name
    is_order = has_id and column.says(ORDER_WORDS)
    if not column.is_codes(repeated=is_order) or column.says(AMOUNT_WORDS):
        return None
    if all(map(_SHORT_NUMBER.fullmatch, column.counts)):
        return 0, "a number of its own in each row"
    if column.says(OTHER_ID_WORDS):
        return NAMED_OTHERWISE, "different in each row, but the name says that it is another ID"
    if not has_id and not all(map(_CODE.fullmatch, column.counts)):
        return 8, "different in each row"
    if column.says(ORDER_WORDS):
        return 0 if has_id else 2, "different in each row, and the name is that of an order"
    if column.says(DEAL_WORDS):
        return 1 if has_id else 3, "different in each row, and the name is that of a deal"
    if has_id and column.says(RECORD_WORDS):
        return 4, "different in each row, and the name is that of a record"
    if has_id:
        return 5 if len(column.words) == 1 else 6, "different in each row, and the name is of an ID"
    return 7, "different in each row"


def _of_counts(column: ColumnSample) -> Found:
    if says_no_sale(column):
        return 0, "some rows say that they are no sales"
    is_named = column.is_named_stage or column.says(KIND_WORDS)
    stages = column.stages.values()
    if "not_won" in stages:
        return 1, "words for rows that are no sales"
    if column.is_boolean and len(column.every) > 1:
        return 3 if is_named else 6, "true or false"
    if "won" in stages and is_named:
        return 2, "words for sales"
    if not column.is_kinds or not 2 <= len(column.every) <= sum(column.every.values()) // 2:
        return None
    return 4 if is_named else 8, "a few different words"


def _of_consent(column: ColumnSample) -> Found:
    return (0, "a name that speaks of consent") if is_consent_column(column.name) else None


def _with_content(role: Role) -> Callable[[ColumnSample], Found]:
    """Return how a column is recognized by the contents that the fields of a role declare."""
    contents = {field.content for field in fields_of(role) if field.content}

    def of_content(column: ColumnSample) -> Found:
        for content in contents:
            alike = sum(bool(content.pattern.fullmatch(each)) for each in column.first)
            if 2 * alike > len(column.first):
                return 0, "cells that look like it"
        return None

    return of_content


_FIELDS: Final[Mapping[Role, Sequence[str]]] = {
    "value": ("conversion_value",),
    "currency": ("currency_code",),
    "time": ("conversion_date_time",),
    "identity": ("order_id",),
    "counts": (),
    "click": ("gclid", "gbraid", "wbraid"),
    "person": ("email", "phone", "hashed_email", "hashed_phone_number"),
    "consent": ("ad_user_data",),
}
"""Role → the fields that hold it, the best one first."""


def fields_of(role: Role) -> list[Field]:
    """Return the fields that hold a role."""
    return [BY_NAME[name] for name in _FIELDS[role]]


_CANDIDATE_RULES: Final[Mapping[Role, Callable[[ColumnSample], Found]]] = {
    "value": _of_value,
    "currency": _of_currency,
    "time": _of_time,
    "identity": _of_identity,
    "counts": _of_counts,
    "click": _with_content("click"),
    "person": _with_content("person"),
    "consent": _of_consent,
}


def candidates(
    role: Role,
    names: Sequence[str],
    rows: _SampleRows,
    known: Collection[int] = (),
    *,
    others: _SampleRows = (),
) -> list[Candidate]:
    """Return the columns that may have a role by their names and cells, the best one first.

    `rows` are those that count as far as it is known, `others` the rest. `known` are columns with
    another meaning. From the rank `NAMED_OTHERWISE` on, a column is probably something else.
    """
    free = (at for at in range(len(names)) if at not in known)
    columns = [_sample(at, names, rows, others) for at in free]
    return [found for _, found in _ranked(role, columns)]


def _sample(at: int, names: Sequence[str], rows: _SampleRows, others: _SampleRows) -> ColumnSample:
    return ColumnSample(at, names[at], [row[at] for row in rows], [row[at] for row in others])


def _plain(cell: str) -> str:
    """Return a cell without what spreadsheets add to it; "" for a placeholder."""
    if cell.isascii() and cell[:1].isalnum() and cell[-1:].isdigit():
        return cell  # nothing to unwrap, and no placeholder
    text = unwrap(cell, "text")
    return "" if text != "0" and is_placeholder("text", text) else text


def _ranked(role: Role, columns: Sequence[ColumnSample]) -> list[tuple[ColumnSample, Candidate]]:
    rule = _CANDIDATE_RULES[role]
    found = [
        (column, Candidate(column.at, "cells", *each))
        for column in columns
        if column.every and (each := rule(column))
    ]
    # A name decides between equal ranks: another order of the columns is the same file.
    return sorted(found, key=lambda each: (each[1].rank, each[0].name, each[0].at))


# ── the reading of a file ────────────────────────────────────────────────────────────────────────


def read_roles(
    names: Sequence[str],
    rows: _SampleRows,
    fields: Mapping[str, int],
    *,
    decided: Collection[Role] = (),
    others: _SampleRows = (),
    known: Collection[int] = (),
    answered: Collection[int] = (),
    last_resorts: Collection[str] = (),
    currency: str = "",
) -> Reading:
    """Return which column has which role, why, and its rivals.

    `names` is the header. `rows` are the first rows that count by the profile, `others` the rest.
    `fields` maps each field to its column; those in `last_resorts` have it only because the file
    has no better one. `known` are columns with another meaning. The profile answers the roles in
    `decided`, and says by the columns `answered` which rows count. `currency` is what it or the
    name of the value's column says.
    """
    known = {*known, *fields.values(), *answered}
    free = [
        column
        for at in range(len(names))
        if at not in known and (column := _sample(at, names, rows, others)).every
    ]
    file = _File(names, rows, fields, answered, last_resorts, currency, free)
    return {role: file.reading(role, is_decided=role in decided) for role in ROLES}


_Ranked = tuple[ColumnSample, Candidate]

_WHY: Final = {"profile": "the profile says so", "name": "its name says so"}
_OWN_NAMES: Final[Mapping[Role, tuple[str, ...]]] = {
    "value": ("conversion value",),
    "time": ("conversion time", "conversion date time"),
}
"""How Google's templates and this function name a column. In such a file, nothing rivals it."""


@dataclass(frozen=True, slots=True)
class _File:
    """What the roles of a file are read from (`read_roles`). `free`: columns without a meaning."""

    names: Sequence[str]
    rows: _SampleRows
    fields: Mapping[str, int]
    answered: Collection[int]
    last_resorts: Collection[str]
    currency: str
    free: Sequence[ColumnSample]

    def reading(self, role: Role, *, is_decided: bool) -> RoleReading:
        """Return the columns that have or may have a role."""
        columns = [at for name, at in self.fields.items() if base_name(name) in _FIELDS[role]]
        if role == "counts":
            columns = sorted(self.answered)
        by: Literal["profile", "name"] = "profile" if is_decided or role == "counts" else "name"
        chosen = [Candidate(at, by, 0, _WHY[by]) for at in columns]
        # What is cheap to know is shown; what no answer depends on is not read.
        found = [] if columns and role not in _OBJECTIONS else _ranked(role, self.free)
        rivals = () if is_decided else tuple(self._rivals(role, found, columns))
        return RoleReading(
            role,
            chosen[0] if chosen else None,
            rivals,
            tuple(chosen[1:]),
            tuple(each for _, each in found if each not in rivals),
        )

    def _rivals(
        self, role: Role, found: Sequence[_Ranked], columns: Sequence[int]
    ) -> Iterator[Candidate]:
        """Yield the candidates that object to the choice of `columns`."""
        objects = _OBJECTIONS.get(role)
        if not objects or not found:
            return
        chosen = _sample(columns[0], self.names, self.rows, ()) if columns else None
        own = _OWN_NAMES.get(role)
        if chosen and own and " ".join(chosen.words).startswith(own):
            return
        for column, each in found:
            if objects(self, column, each, chosen):
                yield _with_values(each, column) if role == "counts" else each

    def _value_objects(
        self, column: ColumnSample, found: Candidate, chosen: ColumnSample | None
    ) -> bool:
        """An amount that is not that of the chosen column; a part of a value, if it has none."""
        amounts = list(map(amount_in, column.cells))
        if found.rank >= (NAMED_OTHERWISE if chosen else NAMED_OTHERWISE + 2):
            return False
        if sum(map(bool, amounts)) < max(1, _A_FIFTH * len(amounts)):
            return False
        return chosen is None or any(
            one is not None and one != other and cell != chosen_cell
            for one, other, cell, chosen_cell in zip(
                amounts, map(amount_in, chosen.cells), column.cells, chosen.cells, strict=True
            )
        )

    def _currency_objects(
        self, column: ColumnSample, found: Candidate, chosen: ColumnSample | None
    ) -> bool:
        """Codes of another currency than that of the profile or of the value's name."""
        if chosen or "conversion_value" not in self.fields:
            return False
        return any(currency_in(cell) not in (self.currency, None) for cell in column.counts)

    def _time_objects(
        self, column: ColumnSample, found: Candidate, chosen: ColumnSample | None
    ) -> bool:
        """A date of a sale, or one that only rows that count have. Any date, if the chosen one is
        probably not that of the sale."""
        if chosen is None or found.rank >= NAMED_OTHERWISE or not column.filled:
            return False
        is_vague = "conversion_date_time" in self.last_resorts or OTHER_DATE_WORDS.match(
            chosen.words
        )
        says_sale = found.rank < _DATES_OF_ANYTHING
        is_most = 2 * column.filled > len(column.cells)
        if not says_sale and not (is_most and (is_vague or column.is_only_in_rows_that_count)):
            return False
        return any(
            cell and _day(cell) != _day(other)
            for cell, other in zip(column.cells, chosen.cells, strict=True)
        )

    def _identity_objects(
        self, column: ColumnSample, found: Candidate, chosen: ColumnSample | None
    ) -> bool:
        """An ID that is named after an order or a deal: if the chosen one is an amount, or if there
        is none and Google would count something else than these orders."""
        if found.rank > _LAST_ORDER_ID:
            return False
        if chosen is None:
            return self._would_miscount(column)
        return chosen.share("money", "decimal") > 0.5 or (
            len(chosen.counts) == 1 and chosen.filled > _ROWS_OF_A_KIND
        )

    def _would_miscount(self, orders: ColumnSample) -> bool:
        """Return whether, without order IDs, two orders would be one conversion for Google, or one
        order several. It recognizes a click or a person, and the time."""
        by_click, by_person = (
            [at for name, at in self.fields.items() if base_name(name) in _FIELDS[role]]
            for role in ("click", "person")
        )
        time = self.fields.get("conversion_date_time")
        pairs = set[tuple[str, tuple[str, ...]]]()
        for order, row in zip(orders.cells, self.rows, strict=True):
            own = [row[at] for at in by_click if row[at]] or [row[at] for at in by_person]
            if order and time is not None and row[time] and any(own):
                pairs.add((order, (*own, row[time])))
        return any(len(set(each)) < len(pairs) for each in zip(*pairs, strict=True))

    def _counts_objects(
        self, column: ColumnSample, found: Candidate, chosen: ColumnSample | None
    ) -> bool:
        """Rows that count say that they are no sales; or nothing says what the stages mean."""
        if column.is_numbers and column.says(REFUND_WORDS) and self._is_net_of_refunds:
            return False
        if says_no_sale(column, is_answered=chosen is not None):
            return True
        return chosen is None and _is_undecided_stage(column)

    @property
    def _is_net_of_refunds(self) -> bool:
        """Whether the value is, by its name, what is left of it: `Total (- Refund)`."""
        at = self.fields.get("conversion_value")
        return at is not None and REFUND_WORDS.match(words_of(self.names[at]))


_OBJECTIONS: Final[
    Mapping[Role, Callable[[_File, ColumnSample, Candidate, ColumnSample | None], bool]]
] = {
    "value": _File._value_objects,
    "currency": _File._currency_objects,
    "time": _File._time_objects,
    "identity": _File._identity_objects,
    "counts": _File._counts_objects,
}


def _day(cell: str) -> str:
    """Return the day of a time, to compare two columns of one file: its first ten characters."""
    return cell.replace("T", " ").partition(" ")[0] if cell[:1].isdigit() else cell


def says_no_sale(column: ColumnSample, *, is_answered: bool = False) -> bool:
    """Return whether rows that count say in this column that they are no sales.

    `is_answered`: the profile says by other columns which rows are sales, so it matters no more
    whether they are paid.
    """
    if column.says(NO_COUNTS_WORDS):
        return False
    is_about_undoing = column.says(REFUND_WORDS) or column.says(CANCEL_WORDS)
    if column.is_boolean:
        cells = set(map(str.casefold, column.counts))
        if stage_of(column.name) == "won":
            return not is_answered and not cells.isdisjoint(_FALSE)
        says = is_about_undoing or stage_of(column.name) == "not_won"
        return says and not cells <= _FALSE
    if is_about_undoing and (column.is_dates or column.is_numbers):
        return any(amount_in(cell) != 0 for cell in column.counts)
    lost = [cell for cell in column.counts if column.stages.get(cell) == "not_won"]
    if column.is_named_stage:
        return bool(lost)
    has_others = len(column.counts) > 1 or column.filled < len(column.cells)
    return has_others and not column.says(NAME_WORDS) and any(map(is_harmless, lost))


def _with_values(found: Candidate, column: ColumnSample) -> Candidate:
    """Return a candidate with what the profile would list of it: words for stages and no others."""
    cells = list(column.every)
    if column.is_boolean:
        wanted = tuple(cell for cell in cells if cell.casefold() in _TRUE) or ("TRUE",)
        is_won = stage_of(column.name) == "won"
        return found._replace(key="include" if is_won else "exclude", values=wanted)
    if column.is_dates or column.is_numbers:
        nothing = {cell for cell in cells if amount_in(cell) == 0}
        return found._replace(key="include", values=tuple(sorted(nothing)) or ("",))
    known = {cell for cell in column.stages if is_harmless(cell)}
    won = tuple(each for each in cells if each in known and column.stages[each] == "won")
    if len(known) < len(cells):
        return found._replace(key="include", values=(*won, "..."))
    if won:
        return found._replace(key="include", values=won)
    return found._replace(key="exclude", values=tuple(cells))


def _is_undecided_stage(column: ColumnSample) -> bool:
    """Return whether a column has stages of sales, some of them unknown."""
    if not column.is_named_stage or column.says(NO_COUNTS_WORDS):
        return False
    if len(column.counts) < 2 or not column.is_kinds or column.is_codes():
        return False
    of_sale = [word for word in column.words if not is_stage_column(word)]
    is_about_sales = all(
        any(words.match([word]) for words in (SALE_DATE_WORDS, DEAL_WORDS, KIND_WORDS))
        for word in of_sale
    )
    return is_about_sales and any(column.stages.get(cell) != "won" for cell in column.counts)
