"""What an API reports later about the requests that it has accepted: their final statuses.

The final status of a request becomes the final outcomes of its rows (`apply_final_statuses`):

                    ┌─ named, already counted ─────────────▶ duplicate
                    ├─ named, a temporary reason ──────────▶ deferred: only this row is sent again
    uploaded ───────┼─ named, no ad click, no click ID ────▶ uploaded, and counted as unmatched
    (awaiting)      ├─ named, any other reason ────────────▶ failed
                    ├─ counted but not named, temporary ───▶ deferred: the rest of the request
                    ├─ not named, corrected meanwhile ─────▶ deferred: sent once more, at once
                    └─ not named ──────────────────────────▶ uploaded, finally

A row that was counted with an older value, and sent again with the newest one, never fails: it
stays uploaded.

Each request is asked about for seven days after it was sent (`Capabilities.reports_later`). Then
its rows stay uploaded, and the results say that nobody knows whether Google counts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal, get_args

from lib.catalogue.codes import KEEPS_OLD_VALUE, NOBODY_CLICKED, lookup
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.base import PolledDestination
from lib.destinations.registry import PACKAGES, capabilities_of
from lib.errors import PermanentError, RetryableError
from lib.model.capabilities import CheckSchedule
from lib.model.chunk_outcomes import ChunkOutcomes, bounded
from lib.model.deadline import Deadline
from lib.model.money import Amounts
from lib.model.outcomes import Problem, RowOutcome
from lib.model.sent_requests import (
    UNREADABLE,
    ClosedRequest,
    OpenRequest,
    RequestStatus,
    numbers_in,
    split_order_text,
    unpacked_texts,
)
from lib.model.totals import Totals, at_most
from lib.run.attempt import Attempt, Sums
from lib.run.corrections import OutdatedRows
from lib.run.resend import CORRECTED_MEANWHILE, ROWS_NOT_NAMED, keep_accepted, with_due_time
from lib.state.markers import Marker
from lib.state.runs import Run

STATUS_UNKNOWN: Final = "STATUS_UNKNOWN"
"""The API has not said in seven days what became of a request."""

FinalOutcome = Literal["failed", "duplicate", "deferred", "unmatched"]
"""What the reasons of a row mean: of several, the first of these."""


# ── when to ask ──────────────────────────────────────────────────────────────────────────────────


def senders(run: Run) -> list[str]:
    """Return the destinations that got rows of the run. A run that only validates has none.

    Another version may have saved the profile, with a destination that this one does not have.
    """
    profile = run.profile if isinstance(run.profile, dict) else {}
    if profile.get("validate_only"):
        return []
    named = profile.get("destination"), profile.get("adjustments_via")
    return [each for each in named if each in PACKAGES]


def polled_destination(run: Run) -> str | None:
    """Return the destination that reports final statuses of the run's rows later, if one does."""
    return next((name for name in senders(run) if capabilities_of(name).reports_later), None)


def next_poll(run: Run, sums: Sums) -> datetime | None:
    """Return when there is something to do about an open request: to ask for its status, or to give
    up. None: no request is open."""
    schedule = _schedule(run)
    if schedule is None:
        return None
    asked_at = run.polled_at
    return min(
        (
            schedule.next_check(sent_at, asked_at) or sent_at + schedule.stop_after
            for sent_at in sums.requests.open_since
        ),
        default=None,
    )


def _schedule(run: Run) -> CheckSchedule | None:
    """Return when to ask for the final statuses of a run's requests. None: no API reports them."""
    name = polled_destination(run)
    return capabilities_of(name).reports_later if name is not None else None


# ── ask ──────────────────────────────────────────────────────────────────────────────────────────


def ask_for_statuses(attempt: Attempt) -> None:
    """Ask for the final statuses that are due, and give up those that did not come in seven days.

    If Google refuses to answer, the run keeps the code (`Run.blocked`), and each sweep asks again,
    until Google answers or no request is open any more. If it cannot be reached, nothing is known
    about that, and the code stays.
    """
    now, due = attempt.context.utc_now(), next_poll(attempt.run, attempt.sums)
    blocked_before = attempt.run.blocked
    if due is not None and due <= now:
        outdated = OutdatedRows(attempt)
        _give_up(attempt, now, outdated)
        _ask(attempt, now, outdated)
        if attempt.must_sum_up:
            attempt.sum_up()
    if next_poll(attempt.run, attempt.sums) is None:
        # No request is open any more, so nobody needs to mend the access for this run.
        attempt.keep(blocked="")
    if attempt.run.blocked != blocked_before:
        attempt.has_changed = True  # the results say so


def _ask(attempt: Attempt, now: datetime, outdated: OutdatedRows) -> None:
    """Ask about the open requests, and keep why Google refuses to answer, if it does.

    Each marker is saved before the next requests are asked for, so that a crash loses no answer.
    Raises `RetryableError` if it cannot be saved.
    """
    polled_before = attempt.run.polled_at
    # Saved before the API is asked: one that never answers is not asked all the time.
    attempt.save(polled_at=now)
    if attempt.profile is None:
        return  # this version cannot read it
    # If the attempt fails, the next one asks again: an answer counts once it is saved.
    attempt.keep(polled_at=polled_before)
    destination: PolledDestination | None = None
    for marker in _markers_with_open_requests(attempt):
        if attempt.context.elapsed_seconds() >= attempt.deadline.last_start:
            break
        try:
            destination = destination or _polled_destination(attempt.profile, attempt)
            statuses = _statuses_of(marker, destination, attempt.deadline)
        except (PermanentError, RetryableError) as error:
            attempt.log.warning("processing_unknown", code=error.code, detail=error.detail)
            if isinstance(error, PermanentError):
                # A sweep reports it. Each sweep asks again, so that the answer comes soon after a
                # person has mended the access.
                attempt.keep(blocked=error.code)
                return
            break
        attempt.keep(blocked="")
        _apply(attempt, marker, statuses, outdated)
    attempt.keep(polled_at=now)


def _polled_destination(profile: Profile, attempt: Attempt) -> PolledDestination:
    """Return the destination that reports the statuses. It may get only a part of the rows."""
    polled = profile.model_copy(update={"destination": polled_destination(attempt.run)})
    destination = attempt.context.connect(polled, attempt.log)
    assert isinstance(destination, PolledDestination)
    return destination


def _statuses_of(
    marker: Marker, destination: PolledDestination, deadline: Deadline
) -> Mapping[str, Sequence[RequestStatus]]:
    """Return what the API says of the open requests of a chunk, by their IDs."""
    still_open = [each.request_id for each in marker.outcomes.open_requests]
    statuses: dict[str, list[RequestStatus]] = {}
    for status in destination.request_statuses(still_open, deadline):
        statuses.setdefault(status.request_id, []).append(status)
    return statuses


def _give_up(attempt: Attempt, now: datetime, outdated: OutdatedRows) -> None:
    """End the requests that are too old to ask about: their rows get STATUS_UNKNOWN."""
    schedule = _schedule(attempt.run)
    assert schedule is not None  # something is due
    last = now - schedule.stop_after
    if all(sent_at > last for sent_at in attempt.sums.requests.open_since):
        return
    for marker in _markers_with_open_requests(attempt):
        unknown = {
            each.request_id: [RequestStatus(each.request_id, UNREADABLE, code=STATUS_UNKNOWN)]
            for each in marker.outcomes.open_requests
            if each.sent_at <= last
        }
        # Their rows may be outdated all the same, and are then sent with the newest value.
        _apply(attempt, marker, unknown, outdated)


def _markers_with_open_requests(attempt: Attempt) -> Iterator[Marker]:
    """Yield the markers of chunks whose requests await a status. Each is read when it is needed,
    because the caller replaces them."""
    for number in sorted(attempt.sums.chunk_numbers):
        marker = attempt.markers.read(number)
        if marker.outcomes.open_requests:
            yield marker


def _apply(
    attempt: Attempt,
    marker: Marker,
    statuses: Mapping[str, Sequence[RequestStatus]],
    outdated: OutdatedRows,
) -> None:
    """Save what the statuses of its requests, by their IDs, make of a chunk."""
    now, settings = attempt.context.utc_now(), attempt.context.settings
    outcomes = apply_final_statuses(marker.outcomes, statuses, now, settings, outdated.positions)
    attempt.replace_marker(marker, outcomes)


# ── what final statuses mean for the rows ────────────────────────────────────────────────────────


def apply_final_statuses(
    chunk: ChunkOutcomes,
    statuses: Mapping[str, Sequence[RequestStatus]],
    now: datetime,
    settings: Settings,
    outdated: Callable[[OpenRequest], Iterable[int]] = lambda request: (),
) -> ChunkOutcomes:
    """Return the chunk after the API's answer about some of its open requests.

    `statuses` has the statuses of each request by its ID. A request without a final status for
    every conversion action stays open. `outdated` returns the positions of the records that were
    corrected meanwhile.
    """
    rows = {row.line: row for row in chunk.listed}
    unlisted = Totals()
    unlisted.add(chunk.unlisted)
    still_open, closed = [], [*chunk.closed_requests]
    for request in chunk.open_requests:
        of_request = statuses.get(request.request_id, ())
        if not of_request:
            still_open.append(request)
        elif not all(status.is_final for status in of_request):
            # Kept for the results, but the rows wait until every conversion action has answered.
            still_open.append(request._replace(statuses=tuple(map(_without_records, of_request))))
        else:
            final = _FinalStatus(request, _accepted_rows(request), rows, now, settings)
            closed.append(final.apply(of_request, outdated(request)))
            final.add_unlisted(unlisted)
    return replace(
        chunk,
        listed=bounded(rows[line] for line in sorted(rows)),
        unlisted=unlisted,
        open_requests=tuple(still_open),
        closed_requests=tuple(closed),
    )


@dataclass(slots=True)
class _Reasons:
    """What the API says about the rows of a request: reasons by line, and unnamed rows."""

    errors: dict[int, list[str]] = field(default_factory=dict)
    warnings: dict[int, list[str]] = field(default_factory=dict)
    unnamed: Counter[str] = field(default_factory=Counter)

    def add(self, status: RequestStatus, lines: Sequence[int]) -> None:
        """Add what one status says. `lines` are those of the request, in its order."""
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


@dataclass(frozen=True, slots=True)
class _FinalStatus:
    """The final status of a request, while it becomes outcomes of its rows.

    `rows` are the listed rows of the chunk by line, which are changed. `accepted` are all rows of
    the request by line, in its order, as the API accepted them.
    """

    request: OpenRequest
    accepted: Mapping[int, RowOutcome]
    rows: dict[int, RowOutcome]
    now: datetime
    settings: Settings

    def apply(self, statuses: Sequence[RequestStatus], outdated: Iterable[int]) -> ClosedRequest:
        """Change the rows, and return what the API has only counted.

        Each step is about the rows that the steps before have left uploaded: those that the API has
        named, those with an outdated value, those that it may have counted as an error without a
        name, and the others, which count.
        """
        lines, unclicked = [*self.accepted], set(numbers_in(self.request.unclicked))
        reasons = _Reasons()
        for status in statuses:
            reasons.add(status, lines)
        unmatched = self._apply_to_named_rows(reasons.errors, unclicked)
        for line, codes in reasons.warnings.items():
            row = self._row(line)
            self.rows[line] = row._replace(warnings=row.warnings + tuple(map(Problem, codes)))
        named = reasons.errors.keys()
        # An outdated row is deferred before the unnamed ones are counted: its resend gets a status
        # of its own.
        self._defer([lines[position] for position in outdated], CORRECTED_MEANWHILE, named)
        others = self._uploaded() - named
        unnamed = at_most(len(others), reasons.unnamed)
        is_temporary = any(lookup(reason).is_temporary for reason in unnamed)
        unnamed_unmatched, lost = _without_names(unnamed, len(unclicked & others))
        is_resent = is_temporary and self._defer(lines, ROWS_NOT_NAMED, named)
        counted = self._uploaded()
        for line in counted & self.rows.keys():
            row = self.rows[line] = self.rows[line]._replace(until=None)
            if not (row.warnings or self.settings.list_all_rows):
                del self.rows[line]  # it was listed while it could be deferred once more
        is_known = all(each.status != UNREADABLE for each in statuses)
        return ClosedRequest(
            self.request.request_id,
            tuple(map(_without_records, statuses)),
            # Without a status, it is not known which of them have an ad click.
            matchable=len(counted & unclicked) if is_known else 0,
            # Rows of other reasons are counted with the request that sends them again, too.
            unmatched=unmatched + (0 if is_resent else unnamed_unmatched),
            unnamed={} if is_resent else lost,
            unnamed_resent=lost if is_resent else {},
            # A row that failed, or is sent again, is known, or gets another status.
            unknown=0 if is_known else len(counted),
        )

    def add_unlisted(self, totals: Totals) -> None:
        """Add the rows that were uploaded and have nothing to say."""
        for line, row in self.accepted.items():
            if line not in self.rows:
                totals.add_row(row)

    def _apply_to_named_rows(
        self, errors: Mapping[int, Sequence[str]], unclicked: Container[int]
    ) -> int:
        """Give the rows that the API has named their outcomes. `errors` are its reasons by line.

        Return how many of them stay uploaded because the person clicked no ad.
        """
        unmatched = 0
        for line, codes in errors.items():
            before = self._row(line)
            if before.corrects:
                codes = ["OLD_VALUE_KEPT" if each in KEEPS_OLD_VALUE else each for each in codes]
            outcome = _final_outcome(codes, line not in unclicked)
            if outcome == "unmatched":
                # The person clicked no ad. That is no failure: the row stays uploaded.
                unmatched += 1
                continue
            row = before._replace(outcome=outcome, errors=tuple(map(Problem, codes)))
            if outcome == "deferred":
                row = with_due_time(row, before, self.now, self.settings)
                # The API has accepted it once, so "already used" will mean that it counts.
                row = row._replace(maybe_sent=True)
            row = keep_accepted(before, row)
            self.rows[line] = row
        return unmatched

    def _defer(self, lines: Iterable[int], code: str, named: Container[int]) -> bool:
        """Defer the uploaded rows of these lines that Google has not named.

        Return whether one of them will be sent again. For the others, it is too late: they stay
        uploaded, with a warning.
        """
        is_deferred = False
        for line in lines:
            before = self._row(line)
            if line in named or before.outcome != "uploaded":
                continue
            row = before._replace(outcome="deferred", errors=(Problem(code),), maybe_sent=True)
            self.rows[line] = with_due_time(row, before, self.now, self.settings)
            is_deferred = is_deferred or self.rows[line].outcome == "deferred"
        return is_deferred

    def _uploaded(self) -> set[int]:
        """Return the lines of the rows that are uploaded so far."""
        return {line for line in self.accepted if self._row(line).outcome == "uploaded"}

    def _row(self, line: int) -> RowOutcome:
        """Return the row as it is listed, or else as the API accepted it."""
        return self.rows.get(line) or self.accepted[line]


def _accepted_rows(request: OpenRequest) -> dict[int, RowOutcome]:
    """Return the rows of an open request by their line, in its order, as the API accepted them."""
    values, orders = Amounts.unpacked(request.values), unpacked_texts(request.orders)
    rows = {}
    for position, line in enumerate(numbers_in(request.lines)):
        order = orders[position]
        order_id = split_order_text(order)[1] if order is not None else None
        # The value of a correction is that of another row.
        micros, currency = (None, "") if request.corrects else values.at(position)
        rows[line] = RowOutcome(
            line,
            "uploaded",
            order_id,
            micros=micros,
            currency=currency,
            corrects=request.corrects,
        )
    return rows


def _final_outcome(reasons: Sequence[str], has_click_id: bool) -> FinalOutcome:
    """Return what the reasons mean for a row.

    A row with the reasons TOO_RECENT_CLICK and NO_CONSENT has failed, because of NO_CONSENT.
    """
    found = set[FinalOutcome]()
    for reason in reasons:
        outcome: FinalOutcome = "failed"
        if reason in NOBODY_CLICKED and not has_click_id:
            outcome = "unmatched"
        elif lookup(reason).outcome == "duplicate":
            outcome = "duplicate"
        elif lookup(reason).is_temporary:
            outcome = "deferred"
        found.add(outcome)
    strongest: FinalOutcome = next(each for each in get_args(FinalOutcome) if each in found)
    return strongest


def _without_names(unnamed: Counter[str], unclicked: int) -> tuple[int, Counter[str]]:
    """Return how many unnamed rows are unmatched, and the reasons of those that never count.

    At most `unclicked` rows can be unmatched, because only rows without a click ID are: if 2 rows
    have none, `{"CLICK_NOT_FOUND": 4}` are 2 unmatched rows, and 2 that never count.
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


def _without_records(status: RequestStatus) -> RequestStatus:
    """Return the status as it is kept. What it says of single rows is in their outcomes."""
    return status._replace(error_records={}, warning_records={})
