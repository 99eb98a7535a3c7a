"""What is said of a file: a status word, one line, numbers with their money, the next steps.

Report, overview, open problems, `check` and `init` take their words from here and their numbers
from `Totals`, so they say the same of a file:

    Needs attention. Google took 118 of 120 sales; it refused 2.
    Taken: 118 sales, 214,320 USD · Not counted: 2 sales, 16,100.50 USD · Waiting: none
    Next step: Owner of the export: Correct these sales in the CRM or in the file. Then upload …
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from lib.catalogue.codes import lookup
from lib.catalogue.texts import (
    AGAIN,
    OPEN_PROFILE,
    REFUND,
    filled_in,
    first_sentence,
    for_owner,
    inside,
    number_of,
    number_of_rows,
    without_owner,
)
from lib.model.money import Sum, difference, in_words, micros_by_currency
from lib.model.outcomes import LOST
from lib.model.totals import Totals
from lib.results.document import ResultsHead
from lib.results.findings import Cause, Findings, Group
from lib.results.names import results_name

StatusWord = Literal["done", "waiting", "needs attention", "stopped"]
"""`done`: nobody needs to do anything. `waiting`: more will come by itself. `needs attention`:
somebody must look at it. `stopped`: the rest of the file is not sent."""

Tone = Literal["green", "amber", "red"]
"""`red`: most of the money does not count."""

MAYBE_SENT: Final = "MAYBE_SENT"
NEARLY_ALL_DENIED: Final = "NEARLY_ALL_DENIED"
NEARLY_ALL: Final = 0.9
"""A share that is told as that of nearly all rows."""
LATEST_ANSWER: Final = timedelta(days=7)
"""So long after the last word on a file, Google has said all that it will say."""
MAX_WORDS: Final = 20
"""Of the line that says what happened."""
NOBODY: Final = "Nobody needs to do anything."
NOBODY_NOW: Final = "Nobody needs to do anything now."
MAX_STEPS: Final = 3
"""The causes of the others are below the steps."""


class Number(NamedTuple):
    """One of the numbers: `Number("Taken", "118 sales", "214,320 USD")`."""

    name: str
    rows: str
    money: str = ""


class Headline(NamedTuple):
    """What happened to a file. `code` is the cause that the line or the error of the file tells."""

    status: StatusWord
    tone: Tone
    line: str
    numbers: Sequence[Number] = ()
    code: str = ""


class NextStep(NamedTuple):
    """What to do, and why. `command` is what to run for it, if anything; `writes_rows`: it writes
    the rows to a file of their own. `code` is that of the note that says why. `rows` are those that
    it is about, and `sums` what they are worth. `needs_upload`: after that, somebody must upload
    the file again."""

    text: str
    why: str = ""
    command: str = ""
    code: str = ""
    rows: int = 0
    sums: Mapping[str, Sum] = MappingProxyType({})
    needs_upload: bool = False
    writes_rows: bool = False


# ── words of several faces ───────────────────────────────────────────────────────────────────────


def money(sums: Mapping[str, Sum]) -> str:
    """`16,100 USD, 12.50 EUR`: the currency of the largest sum comes first."""
    return in_words(micros_by_currency(sums))


def noun_of(totals: Totals) -> str:
    """Return what a row is called: a sale, if it has money and none is a refund."""
    return "sale" if any(totals.money.values()) and not totals.corrections else "row"


def looks_of(codes: Sequence[str], totals: Totals) -> list[str]:
    """Return the codes for which somebody must look at a file although they lose no row: of the
    codes of its notes, and of its rows. A note with the code of an error is what blocks Google's
    later word (`Run.blocked`)."""
    blocked = [code for code in codes if lookup(code).severity == "error"]
    others = [code for code in (*codes, *totals.codes) if lookup(code).needs_look]
    return [*dict.fromkeys([*blocked, *others])]


# ── the headline ─────────────────────────────────────────────────────────────────────────────────


def headline_of(
    totals: Totals,
    looks: Sequence[str] = (),
    *,
    stop: str = "",
    is_superseded: bool = False,
    is_check: bool = False,
) -> Headline:
    """Return what happened to a file. `looks` are the codes of `looks_of`, the first of which is
    told, and `stop` is that of the error that stopped it."""
    if is_superseded:
        line = "Another version of the file has replaced this one before it was read."
        return Headline("done", "green", line)
    numbers = numbers_of(totals, is_check=is_check) if totals.meant else ()
    if NEARLY_ALL_DENIED in looks and numbers and totals.denied:
        taken = numbers[0]
        rows = f"{taken.rows}, {totals.denied:,} with refused consent"
        numbers = taken._replace(rows=rows), *numbers[1:]
    if stop:
        is_alarm = lookup(stop).needs_action and (not totals.meant or totals.is_mostly_lost)
        line = "This was only a check: the file would be stopped."
        if not is_check:
            line = _line_of_stopped(totals, is_maybe_sent=MAYBE_SENT in looks)
        return Headline("stopped", "red" if is_alarm else "amber", line, numbers, stop)
    line = _line_of(totals, is_check=is_check)
    if totals.lost:
        tone: Tone = "red" if totals.is_mostly_lost else "amber"
        with_cause = "" if is_check else _with_cause(line, totals)
        code = totals.reason if with_cause else ""
        return Headline("needs attention", tone, with_cause or line, numbers, code)
    if looks:
        line = with_objection(line if totals.meant else "", *_meaning_for(looks[0], totals))
        return Headline("needs attention", "amber", line, numbers, looks[0])
    if totals.waiting:
        return Headline("waiting", "amber", line, numbers)
    return Headline("done", "green", line, numbers)


def with_objection(line: str, sentence: str, rows: int = 0) -> str:
    """Return the line, and what is to be said of all rows, or of so many of them.

    `Google took all 3 sales, but look at 2: The row repeats an earlier line with another value.`
    The sentence replaces the line if both are too long together.
    """
    objection = f"look at {rows:,}: {sentence}" if rows else inside(sentence)
    both = f"{line.removesuffix('.')}, but {objection}"
    if line and len(both.split()) <= MAX_WORDS:
        return both
    return f"{number_of_rows(rows)}: {sentence}" if rows else sentence


def _meaning_for(code: str, totals: Totals) -> tuple[str, int]:
    """Return what a code of `looks_of` says, and the number of rows of which it says so; 0: of all
    rows, or of the file."""
    rows = 0
    if lookup(code).severity == "error":  # the only error of `looks_of` is `Run.blocked`
        return "What Google says later cannot be read.", rows
    if code == NEARLY_ALL_DENIED:
        rows = totals.denied
    elif code in totals.codes and lookup(code).scope == "row":
        rows = totals.codes[code].number
    if rows == totals.meant:
        rows = 0  # the line has this number already
    return lookup(code).summary, rows


def _with_cause(line: str, totals: Totals) -> str:
    """Return the line with the main cause, or "" if it is not that of nearly all lost rows, if
    something else is still to come, or if both are too long together.

    `Google refused all 212 sales because the ad click or call belongs to another account.`
    """
    number = totals.number_with(totals.reason)
    if not totals.reason or number < NEARLY_ALL * totals.lost or totals.waiting:
        return ""
    because = " because" if number >= totals.lost else ", nearly all because"
    both = f"{line.removesuffix('.')}{because} {inside(lookup(totals.reason).summary)}"
    return both if len(both.split()) <= MAX_WORDS else ""


def numbers_of(totals: Totals, *, is_check: bool = False) -> tuple[Number, ...]:
    """Return how many rows are taken, lost and waiting, with their money.

    The overview has only a digest, so a number may use only what `Totals.digest` keeps, and
    `Totals.without_lost` must drop what is lost.
    """
    corrections = totals.corrections
    taken_corrections = sum(corrections.get(each, 0) for each in ("uploaded", "duplicate"))
    lost_corrections = sum(corrections.get(each, 0) for each in LOST)
    deferred_corrections = corrections.get("deferred", 0)
    # Of rows that are only counted, nobody knows which are refunds.
    is_only_counted = totals.awaiting or totals.unnamed
    is_known = not is_only_counted and not (totals.repeats and corrections.get("duplicate"))
    others = totals.other_currencies
    of_lost = Number(
        "Not counted",
        _kinds(totals, totals.lost, None if totals.unnamed else lost_corrections),
        _worth(totals.lost_money(), others, least=totals.lost - lost_corrections),
    )
    if not of_lost.money and totals.count("not_attempted"):
        of_lost = of_lost._replace(money="value unknown")
    if is_check:
        possible = _kinds(totals, totals.count("ok"), corrections.get("ok", 0))
        worth = _worth(totals.money.get("ok", {}), others)
        return Number("Can be uploaded", possible, worth), of_lost._replace(name="Cannot")
    return (
        Number(
            "Taken",
            _kinds(totals, totals.taken, taken_corrections if is_known else None),
            _worth_of_taken(totals),
        ),
        of_lost,
        Number(
            "Waiting",
            _kinds(totals, totals.waiting, None if totals.awaiting else deferred_corrections),
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
    worth = money(sums)
    if not worth:
        return ""
    at_least = "at least " if sum(each.rows for each in sums.values()) < least else ""
    return f"{at_least}{worth}{' and more' if other_currencies else ''}"


def _worth_of_taken(totals: Totals) -> str:
    """Return what the taken rows are worth. Google does not say which of them it has refused."""
    worth = _worth(totals.taken_money(), totals.other_currencies)
    if not totals.unnamed or not worth:
        return worth
    return f"at most {worth}" if totals.taken else ""


def superseded_rows(totals: Totals) -> int:
    """Return how many of the skipped rows are not needed, because a newer value counts."""
    return sum(
        each.number for code, each in totals.codes.items() if lookup(code).outcome == "skipped"
    )


def why_none_is_meant(totals: Totals) -> str:
    """Return why no row of a file is to be sent: `the profile skips 6 rows; newer values of 4 rows
    count already`."""
    superseded = superseded_rows(totals)
    skipped = totals.count("skipped") - superseded
    clauses = []
    if skipped:
        clauses.append(f"the profile skips {number_of_rows(skipped)}")
    if superseded:
        clauses.append(f"newer values of {number_of_rows(superseded)} count already")
    return "; ".join(clauses) or "the file has no row"


def _line_of(totals: Totals, *, is_check: bool) -> str:
    what, lost, taken = noun_of(totals), totals.lost, totals.taken
    if not totals.meant:
        why = why_none_is_meant(totals)
        return f"{why[0].upper()}{why[1:]}."
    wanted = totals.meant - totals.repeats or totals.meant  # a repeat is no sale of its own
    if is_check:
        possible = totals.count("ok")
        rest = f"; {lost:,} cannot" if lost and possible else ""
        return f"This was only a check: {_part(possible, wanted, what)} can be uploaded{rest}."
    if taken == wanted:
        everything, before = _part(wanted, wanted, what), totals.before
        if before == wanted:
            return f"Google already had {everything}."
        return f"Google took {everything}{f'; it had {before:,} of them before' if before else ''}."
    if lost == wanted:
        return _line_of_lost(totals, wanted, what)
    clauses = [f"Google took {_part(taken, wanted, what)}"]
    if lost:
        clauses.append(_clause_of_lost(totals))
    if totals.awaiting and not taken and not lost:
        clauses = [f"Google is still checking {_part(totals.awaiting, wanted, what)}"]
    elif totals.awaiting:
        clauses.append(f"it is still checking {totals.awaiting:,}")
    if deferred := totals.count("deferred"):
        clauses.append(f"{deferred:,} {_verb(deferred, 'is', 'are')} sent again automatically")
    return f"{'; '.join(clauses)}."


def _refused(totals: Totals) -> int:
    """Return how many rows Google has refused. The other lost ones were not sent."""
    return totals.count("failed") + totals.unnamed_rows


def _line_of_lost(totals: Totals, wanted: int, what: str) -> str:
    """Return the line of a file of which no row counts."""
    if _refused(totals) == totals.lost:
        return f"Google refused {_part(wanted, wanted, what)}."
    if _refused(totals):
        return f"Google took {_part(0, wanted, what)}."
    if wanted == 1:
        return f"The only {what} was not sent."
    return f"None of {number_of(wanted, what)} was sent."


def _clause_of_lost(totals: Totals) -> str:
    lost = totals.lost
    if _refused(totals) == lost:
        return f"it refused {lost:,}"
    if _refused(totals):
        return f"{lost:,} do not count"
    return f"{lost:,} {_verb(lost, 'was', 'were')} not sent"


def _verb(count: int, one: str, more: str) -> str:
    return one if count == 1 else more


def _line_of_stopped(totals: Totals, *, is_maybe_sent: bool) -> str:
    wanted, what = totals.meant - totals.repeats, noun_of(totals)
    if is_maybe_sent:
        some = f"Some of {number_of(wanted, what)}" if wanted else "Some rows"
        return f"{some} may have reached Google."
    if totals.count("not_attempted") >= wanted:
        return "The file was stopped before anything was sent."
    return f"Google took {_part(totals.taken, wanted, what)} before the file was stopped."


def _part(count: int, total: int, what: str) -> str:
    """`all 5 rows`, `the only row`, `3 of 5 rows`, `none of 5 rows`."""
    if count == total:
        return f"the only {what}" if total == 1 else f"all {number_of(total, what)}"
    return f"{f'{count:,}' if count else 'none'} of {number_of(total, what)}"


# ── the report ───────────────────────────────────────────────────────────────────────────────────


def headline_of_results(head: ResultsHead, findings: Findings) -> Headline:
    """Return what the results document says of its file."""
    totals = head.totals()
    totals.reason = findings.main_reason(totals.unnamed)
    return headline_of(
        totals,
        looks_of([note.code for note in head.notes], totals),
        stop=head.file_error.code if head.file_error is not None else "",
        is_superseded=bool(head.other_generation),
        is_check=head.validate_only,
    )


def next_steps(head: ResultsHead, findings: Findings, headline: Headline) -> Sequence[NextStep]:
    """Return what to do about a file: what brings most money comes first."""
    if head.other_generation:
        text = f"{NOBODY} The results of generation {head.other_generation} have the rows."
        return [NextStep(text)]
    if headline.status == "stopped":
        return [_filled_in(NextStep(head.codes[headline.code].action), head)]
    totals = head.totals()
    looks = looks_of([note.code for note in head.notes], totals)
    steps = [
        *_steps_for_rows(head, findings, totals, headline),
        *(step for code in looks if (step := _step_for_look(head, findings, code, headline))),
    ]
    if steps:
        return [_filled_in(step, head) for step in _with_upload(steps[:MAX_STEPS])]
    if totals.lost:
        return [NextStep("Nobody can correct these rows. The reasons are below.")]
    has_advice = any(head.codes[note.code].needs_action for note in head.notes)
    text = f"{NOBODY} For the next files, read the notes below." if has_advice else NOBODY
    if headline.status == "waiting":
        last = datetime.fromisoformat(head.finished_at) + LATEST_ANSWER
        text = (
            f"{NOBODY_NOW} Google usually answers within a day, and this report is replaced then. "
            f"If it still says Waiting after {last.day} {last:%B %Y}, ask your engineer for the "
            "reason in the log."
        )
    return [NextStep(text, _why_again(findings, noun_of(totals)))]


def _why_again(findings: Findings, what: str) -> str:
    """Return the main reason why rows are sent again, or "" if none are."""
    causes = findings.groups["nobody"].by_importance()
    again = [each for each in causes if each.outcomes["deferred"]]
    if not again:
        return ""
    deferred = again[0].outcomes["deferred"]
    these = f"{number_of(deferred, what)} {_verb(deferred, 'is', 'are')} sent again"
    return f"Why {these}: {lookup(again[0].code).summary}"


def _with_upload(steps: Sequence[NextStep]) -> Sequence[NextStep]:
    """Return the steps with the upload that brings the rows again: once, however many need it.

    The file that `fix` writes has only the rows of its own step, so that is no way for several.
    """
    if sum(step.needs_upload for step in steps) < 2:
        return [
            step._replace(text=f"{step.text} {AGAIN}") if step.needs_upload else step
            for step in steps
        ]
    alone = [
        step._replace(command="", writes_rows=False) if step.writes_rows else step for step in steps
    ]
    return [
        *alone,
        NextStep(for_owner("After that, upload the file again, once: no sale counts twice.")),
    ]


def _steps_for_rows(
    head: ResultsHead, findings: Findings, totals: Totals, headline: Headline
) -> Sequence[NextStep]:
    """Return the steps for rows that do not count, the dearest first: settings that mend many rows
    at once, the other rows to correct, and what came too late. The headline may have said why."""
    correct, late = findings.groups["correct"], findings.groups["late"]
    settings, causes = findings.groups["profile"].by_importance(), correct.by_importance()
    rows, sums, has_fix = correct.rows, correct.sums, True
    if causes and lookup(causes[0].code).is_caused_by_setting(causes[0].rows, totals.meant):
        setting = causes.pop(0)
        settings.append(setting)
        # `fix` would write its rows too, although their cells are right.
        rows, sums, has_fix = rows - setting.rows, difference(sums, setting.sums), False
    steps = [_step_for_cause(cause, cause, totals, headline) for cause in settings]
    if rows:
        step = _to_correct(head, rows, causes, noun_of(totals), has_fix=has_fix)
        steps.append(step._replace(rows=rows, sums=sums))
    if late.rows:
        steps.append(_step_for_cause(late.by_importance()[0], late, totals, headline))

    def rank(step: NextStep) -> tuple[int, int]:
        return -max(micros_by_currency(step.sums).values(), default=0), -step.rows

    return sorted(steps, key=rank)


def _step_for_cause(
    cause: Cause, rows_of: Cause | Group, totals: Totals, headline: Headline
) -> NextStep:
    """Return the step for the rows of a cause, or of the group of which it is the main one
    (`rows_of`)."""
    entry = lookup(cause.code)
    return NextStep(
        entry.advice(cause.rows, totals.meant),
        "" if cause.code == headline.code else entry.summary,
        rows=rows_of.rows,
        sums=rows_of.sums,
        needs_upload=entry.needs_upload,
    )


def _to_correct(
    head: ResultsHead, rows: int, causes: Sequence[Cause], what: str, *, has_fix: bool
) -> NextStep:
    """Return the step for rows whose cells are wrong."""
    why = ""
    if causes and 2 * causes[0].rows > rows:
        entry = lookup(causes[0].code)
        of_rows = f"{number_of(causes[0].rows, what)}: " if causes[0].rows < rows else ""
        why = f"{of_rows}{entry.summary} {without_owner(entry.action)}"
    these = f"this {what}" if rows == 1 else f"these {what}s"
    if not head.source.bucket:
        return NextStep(for_owner(f"Correct {these} in the file, and check it again."), why)
    command = ""
    if has_fix:
        name = PurePosixPath(head.source.name).name
        results = results_name(name, int(head.source.generation))
        command = shlex.join(("offline-conversions", "fix", name, results))
    text = for_owner(f"Correct {these} in the CRM or in the file.")
    return NextStep(text, why, command, needs_upload=True, writes_rows=has_fix)


def _step_for_look(
    head: ResultsHead, findings: Findings, code: str, headline: Headline
) -> NextStep | None:
    """Return the step for a note that needs somebody, on the file or on rows that are not lost. The
    headline may have said why."""
    details = [note.detail for note in head.notes if note.code == code]
    cause = findings.groups["look"].causes.get(code) or Cause(code)
    if not details and not cause.rows:
        return None
    entry = head.codes[code]
    said = f"{first_sentence(entry.meaning)}." if code == headline.code else ""
    parts = [entry.meaning.removeprefix(said), *(f"({each})" for each in details if each)]
    return NextStep(entry.action, " ".join(parts).strip(), "", code, cause.rows, cause.sums)


def _filled_in(step: NextStep, head: ResultsHead) -> NextStep:
    """Return a step with the account of the file, and with its command below it."""
    command = step.command
    text = filled_in(step.text, head.customer_id, "the command below")
    if OPEN_PROFILE in step.text:
        name = PurePosixPath(head.source.name).name
        command = shlex.join(("offline-conversions", "init", name, "--profile", head.profile))
    return step._replace(text=text, command=command)
