"""Final statuses: when to poll an API that reports them later, and what they say of the rows.

      document          poll            poll   poll          resend           poll
 ──send──▶│◀ first wait ▶│◀ longer wait ▶│ … ──▶│◀ defer_hours ▶│◀ first wait ▶│ …
        since       PROCESSING           too recent:         sent_at:       counted
                                         sets resend_at      schedule restarts

Rows are sent again until `max_defer_hours` after `since`. Each time, the destination's schedule
(`Capabilities.reports_later`) starts again. Every schedule ends, and so every run ends too.

The final status of a request becomes the final outcomes of its rows (`apply_final_statuses`):

                    ┌─ named, already counted ─────────────▶ duplicate
                    ├─ named, a temporary reason ──────────▶ deferred: only this row is sent again
    uploaded ───────┼─ named, no ad click, no click ID ────▶ uploaded, and counted as unmatched
    (awaiting)      ├─ named, any other reason ────────────▶ failed
                    ├─ counted but not named, temporary ───▶ deferred: the rest of the request
                    └─ not named ──────────────────────────▶ uploaded, finally

If rows would be sent again too late, a temporary reason is treated like any other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from lib.catalogue.codes import NOBODY_CLICKED, lookup
from lib.config.settings import Settings
from lib.destinations.base import PolledDestination
from lib.destinations.registry import capabilities_of
from lib.errors import LeaseLost, PermanentError, RetryableError
from lib.model.log import Log
from lib.model.money import Amounts
from lib.model.outcomes import ChunkOutcomes, Problem, RowOutcome
from lib.model.sent_requests import UNREADABLE, RequestStatus, SentRequest, numbers_in
from lib.results.document import DocumentMetadata, processing_of
from lib.run.alerts import log_blocked_follow_up, log_redelivery, many_fail
from lib.run.attempt import Attempt
from lib.run.claim import claimed_profile
from lib.run.finish import WrittenRun, poll_schedule
from lib.state.pending_runs import PendingRun

ROWS_NOT_NAMED: Final = "ROWS_NOT_NAMED"
"""The error of a row that may or may not be counted."""

FinalOutcome = Literal["failed", "duplicate", "deferred", "unmatched"]

_STRONGEST_FIRST: Final[tuple[FinalOutcome, ...]] = ("failed", "duplicate", "deferred", "unmatched")

_NOTES: Final = frozenset({"NOT_COUNTED", "NEARLY_NO_MATCHES"})
"""Notes on what is polled: those of the last poll replace earlier ones."""

_MATCHABLE_ROWS: Final = 500
_NEARLY_NONE: Final = 0.01
"""Of so many rows, nearly none matches. This cannot be chance."""

PollResult = Literal["answered", "refused", "later"]
"""Whether the API was polled: `refused` counts as a poll, after `later` the next sweep polls."""


def poll_requests(attempt: Attempt, pending: PendingRun) -> PollResult:
    """Poll the status of all open requests, and save the outcomes of their rows in the markers.

    Every marker is saved before the next requests are polled. After a crash, only the requests that
    are still open are polled again.
    """
    log = attempt.log
    try:
        _poll(attempt, pending)
    except PermanentError as error:
        # Perhaps the credentials are refused. The schedule decides if the API is polled again.
        log_blocked_follow_up(error, log)
        attempt.blocked = error.code
        log.warning("processing_unknown", code=error.code)
        return "refused"
    except LeaseLost:
        raise
    except RetryableError as error:
        log_redelivery(error, pending.poll_at, attempt.context, log)
        schedule = capabilities_of(claimed_profile(attempt.run).destination).reports_later
        assert schedule is not None
        age = attempt.context.utc_now() - (pending.sent_at or pending.since)
        is_last = age > schedule.stop_after
        return "refused" if is_last else "later"
    return "answered"


def _poll(attempt: Attempt, pending: PendingRun) -> None:
    context, run = attempt.context, attempt.run
    ledger = context.ledger
    # Whether there is time to send rows again.
    last_resend = pending.since + timedelta(hours=context.settings.max_defer_hours)
    can_defer = _resend_at(pending, context.settings) <= last_resend
    destination = context.connect(claimed_profile(run), attempt.log)
    assert isinstance(destination, PolledDestination)
    for number in sorted(ledger.finished_chunks(run)):
        before, generation = ledger.load_chunk(run, number)
        still_open = [each.request_id for each in before.sent if each.is_open]
        if not still_open:
            continue
        if context.monotonic() >= attempt.deadline.last_start:
            break
        statuses: dict[str, list[RequestStatus]] = {}
        for status in destination.request_statuses(still_open, attempt.deadline):
            statuses.setdefault(status.request_id, []).append(status)
        outcomes = apply_final_statuses(before, statuses, can_defer)
        if outcomes != before:
            attempt.lease.check()
            ledger.write_chunk(run, outcomes, generation)


def _resend_at(pending: PendingRun, settings: Settings) -> datetime:
    sent_at = pending.sent_at or pending.since
    return pending.resend_at or sent_at + timedelta(hours=settings.defer_hours)


def apply_final_statuses(
    chunk: ChunkOutcomes, statuses: Mapping[str, Sequence[RequestStatus]], can_defer: bool
) -> ChunkOutcomes:
    """Return the chunk after the API's answer about some of its open requests.

    `statuses` has the statuses of each request by its ID. A request without a final status for
    every conversion action stays open. `can_defer`: there is time to send rows again.
    """
    rows = {row.line: row for row in chunk.listed}
    sent = []
    for request in chunk.sent:
        found = statuses.get(request.request_id, ()) if request.is_open else ()
        if not found:
            sent.append(request)
        elif not all(each.is_final for each in found):
            sent.append(request._replace(statuses=tuple(map(_without_records, found))))
        else:
            sent.append(_apply_to_request(request, found, rows, can_defer))
    listed = [rows[line] for line in sorted(rows)]
    before = {row.line for row in chunk.listed}
    unlisted = chunk.unlisted()
    unlisted.remove("uploaded", [row for row in listed if row.line not in before])
    return chunk.with_rows(listed, unlisted, chunk.request_ids, tuple(sent))


@dataclass(slots=True)
class _Reasons:
    """What the API says about the rows of a request: reasons by line, and unnamed rows."""

    errors: dict[int, list[str]] = field(default_factory=dict)
    warnings: dict[int, list[str]] = field(default_factory=dict)
    unnamed: Counter[str] = field(default_factory=Counter)

    def add(self, status: RequestStatus, lines: Sequence[int]) -> None:
        for reason, count in status.errors.items():
            named = _lines_of(status.error_records.get(reason, ()), lines)
            for line in named:
                self.errors.setdefault(line, []).append(reason)
            self.unnamed[reason] += max(0, count - len(named))
        for reason, records in status.warning_records.items():
            for line in _lines_of(records, lines):
                self.warnings.setdefault(line, []).append(reason)


def _lines_of(records: Sequence[int], lines: Sequence[int]) -> list[int]:
    """Positions in the request → lines. A position outside of the request names no row."""
    return [lines[each] for each in dict.fromkeys(records) if 0 <= each < len(lines)]


def _apply_to_request(
    request: SentRequest,
    statuses: Sequence[RequestStatus],
    rows: dict[int, RowOutcome],
    can_defer: bool,
) -> SentRequest:
    """Change the `rows` of a request, and return the request with its counts."""
    lines = list(numbers_in(request.lines))
    values, positions = Amounts.unpacked(request.values), {n: at for at, n in enumerate(lines)}

    def row_in(line: int) -> RowOutcome:
        plain = RowOutcome(line, "uploaded", None, (), (), *values.at(positions[line]))
        return rows.get(line, plain)

    unclicked = set(numbers_in(request.unclicked))
    reasons = _Reasons()
    for status in statuses:
        reasons.add(status, lines)
    not_counted: Counter[str] = Counter()
    unmatched = 0
    for line, found in reasons.errors.items():
        outcome, reason = _final_outcome(found, line not in unclicked, can_defer)
        if outcome == "unmatched":
            unmatched += 1
            continue
        if outcome == "failed":
            not_counted[reason] += 1
        rows[line] = row_in(line)._replace(outcome=outcome, errors=tuple(map(Problem, found)))
    for line, found in reasons.warnings.items():
        row = row_in(line)
        rows[line] = row._replace(warnings=row.warnings + tuple(map(Problem, found)))
    named = reasons.errors.keys()
    unnamed = _at_most(len(lines) - len(named), reasons.unnamed)
    if can_defer and any(map(_is_temporary, unnamed)):
        # Rows of the other unnamed reasons are counted with the request that sends them again.
        for line in lines:
            if line not in named:
                rows[line] = row_in(line)._replace(
                    outcome="deferred", errors=(Problem(ROWS_NOT_NAMED),)
                )
        unnamed.clear()
    more, lost = _without_names(unnamed, len(unclicked - named))
    matchable = sum(line not in rows or rows[line].outcome == "uploaded" for line in unclicked)
    if any(each.status == UNREADABLE for each in statuses):
        matchable = 0  # it is not known which of them have an ad click
    return request._replace(
        lines=(),
        unclicked=(),
        values=b"",
        statuses=tuple(map(_without_records, statuses)),
        matchable=matchable,
        unmatched=unmatched + more,
        not_counted=not_counted + lost,
        unnamed=lost.total(),
    )


def _final_outcome(
    reasons: Sequence[str], has_click_id: bool, can_defer: bool
) -> tuple[FinalOutcome, str]:
    """Return what the reasons mean for a row, and the one that decides."""
    by_outcome: dict[FinalOutcome, str] = {}
    for reason in reasons:
        outcome: FinalOutcome = "failed"
        if reason in NOBODY_CLICKED and not has_click_id:
            outcome = "unmatched"
        elif lookup(reason).outcome == "duplicate":
            outcome = "duplicate"
        elif can_defer and _is_temporary(reason):
            outcome = "deferred"
        by_outcome.setdefault(outcome, reason)
    strongest = next(each for each in _STRONGEST_FIRST if each in by_outcome)
    return strongest, by_outcome[strongest]


def _at_most(rows: int, unnamed: Counter[str]) -> Counter[str]:
    """Limit the counts to this number of rows, because a row is counted for each of its reasons."""
    limited: Counter[str] = Counter()
    for reason, count in unnamed.most_common():
        limited[reason] = min(count, rows - limited.total())
    return +limited


def _without_names(unnamed: Counter[str], unclicked: int) -> tuple[int, Counter[str]]:
    """Return how many unnamed rows are unmatched, and the reasons of those that never count.

    At most `unclicked` rows can be unmatched, because only rows without a click ID are.
    """
    lost = Counter(
        {
            reason: count
            for reason, count in unnamed.items()
            if lookup(reason).outcome != "duplicate"
        }
    )
    unmatched = 0
    for reason in NOBODY_CLICKED & lost.keys():
        unmatched = min(lost[reason], unclicked)
        lost[reason] -= unmatched
    return unmatched, +lost


def _is_temporary(reason: str) -> bool:
    entry = lookup(reason)
    return entry.outcome == "deferred" or entry.scope == "transient"


def _without_records(status: RequestStatus) -> RequestStatus:
    """Return the status as it is kept. What it says of single rows is in their outcomes."""
    return status._replace(error_records={}, warning_records={})


def reschedule(
    pending: PendingRun,
    written: WrittenRun,
    destination: str,
    *,
    polled: bool,
    settings: Settings,
    now: datetime,
) -> PendingRun:
    """Return the run with its next times to poll and to send, after everything due has been done.

    The times depend only on saved data. So if a sweep crashes, the next one continues correctly.
    """
    has_new_requests = len(written.request_ids) > pending.requests
    sent_at = now if has_new_requests else pending.sent_at or pending.since
    polls = 0 if has_new_requests else pending.polls + polled
    poll_at = pending.poll_at
    if not written.requests.open:
        poll_at = None
    elif has_new_requests or polled:
        schedule = capabilities_of(destination).reports_later
        assert schedule is not None
        poll_at = schedule.next_check(sent_at, polls)
    resend_at = None
    if written.tally.outcomes.get("deferred"):
        resend_at = _resend_at(pending, settings)
    return replace(
        pending,
        resend_at=resend_at,
        poll_at=poll_at,
        polls=polls,
        requests=len(written.request_ids),
        sent_at=sent_at,
    )


def with_processing(
    metadata: DocumentMetadata, written: WrittenRun, polled_at: datetime | None
) -> DocumentMetadata:
    """Return the metadata with the `processing` part and its notes, which replace earlier ones.

    `polled_at` is None if the API was not polled now. The metadata of a destination that reports
    nothing later stays the same.
    """
    if poll_schedule(metadata) is None or not written.requests.requests:
        return metadata
    notes = [note for note in metadata.notes if note.code not in _NOTES]
    if note := note_on_matches(written):
        notes.append(note)
    if written.requests.unnamed:
        uploaded = written.tally.outcomes.get("uploaded", 0)
        notes.append(Problem("NOT_COUNTED", "", f"{written.requests.unnamed} of {uploaded} rows"))
    processing = processing_of(written.requests, polled_at, metadata.processing)
    to_correct = sum(_reasons_to_correct(written).values())
    return replace(
        metadata,
        notes=tuple(notes),
        processing=processing,
        uncounted=min(written.requests.unnamed, to_correct),
        matchable=written.requests.matchable,
    )


def _reasons_to_correct(written: WrittenRun) -> dict[str, int]:
    """Return the reasons for which rows are not counted and that one can correct."""
    reasons = written.requests.not_counted.items()
    return {reason: count for reason, count in reasons if lookup(reason).needs_action}


def note_on_matches(written: WrittenRun) -> Problem | None:
    """Return the note about a file in which nearly no row led to an ad click.

    Only rows without a click ID count: Google finds their clicks by the hashed email address or
    phone number. With a wrong default country, or wrong hashes in the file, every row is accepted,
    and nearly none matches. None while rows await their final status.
    """
    requests = written.requests
    if requests.open or written.tally.outcomes.get("deferred"):
        return None
    matched = requests.matchable - requests.unmatched
    if requests.matchable < _MATCHABLE_ROWS or matched > _NEARLY_NONE * requests.matchable:
        return None
    return Problem("NEARLY_NO_MATCHES", "", f"{matched} of {requests.matchable} rows")


def alert_if_not_counted(written: WrittenRun, settings: Settings, log: Log) -> None:
    """Log an alert if many of the rows that the API accepted are not counted for a reason one can
    correct."""
    reasons = _reasons_to_correct(written)
    lost = sum(reasons.values())
    named = written.requests.not_counted.total() - written.requests.unnamed
    accepted = written.tally.outcomes.get("uploaded", 0) + named
    if not many_fail(lost, accepted, settings):
        return
    code = max(reasons, key=lambda reason: reasons[reason])
    log.alert(
        "rows_not_counted",
        code=code,
        detail=f"{lost} of {accepted} rows",
        action=lookup(code).action,
        not_counted=lost,
        records=accepted,
    )
