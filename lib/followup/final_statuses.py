"""The final status of a request → the final outcomes of its rows.

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
from dataclasses import dataclass, field
from typing import Final, Literal

from lib.catalogue.codes import NOBODY_CLICKED, lookup
from lib.model.outcomes import ChunkOutcomes, Problem, RowOutcome
from lib.model.sent_requests import UNREADABLE, RequestStatus, SentRequest, numbers_in

ROWS_NOT_NAMED: Final = "ROWS_NOT_NAMED"
"""The error of a row that may or may not be counted."""

FinalOutcome = Literal["failed", "duplicate", "deferred", "unmatched"]

_STRONGEST_FIRST: Final[tuple[FinalOutcome, ...]] = ("failed", "duplicate", "deferred", "unmatched")


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
    unlisted = chunk.unlisted()
    unlisted["uploaded"] -= len(listed) - len(chunk.listed)
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
        row = rows.get(line) or RowOutcome(line, "uploaded")
        rows[line] = row._replace(outcome=outcome, errors=tuple(map(Problem, found)))
    for line, found in reasons.warnings.items():
        row = rows.get(line) or RowOutcome(line, "uploaded")
        rows[line] = row._replace(warnings=row.warnings + tuple(map(Problem, found)))
    named = reasons.errors.keys()
    unnamed = _at_most(len(lines) - len(named), reasons.unnamed)
    if can_defer and any(map(_is_temporary, unnamed)):
        # Rows of the other unnamed reasons are counted with the request that sends them again.
        for line in lines:
            if line not in named:
                row = rows.get(line) or RowOutcome(line, "uploaded")
                rows[line] = row._replace(outcome="deferred", errors=(Problem(ROWS_NOT_NAMED),))
        unnamed.clear()
    more, lost = _without_names(unnamed, len(unclicked - named))
    matchable = sum(line not in rows or rows[line].outcome == "uploaded" for line in unclicked)
    if any(each.status == UNREADABLE for each in statuses):
        matchable = 0  # nobody knows which of them have an ad click
    return request._replace(
        lines=(),
        unclicked=(),
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
    """Return the status as it is kept: the rows have been told."""
    return status._replace(error_records={}, warning_records={})
