"""The first sentences of a report: what Google took, what needs somebody, and the next step."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of, number_of_rows
from lib.model.money import Sum
from lib.model.outcomes import LOST, OUTCOMES
from lib.results.document import ResultsHead
from lib.results.findings import Findings
from lib.results.names import results_name
from lib.results.page import money

Tone = Literal["alarm", "correct", "wait", "done"]
"""`alarm`: most of the money does not count. `correct`: somebody must act. `wait`: more will come.
`done`: nobody needs to do anything."""

_NOBODY = "Nobody needs to do anything."


class Headline(NamedTuple):
    """What happened, why, and the next step. `command` is what to run for it, if anything."""

    tone: Tone
    title: str
    step: str
    why: str = ""
    command: str = ""


def headline_of(head: ResultsHead, findings: Findings) -> Headline:
    """Return the headline of a results document."""
    return (
        _replaced(head)
        or _stopped(head)
        or _to_correct(head, findings)
        or _not_counted(head)
        or _all_skipped(head)
        or _waiting(head)
        or _lost(head)
        or Headline("done", f"{_took(head)}.", _NOBODY)
    )


def meant_rows(counts: Mapping[str, int]) -> int:
    """Return the number of rows that were meant to be sent: a skipped row is no sale."""
    return sum(counts.get(outcome, 0) for outcome in OUTCOMES if outcome != "skipped")


def google_took(counts: Mapping[str, int], worth: str, what: str = "row") -> str:
    """`Google took 4,966 of 5,000 sales, worth 6,264,332 USD`, without a full stop.

    `worth` is what the uploaded rows are worth, for people; empty: nothing says so.
    """
    meant, skipped = meant_rows(counts), counts.get("skipped", 0)
    took, before = counts.get("uploaded", 0), counts.get("duplicate", 0)
    if not meant:
        return f"Google got none of {number_of_rows(skipped)}" if skipped else "The file has no row"
    if "ok" in counts:
        return f"This was only a check: {_part(counts['ok'], meant, what)} can be uploaded"
    if before == meant:
        return f"Google took no new {what}: it had {_part(before, meant, what)} before"
    text = f"Google took {_part(took, meant, what)}"
    if not took and meant == 1:
        text = f"Google did not take the only {what}"
    if took and worth:
        text += f", worth {worth}"
    if before:
        text += f", and had {before:,} before"
    return text


def _part(count: int, total: int, what: str) -> str:
    """`all 5 rows`, `the only row`, `3 of 5 rows`, `none of 5 rows`."""
    if count == total:
        return f"the only {what}" if total == 1 else f"all {number_of(total, what)}"
    return f"{f'{count:,}' if count else 'none'} of {number_of(total, what)}"


def is_mostly_lost(counts: Mapping[str, int], micros: Mapping[str, Mapping[str, int]]) -> bool:
    """Return whether more than half of the money does not count.

    `micros` are those of each outcome by currency. Rows are compared instead if there are several
    currencies, or none, if no lost row has a value, and in a check, where other rows have none.
    """
    currencies = {currency for of_outcome in micros.values() for currency in of_outcome}
    is_known = any(micros.get(outcome) for outcome in LOST) and "ok" not in counts
    if len(currencies) == 1 and is_known:
        (currency,) = currencies
        by_outcome = {outcome: each.get(currency, 0) for outcome, each in micros.items()}
        total = sum(by_outcome.values())
    else:
        by_outcome, total = dict(counts), meant_rows(counts)
    return 2 * sum(by_outcome.get(outcome, 0) for outcome in LOST) > total


def _what(head: ResultsHead) -> str:
    """Return what a row is called: a sale, if most rows have a value and none is a correction."""
    return "row" if head.corrections else _sale(head, head.counts)


def _sale(head: ResultsHead, counts: Mapping[str, int]) -> str:
    """Return what a row that is no correction is called."""
    valued = sum(each.rows for money_of in head.money.values() for each in money_of.sums.values())
    return "sale" if 2 * valued > meant_rows(counts) else "row"


def _took(head: ResultsHead) -> str:
    """Return what Google took, of the sales and of the corrections, without a full stop."""
    uploaded = head.money.get("uploaded")
    worth = money(uploaded.as_sums()) if uploaded is not None else ""
    counts, corrections = head.counts, head.corrections
    if "ok" in counts or not corrections:
        return google_took(counts, worth, _what(head))
    sales = {each: counts[each] - corrections.get(each, 0) for each in counts if each in OUTCOMES}
    of_corrections = google_took(corrections, "", "correction")
    if not meant_rows(sales):
        return of_corrections
    return f"{google_took(sales, worth, _sale(head, sales))}. {of_corrections}"


def _tone(head: ResultsHead) -> Tone:
    micros = {
        outcome: {currency: each.micros for currency, each in money_of.sums.items()}
        for outcome, money_of in head.money.items()
    }
    return "alarm" if is_mostly_lost(head.counts, micros) else "correct"


def _replaced(head: ResultsHead) -> Headline | None:
    if not head.other_generation:
        return None
    return Headline(
        "done",
        "Another version of the file has replaced this one before it was read.",
        f"{_NOBODY} The results of generation {head.other_generation} have the rows.",
    )


def _stopped(head: ResultsHead) -> Headline | None:
    if head.file_error is None:
        return None
    code = head.codes[head.file_error.code]
    counts = head.counts
    # With nothing read, the number of rows is unknown.
    is_none = not counts.get("uploaded") and not counts.get("duplicate")
    if "ok" in counts or head.validate_only:
        title = "This was only a check: the file would be stopped."
    elif not meant_rows(counts):
        title = "Google took nothing: the file was stopped."
    elif is_none:
        title = f"{_took(head)}: the file was stopped."
    else:
        title = f"{_took(head)}. Then the file was stopped."
    tone: Tone = "alarm" if is_none else _tone(head)
    return Headline(tone if code.needs_action else "wait", title, code.action, code.meaning)


def _to_correct(head: ResultsHead, findings: Findings) -> Headline | None:
    if not findings.to_correct:
        return None
    what, tone, cause = _what(head), _tone(head), findings.by_importance()[0]
    entry = lookup(cause.code)
    if entry.is_one_setting(cause.rows, meant_rows(head.counts)):
        kept_out = _with_worth(cause.to_correct, cause.sums, what)
        step = f"{entry.if_most} Then upload the file again: nothing counts twice."
        return Headline(tone, f"{_took(head)}. One setting keeps out {kept_out}.", step)
    in_need = _with_worth(findings.to_correct, findings.sums, what)
    comma, need = "," if findings.sums else "", "needs" if findings.to_correct == 1 else "need"
    title = f"{_took(head)}. {in_need}{comma} {need} correction."
    if not head.source.bucket:
        return Headline(tone, title, "Correct these rows in the file, and check it again.")
    name = PurePosixPath(head.source.name).name
    results = results_name(name, int(head.source.generation))
    command = shlex.join(("offline-conversions", "fix", name, results))
    step = "Correct the rows that it writes, and upload the new file to the same folder."
    return Headline(tone, title, step, command=command)


def _with_worth(rows: int, sums: Mapping[str, Sum], what: str) -> str:
    """`4 sales, worth 16,100 USD`, or `worth at least` if not all of them have a value."""
    text = number_of(rows, what)
    if not sums:
        return text
    at_least = "" if sum(each.rows for each in sums.values()) == rows else "at least "
    return f"{text}, worth {at_least}{money(sums)}"


def _not_counted(head: ResultsHead) -> Headline | None:
    code = head.codes.get("NOT_COUNTED")
    if code is None:
        return None
    rows = next(note.detail for note in head.notes if note.code == "NOT_COUNTED")
    return Headline(
        "correct", f"{_took(head)}. But {rows} will never count.", code.action, code.meaning
    )


def _all_skipped(head: ResultsHead) -> Headline | None:
    code = head.codes.get("FILTER_KEEPS_NO_ROW")
    if code is None:
        return None
    return Headline("correct", f"{_took(head)}.", code.action, code.meaning)


def _waiting(head: ResultsHead) -> Headline | None:
    if deferred := head.counts["deferred"]:
        again = f"{deferred:,} {'is' if deferred == 1 else 'are'} sent again automatically"
    elif awaiting := head.counts.get("awaiting", 0):
        again = f"It is still processing {awaiting:,} of them"
    else:
        return None
    step = "Nobody needs to do anything now. This report is replaced when Google has said more."
    return Headline("wait", f"{_took(head)}. {again}.", step)


def _lost(head: ResultsHead) -> Headline | None:
    lost = sum(head.counts.get(outcome, 0) for outcome in LOST)
    if not lost:
        return None
    title = f"{_took(head)}. {lost:,} {'does' if lost == 1 else 'do'} not count."
    if _tone(head) == "alarm":
        return Headline("alarm", title, "Read the reasons below. The rows cannot be corrected.")
    return Headline("done", title, f"{_NOBODY} The reasons are below.")
