"""What became of the rows of a file, added up.

Rows are added, and chunks are merged. Results document, report, overview, open problems and `check`
ask the same `Totals`, so they cannot disagree.

                      ┌─ taken      Google has them: uploaded, or counted before
    meant to be sent ─┼─ lost       rejected, failed, not attempted, or uploaded and never counted
    (not skipped)     ├─ waiting    deferred, or uploaded and without Google's last word
                      └─ repeats    of another row of the file, and rows of a check
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeVar

from lib.model.money import Count, Sum, add_sums, difference
from lib.model.outcomes import LOST, OUTCOMES, WITH_MONEY, Outcome, RowOutcome
from lib.model.sent_requests import ClosedRequest, OpenRequest

REPEATS: Final = ("REPEATED_LINE", "REPEATED_WITH_OTHER_VALUE")
"""Codes of a row that repeats another one of its file: Google has never got it. The row is a
duplicate, because a repeat of a row that waits or was refused has the reasons of that row."""

NOT_SENT_AGAIN: Final = "NOT_SENT_AGAIN"
"""The warning of a row of which nobody knows whether it counts: Google has not counted some rows of
its request, and it could not be sent again."""

MAX_CURRENCIES: Final = 3
"""Of a digest: the most frequent ones."""

_NO_MONEY: Final[Mapping[str, Sum]] = {}

K = TypeVar("K")

FEWEST_SUMMED: Final = 5
"""Of fewer sales, one may well be worth as much as the others together."""


class ValuedRow(NamedTuple):
    """The line and the value of a row."""

    line: int
    micros: int
    currency: str


@dataclass(slots=True)
class CodeTotals:
    """How many rows have a code, and what they are worth."""

    number: Count = 0
    sums: dict[str, Sum] = field(default_factory=dict)

    def add(self, other: CodeTotals) -> None:
        """Add the rows of another chunk."""
        self.number += other.number
        add_sums(self.sums, other.sums)


@dataclass(slots=True)
class Totals:
    """Rows by outcome, with their money, and the problems that they have.

    `corrections` are those of `rows` that correct an earlier conversion. They have no money of
    their own. `money` has the sums by outcome and currency. `placeholders` counts cells by column.

    Of the uploaded rows, `awaiting` have no final status yet, `unmatched` have no ad click, and the
    status of `unknown` ones never came. `unnamed` is the number of those that will never count by
    the reason that Google gives ("": none), without saying which rows they are. `matchable` rows
    have no click ID, and a final status.

    Of the conversions that could be sent, `denied` refuse consent, and `consenting` do not. `last`
    is the last row that has a value.

    Of a digest, `reason` is the main one why rows are lost ("": none is, or it is not known), and
    `other_currencies` is the number of currencies that it leaves out. Its other unnamed rows have
    the reason "".
    """

    rows: dict[Outcome, Count] = field(default_factory=dict)
    corrections: dict[Outcome, Count] = field(default_factory=dict)
    money: dict[Outcome, dict[str, Sum]] = field(default_factory=dict)
    codes: dict[str, CodeTotals] = field(default_factory=dict)
    warned: Count = 0
    placeholders: dict[str, Count] = field(default_factory=dict)
    awaiting: Count = 0
    awaiting_money: dict[str, Sum] = field(default_factory=dict)
    unmatched: Count = 0
    matchable: Count = 0
    unknown: Count = 0
    unnamed: dict[str, Count] = field(default_factory=dict)
    denied: Count = 0
    consenting: Count = 0
    last: ValuedRow | None = None
    reason: str = ""
    other_currencies: Count = 0

    # ── add ──────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def of(cls, listed: Iterable[RowOutcome]) -> Totals:
        """Return the totals of these rows."""
        totals = cls()
        for row in listed:
            totals.add_row(row)
        return totals

    def add_row(self, row: RowOutcome) -> None:
        """Add one row, with its problems."""
        self.add_plain(row.outcome, 1, row.sums, int(row.corrects))
        self.warned += bool(row.warnings)
        # A row can have a code twice, such as one with two wrong dates.
        for code in dict.fromkeys(problem.code for problem in row.errors + row.warnings):
            of_code = self.codes.setdefault(code, CodeTotals())
            of_code.number += 1
            add_sums(of_code.sums, row.sums)

    def add_plain(
        self,
        outcome: Outcome,
        rows: int,
        sums: Mapping[str, Sum] = _NO_MONEY,
        corrections: int = 0,
    ) -> None:
        """Add rows without problems. `corrections` is the number of those that are corrections."""
        if rows:
            self.rows[outcome] = self.rows.get(outcome, 0) + rows
        if corrections:
            self.corrections[outcome] = self.corrections.get(outcome, 0) + corrections
        if sums and outcome in WITH_MONEY:
            add_sums(self.money.setdefault(outcome, {}), sums)

    def add_open_request(self, request: OpenRequest) -> None:
        """Add the unlisted rows of a request, and count all of its rows as awaiting."""
        corrections = request.unlisted if request.corrects else 0
        self.add_plain("uploaded", request.unlisted, request.unlisted_sums, corrections)
        self.awaiting += request.awaiting
        add_sums(self.awaiting_money, request.sums)

    def add_closed_request(self, request: ClosedRequest) -> None:
        """Add what an API has only counted of the rows of a request."""
        self.unmatched += request.unmatched
        self.matchable += request.matchable
        self.unknown += request.unknown
        _add_counts(self.unnamed, request.unnamed)

    def add_unnamed(self, unnamed: Counter[str], most: int) -> None:
        """Add rows that will never count, so that not more than `most` are unnamed."""
        _add_counts(self.unnamed, at_most(most - self.unnamed_rows, unnamed))

    def add(self, other: Totals) -> None:
        """Add the totals of another chunk."""
        _add_counts(self.rows, other.rows)
        _add_counts(self.corrections, other.corrections)
        for outcome, sums in other.money.items():
            add_sums(self.money.setdefault(outcome, {}), sums)
        for code, of_code in other.codes.items():
            self.codes.setdefault(code, CodeTotals()).add(of_code)
        self.warned += other.warned
        _add_counts(self.placeholders, other.placeholders)
        self.awaiting += other.awaiting
        add_sums(self.awaiting_money, other.awaiting_money)
        self.unmatched += other.unmatched
        self.matchable += other.matchable
        self.unknown += other.unknown
        _add_counts(self.unnamed, other.unnamed)
        self.denied += other.denied
        self.consenting += other.consenting
        if other.last is not None and (self.last is None or self.last.line < other.last.line):
            self.last = other.last

    # ── what it comes to ─────────────────────────────────────────────────────────────────────────

    def count(self, *outcomes: Outcome) -> int:
        """Return the number of rows with one of these outcomes."""
        return sum(self.rows.get(outcome, 0) for outcome in outcomes)

    @property
    def all_rows(self) -> int:
        """The number of rows."""
        return sum(self.rows.values())

    @property
    def is_sound(self) -> bool:
        """Whether the counts do not contradict each other."""
        are_rows = all(n <= self.rows.get(outcome, 0) for outcome, n in self.corrections.items())
        is_uploaded = self.awaiting + self.unnamed_rows <= self.count("uploaded")
        return are_rows and is_uploaded and self.unmatched <= self.matchable

    @property
    def meant(self) -> int:
        """The number of rows that were meant to be sent: a skipped row is no sale."""
        return self.all_rows - self.count("skipped")

    @property
    def repeats(self) -> int:
        """The number of rows that are not sent because they repeat another row of the file."""
        return sum(self.codes[code].number for code in REPEATS if code in self.codes)

    @property
    def before(self) -> int:
        """The number of rows that Google had before."""
        return self.count("duplicate") - self.repeats

    @property
    def unnamed_rows(self) -> int:
        """The number of uploaded rows that never count, and that Google has not named."""
        return sum(self.unnamed.values())

    def number_with(self, code: str) -> int:
        """Return the number of rows with a code, including those that Google has not named."""
        of_code = self.codes.get(code)
        return (of_code.number if of_code is not None else 0) + self.unnamed.get(code, 0)

    @property
    def taken(self) -> int:
        """The number of rows that Google has, as far as it has said."""
        return self.count("uploaded") - self.awaiting - self.unnamed_rows + self.before

    @property
    def lost(self) -> int:
        """The number of rows that do not count although they were meant to."""
        return self.count(*LOST) + self.unnamed_rows

    @property
    def waiting(self) -> int:
        """The number of rows of which something is still to come."""
        return self.count("deferred") + self.awaiting

    def taken_money(self) -> dict[str, Sum]:
        """Return the money of the taken rows by currency: a repeat has none of its own. Which money
        the `unnamed` rows have is not known, so theirs is part of it."""
        sums = self.money_of("uploaded", "duplicate")
        for code in REPEATS:
            sums = difference(sums, self.codes[code].sums if code in self.codes else _NO_MONEY)
        return difference(sums, self.awaiting_money)

    def lost_money(self) -> dict[str, Sum]:
        """Return the money of the lost rows by currency."""
        return self.money_of(*LOST)

    def waiting_money(self) -> dict[str, Sum]:
        """Return the money of the waiting rows by currency."""
        sums = self.money_of("deferred")
        add_sums(sums, self.awaiting_money)
        return sums

    def meant_money(self) -> dict[str, Sum]:
        """Return the money of the rows that were meant to be sent, by currency."""
        return self.money_of(*WITH_MONEY)

    def money_of(self, *outcomes: Outcome) -> dict[str, Sum]:
        """Return the money of the rows with one of these outcomes, by currency."""
        sums: dict[str, Sum] = {}
        for outcome in outcomes:
            add_sums(sums, self.money.get(outcome, _NO_MONEY))
        return sums

    @property
    def line_of_sum(self) -> int | None:
        """The line of the last row if it is worth as much as all others, which are not few."""
        if self.last is None or not self.last.micros:
            return None
        same = self.meant_money().get(self.last.currency, Sum())
        is_sum = same.rows > FEWEST_SUMMED and same.micros == 2 * self.last.micros
        return self.last.line if is_sum else None

    @property
    def is_mostly_lost(self) -> bool:
        """Whether more than half of the money does not count.

        Rows are compared instead if the money of the lost rows is not known, because one of them
        has no value, or cannot be compared: with several currencies, or if all values are 0.
        """
        lost, meant = self.lost_money(), self.meant_money()
        if len(meant) == 1 and lost:
            (currency,) = meant
            known, all_money = lost[currency], meant[currency].micros
            if all_money and (known.rows == self.lost or 2 * known.micros > all_money):
                return 2 * known.micros > all_money
        return 2 * self.lost > self.meant

    def sales(self) -> Totals:
        """Return the rows by outcome without those that correct an earlier conversion."""
        rows = {each: n - self.corrections.get(each, 0) for each, n in self.rows.items()}
        return replace(self, rows={each: n for each, n in rows.items() if n}, corrections={})

    def without_lost(self) -> Totals:
        """Return the totals without the rows that are lost."""
        totals = self._without(*LOST)
        if self.unnamed:
            totals.rows["uploaded"] = self.count("uploaded") - self.unnamed_rows
        return replace(totals, unnamed={})

    def without_duplicates(self) -> Totals:
        """Return the totals without the rows that Google had before, and without repeats."""
        codes = {code: of_code for code, of_code in self.codes.items() if code not in REPEATS}
        return replace(self._without("duplicate"), codes=codes)

    def _without(self, *outcomes: Outcome) -> Totals:
        rows = {each: number for each, number in self.rows.items() if each not in outcomes}
        corrections = {each: n for each, n in self.corrections.items() if each not in outcomes}
        money = {each: sums for each, sums in self.money.items() if each not in outcomes}
        return replace(self, rows=rows, corrections=corrections, money=money)

    def counts(self) -> dict[str, int]:
        """Return `counts` for the results document. Outcomes without rows are included as 0.

        Those of a check are left out if no row has them.
        """
        named: dict[str, int] = {
            outcome: self.rows.get(outcome, 0)
            for outcome, meaning in OUTCOMES.items()
            if meaning.counts != "would" or outcome in self.rows
        }
        return {"rows": self.all_rows, **named, "warnings": self.warned}

    def digest(self, reason: str, kept: Iterable[str]) -> Totals:
        """Return them for a listing, whose size does not depend on the file.

        It has the most frequent currencies, and of the codes those of repeats, those in `kept`,
        and the main `reason` why rows are lost, if any is.
        """
        frequent = Counter[str]()
        for sums in self.money.values():
            frequent.update({currency: each.rows for currency, each in sums.items()})
        currencies = [currency for currency, _ in frequent.most_common(MAX_CURRENCIES)]
        codes = {code: self.codes[code] for code in (*REPEATS, *kept, reason) if code in self.codes}
        unnamed = Counter[str]()
        for each, rows in self.unnamed.items():
            unnamed[each if each == reason else ""] += rows
        return replace(
            self,
            money={outcome: _only(sums, currencies) for outcome, sums in self.money.items()},
            codes={
                code: CodeTotals(of_code.number, _only(of_code.sums, currencies))
                for code, of_code in codes.items()
            },
            placeholders={},
            awaiting_money=_only(self.awaiting_money, currencies),
            unnamed=dict(unnamed),
            last=None,
            reason=reason,
            other_currencies=len(frequent) - len(currencies),
        )


def at_most(rows: int, unnamed: Counter[str]) -> Counter[str]:
    """Limit the counts to this number of rows, because a row is counted for each of its reasons.

    Of 5 rows, `{"NO_CONSENT": 4, "INVALID_GCLID": 3}` becomes 4 and 1.
    """
    limited: Counter[str] = Counter()
    for reason, count in unnamed.most_common():
        limited[reason] = min(count, rows - limited.total())
    return +limited


def _only(sums: Mapping[str, Sum], currencies: Iterable[str]) -> dict[str, Sum]:
    return {currency: sums[currency] for currency in currencies if currency in sums}


def _add_counts(counts: dict[K, int], more: Mapping[K, int]) -> None:
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count
