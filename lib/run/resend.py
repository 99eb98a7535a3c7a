"""Deferred rows: when they are sent again, and what becomes of them when nothing is sent any more.

A row is deferred because of one of these codes:

    UNTERMINATED_LAST_LINE    the file may be cut there: ten minutes, while it is not replaced
    AWAITS_CONVERSIONS        an adjustment waits until the conversions of its file are answered
    CORRECTED_MEANWHILE       another file corrected its order while Google processed it: at once
    ROWS_NOT_NAMED            Google has not counted some rows of its request, but names none
    another one               Google cannot count it yet

Google's own reasons end 72 hours after the first of them (MAX_DEFER_HOURS): the row is then failed,
with DEFERRED_TOO_LONG beside the reason that was last. AWAITS_CONVERSIONS and CORRECTED_MEANWHILE
end after LONGEST_WAIT.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from lib.catalogue.codes import WAITS_A_DAY, lookup
from lib.config.settings import Settings
from lib.destinations.base import RowResult
from lib.model import retries
from lib.model.chunk_outcomes import ChunkOutcomes, bounded
from lib.model.outcomes import COUNTED, UNLISTED, Outcome, Problem, RowOutcome
from lib.model.totals import NOT_SENT_AGAIN, Totals, at_most
from lib.run.attempt import Attempt

UNTERMINATED_LAST_LINE: Final = "UNTERMINATED_LAST_LINE"
"""The row in a last line without a line end, which may have been cut there by a broken upload.

A cut value is worse than a late one: 1270.00 that arrives as 1 is counted as 1, and the complete
upload that follows is a duplicate."""

AWAITS_CONVERSIONS: Final = "AWAITS_CONVERSIONS"
"""An adjustment in a file with conversions, for an API that must know the conversion first."""

ROWS_NOT_NAMED: Final = "ROWS_NOT_NAMED"
"""A row that the API has accepted, and may or may not count: it has counted errors in the row's
request without naming the rows."""

CORRECTED_MEANWHILE: Final = "CORRECTED_MEANWHILE"
"""A row that the API has accepted, with a value that is not the newest any more."""

_WITH_OWN_LIMIT: Final = (AWAITS_CONVERSIONS, CORRECTED_MEANWHILE)
"""Reasons that end after LONGEST_WAIT. The time before them is no part of Google's 72 hours."""
_NOT_SENT_AGAIN: Final = Problem(NOT_SENT_AGAIN)
_NEWEST_VALUE_NOT_SENT: Final = Problem("NEWEST_VALUE_NOT_SENT")
_NEVER_SENT: Final = (UNTERMINATED_LAST_LINE, AWAITS_CONVERSIONS)


# ── when a row is sent again ─────────────────────────────────────────────────────────────────────


def with_due_time(
    row: RowOutcome, before: RowOutcome | None, now: datetime, settings: Settings
) -> RowOutcome:
    """Return a deferred row with the time at which it is sent again; failed if it is too late.

    `before` is the row when it was deferred the last time, if it was.
    """
    codes = {each.code for each in row.errors}
    if AWAITS_CONVERSIONS in codes:
        # It has no due time: `is_due` asks whether the conversions are answered.
        return row._replace(due=None, until=now + retries.LONGEST_WAIT)
    if CORRECTED_MEANWHILE in codes:
        # Google may count errors without naming the rows. Then this row may be one of them.
        was_counted = row.was_counted or ROWS_NOT_NAMED not in codes
        return row._replace(due=now, until=now + retries.LONGEST_WAIT, was_counted=was_counted)
    until = _limit_of_google(before) or now + timedelta(hours=settings.max_defer_hours)
    is_transient = bool(codes) and all(lookup(code).scope == "transient" for code in codes)
    due = now + timedelta(hours=settings.defer_hours)
    if UNTERMINATED_LAST_LINE in codes:
        due = now + retries.LAST_LINE
    elif codes & WAITS_A_DAY:
        due = now + retries.ADJUSTMENT
    elif is_transient:
        due = now + retries.TRANSIENT_ROWS
    if now >= until:
        return _with_last_outcome(row, _TOO_LONG)
    # The last time comes at the end, however long the waits before were.
    due = min(due, until)
    return row._replace(due=due, until=until, maybe_sent=is_transient or row.maybe_sent)


def _limit_of_google(row: RowOutcome | None) -> datetime | None:
    """Return until when a row may be sent again, if Google has deferred it before."""
    if row is None or any(row.has_error(code) for code in _WITH_OWN_LIMIT):
        return None
    return row.until


def is_due(row: RowOutcome, attempt: Attempt) -> bool:
    """Return whether a deferred row can be sent now."""
    if row.outcome != "deferred":
        return False
    if row.due is None:
        return attempt.conversions_are_answered
    return row.due <= attempt.context.utc_now()


def was_sent(row: RowOutcome) -> bool:
    """Return whether a deferred row was sent before, and not only held back."""
    return not any(row.has_error(code) for code in _NEVER_SENT)


def uncounted_before(before: ChunkOutcomes, due: Container[int]) -> dict[int, RowResult]:
    """Return the rows of a chunk that are not `due`, and that Google does not count, by line."""
    return {
        row.line: RowResult(row.outcome, row.errors)
        for row in before.listed
        if row.line not in due and row.outcome not in COUNTED and not _was_accepted(row)
    }


def merged(before: ChunkOutcomes, answer: ChunkOutcomes, *, list_all: bool) -> ChunkOutcomes:
    """Return the outcomes of a chunk, with the new outcomes of the rows that were sent again.

    `before` are its outcomes so far. `answer` lists each of those rows. `list_all`: also a row
    without a problem stays listed.
    """
    new = {row.line: row for row in answer.listed}
    open_requests = before.open_requests + answer.open_requests
    listed: list[RowOutcome] = []
    unlisted = Totals()
    unlisted.add(before.unlisted)
    for old in before.listed:
        row = keep_accepted(old, new.get(old.line, old))
        if row.outcome in COUNTED and old.has_error(UNTERMINATED_LAST_LINE):
            # If it was cut after all, nobody else says that Google has a part of its last cell.
            row = row._replace(warnings=(*row.warnings, Problem(UNTERMINATED_LAST_LINE)))
        if answer.open_requests and row.outcome == "uploaded":
            # Its final status may defer it once more.
            row = row._replace(until=_limit_of_google(old))
        is_plain = row.outcome in UNLISTED and not (row.warnings or row.errors)
        # A row in an open request stays listed: its final status needs its `until`, and counts it.
        if is_plain and not (list_all or open_requests):
            unlisted.add_row(row)
        else:
            listed.append(row)
    # Of the other rows, the status of the new request says how many never count.
    left = sum(row.has_error(ROWS_NOT_NAMED) or _NOT_SENT_AGAIN in row.warnings for row in listed)
    closed = tuple(
        each._replace(unnamed_resent=at_most(left, Counter(each.unnamed_resent)))
        for each in before.closed_requests
    )
    return replace(
        before,
        listed=bounded(listed),
        unlisted=unlisted,
        request_ids=before.request_ids + answer.request_ids,
        open_requests=open_requests,
        closed_requests=closed,
        sent_at=answer.sent_at or before.sent_at,
    )


def keep_accepted(old: RowOutcome, new: RowOutcome) -> RowOutcome:
    """Return the outcome of a row that was sent again. What was accepted before stays accepted."""
    is_retracted = new.outcome == "skipped" and not old.was_counted
    if _was_accepted(old) and new.outcome not in (*COUNTED, "deferred") and not is_retracted:
        return _accepted_before(old)
    return new._replace(was_counted=old.was_counted)


# ── rows that are not sent any more ──────────────────────────────────────────────────────────────


class Ending(NamedTuple):
    """The last outcome of a deferred row, and why it is not sent again."""

    outcome: Outcome
    problem: Problem


_TOO_LONG: Final = Ending("failed", Problem("DEFERRED_TOO_LONG"))


def end_deferred_rows(attempt: Attempt, ending_of: Callable[[RowOutcome], Ending | None]) -> None:
    """Give deferred rows their last outcome, in the markers of their chunks. `ending_of` returns
    why a row is not sent any more. None: it is still sent."""

    def ended(row: RowOutcome) -> RowOutcome:
        ending = ending_of(row) if row.outcome == "deferred" else None
        return row if ending is None else _with_last_outcome(row, ending)

    for number in sorted(attempt.sums.waits):
        marker = attempt.markers.read(number)
        attempt.replace_marker(marker, marker.outcomes.with_listed(ended))
    if attempt.must_sum_up:
        attempt.sum_up()


def end_rows_that_waited_too_long(attempt: Attempt) -> None:
    """Give rows that nobody could send in time their last outcome: the API did not answer."""
    last = attempt.context.utc_now() - retries.LAST_RESEND
    if any(wait.until is not None and wait.until < last for wait in attempt.sums.waits.values()):
        end_deferred_rows(
            attempt, lambda row: _TOO_LONG if row.until and row.until < last else None
        )


def _with_last_outcome(row: RowOutcome, ending: Ending) -> RowOutcome:
    """Return a deferred row with its last outcome, unless Google has it already, or it was never
    whole."""
    if _was_accepted(row):
        # Google has it already, and only a better version of it was to follow.
        return _accepted_before(row)
    outcome, errors = ending.outcome, (*row.errors, ending.problem)
    if row.has_error(UNTERMINATED_LAST_LINE) and ending is not _TOO_LONG:
        # Perhaps it was never complete: then it comes again with the complete file.
        outcome, errors = "not_attempted", (ending.problem,)
    return row._replace(outcome=outcome, errors=errors, due=None, until=None)


def _was_accepted(row: RowOutcome) -> bool:
    """Return whether the API has accepted a row before it was, or is to be, sent again."""
    return row.was_counted or row.has_error(ROWS_NOT_NAMED)


def _accepted_before(row: RowOutcome) -> RowOutcome:
    """Return a row as the API accepted it, with the warning that it was not sent again."""
    problem = _NEWEST_VALUE_NOT_SENT if row.was_counted else _NOT_SENT_AGAIN
    warnings = (*row.warnings, problem)
    return row._replace(outcome="uploaded", errors=(), warnings=warnings, due=None, until=None)
