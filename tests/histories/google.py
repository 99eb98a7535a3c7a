"""What Google has of each conversion, behind both of its APIs.

The Google Ads API answers at once. The Data Manager API accepts a request, processes it later, and
then reports its status: an order that is sent again gets the value that is processed last, and one
that Google does not know is a new conversion. A click without an order ID counts once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeVar

from lib.destinations.base import AcceptedRequest, MaybeSent, RowResult, UploadResult
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError, RetryableError
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.outcomes import Outcome, Problem
from lib.model.records import Adjustment, Conversion, Record
from lib.model.sent_requests import RequestStatus
from tests.fakes import START, FakeApi, FakeRequest
from tests.histories.files import DEFAULT_VALUE, STEPS, TWIN, SalesRow
from tests.histories.processes import SLOW_SECONDS, Process

T = TypeVar("T")
HOUR: Final = 3600.0

Verdict = Literal[
    *("", "refused", "refused, unnamed", "too recent", "too recent, unnamed"),
    *("too recent at once", "taken", "known"),
]
"""What Google thinks of a row.

refused                for good
too recent             for now
…, unnamed             the same, but a status only counts the rows of its request, and names none
too recent at once     the Data Manager API, too, says so before it accepts anything
taken                  Google counts the row, and says that it could not process it just now
known                  Google has counted the order ID, and does not take another value
"""

_AT_ONCE: Final = "TOO_RECENT_EVENT"
_LATER: Final[Mapping[Verdict, str]] = {
    "refused": "PROCESSING_ERROR_REASON_EXPIRED_CLICK",
    "refused, unnamed": "PROCESSING_ERROR_REASON_EXPIRED_CLICK",
    "too recent": "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK",
    "too recent, unnamed": "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK",
    "too recent at once": "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK",
    "taken": "PROCESSING_ERROR_REASON_INTERNAL_ERROR",
    "known": "PROCESSING_ERROR_REASON_DUPLICATE_TRANSACTION_ID",
}
_SAME_CLICK: Final = "PROCESSING_ERROR_REASON_DUPLICATE_GCLID"
_ACCOUNT_REFUSED: Final = Problem("CUSTOMER_NOT_ENABLED")
STATUSES_REFUSED: Final = "USER_PERMISSION_DENIED"


class Sent(NamedTuple):
    """A record as an API gets it. `changed_at` is None for a sale, `value` for a retraction.

    `sold_at` is None if a correction names only its order.
    """

    order_id: str
    click_id: str
    sold_at: datetime | None
    changed_at: datetime | None
    value: float | None

    @property
    def click(self) -> str:
        """By what Google recognizes the click of the conversion; "": it has none."""
        return f"{self.click_id} {self.sold_at}" if self.click_id else ""

    @property
    def key(self) -> str:
        """By what Google recognizes the conversion."""
        return self.order_id or self.click

    def row(self) -> SalesRow:
        """Return the row of a file that it was made of."""
        if self.order_id.startswith("order-"):
            sale = int(self.order_id.removeprefix("order-"))
        elif self.sold_at is not None:
            sale = int((START - timedelta(days=10) - self.sold_at).total_seconds())
        elif self.changed_at is not None:
            # The days are its step, the seconds its sale.
            sale = -int((self.changed_at - START).total_seconds()) % 86400
        else:
            raise AssertionError(f"{self} names no sale")
        if self.changed_at is None:
            return SalesRow(sale)
        for step in range(1, len(STEPS)):
            if SalesRow(sale, step).changed_at == self.changed_at:
                return SalesRow(sale, step)
        raise AssertionError(f"{self} has the time of no correction")


def sent_of(record: Record) -> Sent:
    """Return a record as an API gets it."""
    order_id = record.order_id or ""
    if isinstance(record, Conversion):
        sold_at = datetime.fromisoformat(record.time)
        value = DEFAULT_VALUE if record.value is None else record.value
        return Sent(order_id, record.gclid, sold_at, None, value)
    assert isinstance(record, Adjustment)
    sold, click_id = record.conversion_time, record.gclid
    if record.original is not None:
        sold, click_id = record.original.time, record.original.gclid
    sold_at = datetime.fromisoformat(sold) if sold else None
    return Sent(order_id, click_id, sold_at, datetime.fromisoformat(record.time), record.value)


@dataclass(slots=True)
class Request:
    """A request for the rows of a run. `answers` are what its process was told last of each row.

    `began_at`, `answered_at` and `processed_at` are numbers of `Google.moments`; 0: never. `sent`
    is in seconds of the clock. If the request `is_accepted`, the API says later what becomes of it:
    it `is_held` until it is processed. A process `was_refused` its status, or it `is_reported`
    once a process was told. `errors` are the verdicts on its records, by position. Of those in
    `same_clicks`, Google had the click already, without an order ID. It has `taken` others.
    """

    process: Process
    run: int
    api: str
    records: Sequence[Sent]
    began_at: int
    sent: float
    answered_at: int = 0
    answers: list[str] = field(default_factory=list)
    at_once: dict[int, RowResult] = field(default_factory=dict)
    errors: dict[int, Verdict] = field(default_factory=dict)
    same_clicks: set[int] = field(default_factory=set)
    taken: set[int] = field(default_factory=set)
    is_held: bool = False
    processed_at: int = 0
    is_accepted: bool = False
    was_asked: bool = False
    was_refused: bool = False
    is_reported: bool = False
    rows: list[SalesRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = [each.row() for each in self.records]

    @property
    def is_named(self) -> bool:
        """Whether its status names the rows of the errors that it counts."""
        return not any(verdict.endswith(", unnamed") for verdict in self.errors.values())

    @property
    def is_saved(self) -> bool:
        """Whether its process has saved a marker of the run after the answer."""
        saved = self.process.saved
        return bool(self.answered_at) and any(moment > self.answered_at for moment in saved)


Sending = Literal["", "outage", "quota", "lost", "slow"]
"""What becomes of each request that sends rows: no answer, and it does not take place (`outage`,
`quota` of the day); no answer, although it takes place (`lost`, and `slow` until time is up)."""

AccountState = Literal["", "requests", "account", "outage", "slow"]
"""What Google thinks of the account: it refuses requests, or the account before that; or it does
not answer about it, at once or until time is up."""

Statuses = Literal["", "unavailable", "refused", "processing", "slow"]
"""What becomes of each request for statuses. `slow`: Google is processing, and says so late."""


@dataclass(slots=True)
class Google:
    """What Google has of each conversion, and how its APIs answer just now.

    `values`: what each is worth by `Sent.key` (None: it was retracted). `counted` has the sale of
    each conversion, as often as it counts. `applied` are the corrections that Google has taken. If
    it `names_only_clicks`, it refuses a known order because of its click, and does not name it.
    """

    check: Callable[[Request], None] = lambda request: None
    judged: dict[SalesRow, Verdict] = field(default_factory=dict)
    account: AccountState = ""
    sending: Sending = ""
    statuses: Statuses = ""
    seconds: float = 0.0
    """What each request takes, for rows or for statuses."""
    names_only_clicks: bool = False
    values: dict[str, float | None] = field(default_factory=dict)
    clicks: dict[str, str] = field(default_factory=dict)
    counted: list[SalesRow] = field(default_factory=list)
    applied: list[Sent] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    moments: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    refusals: list[tuple[float, str]] = field(default_factory=list)
    """When a request was refused by an outage or a quota, and its cause."""

    def value_of(self, row: SalesRow) -> float | Literal["nothing"] | None:
        """Return what the sale of a row is worth."""
        keys = self.keys_of(row)
        return self.values[keys[0]] if keys else "nothing"

    def keys_of(self, row: SalesRow) -> list[str]:
        """Return by what Google knows the sale of a row. More than one: it counts twice."""
        of_sale = {
            sent.key
            for request in self.requests
            for sent, other in zip(request.records, request.rows, strict=True)
            if other.sale == row.sale
        }
        return sorted(key for key in of_sale if key in self.values)

    def holds(self, row: SalesRow) -> bool:
        """Return whether Google has the sale of a row, if only as a retracted one."""
        return bool(self.keys_of(row))

    def process(self, requests: Iterable[Request] | None = None) -> None:
        """Process requests that the Data Manager API has accepted, all if none are given."""
        for request in [*self.requests] if requests is None else requests:
            if request.is_held:
                request.is_held = False
                request.processed_at = next(self.moments)
                for position, sent in enumerate(request.records):
                    if position in request.at_once:
                        continue
                    if not sent.order_id and sent.click in self.clicks:
                        request.same_clicks.add(position)
                        continue
                    verdict = self.judged.get(request.rows[position], "")
                    if verdict:
                        request.errors[position] = verdict
                    if verdict in ("", "taken"):
                        self._take(request, position, sent)

    # ── the Google Ads API ───────────────────────────────────────────────────────────────────

    def answer(self, request: Request, maybe_sent: MaybeSent) -> dict[int, RowResult]:
        """Return the Google Ads API's answers, as its connector understands them."""
        results: dict[int, RowResult] = {}
        accepted: set[str] = set()
        for position, sent in enumerate(request.records):
            result = self._answer(request, position, sent, maybe_sent, accepted)
            if result is None:
                accepted.add(sent.click)
            else:
                results[position] = result
        return results

    def _answer(
        self,
        request: Request,
        position: int,
        sent: Sent,
        maybe_sent: MaybeSent,
        accepted: set[str],
    ) -> RowResult | None:
        if self.account in ("requests", "account"):
            return RowResult("not_attempted", (_ACCOUNT_REFUSED,))
        if sent.changed_at is not None:
            if known := self._known_change(sent):
                return known
        elif known := self._known_sale(sent, maybe_sent, accepted):
            return known
        verdict = self.judged.get(request.rows[position], "")
        if verdict.startswith("refused"):
            return RowResult("failed", (Problem("EXPIRED_EVENT"),))
        if verdict.startswith("too recent"):
            return RowResult("deferred", (Problem(_AT_ONCE),))
        self._take(request, position, sent)
        if verdict == "taken":
            return RowResult("deferred", (Problem("TRANSIENT_ERROR"),))
        return None

    def _known_change(self, sent: Sent) -> RowResult | None:
        key = sent.order_id or self.clicks.get(sent.click, "")
        # What has an order ID must be named by it.
        if key not in self.values or (not sent.order_id and key.startswith("order-")):
            return RowResult("deferred", (Problem("CONVERSION_NOT_FOUND"),))
        if self.values[key] is None:
            return RowResult("duplicate", (Problem("CONVERSION_ALREADY_RETRACTED"),))
        of_order = [a.changed_at for a in self.applied if a.key == sent.key and a.changed_at]
        newest = max(of_order, default=None)
        assert sent.changed_at is not None
        if newest is not None and newest >= sent.changed_at and sent.value is not None:
            if newest == sent.changed_at:
                return RowResult("duplicate", (Problem("RESTATEMENT_ALREADY_EXISTS"),))
            return RowResult("skipped", (Problem("MORE_RECENT_RESTATEMENT_FOUND"),))
        return None

    def _known_sale(
        self, sent: Sent, maybe_sent: MaybeSent, accepted: set[str]
    ) -> RowResult | None:
        is_own_order = sent.order_id.startswith("order-")
        is_known_click = bool(sent.click) and sent.click in self.clicks
        if sent.key in self.values and not (self.names_only_clicks and is_known_click):
            accepted.add(sent.click)
            return RowResult("duplicate", (Problem("ORDER_ID_ALREADY_IN_USE", "order_id"),))
        if not is_known_click:
            return None
        exists = Problem("CLICK_CONVERSION_ALREADY_EXISTS")
        if not is_own_order:
            return RowResult("duplicate", (exists,))
        if maybe_sent(sent.order_id) and sent.click not in accepted:
            accepted.add(sent.click)
            return RowResult("duplicate", (exists,))
        used = Problem("CLICK_AND_TIME_ALREADY_USED", "conversion_date_time")
        return RowResult("failed", (used,))

    def _take(self, request: Request, position: int, sent: Sent) -> None:
        request.taken.add(position)
        key = sent.key
        if sent.changed_at is not None and request.api == "google_ads":
            key = sent.order_id or self.clicks.get(sent.click, key)
        elif key not in self.values:
            self.counted.append(SalesRow(request.rows[position].sale))
        self.values[key] = sent.value
        if sent.click:
            self.clicks.setdefault(sent.click, key)
        if sent.changed_at is not None:
            self.applied.append(sent)


class GoogleApi(FakeApi):
    """One of Google's APIs, as one process sees it."""

    __slots__ = ("google", "process", "validate_only")

    def __init__(
        self, name: str, google: Google, process: Process, *, validate_only: bool = False
    ) -> None:
        super().__init__(capabilities=capabilities_of(name))
        self.google = google
        self.process = process
        self.validate_only = validate_only

    def _call(self, do: Callable[[], T]) -> T:
        answer = self.process.call(do)
        if answer is None:
            raise RetryableError("API_UNAVAILABLE")
        return answer

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        if self.google.account == "account":
            self.preflight = PermanentError(_ACCOUNT_REFUSED.code)
        if self.google.account == "outage":
            self._call(lambda: True)
            raise RetryableError("API_UNAVAILABLE")
        if self.google.account == "slow":
            self.process.clock.seconds += SLOW_SECONDS
            raise RetryableError("DEADLINE")
        return self._call(
            lambda: FakeApi.account(self, customer_id, custom_variables=custom_variables)
        )

    def send(
        self, requests: Sequence[FakeRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        (batch,) = requests
        google, process = self.google, self.process
        if self.validate_only:
            return self._call(lambda: UploadResult({}, ()))
        records = [*map(sent_of, batch.records)]
        request = Request(
            process,
            batch.job_id,
            self.capabilities.name,
            records,
            next(google.moments),
            process.clock.seconds,
        )
        if process.monotonic() >= deadline.last_start:
            raise RetryableError(deadline.code)
        google.check(request)
        process.runs.add(batch.job_id)
        if google.sending in ("outage", "quota"):
            google.refusals.append((process.clock.seconds, google.sending))
            self._call(lambda: True)
            raise RetryableError("DAILY_QUOTA" if google.sending == "quota" else "API_UNAVAILABLE")
        result = self._call(lambda: self._answered(request, maybe_sent))
        if google.sending == "lost":
            raise RetryableError("API_UNAVAILABLE")
        left = max(0.0, deadline.last_answer - process.monotonic())
        takes = SLOW_SECONDS if google.sending == "slow" else google.seconds
        process.clock.seconds += min(takes, left)
        if takes > left or process.monotonic() > deadline.last_answer:
            raise RetryableError(deadline.code)
        request.answered_at = next(google.moments)
        request.answers = [
            result.row_results[at].outcome if at in result.row_results else "uploaded"
            for at in range(len(records))
        ]
        return result

    def _answered(self, request: Request, maybe_sent: MaybeSent) -> UploadResult:
        google = self.google
        google.requests.append(request)
        self.process.requests.append(request)
        request_id = str(len(google.requests))
        is_refused = google.account in ("requests", "account")
        stop = _ACCOUNT_REFUSED if is_refused else None
        if self.capabilities.reports_later is None or is_refused:
            request.at_once = google.answer(request, maybe_sent)
            return UploadResult(request.at_once, (request_id,), stop)
        request.at_once = {
            at: RowResult("deferred", (Problem(_LATER["too recent"]),))
            for at, row in enumerate(request.rows)
            if google.judged.get(row) == "too recent at once"
        }
        positions = [at for at in range(len(request.records)) if at not in request.at_once]
        if not positions:
            return UploadResult(request.at_once, (request_id,), None)
        request.is_held = request.is_accepted = True
        accepted = (AcceptedRequest(request_id, positions),)
        return UploadResult(request.at_once, (request_id,), None, accepted)

    def request_statuses(
        self, request_ids: Sequence[str], deadline: Deadline
    ) -> Sequence[RequestStatus]:
        google = self.google
        asked = [google.requests[int(each) - 1] for each in request_ids]
        for request in asked:
            request.was_asked = True
            request.was_refused = google.statuses == "refused"
        if self.process.surroundings.deadly == "statuses":
            self.process.die()
        self.process.clock.seconds += google.seconds
        if google.statuses == "slow":
            self.process.clock.seconds += SLOW_SECONDS
        if google.statuses == "unavailable":
            raise RetryableError("API_UNAVAILABLE")
        if google.statuses == "refused":
            raise PermanentError(STATUSES_REFUSED)
        return self._call(lambda: [self._status(each) for each in request_ids])

    def _status(self, request_id: str) -> RequestStatus:
        request = self.google.requests[int(request_id) - 1]
        if request.is_held or self.google.statuses in ("processing", "slow"):
            return RequestStatus(request_id, "PROCESSING")
        request.is_reported = True
        positions = [at for at in range(len(request.records)) if at not in request.at_once]
        counts: dict[str, int] = {}
        records: dict[str, tuple[int, ...]] = {}
        for place, position in enumerate(positions):
            verdict = request.errors.get(position, "")
            if verdict:
                outcome: Outcome = "failed" if verdict.startswith("refused") else "deferred"
                reason = _LATER[verdict]
            elif position in request.same_clicks:
                outcome, reason = "duplicate", _SAME_CLICK
            else:
                continue
            request.answers[position] = outcome
            counts[reason] = counts.get(reason, 0) + 1
            if request.is_named:
                records[reason] = (*records.get(reason, ()), place)
        if "too recent, unnamed" in request.errors.values():
            # Each row that Google does not name may be the one that is meant.
            for position in set(positions) - request.errors.keys() - request.same_clicks:
                request.answers[position] = "deferred"
        number = len(positions)
        status = "PARTIAL_SUCCESS" if counts else "SUCCESS"
        if sum(counts.values()) == number:
            status = "FAILED"
        return RequestStatus(request_id, status, "1001", number, counts, error_records=records)


def is_twin_of(row: SalesRow, other: SalesRow) -> bool:
    """Return whether two sales have the same click and time."""
    return row.sale != other.sale and row.sale % TWIN == other.sale % TWIN
