"""The first sentences of a report: what Google took, what needs somebody, and the next step."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final, Literal, NamedTuple

from lib.catalogue.codes import lookup
from lib.catalogue.texts import REFUND, first_sentence, number_of, number_of_rows
from lib.model.money import Sum
from lib.model.outcomes import LOST, OUTCOMES
from lib.results.document import ResultsCode, ResultsHead
from lib.results.findings import Findings, Group
from lib.results.names import results_name
from lib.results.page import money

Tone = Literal["alarm", "correct", "wait", "done"]
"""`alarm`: most of the money does not count. `correct`: somebody must act. `wait`: more will come.
`done`: nobody needs to do anything."""

_NOBODY: Final = "Nobody needs to do anything."
_NOTES_THAT_NEED_SOMEBODY: Final = {
    "NOT_COUNTED": " But {} will never count.",
    "FILTER_KEEPS_NO_ROW": "",
}
"""Notes that are the next step if no row is lost, and what they add to the title."""


class Headline(NamedTuple):
    """What happened, why, and the next step. `command` is what to run for it, if anything."""

    tone: Tone
    title: str
    step: str
    why: str = ""
    command: str = ""


# ── what a file comes to ─────────────────────────────────────────────────────────────────────────


def meant_rows(counts: Mapping[str, int]) -> int:
    """Return the number of rows that were meant to be sent: a skipped row is no sale."""
    return sum(counts.get(outcome, 0) for outcome in OUTCOMES if outcome != "skipped")


class FileNumbers(NamedTuple):
    """The rows of a file by outcome, and their values by outcome and currency.

    `refunds` of the rows adjust an earlier conversion. They have no value.
    """

    counts: Mapping[str, int]
    refunds: Mapping[str, int]
    sums: Mapping[str, Mapping[str, Sum]]

    @property
    def sale(self) -> str:
        """What a row is called that is no refund."""
        return "sale" if any(self.sums.values()) else "row"

    @property
    def any_row(self) -> str:
        """What a row is called that may be a refund."""
        return "row" if self.refunds else self.sale

    @property
    def lost(self) -> int:
        """The number of rows that do not count although they were meant to."""
        return sum(self.counts.get(outcome, 0) for outcome in LOST)

    @property
    def is_mostly_lost(self) -> bool:
        """Whether more than half of the money does not count.

        Rows are compared instead if there is no money to compare: with several currencies, if no
        lost row has a value, and in a check, where the other rows have none.
        """
        currencies = {currency for sums in self.sums.values() for currency in sums}
        if len(currencies) != 1 or not any(map(self.sums.get, LOST)) or "ok" in self.counts:
            return 2 * self.lost > meant_rows(self.counts)
        micros = {
            outcome: sum(each.micros for each in sums.values())
            for outcome, sums in self.sums.items()
        }
        return 2 * sum(micros.get(outcome, 0) for outcome in LOST) > sum(micros.values())

    def took(self) -> str:
        """`Google took 3 of 4 sales, worth 30 USD.` Refunds have a sentence of their own."""
        return joined(_took(*part) for part in self._parts())

    def again(self) -> str:
        """`1 sale is sent again automatically.`; empty: nothing is."""
        return joined(_again(counts, what) for counts, what, _ in self._parts())

    def _parts(self) -> Iterator[tuple[Mapping[str, int], str, str]]:
        """Yield the sales, and apart from them the refunds: rows by outcome, what one of them is
        called, and what Google took of them is worth."""
        refunds: Mapping[str, int] = {} if "ok" in self.counts else self.refunds
        sales: dict[str, int] = {
            outcome: self.counts.get(outcome, 0) - refunds.get(outcome, 0) for outcome in OUTCOMES
        }
        if meant_rows(sales) or not refunds:
            yield sales, self.sale, money(self.sums.get("uploaded", {}))
        if refunds:
            yield refunds, REFUND, ""

    def not_counted(self, count: int) -> str:
        """`2 sales do not count.`"""
        return f"{number_of(count, self.any_row)} {_verb(count, 'does', 'do')} not count."


def joined(sentences: Iterable[str]) -> str:
    """Return those that are not empty as one text."""
    return " ".join(filter(None, sentences))


def _took(counts: Mapping[str, int], what: str, worth: str) -> str:
    meant, deferred = meant_rows(counts), counts.get("deferred", 0)
    took, before, skipped = (counts.get(each, 0) for each in ("uploaded", "duplicate", "skipped"))
    if not meant:
        return (
            f"Google got none of {number_of_rows(skipped)}." if skipped else "The file has no row."
        )
    if ok := counts.get("ok", 0):
        return f"This was only a check: {_part(ok, meant, what)} can be uploaded."
    if meant == deferred:
        return ""
    text = f"Google took {_part(took, meant, what)}"
    if meant == 1 and not took:
        text = f"Google did not take the only {what}"
    if took and worth:
        text += f", worth {worth}"
    return f"{text}; it had {before:,} before." if before else f"{text}."


def _again(counts: Mapping[str, int], what: str) -> str:
    deferred = counts.get("deferred", 0)
    verb = _verb(deferred, "is", "are")
    return f"{number_of(deferred, what)} {verb} sent again automatically." if deferred else ""


def _part(count: int, total: int, what: str) -> str:
    """`all 5 rows`, `the only row`, `3 of 5 rows`, `none of 5 rows`."""
    if count == total:
        return f"the only {what}" if total == 1 else f"all {number_of(total, what)}"
    return f"{f'{count:,}' if count else 'none'} of {number_of(total, what)}"


def _verb(count: int, one: str, more: str) -> str:
    return one if count == 1 else more


# ── the headline ─────────────────────────────────────────────────────────────────────────────────


def headline_of(head: ResultsHead, findings: Findings) -> Headline:
    """Return the headline of a results document."""
    if head.other_generation:
        return Headline(
            "done",
            "Another version of the file has replaced this one before it was read.",
            f"{_NOBODY} The results of generation {head.other_generation} have the rows.",
        )
    sums = {outcome: money_of.as_sums() for outcome, money_of in head.money.items()}
    file = FileNumbers(head.counts, head.corrections, sums)
    if head.file_error is not None:
        return _stopped(head.codes[head.file_error.code], file, is_check=head.validate_only)
    correct, late = findings.groups["correct"], findings.groups["late"]
    in_need = _said_of(correct, file.any_row, f"{_verb(correct.rows, 'needs', 'need')} correction")
    too_late = _said_of(late, file.any_row, "came too late and cannot be corrected")
    title = joined((file.took(), in_need, too_late, file.again()))
    if correct.rows or late.rows:
        return _to_correct(head, file, title, correct, late)
    for note in head.notes:
        if note.code in _NOTES_THAT_NEED_SOMEBODY:
            code = head.codes[note.code]
            title += _NOTES_THAT_NEED_SOMEBODY[note.code].format(note.detail)
            return Headline("correct", title, code.action, code.meaning)
    if file.lost:
        title += f" {file.not_counted(file.lost)}"
    awaiting = head.counts.get("awaiting", 0)
    if awaiting:
        title += f" It is still processing {awaiting:,} of them."
    if awaiting or head.counts.get("deferred"):
        step = "Nobody needs to do anything now. This report is replaced when Google has said more."
        return Headline("wait", title, step)
    if file.is_mostly_lost:
        return Headline("alarm", title, "Read the reasons below. The rows cannot be corrected.")
    return Headline("done", title, f"{_NOBODY} The reasons are below." if file.lost else _NOBODY)


def _stopped(code: ResultsCode, file: FileNumbers, *, is_check: bool) -> Headline:
    has_rows = bool(meant_rows(file.counts))
    if is_check or "ok" in file.counts:
        title = "This was only a check: the file would be stopped."
    else:
        title = f"{file.took() if has_rows else 'Google took nothing.'} The file was stopped."
    tone: Tone = "correct" if has_rows and not file.is_mostly_lost else "alarm"
    return Headline(tone if code.needs_action else "wait", title, code.action, code.meaning)


def _said_of(group: Group, what: str, said: str) -> str:
    """`4 sales, worth 16,100 USD, need correction.`; `at least` if not all have a value."""
    if not group.rows:
        return ""
    valued = sum(each.rows for each in group.sums.values())
    at_least = "at least " if valued < group.rows else ""
    worth = f", worth {at_least}{money(group.sums)}," if group.sums else ""
    return f"{number_of(group.rows, what)}{worth} {said}."


def _to_correct(
    head: ResultsHead, file: FileNumbers, title: str, correct: Group, late: Group
) -> Headline:
    """Return the headline of a file with rows to correct, or else with rows that came too late."""
    group = correct if correct.rows else late
    tone: Tone = "alarm" if file.is_mostly_lost else "correct"
    cause, meant, why = group.by_importance()[0], meant_rows(file.counts), ""
    entry = lookup(cause.code)
    advice = entry.advice(cause.rows, meant)
    if 2 * cause.rows > group.rows:
        why = f"{number_of(cause.rows, file.any_row)}: {first_sentence(entry.meaning)}."
    if not correct.rows:
        return Headline(tone, title, advice, why)
    if entry.is_one_setting(cause.rows, meant):
        step = f"{advice} Then upload the file again: nothing counts twice."
        return Headline(tone, title, step, why)
    if not head.source.bucket:
        return Headline(tone, title, "Correct these rows in the file, and check it again.", why)
    name = PurePosixPath(head.source.name).name
    results = results_name(name, int(head.source.generation))
    command = shlex.join(("offline-conversions", "fix", name, results))
    step = "Correct these rows in the file, and upload it again: nothing counts twice."
    return Headline(tone, title, step, why, command)
