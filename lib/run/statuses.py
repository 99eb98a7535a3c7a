"""What an API reports later about the requests that it has accepted: their final statuses.

The final status of a request becomes the final outcomes of its rows (`apply_final_statuses`):

                    ┌─ named, already counted ─────────────▶ duplicate
                    ├─ named, a temporary reason ──────────▶ deferred: only this row is sent again
    uploaded ───────┼─ named, no ad click, no click ID ────▶ uploaded, and counted as unmatched
    (awaiting)      ├─ named, any other reason ────────────▶ failed
                    ├─ not named, corrected meanwhile ─────▶ deferred: sent once more, at once
                    └─ not named ──────────────────────────▶ uploaded, finally

Google may count errors without naming their rows. Then each row that it does not name may be one of
them. If a reason is temporary, or one of these rows was corrected meanwhile, all of them are
deferred (ROWS_NOT_NAMED), and the status of the request that sends them again counts anew.

A row that was counted with an older value, and sent again with the newest one, never fails: it
stays uploaded.

Each request is asked about for seven days after it was sent (`Capabilities.reports_later`). Then
its rows stay uploaded, and the results say that nobody knows whether Google counts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence, Set
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
            each.request_id: [
                *(status for status in each.statuses if status.is_final),
                RequestStatus(each.request_id, UNREADABLE, code=STATUS_UNKNOWN),
            ]
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

    def add(self, status: RequestStatus, request: OpenRequest, lines: Sequence[int]) -> None:
        """Add what one status says. `lines` are those of the request, in its order."""
        for reason, count in status.errors.items():
            named = _lines_of(status.error_records.get(reason, ()), lines)
            code = "OLD_VALUE_KEPT" if request.corrects and reason in KEEPS_OLD_VALUE else reason
            for line in named:
                self.errors.setdefault(line, []).append(code)
            if count > len(named):
                self.unnamed[code] += count - len(named)
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

        `outdated` are the positions of rows with an outdated value.
        """
        lines, unclicked = [*self.accepted], set(numbers_in(self.request.unclicked))
        reasons = _Reasons()
        for status in statuses:
            reasons.add(status, self.request, lines)
        unmatched = self._apply_to_named_rows(reasons.errors, unclicked)
        for line, codes in reasons.warnings.items():
            row = self._row(line)
            self.rows[line] = row._replace(warnings=row.warnings + tuple(map(Problem, codes)))
        named = reasons.errors.keys()
        others = self._uploaded() - named
        unnamed_unmatched, lost = _without_names(reasons.unnamed, others, unclicked)
        corrected = {lines[position] for position in outdated} & others
        is_temporary = any(lookup(reason).is_temporary for reason in reasons.unnamed)
        # If only some of them went again, nobody could tell which of the errors are theirs.
        all_again = bool(lost) and (is_temporary or bool(corrected))
        for line in others if all_again else corrected:
            own = (CORRECTED_MEANWHILE,) * (line in corrected)
            self._defer(line, own + (ROWS_NOT_NAMED,) * all_again)
        counted = self._uploaded()
        is_resent = all_again and not others <= counted
        for line in counted & self.rows.keys():
            row = self.rows[line] = self.rows[line]._replace(until=None)
            if not (row.warnings or self.settings.list_all_rows):
                del self.rows[line]  # it was listed while it could be deferred once more
        if not is_resent:
            # A row that was corrected is counted with the request that sends it again.
            unmatched += min(unnamed_unmatched, len(counted & unclicked - named))
        is_known = all(each.status != UNREADABLE for each in statuses)
        return ClosedRequest(
            self.request.request_id,
            tuple(map(_without_records, statuses)),
            # Without a status, it is not known which of them have an ad click.
            matchable=len(counted & unclicked) if is_known else 0,
            unmatched=unmatched if is_known else 0,
            unnamed={} if is_resent else lost,
            unnamed_resent=lost if is_resent else {},
            # A row that failed, or is sent again, is known, or gets another status.
            unknown=0 if is_known else max(0, len(counted) - lost.total()),
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

    def _defer(self, line: int, codes: Iterable[str]) -> None:
        """Defer an uploaded row. If it is too late for that, it stays uploaded, with a warning."""
        before = self._row(line)
        errors = tuple(map(Problem, codes))
        row = before._replace(outcome="deferred", errors=errors, maybe_sent=True)
        self.rows[line] = with_due_time(row, before, self.now, self.settings)

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


def _without_names(
    unnamed: Counter[str], others: Set[int], unclicked: Set[int]
) -> tuple[int, Counter[str]]:
    """Return how many of the `others`, which the API has not named, are unmatched, and the reasons
    of those that never count.

    Only rows without a click ID can be unmatched: if 2 rows have none, `{"CLICK_NOT_FOUND": 4}` are
    2 unmatched rows, and 2 that never count. A duplicate counts.
    """
    found = {
        reason: count for reason, count in unnamed.items() if lookup(reason).outcome != "duplicate"
    }
    lost, unmatched = at_most(len(others), Counter(found)), 0
    most = len(unclicked & others)
    for reason in NOBODY_CLICKED & lost.keys():
        of_reason = min(lost[reason], most - unmatched)
        unmatched += of_reason
        lost[reason] -= of_reason
    return unmatched, +lost


def _without_records(status: RequestStatus) -> RequestStatus:
    """Return the status as it is kept. What it says of single rows is in their outcomes."""
    return status._replace(error_records={}, warning_records={})
