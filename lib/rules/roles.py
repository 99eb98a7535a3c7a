"""Roles: what decides about money, time, identity and whether a row counts, each declared once.

For each role, names (in any of our languages) and cells make a column a candidate. In `init`,
candidates are ranked and a person chooses. In a run, names and the profile choose, and cells can
only object: a rival that the profile doesn't answer stops the file (`ROLE_UNDECIDED`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from typing import Final, Literal, NamedTuple, get_args

from lib.model.fields import Field, base_name
from lib.rules.fields import BY_NAME
from lib.rules.fields.languages import (
    AMOUNT_WORDS,
    CREATED_WORDS,
    DEAL_WORDS,
    ID_WORDS,
    KIND_WORDS,
    NO_VALUE_WORDS,
    ORDER_WORDS,
    OTHER_DATE_WORDS,
    OTHER_ID_WORDS,
    PART_WORDS,
    SALE_DATE_WORDS,
    TIME_WORDS,
    is_consent_column,
    words_of,
)
from lib.rules.stages import is_stage_column, stage_of
from lib.rules.values.cells import RuleError, is_placeholder, unwrap
from lib.rules.values.currencies import CURRENCIES
from lib.rules.values.dates import is_moment
from lib.rules.values.money import parse_value
from lib.rules.values.order_ids import looks_personal

Role = Literal["value", "currency", "time", "identity", "counts", "click", "person", "consent"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

_SampleRows = Sequence[Sequence[str]]


class Candidate(NamedTuple):
    """A column that may have a role. A lower `rank` is better. `why` has no cell and no name, so it
    may be shown."""

    column: int
    by: Literal["profile", "name", "cells"]
    rank: int
    why: str


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

_MOST_CELLS: Final = 20
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
_FEWEST_OTHERS: Final = 3
_FEW: Final = 0.1

_CENTS: Final = re.compile(r"[.,]\d{2}(?!\d)|[.,][1-9](?!\d)")
_GROUPS: Final = re.compile(r"\d[.,' \u00a0\u202f]\d{3}(?!\d)")
_MANY_DECIMALS: Final = re.compile(r"[.,]\d{4,}(?!\d)")
_SHORT_NUMBER: Final = re.compile(r"#\d+")
_BOOLEANS: Final = frozenset(
    {
        *("true", "false", "yes", "no", "y", "n", "1", "0", "x", "✓", "✔", "wahr", "falsch", "tak"),
        *(
            "ja",
            "nein",
            "oui",
            "non",
            "vrai",
            "faux",
            "si",
            "sí",
            "sim",
            "não",
            "nee",
            "tak",
            "nie",
        ),
    }
)

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


def _looks(cell: str) -> Looks:
    """Return what one cell looks like."""
    if not any(map(str.isdigit, cell)):
        return "word"
    if cell.isdecimal():
        return "integer"
    if amount_in(cell) is None:
        return "date" if is_moment(cell) else "code"
    if any(each.isalpha() or not each.isascii() for each in cell.strip("\u2212\u2013")):
        return "money"
    if _MANY_DECIMALS.search(cell):
        return "ratio"
    return "decimal" if _CENTS.search(cell) or _GROUPS.search(cell) else "integer"


class ColumnSample:
    """A column of the first rows: its name, and its cells without what spreadsheets add to them.

    `cells` are those of the rows that count, `others` of the rest.
    """

    def __init__(self, at: int, name: str, cells: Sequence[str], others: Sequence[str]) -> None:
        self.at = at
        self.name = name
        self.words = words_of(name)
        self._unwrapped: dict[str, str] = {}
        self.cells = [self._filled(cell) for cell in cells]
        self.others = [self._filled(cell) for cell in others]
        self.counts = Counter(filter(None, self.cells))

    def _filled(self, cell: str) -> str:
        """Return the cell, or "" for a placeholder."""
        if cell not in self._unwrapped:
            text = unwrap(cell, "text")
            is_nothing = text != "0" and is_placeholder("text", text)
            self._unwrapped[cell] = "" if is_nothing else text
        return self._unwrapped[cell]

    @cached_property
    def filled(self) -> int:
        """The number of rows that count in which it has a cell."""
        return self.counts.total()

    @cached_property
    def every(self) -> Counter[str]:
        """Its cells with their numbers, also in rows that do not count."""
        return self.counts + Counter(filter(None, self.others))

    @cached_property
    def looks(self) -> Counter[Looks]:
        """What its different cells look like."""
        return Counter(map(_looks, islice(self.every, _MOST_CELLS)))

    def share(self, *looks: Looks) -> float:
        """Return the share of the cells that look like this."""
        return sum(self.looks[each] for each in looks) / (self.looks.total() or 1)

    @property
    def is_amounts(self) -> bool:
        """Whether most cells are amounts, with cents or a currency, or with a name that says so."""
        says_so = AMOUNT_WORDS.match(self.words)
        numbers: tuple[Looks, ...] = ("money", "decimal", "integer")
        if self.share(*numbers, "ratio") < _MOST:
            return False
        amounts = list(map(amount_in, islice(self.every, _MOST_CELLS)))
        if not any(amounts):
            return False
        if says_so:
            return True
        is_small = all((each or 0) <= 1 for each in amounts)  # probabilities, flags
        has_cents = self.looks["money"] + self.looks["decimal"] > self.looks["ratio"]
        return has_cents and not is_small

    @property
    def is_dates(self) -> bool:
        """Whether most cells are dates. Numbers are, only with a name that says so."""
        if self.share("date") > 0.5:
            return True
        is_time = SALE_DATE_WORDS.match(self.words) or CREATED_WORDS.match(self.words)
        is_time = is_time or TIME_WORDS.match(self.words)
        return bool(
            is_time
            and self.share("integer", "date") > 0.5
            and all(map(is_moment, islice(self.every, _MOST_CELLS)))
        )

    @property
    def is_only_in_rows_that_count(self) -> bool:
        """Whether it is filled in most rows that count, and in hardly any other."""
        others = len(self.others)
        if others < _FEWEST_OTHERS or self.filled < _MOST * len(self.cells):
            return False
        return sum(map(bool, self.others)) <= _FEW * others

    @property
    def is_boolean(self) -> bool:
        """Whether all cells are TRUE or FALSE, yes or no."""
        return bool(self.every) and all(cell.casefold() in _BOOLEANS for cell in self.every)

    @property
    def is_codes(self) -> bool:
        """Whether the cells are all different, and neither amounts, dates, nor about a person."""
        cells = self.counts
        if not cells or self.filled < len(self.cells) * _FEWEST_DIFFERENT:
            return False
        if len(cells) < _FEWEST_DIFFERENT * self.filled or self.share("word") > 1 - _MOST:
            return False
        if self.share("money", "decimal", "ratio") > 0.5 or self.is_dates:
            return False
        return not any(len(each) > _LONGEST_ID or looks_personal(each) for each in cells)

    @property
    def is_kinds(self) -> bool:
        """Whether a few different words are in many rows."""
        different = len(self.every)
        return 2 <= different <= min(_MOST_KINDS, self.every.total() // _ROWS_OF_A_KIND)


# ── what makes a column a candidate ──────────────────────────────────────────────────────────────

Found = tuple[int, str] | None
"""The rank of a candidate, and why it is one; None: it is none."""

NAMED_OTHERWISE: Final = 10
"""Candidates from this rank on are probably something else: their name says so."""


def _of_value(column: ColumnSample) -> Found:
    if not column.is_amounts:
        return None
    if NO_VALUE_WORDS.match(column.words):
        return NAMED_OTHERWISE + 2, "amounts, but the name says that they are something else"
    if PART_WORDS.match(column.words):
        return NAMED_OTHERWISE, "amounts, but perhaps a part of the value"
    if AMOUNT_WORDS.match(column.words):
        return 0, "amounts, and a name that says so"
    return 1 if column.looks["money"] else 2, "amounts"


def _of_currency(column: ColumnSample) -> Found:
    codes = [cell for cell in column.every if cell.upper() in CURRENCIES and len(cell) == 3]
    if not codes or len(codes) < _MOST * len(column.every):
        return None
    return 0, "codes of currencies"


def _of_time(column: ColumnSample) -> Found:
    if not column.is_dates:
        return None
    if OTHER_DATE_WORDS.match(column.words):
        return NAMED_OTHERWISE + 2, "dates, but the name says that they are something else"
    is_sale = SALE_DATE_WORDS.match(column.words)
    if CREATED_WORDS.match(column.words):
        return NAMED_OTHERWISE, "dates, but perhaps those of the first contact"
    rank = 0 if is_sale else 3
    if column.is_only_in_rows_that_count:
        return rank, "dates, only in rows that count"
    if is_sale:
        return 1, "dates, and a name that says that something was sold or paid"
    return 4, "dates"


def _of_identity(column: ColumnSample) -> Found:
    if not column.is_codes or AMOUNT_WORDS.match(column.words):
        return None
    if all(map(_SHORT_NUMBER.fullmatch, column.counts)):
        return 0, "a number of its own in each row"
    has_id = ID_WORDS.match(column.words)
    if OTHER_ID_WORDS.match(column.words):
        return NAMED_OTHERWISE, "different in each row, but the name says that it is another ID"
    if ORDER_WORDS.match(column.words):
        return 0 if has_id else 2, "different in each row, and the name is that of an order"
    if DEAL_WORDS.match(column.words):
        return 1 if has_id else 3, "different in each row, and the name is that of a deal"
    if has_id:
        return 4 if len(column.words) == 1 else 5, "different in each row, and the name is of an ID"
    return 7, "different in each row"


def _of_counts(column: ColumnSample) -> Found:
    stages = {stage_of(cell) for cell in column.every}
    is_named = is_stage_column(column.name) or KIND_WORDS.match(column.words)
    if "not_won" in stages:
        both = len(column.every) > 1
        return (0 if is_named and both else 1), "words for rows that are no sales"
    if column.is_boolean and len(column.every) > 1:
        return 3 if is_named else 6, "true or false"
    if "won" in stages and is_named:
        return 2, "words for sales"
    if not column.is_kinds or column.is_dates or column.is_amounts:
        return None
    return 4 if is_named else 8, "a few different words"


def _of_consent(column: ColumnSample) -> Found:
    return (0, "a name that speaks of consent") if is_consent_column(column.name) else None


def _with_content(role: Role) -> Callable[[ColumnSample], Found]:
    """Return how a column is recognized by the contents that the fields of a role declare."""
    contents = {field.content for field in fields_of(role) if field.content}

    def of_content(column: ColumnSample) -> Found:
        for content in contents:
            cells = list(islice(column.every, _MOST_CELLS))
            if 2 * sum(bool(content.pattern.fullmatch(each)) for each in cells) > len(cells):
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


@cache
def _candidate_rules() -> Mapping[Role, Callable[[ColumnSample], Found]]:
    return {
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
    return _ranked(role, columns)


def _sample(at: int, names: Sequence[str], rows: _SampleRows, others: _SampleRows) -> ColumnSample:
    return ColumnSample(at, names[at], [row[at] for row in rows], [row[at] for row in others])


def _ranked(role: Role, columns: Sequence[ColumnSample]) -> list[Candidate]:
    rule = _candidate_rules()[role]
    found = [(rule(column), column) for column in columns if column.every]
    # A name decides between equal ranks: another order of the columns is the same file.
    ranked = sorted((each[0], column.name, column.at, each[1]) for each, column in found if each)
    return [Candidate(at, "cells", rank, why) for rank, _, at, why in ranked]


# ── the reading of a file ────────────────────────────────────────────────────────────────────────


def read_roles(
    names: Sequence[str],
    rows: _SampleRows,
    fields: Mapping[str, int],
    *,
    decided: Collection[Role] = (),
    others: _SampleRows = (),
    answered: Collection[int] = (),
) -> Reading:
    """Return which column has which role, why, and its rivals.

    `names` is the header without the names that may not be shown. `rows` are the first rows that
    count by the profile, `others` the rest. `fields` maps each field to its column. The profile
    answers the roles in `decided`, and says by the columns `answered` which rows count.
    """
    known = {*fields.values(), *answered}
    free = [
        column
        for at in range(len(names))
        if at not in known and (column := _sample(at, names, rows, others)).every
    ]
    return {role: _reading(role, free, fields, role in decided, answered) for role in ROLES}


def _reading(
    role: Role,
    free: Sequence[ColumnSample],
    fields: Mapping[str, int],
    is_decided: bool,
    answered: Collection[int],
) -> RoleReading:
    columns = [at for name, at in fields.items() if base_name(name) in _FIELDS[role]]
    if role == "counts":
        columns = sorted(answered)
    by: Literal["profile", "name"] = "profile" if is_decided or role == "counts" else "name"
    chosen = [Candidate(at, by, 0, _WHY[by]) for at in columns]
    found = [] if is_decided else _ranked(role, free)
    return RoleReading(
        role,
        chosen[0] if chosen else None,
        tuple(each for each in found if each.rank < NAMED_OTHERWISE),
        tuple(chosen[1:]),
        tuple(each for each in found if each.rank >= NAMED_OTHERWISE),
    )


_WHY: Final = {"profile": "the profile says so", "name": "its name says so"}
