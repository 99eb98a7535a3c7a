"""What is said of a file: a status word, one line, three numbers with their money, the next step.

Report, overview, open problems, `check` and `init` take their words from here and their numbers
from `Totals`, so they say the same of a file:

    Look. Google took 118 of 120 sales; 2 do not count.
    Taken: 118 sales, 214,320 USD · Lost: 2 sales, 16,100.50 USD · Waiting: none
    Next step: Correct these rows in the file, and upload it again: no sale counts twice.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final, Literal, NamedTuple

from lib.catalogue.codes import Code, lookup
from lib.catalogue.texts import REFUND, first_sentence, number_of, number_of_rows
from lib.model.money import ACCOUNT_CURRENCY, Sum, amount, most_frequent_first
from lib.model.outcomes import LOST
from lib.model.totals import Totals
from lib.results.document import ResultsHead
from lib.results.findings import Cause, Findings, Group
from lib.results.names import results_name

StatusWord = Literal["done", "waiting", "look", "stopped"]
"""`done`: nobody needs to do anything. `waiting`: more will come by itself. `look`: somebody must
look at it. `stopped`: the rest of the file is not sent."""

Tone = Literal["green", "amber", "red"]
"""`red`: most of the money does not count."""

MAYBE_SENT: Final = "MAYBE_SENT"
MOST_WORDS: Final = 20
"""Of the line that says what happened."""
NOBODY: Final = "Nobody needs to do anything."
NOBODY_NOW: Final = "Nobody needs to do anything now."
_NOTHING_TWICE: Final = "again: no sale counts twice."


class Number(NamedTuple):
    """One of the three numbers: `Number("Taken", "118 sales", "214,320 USD")`."""

    name: str
    rows: str
    money: str = ""


class Headline(NamedTuple):
    """What happened to a file. `code` is why somebody must look, if it is not about lost rows."""

    status: StatusWord
    tone: Tone
    line: str
    numbers: Sequence[Number] = ()
    code: str = ""


class NextStep(NamedTuple):
    """What to do, and why. `command` is what to run for it, if anything."""

    text: str
    why: str = ""
    command: str = ""


# ── words of several faces ───────────────────────────────────────────────────────────────────────


def money(sums: Mapping[str, Sum]) -> str:
    """`16,100 USD, 12.50 EUR`: the currency of most rows comes first."""
    return ", ".join(
        f"{amount(each.micros)}\u00a0{currency or f'({ACCOUNT_CURRENCY})'}"
        for currency, each in most_frequent_first(sums).items()
    )


def noun_of(totals: Totals) -> str:
    """Return what a row is called: a sale, if it has money and none is a refund."""
    return "sale" if any(totals.money.values()) and not totals.corrections else "row"


def looks_of(codes: Sequence[str], totals: Totals) -> list[str]:
    """Return the codes for which somebody must look at a file although they lose no row: of the
    codes of its notes, and of its rows."""
    return [code for code in (*codes, *totals.codes) if lookup(code).needs_look]


# ── the headline ─────────────────────────────────────────────────────────────────────────────────


def headline_of(
    totals: Totals,
    looks: Sequence[str] = (),
    *,
    stop: str = "",
    is_superseded: bool = False,
    is_check: bool = False,
) -> Headline:
    """Return what happened to a file. `looks` are the codes of `looks_of`, and `stop` is that of
    the error that stopped it."""
    is_check = is_check or "ok" in totals.rows
    if is_superseded:
        line = "Another version of the file has replaced this one before it was read."
        return Headline("done", "green", line)
    numbers = numbers_of(totals, is_check=is_check) if totals.meant else ()
    if stop:
        is_alarm = lookup(stop).needs_action and (not totals.meant or totals.is_mostly_lost)
        line = "This was only a check: the file would be stopped."
        if not is_check:
            line = _line_of_stopped(totals, is_maybe_sent=MAYBE_SENT in looks)
        return Headline("stopped", "red" if is_alarm else "amber", line, numbers, stop)
    line = _line_of(totals, is_check=is_check)
    if totals.lost:
        return Headline("look", "red" if totals.is_mostly_lost else "amber", line, numbers)
    if looks:
        line = with_sentence(line if totals.meant else "", _meaning_for(looks[0], totals))
        return Headline("look", "amber", line, numbers, looks[0])
    if totals.waiting:
        return Headline("waiting", "amber", line, numbers)
    return Headline("done", "green", line, numbers)


def with_sentence(line: str, sentence: str) -> str:
    """Return the line with one more sentence, which replaces it if both are too long together."""
    both = f"{line} {sentence}".strip()
    return both if len(both.split()) <= MOST_WORDS else sentence


def _meaning_for(code: str, totals: Totals) -> str:
    """Return what a code says of the file: `2 rows: The row repeats an earlier line.`"""
    of_rows = f"{number_of_rows(totals.codes[code].number)}: " if _is_of_rows(code, totals) else ""
    return f"{of_rows}{first_sentence(lookup(code).meaning)}."


def _is_of_rows(code: str, totals: Totals) -> bool:
    return code in totals.codes and lookup(code).scope == "row"


def numbers_of(totals: Totals, *, is_check: bool = False) -> tuple[Number, ...]:
    """Return how many rows are taken, lost and waiting, with their money."""
    corrections = totals.corrections
    later = totals.awaiting or totals.unnamed
    taken = sum(corrections.get(each, 0) for each in ("uploaded", "duplicate"))
    lost = sum(corrections.get(each, 0) for each in LOST)
    deferred = corrections.get("deferred", 0)
    # Of rows that are only counted, nobody knows which are refunds.
    is_known = not later and not (totals.repeats and corrections.get("duplicate"))
    others = totals.other_currencies
    of_lost = Number(
        "Lost",
        _kinds(totals, totals.lost, None if totals.unnamed else lost),
        _worth(totals.lost_money(), others, least=totals.lost - lost),
    )
    if is_check:
        possible = _kinds(totals, totals.count("ok"), corrections.get("ok", 0))
        worth = _worth(totals.money.get("ok", {}), others)
        return Number("Can be uploaded", possible, worth), of_lost._replace(name="Cannot")
    return (
        Number(
            "Taken",
            _kinds(totals, totals.taken, taken if is_known else None),
            _worth(totals.taken_money(), others),
        ),
        of_lost,
        Number(
            "Waiting",
            _kinds(totals, totals.waiting, None if totals.awaiting else deferred),
            _worth(totals.waiting_money(), others),
        ),
    )


def _kinds(totals: Totals, rows: int, corrections: int | None) -> str:
    """`3 sales, 2 refunds or changes`; `5 rows` if nobody knows how many are refunds."""
    if not rows:
        return "none"
    if not totals.corrections or corrections is None:
        return number_of(rows, noun_of(totals))
    sales = rows - corrections
    parts = [number_of(sales, noun_of(totals.sales()))] if sales else []
    return ", ".join([*parts, *([number_of(corrections, REFUND)] if corrections else [])])


def _worth(sums: Mapping[str, Sum], other_currencies: int, least: int = 0) -> str:
    """Return money in words. `least`: the number of rows that should have a value."""
    if not sums:
        return ""
    at_least = "at least " if sum(each.rows for each in sums.values()) < least else ""
    return f"{at_least}{money(sums)}{' and more' if other_currencies else ''}"


def _line_of(totals: Totals, *, is_check: bool) -> str:
    what, lost, taken = noun_of(totals), totals.lost, totals.taken
    if not totals.meant:
        skipped = totals.count("skipped")
        return (
            f"The profile skips {number_of_rows(skipped)}." if skipped else "The file has no row."
        )
    wanted = totals.meant - totals.repeats or totals.meant  # a repeat is no sale of its own
    if is_check:
        possible = totals.count("ok")
        rest = f"; {lost:,} cannot" if lost and possible else ""
        return f"This was only a check: {_part(possible, wanted, what)} can be uploaded{rest}."
    if taken == wanted:
        return _took_all(totals, wanted)
    if lost == wanted:
        if wanted == 1:
            return f"Google did not take the only {what}."
        return f"Google took {_part(0, wanted, what)}."
    if not taken and not lost:
        whole = _part(wanted, wanted, what)
        if totals.awaiting:
            return f"Google is still checking {whole}."
        return (
            f"{whole[0].upper()}{whole[1:]} {_verb(wanted, 'is', 'are')} sent again automatically."
        )
    clauses = [f"Google took {_part(taken, wanted, what)}"]
    if lost:
        clauses.append(f"{lost:,} {_verb(lost, 'does', 'do')} not count")
    if totals.awaiting:
        clauses.append(f"it is still processing {totals.awaiting:,}")
    if deferred := totals.count("deferred"):
        clauses.append(f"{deferred:,} {_verb(deferred, 'is', 'are')} sent again automatically")
    return f"{'; '.join(clauses)}."


def _verb(count: int, one: str, more: str) -> str:
    return one if count == 1 else more


def _took_all(totals: Totals, wanted: int) -> str:
    before, everything = totals.before, _part(wanted, wanted, noun_of(totals))
    corrections = sum(totals.corrections.values()) - totals.corrections.get("skipped", 0)
    if corrections and not totals.repeats:
        sales = wanted - corrections
        parts = [_part(sales, sales, noun_of(totals.sales()))] if sales else []
        everything = " and ".join([*parts, _part(corrections, corrections, REFUND)])
    if before == wanted:
        return f"Google already had {everything}."
    return f"Google took {everything}{f'; it had {before:,} of them before' if before else ''}."


def _line_of_stopped(totals: Totals, *, is_maybe_sent: bool) -> str:
    wanted, what = totals.meant - totals.repeats, noun_of(totals)
    if is_maybe_sent:
        some = f"some of {number_of(wanted, what)}" if wanted else "some rows"
        return f"The file was stopped; {some} may have reached Google."
    if not wanted:
        return "The file was stopped before a row was sent."
    return f"The file was stopped; Google took {_part(totals.taken, wanted, what)}."


def _part(count: int, total: int, what: str) -> str:
    """`all 5 rows`, `the only row`, `3 of 5 rows`, `none of 5 rows`."""
    if count == total:
        return f"the only {what}" if total == 1 else f"all {number_of(total, what)}"
    return f"{f'{count:,}' if count else 'none'} of {number_of(total, what)}"


# ── the report ───────────────────────────────────────────────────────────────────────────────────


def headline_of_results(head: ResultsHead) -> Headline:
    """Return what the results document says of its file."""
    totals = head.totals()
    return headline_of(
        totals,
        looks_of([note.code for note in head.notes], totals),
        stop=head.file_error.code if head.file_error is not None else "",
        is_superseded=bool(head.other_generation),
        is_check=head.validate_only,
    )


def next_step(head: ResultsHead, findings: Findings, headline: Headline) -> NextStep:
    """Return what to do about a file."""
    if head.other_generation:
        return NextStep(
            f"{NOBODY} The results of generation {head.other_generation} have the rows."
        )
    if headline.status == "stopped":
        code = head.codes[headline.code]
        return NextStep(code.action, code.meaning)
    correct, late = findings.groups["correct"], findings.groups["late"]
    if correct.rows:
        step = _to_correct(head, correct)
        if late.rows:
            late_rows = number_of(late.rows, noun_of(head.totals()))
            why = f"{step.why} {late_rows} came too late and cannot be corrected."
            step = step._replace(why=why.strip())
        return step
    if late.rows:
        cause, entry, why = _first_cause(head, late)
        return NextStep(entry.advice(cause.rows, head.totals().meant), why)
    totals = head.totals()
    looks = looks_of([note.code for note in head.notes], totals)
    if looks:
        note = head.codes[looks[0]]
        said = f"{first_sentence(note.meaning)}."  # by the headline
        return NextStep(note.action, note.meaning.removeprefix(said).strip())
    if totals.lost:
        return NextStep("Nobody can correct these rows. The reasons are below.")
    if headline.status == "waiting":
        return NextStep(f"{NOBODY_NOW} This report is replaced when Google has said more.")
    return NextStep(NOBODY)


def _first_cause(head: ResultsHead, group: Group) -> tuple[Cause, Code, str]:
    """Return the first cause of a group, its entry, and that it is that of most rows, if so."""
    cause = group.by_importance()[0]
    entry, what = lookup(cause.code), noun_of(head.totals())
    is_most = 2 * cause.rows > group.rows
    meaning = first_sentence(entry.meaning)
    return cause, entry, f"{number_of(cause.rows, what)}: {meaning}." if is_most else ""


def _to_correct(head: ResultsHead, group: Group) -> NextStep:
    meant, (cause, entry, why) = head.totals().meant, _first_cause(head, group)
    if entry.needs_profile:  # nothing in the rows is wrong
        return NextStep(
            entry.action.replace("FILE --profile NAME", f"FILE --profile {head.profile}")
        )
    if entry.is_one_setting(cause.rows, meant):
        advice = entry.advice(cause.rows, meant)
        return NextStep(f"{advice} Then upload the file {_NOTHING_TWICE}", why)
    why = f"{why} {entry.action}" if why else ""
    rows = "this row" if group.rows == 1 else f"these {number_of_rows(group.rows)}"
    if not head.source.bucket:
        return NextStep(f"Correct {rows} in the file, and check it again.", why)
    name = PurePosixPath(head.source.name).name
    results = results_name(name, int(head.source.generation))
    command = shlex.join(("offline-conversions", "fix", name, results))
    return NextStep(f"Correct {rows} in the file, and upload it {_NOTHING_TWICE}", why, command)
