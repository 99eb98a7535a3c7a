"""The port to an advertising API: what a run needs of it, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol, TypeVar

from lib.model.account import Account
from lib.model.outcomes import Outcome, Problem
from lib.model.records import Conversion


class RowResult(NamedTuple):
    """What the API said of a row that it didn't plainly take."""

    outcome: Outcome
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadResult:
    """The API's answer for one batch.

    `row_results` are keyed by the position of the conversion in the batch; a position that is not in
    it was taken. `stop` is set when the account or the request as a whole was refused for a reason
    that the next chunk would meet too: the file stops there.
    """

    row_results: Mapping[int, RowResult]
    request_ids: tuple[str, ...]
    stop: Problem | None = None


class Batch(Protocol):
    """The conversions of one chunk, already serialized."""

    def add(self, conversion: Conversion, /) -> None: ...

    def __len__(self) -> int: ...


B = TypeVar("B", bound=Batch)


class Destination(Protocol[B]):
    """An advertising API, for one profile; `B` is its kind of batch."""

    name: str
    sunset: date | None
    """When Google plans to switch this version of the API off; None: not announced."""

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        """The account after its preflight; cached for a while, unless asked for `fresh`.

        Raises `PermanentError` when nothing can be uploaded to it, `RetryableError` when it can't be asked now.
        """
        ...

    def with_custom_variables(self, account: Account) -> Account:
        """The account with its custom variables' names; asked only for files that use them."""
        ...

    def batch(self, job_id: int) -> B:
        """An empty batch for a request with that job id."""
        ...

    def send(self, batch: B, deadline: float) -> UploadResult:
        """Send the batch; retries and waits inside, never past `deadline` (monotonic seconds).

        Raises `RetryableError` when the deadline or the day's quota ends the attempt.
        """
        ...
