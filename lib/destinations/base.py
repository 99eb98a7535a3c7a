"""The port to an advertising API: only what a run needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from lib.model.account import Account
from lib.model.capabilities import Capabilities
from lib.model.deadline import Deadline
from lib.model.fields import RecordKind
from lib.model.outcomes import Outcome, Problem
from lib.model.sent_requests import RequestStatus, UploadDiagnostics


class RowResult(NamedTuple):
    """The API's answer for a row, if it is more than a plain acceptance."""

    outcome: Outcome
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


class AcceptedRequest(NamedTuple):
    """A request that the API accepted, and the positions of its records in the chunk, in order."""

    request_id: str
    positions: Sequence[int]


@dataclass(frozen=True, slots=True)
class UploadResult:
    """The API's answer for the records of one chunk.

    `row_results` is keyed by the position of the record. A position without a result was accepted.
    `stop` is set when the API refused the account or the whole request for a reason that would also
    affect the next chunk: the run decides whether the file stops. `accepted` is only needed from an
    API that processes records later (`Capabilities.reports_later`).
    """

    row_results: Mapping[int, RowResult]
    request_ids: tuple[str, ...]
    stop: Problem | None = None
    accepted: tuple[AcceptedRequest, ...] = ()


class EncodedRequest(Protocol):
    """A request, as the bytes that are sent. The memory budget counts them."""

    @property
    def content(self) -> bytes: ...


R = TypeVar("R", bound=EncodedRequest)

MaybeSent = Callable[[str], bool]
"""Returns whether an earlier attempt of the run may have sent the order with this ID."""


class Destination(Protocol[R]):
    """An advertising API, connected for one profile. `R` is its type of request."""

    capabilities: Capabilities

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        """Look at the account and its conversion actions. What was seen is kept for a short time.

        `custom_variables`: the file has columns of them, whose names may need IDs. If the look
        itself fails, the account is not `verified`, and says why. Raises `PermanentError` when
        nothing can be uploaded to the account.
        """
        ...

    def encode(
        self, kind: RecordKind, records: Sequence[Any], customer_id: str, job_id: int
    ) -> Sequence[R]:
        """Write the records of a chunk, which are all of this kind, as requests to the account that
        conversions are uploaded to.

        Records of other kinds than conversions only come if the capabilities declare their kind.
        """
        ...

    def send(
        self, requests: Sequence[R], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        """Send the requests of a chunk, with all retries and waits.

        No request starts after `deadline.last_start`; those in flight may be answered until
        `deadline.last_answer`. If the deadline, the daily quota or an outage ends the attempt, this
        raises `RetryableError`; but if Google has answered for some rows by then, the others are
        deferred.
        """
        ...


@runtime_checkable
class DiagnosingDestination(Protocol):
    """A destination that reports on uploads by job later (`Capabilities.diagnostics`)."""

    def upload_diagnostics(self, customer_id: str) -> UploadDiagnostics | None:
        """Return the diagnostics of the account. None: the API has none.

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
