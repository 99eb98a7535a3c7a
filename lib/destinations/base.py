"""The port to an advertising API: only what a run needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

from lib.model.account import Account
from lib.model.capabilities import Capabilities
from lib.model.deadline import Deadline
from lib.model.outcomes import Outcome, Problem
from lib.model.records import Adjustment, Call, Conversion
from lib.model.sent_requests import RequestStatus, UploadDiagnostics


class RowResult(NamedTuple):
    """The API's answer for a row, if it is more than a plain acceptance."""

    outcome: Outcome
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


class AcceptedRequest(NamedTuple):
    """A request that the API accepted, and the positions of its records in the batch, in order."""

    request_id: str
    positions: Sequence[int]


@dataclass(frozen=True, slots=True)
class UploadResult:
    """The API's answer for one batch.

    `row_results` is keyed by the position of the record in the batch. A position without a result
    was accepted. `stop` is set when the API refused the account or the whole request for a reason
    that would also affect the next chunk: the file stops there. `accepted` is only needed from an
    API that processes records later (`Capabilities.reports_later`).
    """

    row_results: Mapping[int, RowResult]
    request_ids: tuple[str, ...]
    stop: Problem | None = None
    accepted: tuple[AcceptedRequest, ...] = ()


class Batch(Protocol):
    """The records of one chunk, already serialized.

    Their positions count over all kinds, in the order in which they were added. Records of other
    kinds than conversions are only added if the destination's capabilities declare their kind.
    """

    def add(self, conversion: Conversion, /) -> None: ...

    def add_adjustment(self, adjustment: Adjustment, /) -> None: ...

    def add_call(self, call: Call, /) -> None: ...

    def __len__(self) -> int: ...

    def close(self) -> int:
        """Write the requests, and return their size in bytes, which the memory budget counts.

        No record is added after this. While a batch waits, only its requests are in memory.
        """
        ...


B = TypeVar("B", bound=Batch)


class Destination(Protocol[B]):
    """An advertising API, connected for one profile. `B` is its type of batch."""

    capabilities: Capabilities
    sunset: date | None
    """The day on which this version of the API is switched off; None: not announced."""

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        """Return the account after its preflight. Cached for a short time, unless `fresh`.

        Raises `PermanentError` when nothing can be uploaded to the account, and `RetryableError`
        when its settings cannot be read now.
        """
        ...

    def with_custom_variables(self, account: Account) -> Account:
        """Return the account with the names of its custom variables."""
        ...

    def batch(self, job_id: int, *, maybe_sent: bool) -> B:
        """Return an empty batch for requests with this job ID.

        `maybe_sent`: an earlier attempt of the run may have sent the same rows.
        """
        ...

    def send(self, batch: B, deadline: Deadline) -> UploadResult:
        """Send the batch, with all retries and waits.

        No request starts after `deadline.last_start`; those in flight may be answered until
        `deadline.last_answer`. If the deadline or the daily quota ends the attempt, this raises
        `RetryableError`; but if Google has answered for some rows by then, the others are deferred.
        """
        ...


class AccountLookup(Protocol):
    """Reads accounts for destinations without queries (`Capabilities.looks_up_accounts`).

    `manager_id` is the manager account that gives access.
    """

    def account(
        self, customer_id: str, manager_id: str | None, /, *, fresh: bool = False
    ) -> Account:
        """Return the account. It is cached for a short time, unless `fresh`.

        Raises `PermanentError` if Google refuses, and `RetryableError` if it cannot be reached now.
        """
        ...


@runtime_checkable
class DiagnosingDestination(Protocol):
    """A destination that reports on uploads by job later (`Capabilities.diagnostics`)."""

    def upload_diagnostics(self, customer_id: str) -> Sequence[UploadDiagnostics]:
        """Return the diagnostics of the account, then those of its conversion actions.

        Raises `PermanentError` if they cannot be read, and `RetryableError` if not now.
        """
        ...


@runtime_checkable
class PolledDestination(Protocol):
    """A destination that reports final outcomes later (`Capabilities.reports_later`)."""

    def request_statuses(
        self, request_ids: Sequence[str], deadline: Deadline
    ) -> Sequence[RequestStatus]:
        """Ask for the status of each request. Requests for which time or quota ran out are omitted.

        Raises `PermanentError` if the credentials are refused, and `RetryableError` if the API
        answers nothing.
        """
        ...
