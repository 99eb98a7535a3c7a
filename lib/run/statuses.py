"""What an API reports later: final statuses of requests, and diagnostics of the file's job.

The final status of a request becomes the final outcomes of its rows (`apply_final_statuses`):

                    ┌─ named, already counted ─────────────▶ duplicate
                    ├─ named, a temporary reason ──────────▶ deferred: only this row is sent again
    uploaded ───────┼─ named, no ad click, no click ID ────▶ uploaded, and counted as unmatched
    (awaiting)      ├─ named, any other reason ────────────▶ failed
                    ├─ counted but not named, temporary ───▶ deferred: the rest of the request
                    └─ not named ──────────────────────────▶ uploaded, finally

The schedule begins when the newest requests were sent (`Capabilities.reports_later`), and ends, so
every run ends too. If rows would be sent again too late, a temporary reason is treated like others.

Diagnostics change no row. They become a part of the document's `processing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from lib.catalogue.codes import NOBODY_CLICKED, lookup
from lib.config.settings import Settings
from lib.destinations.base import DiagnosingDestination, PolledDestination
from lib.destinations.registry import PACKAGES, capabilities_of
from lib.errors import LeaseLost, PermanentError, RetryableError
from lib.model.money import Amounts
from lib.model.outcomes import ChunkOutcomes, Outcome, Problem, RowOutcome
from lib.model.sent_requests import (
    UNREADABLE,
    JobCounts,
    RequestStatus,
    SentRequest,
    UploadDiagnostics,
    numbers_in,
    unpacked_texts,
)
from lib.run.attempt import Attempt, Sums
from lib.state.runs import Followed, Run

ROWS_NOT_NAMED: Final = "ROWS_NOT_NAMED"
"""The error of a row that the API has accepted, and may or may not count: it has counted errors
in the row's request without naming the rows."""

BLOCKED_FOR: Final = timedelta(days=7)
"""How long after a file came the API is asked again, although it refuses to answer."""

FinalOutcome = Literal["failed", "duplicate", "deferred", "unmatched"]

_STRONGEST_FIRST: Final[tuple[FinalOutcome, ...]] = ("failed", "duplicate", "deferred", "unmatched")


# ── when to ask ──────────────────────────────────────────────────────────────────────────────────


def polled_destination(run: Run) -> str | None:
    """Return the destination that reports final statuses of the run's rows later, if one does."""
    return next((name for name in _senders(run) if capabilities_of(name).reports_later), None)


def _senders(run: Run) -> list[str]:
    """Return the destinations that got rows of the run. A run that only validates has none.

    Another version may have saved the profile, with a destination that this one does not have.
    """
    profile = run.profile if isinstance(run.profile, dict) else {}
    if profile.get("validate_only"):
        return []
    named = profile.get("destination"), profile.get("adjustments_via")
    return [each for each in named if each in PACKAGES]


def followed_since(run: Run, sums: Sums) -> Followed:
    """Return what was asked about the newest requests: nothing, if they are newer than that."""
    followed = run.followed
    if followed.sent_at == sums.sent_at:
        return followed
    return replace(followed, sent_at=sums.sent_at, polls=0, diagnosed=0)


def _next_poll(run: Run, sums: Sums) -> datetime | None:
    followed, name = followed_since(run, sums), polled_destination(run)
    schedule = capabilities_of(name).reports_later if name is not None else None
    if schedule is None or followed.sent_at is None or not sums.requests.open:
        return None
    return schedule.next_check(followed.sent_at, followed.polls)


def _next_diagnosis(run: Run, sums: Sums, settings: Settings) -> datetime | None:
    followed, senders = followed_since(run, sums), _senders(run)
    schedule = None
    if settings.read_diagnostics and senders:
        schedule = capabilities_of(senders[0]).diagnostics
    if schedule is None or followed.sent_at is None or _is_final(job_counts(run, sums)):
        return None
    return schedule.next_check(followed.sent_at, followed.diagnosed)


def next_look(run: Run, sums: Sums, settings: Settings) -> datetime | None:
    """Return when the API is asked again about the requests of a run. None: never again."""
    times = _next_poll(run, sums), _next_diagnosis(run, sums, settings)
    return min((each for each in times if each is not None), default=None)


# ── ask ──────────────────────────────────────────────────────────────────────────────────────────


def ask(attempt: Attempt) -> None:
    """Sum up the markers of the run, and ask what is due: final statuses, and diagnostics.

    Each marker is saved before the next requests are asked for, so that a crash loses no answer.
    """
    attempt.sum_up()
    now, settings, blocked = attempt.context.utc_now(), attempt.context.settings, ""
    asked_before = followed_since(attempt.run, attempt.sums)
    try:
        due = _next_poll(attempt.run, attempt.sums)
        if due is not None and due <= now:
            _ask_for_statuses(attempt, now)
        due = _next_diagnosis(attempt.run, attempt.sums, settings)
        if due is not None and due <= now:
            _ask_for_diagnostics(attempt, now)
    except PermanentError as error:
        blocked = error.code
        action = lookup(error.code).action
        attempt.log.alert("follow_up_blocked", code=blocked, detail=error.detail, action=action)
        if now - attempt.run.arrived < BLOCKED_FOR:
            # Each sweep asks again, until somebody has corrected the credentials or the permission.
            attempt.keep(followed=asked_before)
    except LeaseLost:
        raise
    except RetryableError as error:
        attempt.log.warning("processing_unknown", code=error.code, detail=error.detail)
    if attempt.must_sum_up:
        attempt.sum_up()
    attempt.keep(blocked=blocked)


def _ask_for_statuses(attempt: Attempt, now: datetime) -> None:
    run, profile, settings = attempt.run, attempt.profile, attempt.context.settings
    if profile is None:  # this version cannot read it: the schedule goes on without an answer
        followed = followed_since(run, attempt.sums)
        attempt.keep(followed=replace(followed, polls=followed.polls + 1, polled_at=now))
        return
    polled = profile.model_copy(update={"destination": polled_destination(run)})
    destination = attempt.context.connect(polled, attempt.log)
    assert isinstance(destination, PolledDestination)
    followed = followed_since(run, attempt.sums)
    # Counted before the API is asked: one that never answers is not asked for ever.
    attempt.save(followed=replace(followed, polls=followed.polls + 1, polled_at=now))
    again_at = now + timedelta(hours=settings.defer_hours)
    is_too_late = again_at > run.now + timedelta(hours=settings.max_defer_hours)
    for number in sorted(attempt.sums.numbers):
        before = attempt.markers.read(number)
        still_open = [each.request_id for each in before.outcomes.sent if each.is_open]
        if not still_open:
            continue
        if attempt.context.monotonic() >= attempt.deadline.last_start:
            break
        attempt.check_lease()
        statuses: dict[str, list[RequestStatus]] = {}
        for status in destination.request_statuses(still_open, attempt.deadline):
            statuses.setdefault(status.request_id, []).append(status)
        outcomes = apply_final_statuses(
            before.outcomes, statuses, None if is_too_late else again_at
        )
        if outcomes != before.outcomes:
            attempt.markers.save(outcomes, before.generation)
            attempt.must_sum_up = attempt.has_changed = True


def _ask_for_diagnostics(attempt: Attempt, now: datetime) -> None:
    run, profile = attempt.run, attempt.profile
    if profile is None or run.facts is None:
        followed = followed_since(run, attempt.sums)
        attempt.keep(followed=replace(followed, diagnosed=followed.diagnosed + 1))
        return
    destination = attempt.context.connect(profile, attempt.log)
    assert isinstance(destination, DiagnosingDestination)
    followed = followed_since(run, attempt.sums)
    attempt.save(followed=replace(followed, diagnosed=followed.diagnosed + 1))
    answer = destination.upload_diagnostics(run.facts.customer_id)
    diagnostics = diagnostics_of_job(run.job_id, answer, now, followed.diagnostics)
    attempt.keep(followed=replace(attempt.run.followed, diagnostics=diagnostics))
    attempt.has_changed = True


# ── what final statuses mean for the rows ────────────────────────────────────────────────────────


def apply_final_statuses(
    chunk: ChunkOutcomes,
    statuses: Mapping[str, Sequence[RequestStatus]],
    again_at: datetime | None,
) -> ChunkOutcomes:
    """Return the chunk after the API's answer about some of its open requests.

    `statuses` has the statuses of each request by its ID. A request without a final status for
    every conversion action stays open. Rows with a temporary reason are sent again at `again_at`;
    None: it is too late for that.
    """
    rows = {row.line: row for row in chunk.listed}
    sent = []
    for request in chunk.sent:
        of_request = statuses.get(request.request_id, ()) if request.is_open else ()
        if not of_request:
            sent.append(request)
        elif not all(status.is_final for status in of_request):
            sent.append(request._replace(statuses=tuple(map(_without_records, of_request))))
        else:
            sent.append(_apply_to_request(request, of_request, rows, again_at))
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
    again_at: datetime | None,
) -> SentRequest:
    """Change the `rows` of a request, and return the request with its counts."""
    accepted = _accepted_rows(request)
    lines, unclicked = [*accepted], set(numbers_in(request.unclicked))
    reasons = _Reasons()
    for status in statuses:
        reasons.add(status, lines)
    not_counted: Counter[str] = Counter()
    unmatched = 0
    for line, codes in reasons.errors.items():
        outcome, code = _final_outcome(codes, line not in unclicked, again_at is not None)
        if outcome == "unmatched":
            unmatched += 1
            continue
        if outcome == "failed":
            not_counted[code] += 1
        rows[line] = _settled(rows.get(line) or accepted[line], outcome, codes, again_at)
    for line, codes in reasons.warnings.items():
        row = rows.get(line) or accepted[line]
        rows[line] = row._replace(warnings=row.warnings + tuple(map(Problem, codes)))
    named = reasons.errors.keys()
    unnamed = _at_most(len(lines) - len(named), reasons.unnamed)
    if again_at is not None and any(map(_is_temporary, unnamed)):
        # Rows of the other unnamed reasons are counted with the request that sends them again.
        for line in accepted.keys() - named:
            row = rows.get(line) or accepted[line]
            rows[line] = _settled(row, "deferred", [ROWS_NOT_NAMED], again_at)
        unnamed.clear()
    more, lost = _without_names(unnamed, len(unclicked - named))
    matchable = sum(line not in rows or rows[line].outcome == "uploaded" for line in unclicked)
    if any(each.status == UNREADABLE for each in statuses):
        matchable = 0  # it is not known which of them have an ad click
    return request._replace(
        lines=(),
        unclicked=(),
        values=b"",
        order_ids=b"",
        statuses=tuple(map(_without_records, statuses)),
        matchable=matchable,
        unmatched=unmatched + more,
        not_counted=not_counted + lost,
        unnamed=lost.total(),
    )


def _accepted_rows(request: SentRequest) -> dict[int, RowOutcome]:
    """Return the rows of an open request by their line, in its order, as the API accepted them."""
    values, order_ids = Amounts.unpacked(request.values), unpacked_texts(request.order_ids)
    return {
        line: RowOutcome(
            *(line, "uploaded", order_ids[position], (), (), *values.at(position)),
            corrects=request.corrects,
        )
        for position, line in enumerate(numbers_in(request.lines))
    }


def _settled(
    row: RowOutcome, outcome: Outcome, codes: Sequence[str], again_at: datetime | None
) -> RowOutcome:
    is_deferred = outcome == "deferred"
    return row._replace(
        outcome=outcome,
        errors=tuple(map(Problem, codes)),
        due=again_at if is_deferred else None,
        maybe_sent=is_deferred,
    )


def _final_outcome(
    reasons: Sequence[str], has_click_id: bool, can_defer: bool
) -> tuple[FinalOutcome, str]:
    """Return what the reasons mean for a row, and the one that decides.

    A row with the reasons TOO_RECENT_CLICK and NO_CONSENT has failed, because of NO_CONSENT.
    """
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
    """Limit the counts to this number of rows, because a row is counted for each of its reasons.

    Of 5 rows, `{"NO_CONSENT": 4, "INVALID_GCLID": 3}` becomes 4 and 1.
    """
    limited: Counter[str] = Counter()
    for reason, count in unnamed.most_common():
        limited[reason] = min(count, rows - limited.total())
    return +limited


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


def _is_temporary(reason: str) -> bool:
    entry = lookup(reason)
    return entry.outcome == "deferred" or entry.scope == "transient"


def _without_records(status: RequestStatus) -> RequestStatus:
    """Return the status as it is kept. What it says of single rows is in their outcomes."""
    return status._replace(error_records={}, warning_records={})


# ── diagnostics of the job ───────────────────────────────────────────────────────────────────────


def diagnostics_of_job(
    job_id: int,
    found: Sequence[UploadDiagnostics],
    read_at: datetime,
    previous: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    """Return the `diagnostics` part of a document, or the `previous` one if nothing is new.

    `job` is None if the API does not list the job: not yet, or no longer, because it lists only the
    most recent ones.
    """
    if not found or (previous and previous["job"] and job_id not in found[0].jobs):
        return dict(previous) if previous else None
    account, *actions = found
    return {
        "read_at": read_at.isoformat(),
        "status": account.status,
        "last_upload": account.last_upload,
        "jobs_listed": len(account.jobs),
        "job": _counts(account.jobs.get(job_id)),
        "conversion_actions": [
            {
                "conversion_action": action.conversion_action,
                "status": action.status,
                "job": _counts(action.jobs[job_id]),
            }
            for action in actions
            if job_id in action.jobs
        ],
        "alerts": [
            {
                "code": alert.code,
                "share": alert.share,
                "meaning": lookup(alert.code).meaning,
                "action": lookup(alert.code).action,
            }
            for alert in account.alerts
        ],
    }


def job_counts(run: Run, sums: Sums) -> JobCounts | None:
    """Return how the API counts the rows of the run's job. None: it has not counted all requests
    yet, because the diagnostics are older than the last one, or do not list the job."""
    diagnostics = run.followed.diagnostics
    if not diagnostics or not diagnostics["job"] or sums.sent_at is None:
        return None
    if datetime.fromisoformat(diagnostics["read_at"]) < sums.sent_at:
        return None
    return JobCounts(**diagnostics["job"])


def _is_final(job: JobCounts | None) -> bool:
    """Whether the API has counted all rows of the job."""
    return job is not None and not job.pending


def _counts(job: JobCounts | None) -> dict[str, int] | None:
    return job._asdict() if job is not None else None
