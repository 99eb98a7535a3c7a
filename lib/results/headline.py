"""The first sentences of a report: what Google took, what needs somebody, and the next step."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from lib.catalogue.codes import lookup
from lib.catalogue.texts import REFUND, first_sentence, number_of, number_of_rows
from lib.model.money import Sum
from lib.model.outcomes import LOST, OUTCOMES
from lib.results.document import ResultsHead
from lib.results.findings import Findings
from lib.results.names import results_name
from lib.results.page import money, share_of

Tone = Literal["alarm", "correct", "wait", "done"]
"""`alarm`: most of the money does not count. `correct`: somebody must act. `wait`: more will come.
`done`: nobody needs to do anything."""

_NOBODY = "Nobody needs to do anything."
_ONCE = "nothing counts twice."


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


def sales_of(counts: Mapping[str, int], refunds: Mapping[str, int]) -> dict[str, int]:
    """Return the rows by outcome that are no refund or change."""
    return {
        outcome: counts[outcome] - refunds.get(outcome, 0)
        for outcome in counts
        if outcome in OUTCOMES
    }


def took_of(
    counts: Mapping[str, int], refunds: Mapping[str, int], worth: str, what: str = "row"
) -> str:
    """`Google took 3 of 4 sales, worth 30 USD. Google took all 2 refunds or changes`.

    `refunds` are those of the rows by outcome that adjust a conversion. A sale is called `what`.
    """
    if "ok" in counts or not refunds:
        return google_took(counts, worth, "row" if refunds else what)
    sales, texts = sales_of(counts, refunds), []
    if meant_rows(sales):
        texts.append(google_took(sales, worth, what))
    # If all of them wait, that is said, and not that Google took none.
    if refunds.get("deferred", 0) < meant_rows(refunds):
        texts.append(google_took(refunds, "", REFUND))
    return ". ".join(texts)


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

    `micros` are those of each outcome by currency. Rows are compared instead if there is no money
    to compare.
    """
    lost, total = _lost_money(counts, micros) or (
        sum(counts.get(outcome, 0) for outcome in LOST),
        meant_rows(counts),
    )
    return 2 * lost > total


def _lost_money(
    counts: Mapping[str, int], micros: Mapping[str, Mapping[str, int]]
) -> tuple[int, int] | None:
    """Return the micros that do not count, and all micros.

    None if there are several currencies, or none, if no lost row has a value, and in a check, where
    other rows have none.
    """
    currencies = {currency for of_outcome in micros.values() for currency in of_outcome}
    is_known = any(micros.get(outcome) for outcome in LOST) and "ok" not in counts
    if len(currencies) != 1 or not is_known:
        return None
    (currency,) = currencies
    by_outcome = {outcome: each.get(currency, 0) for outcome, each in micros.items()}
    return sum(by_outcome.get(outcome, 0) for outcome in LOST), sum(by_outcome.values())


def _sale(head: ResultsHead, counts: Mapping[str, int]) -> str:
    """Return what a row that is no refund or change is called."""
    valued = sum(each.rows for money_of in head.money.values() for each in money_of.sums.values())
    return "sale" if 2 * valued > meant_rows(counts) else "row"


def _sales(head: ResultsHead) -> dict[str, int]:
    return sales_of(head.counts, head.corrections)


def _sums(head: ResultsHead, outcome: str) -> dict[str, Sum]:
    money_of = head.money.get(outcome)
    return money_of.as_sums() if money_of is not None else {}


def _took(head: ResultsHead) -> str:
    """Return what Google took, of the sales and of the refunds, without a full stop."""
    worth = money(_sums(head, "uploaded"))
    return took_of(head.counts, head.corrections, worth, _sale(head, _sales(head)))


def _again(head: ResultsHead) -> str:
    """Return what is sent again, without a full stop; empty: nothing."""
    sales, texts = _sales(head), []
    if deferred := sales.get("deferred", 0):
        text = _with_worth(deferred, _sums(head, "deferred"), _sale(head, sales))
        comma = "," if _sums(head, "deferred") else ""
        texts.append(f"{text}{comma} {_is(deferred)} sent again automatically")
    if deferred := head.corrections.get("deferred", 0):
        texts.append(f"{number_of(deferred, REFUND)} {_is(deferred)} sent again automatically")
    return ". ".join(texts)


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _micros(head: ResultsHead) -> dict[str, dict[str, int]]:
    return {
        outcome: {currency: each.micros for currency, each in money_of.sums.items()}
        for outcome, money_of in head.money.items()
    }


def _tone(head: ResultsHead) -> Tone:
    return "alarm" if is_mostly_lost(head.counts, _micros(head)) else "correct"


def _titled(*sentences: str) -> str:
    """Return a title of these sentences, without those that are empty."""
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


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
    if not findings.to_correct and not findings.too_late:
        return None
    are_sales = not any(head.corrections.get(outcome) for outcome in LOST)
    what = _sale(head, _sales(head)) if are_sales else "row"
    tone, cause, most_lost = _tone(head), findings.by_importance()[0], _most_lost(head)
    entry, meant = lookup(cause.code), meant_rows(head.counts)
    why = ""
    if most_lost or 2 * cause.to_correct > findings.to_correct + findings.too_late:
        why = f"{number_of(cause.to_correct, what)}: {first_sentence(entry.meaning)}."
    # What Google refuses is rarely a cell, so `fix` is not the next step if most of it is alike.
    base = findings.to_correct if entry.origin == "Google" else meant
    is_one_cause = entry.is_one_setting(cause.to_correct, base) and not entry.is_too_late
    advice = entry.advice(cause.to_correct, meant)
    need = late = ""
    if is_one_cause and cause.to_correct == findings.to_correct:
        need = f"One cause keeps out {_with_worth(cause.to_correct, cause.sums, what)}"
    elif findings.to_correct:
        comma, verb = "," if findings.sums else "", _verb(findings.to_correct, "need")
        in_need = _with_worth(findings.to_correct, findings.sums, what)
        need = f"{in_need}{comma} {verb} correction"
        if is_one_cause:
            need += f", {cause.to_correct:,} of them for one cause"
    if findings.too_late:
        whose = number_of(findings.too_late, what) if not need else f"{findings.too_late:,}"
        late = f"{whose} came too late and cannot be corrected"
    title = _titled(most_lost, _took(head), need, late, _again(head))
    if is_one_cause:
        return Headline(tone, title, f"{advice} Then upload the file again: {_ONCE}", why)
    if not need:
        return Headline(tone, title, advice, why)
    if not head.source.bucket:
        return Headline(tone, title, "Correct these rows in the file, and check it again.", why)
    name = PurePosixPath(head.source.name).name
    results = results_name(name, int(head.source.generation))
    command = shlex.join(("offline-conversions", "fix", name, results))
    step = "Correct the rows that it writes, and upload the new file to the same folder."
    if entry.is_too_late:
        step = f"{step} {advice}"
    return Headline(tone, title, step, why, command)


def _most_lost(head: ResultsHead) -> str:
    """`Most of the money (91 %) did not arrive`; empty if that is not so, or if all of it is lost:
    then Google took nothing, which is said anyway."""
    lost, total = _lost_money(head.counts, _micros(head)) or (0, 0)
    if total and total < 2 * lost < 2 * total:
        return f"Most of the money ({share_of(lost, total)}) did not arrive"
    return ""


def _verb(count: int, verb: str) -> str:
    return f"{verb}s" if count == 1 else verb


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
    awaiting = head.counts.get("awaiting", 0)
    again = _again(head) or (awaiting and f"It is still processing {awaiting:,} of them")
    if not again:
        return None
    step = "Nobody needs to do anything now. This report is replaced when Google has said more."
    return Headline("wait", _titled(_took(head), again), step)


def _lost(head: ResultsHead) -> Headline | None:
    lost = sum(head.counts.get(outcome, 0) for outcome in LOST)
    if not lost:
        return None
    title = f"{_took(head)}. {lost:,} {'does' if lost == 1 else 'do'} not count."
    if _tone(head) == "alarm":
        return Headline("alarm", title, "Read the reasons below. The rows cannot be corrected.")
    return Headline("done", title, f"{_NOBODY} The reasons are below.")
