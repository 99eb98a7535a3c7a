"""A request to upload records of one kind: its bytes, its service and method, its rows again.

All that the requests of this API have in common (partial failure, results by row, retries) is
written once, for an `UploadRequest`. `UploadKind` declares what differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal

from lib.destinations.google_ads.api import module
from lib.model.fields import RecordKind


@dataclass(frozen=True, slots=True, eq=False)
class UploadKind:
    """How records of one kind are uploaded: with which `Service/Method`.

    `types` is the module of its messages. `rows` is the name of the request's records, also in
    Google's error paths.
    """

    record: RecordKind
    method: str
    types: str
    rows: str
    has_job_id: bool

    def message_class(self, suffix: Literal["Request", "Response"]) -> Any:
        """Return the raw class of the method's messages.

        It is imported when it is needed: few files have adjustments.
        """
        name = self.method.rpartition("/")[2]
        return getattr(module(f"services.types.{self.types}"), name + suffix).pb()


CLICKS: Final = UploadKind(
    record="conversion",
    method="ConversionUploadService/UploadClickConversions",
    types="conversion_upload_service",
    rows="conversions",
    has_job_id=True,
)
CALLS: Final = UploadKind(
    record="call",
    method="ConversionUploadService/UploadCallConversions",
    types="conversion_upload_service",
    rows="conversions",
    has_job_id=False,
)
ADJUSTMENTS: Final = UploadKind(
    record="adjustment",
    method="ConversionAdjustmentUploadService/UploadConversionAdjustments",
    types="conversion_adjustment_upload_service",
    rows="conversion_adjustments",
    has_job_id=True,
)
UPLOAD_KINDS: Final = {kind.record: kind for kind in (CLICKS, CALLS, ADJUSTMENTS)}


@dataclass(frozen=True, eq=False)
class UploadRequest:
    """The request with the records of a chunk, which are of one kind.

    `positions` are those of its records in the chunk. `validate_only`: Google only checks the rows.
    It then returns no results.
    """

    kind: UploadKind
    customer_id: str
    validate_only: bool
    content: bytes = field(repr=False)  # it may contain the number of a caller
    positions: Sequence[int] = field(repr=False)

    @property
    def size(self) -> int:
        """The number of records."""
        return len(self.positions)

    @cached_property
    def message(self) -> Any:
        """The raw message. Parsed when it is needed: if an answer names rows."""
        return self.kind.message_class("Request").FromString(self.content)

    @property
    def rows(self) -> Any:
        """The raw records."""
        return getattr(self.message, self.kind.rows)

    def subset(self, rows: Iterable[int]) -> UploadRequest:
        """Return the same request with only these rows."""
        rows = list(rows)
        subset = type(self.message)()
        subset.CopyFrom(self.message)
        subset.ClearField(self.kind.rows)
        getattr(subset, self.kind.rows).extend(self.rows[row] for row in rows)
        positions = [self.positions[row] for row in rows]
        return replace(self, content=subset.SerializeToString(), positions=positions)
