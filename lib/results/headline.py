"""The first sentences of a report: what Google took, what needs somebody, and the next step."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final, Literal, NamedTuple

from lib.catalogue.codes import lookup
from lib.catalogue.texts import REFUND, first_sentence, number_of, number_of_rows
from lib.model.outcomes import LOST
from lib.model.totals import Totals
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


def noun_of(totals: Totals) -> str:
    """Return what a row is called that is no refund."""
    return "sale" if any(totals.money.values()) else "row"


def noun_of_any(totals: Totals) -> str:
    """Return what a row is called that may be a refund."""
    return "row" if totals.corrections else noun_of(totals)


def took(totals: Totals) -> str:
    """`Google took 3 of 4 sales, worth 30 USD.` Refunds have a sentence of their own."""
    return joined(_took(*part) for part in _parts(totals))


def again(totals: Totals) -> str:
    """`1 sale is sent again automatically.`; empty: nothing is."""
    return joined(_again(part, what) for part, what, _ in _parts(totals))


def _parts(totals: Totals) -> Iterator[tuple[Totals, str, str]]:
    """Yield the sales, and apart from them the refunds: their totals, what one of them is called,
    and what Google took of them is worth."""
    is_check = "ok" in totals.rows
    refunds = Totals(rows=dict(totals.corrections)) if not is_check else Totals()
    sales = totals if is_check else totals.sales()
    if sales.meant or not refunds.all_rows:
        yield sales, noun_of(totals), money(totals.money.get("uploaded", {}))
    if refunds.all_rows:
        yield refunds, REFUND, ""


def not_counted(count: int, totals: Totals) -> str:
    """`2 sales do not count.`"""
    return f"{number_of(count, noun_of_any(totals))} {_verb(count, 'does', 'do')} not count."


def joined(sentences: Iterable[str]) -> str:
    """Return those that are not empty as one text."""
    return " ".join(filter(None, sentences))


def _took(totals: Totals, what: str, worth: str) -> str:
    took, before = totals.count("uploaded"), totals.count("duplicate")
    if not totals.meant:
        skipped = totals.count("skipped")
        return (
            f"Google got none of {number_of_rows(skipped)}." if skipped else "The file has no row."
        )
    if ok := totals.count("ok"):
        return f"This was only a check: {_part(ok, totals.meant, what)} can be uploaded."
    if totals.meant == totals.count("deferred"):
        return ""
    text = f"Google took {_part(took, totals.meant, what)}"
    if totals.meant == 1 and not took:
        text = f"Google did not take the only {what}"
    if took and worth:
        text += f", worth {worth}"
    return f"{text}; it had {before:,} before." if before else f"{text}."


def _again(totals: Totals, what: str) -> str:
    deferred = totals.count("deferred")
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
    totals = head.totals()
    if head.file_error is not None:
        return _stopped(head.codes[head.file_error.code], totals, is_check=head.validate_only)
    correct, late = findings.groups["correct"], findings.groups["late"]
    in_need = _said_of(
        correct, noun_of_any(totals), f"{_verb(correct.rows, 'needs', 'need')} correction"
    )
    too_late = _said_of(late, noun_of_any(totals), "came too late and cannot be corrected")
    title = joined((took(totals), in_need, too_late, again(totals)))
    if correct.rows or late.rows:
        return _to_correct(head, totals, title, correct, late)
    for note in head.notes:
        if note.code in _NOTES_THAT_NEED_SOMEBODY:
            code = head.codes[note.code]
            title += _NOTES_THAT_NEED_SOMEBODY[note.code].format(note.detail)
            return Headline("correct", title, code.action, code.meaning)
    if totals.count(*LOST):
        title += f" {not_counted(totals.count(*LOST), totals)}"
    awaiting = head.counts.get("awaiting", 0)
    if awaiting:
        title += f" It is still processing {awaiting:,} of them."
    if awaiting or head.counts.get("deferred"):
        step = "Nobody needs to do anything now. This report is replaced when Google has said more."
        return Headline("wait", title, step)
    if totals.is_mostly_lost:
        return Headline("alarm", title, "Read the reasons below. The rows cannot be corrected.")
    return Headline(
        "done", title, f"{_NOBODY} The reasons are below." if totals.count(*LOST) else _NOBODY
    )


def _stopped(code: ResultsCode, totals: Totals, *, is_check: bool) -> Headline:
    has_rows = bool(totals.meant)
    if is_check or "ok" in totals.rows:
        title = "This was only a check: the file would be stopped."
    else:
        title = f"{took(totals) if has_rows else 'Google took nothing.'} The file was stopped."
    tone: Tone = "correct" if has_rows and not totals.is_mostly_lost else "alarm"
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
    head: ResultsHead, totals: Totals, title: str, correct: Group, late: Group
) -> Headline:
    """Return the headline of a file with rows to correct, or else with rows that came too late."""
    group = correct if correct.rows else late
    tone: Tone = "alarm" if totals.is_mostly_lost else "correct"
    cause, meant, why = group.by_importance()[0], totals.meant, ""
    entry = lookup(cause.code)
    advice = entry.advice(cause.rows, meant)
    if 2 * cause.rows > group.rows:
        why = f"{number_of(cause.rows, noun_of_any(totals))}: {first_sentence(entry.meaning)}."
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
