"""One destination for conversions and another for the adjustments in the same file.

A chunk has one batch for each. Conversions are sent first, in the same thread, and the chunk has
one marker. The positions of the second batch follow those of the first.

The answer about the conversions is saved before the first adjustment is sent: if the attempt dies,
no conversion is sent again after its adjustment, which would restore its value. The adjustments
are then deferred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from lib.destinations.base import (
    AcceptedRequest,
    Batch,
    Capabilities,
    Destination,
    RowResult,
    UploadResult,
)
from lib.errors import RetryableError
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.outcomes import Problem
from lib.model.records import Adjustment


def _not_saved(result: UploadResult) -> None:
    """Save nothing."""


class TwoBatches:
    """The conversions and the adjustments of a chunk. All conversions are added first.

    `save` is called with the answer about the conversions, before the adjustments are sent, if the
    chunk has both.
    """

    def __init__(self, conversions: Batch, adjustments: Batch) -> None:
        self.conversions = conversions
        self.adjustments = adjustments
        self.save: Callable[[UploadResult], None] = _not_saved
        self.add = conversions.add
        self.add_call = conversions.add_call

    def add_adjustment(self, adjustment: Adjustment, /) -> None:
        """Serialize an adjustment."""
        self.adjustments.add_adjustment(adjustment)

    @property
    def has_both(self) -> bool:
        """Whether it has conversions and adjustments."""
        return len(self.conversions) > 0 and len(self.adjustments) > 0

    def __len__(self) -> int:
        return len(self.conversions) + len(self.adjustments)

    def close(self) -> int:
        """See `Batch.close`."""
        return self.conversions.close() + self.adjustments.close()


class TwoDestinations:
    """A `Destination` that sends adjustments to another API."""

    def __init__(self, conversions: Destination[Any], adjustments: Destination[Any]) -> None:
        self.capabilities: Capabilities = conversions.capabilities
        self.sunset: date | None = min(
            (each.sunset for each in (conversions, adjustments) if each.sunset), default=None
        )
        self._conversions = conversions
        self._adjustments = adjustments

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        """Return the account that gets the conversions."""
        return self._conversions.account(customer_id, fresh=fresh)

    def with_custom_variables(self, account: Account) -> Account:
        """Return the account with the names of its custom variables."""
        return self._conversions.with_custom_variables(account)

    def batch(self, job_id: int, *, maybe_sent: bool) -> TwoBatches:
        """Return an empty batch for each of the two."""
        return TwoBatches(
            self._conversions.batch(job_id, maybe_sent=maybe_sent),
            self._adjustments.batch(job_id, maybe_sent=maybe_sent),
        )

    def send(self, batch: TwoBatches, deadline: Deadline) -> UploadResult:
        """Send the conversions, then the adjustments.

        If time or quota runs out in between, the adjustments are deferred: the conversions are
        answered.
        """
        if not len(batch.adjustments):
            return self._conversions.send(batch.conversions, deadline)
        if not len(batch.conversions):
            return _joined(
                UploadResult({}, ()), self._adjustments.send(batch.adjustments, deadline), 0
            )
        conversions, adjustments = len(batch.conversions), len(batch.adjustments)
        first = self._conversions.send(batch.conversions, deadline)
        batch.save(_joined(first, _deferred(adjustments, "SHUTDOWN"), conversions))
        try:
            second = self._adjustments.send(batch.adjustments, deadline)
        except RetryableError as error:
            second = _deferred(adjustments, error.code)
        return _joined(first, second, conversions)


def _deferred(adjustments: int, code: str) -> UploadResult:
    later = RowResult("deferred", (Problem(code),))
    return UploadResult(dict.fromkeys(range(adjustments), later), ())


def _joined(first: UploadResult, second: UploadResult, offset: int) -> UploadResult:
    """Return both answers as one. The positions of the second begin at `offset`.

    If the second API refuses the account, only its own rows are not attempted.
    """
    moved = {position + offset: result for position, result in second.row_results.items()}
    return UploadResult(
        {**first.row_results, **moved},
        first.request_ids + second.request_ids,
        first.stop,
        (*first.accepted, *(_moved(each, offset) for each in second.accepted)),
    )


def _moved(accepted: AcceptedRequest, offset: int) -> AcceptedRequest:
    positions: Sequence[int] = [position + offset for position in accepted.positions]
    return accepted._replace(positions=positions)
