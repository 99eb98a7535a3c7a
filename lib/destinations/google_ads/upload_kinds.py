"""The kinds of upload: which service and method take a record, and how the request is built.

All that the requests of one API have in common (partial failure, results by row, retries) is
written once, for an `UploadRequest`. What differs is declared here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from lib.destinations.google_ads.api import module
from lib.model.fields import RecordKind


@dataclass(frozen=True, slots=True, eq=False)
class UploadKind:
    """How records of one kind are uploaded: with which `Service/Method`, in which message.

    `rows` is the name of the request's records, also in Google's error paths. `names_clicks`: its
    rows name ad clicks, each of which Google counts once for a time and action.
    """

    record: RecordKind
    method: str
    types: str
    message: str
    rows: str
    has_job_id: bool
    names_clicks: bool = False

    def new_request(self, customer_id: str, job_id: int, validate_only: bool) -> UploadRequest:
        """Return an empty request with partial failure (PARTIAL_FAILURE_MODE_REQUIRED)."""
        message = _request_class(self)(
            customer_id=customer_id, partial_failure=True, validate_only=validate_only
        )
        if self.has_job_id:
            message.job_id = job_id
        return UploadRequest(self, message)

    def read(self, response: bytes) -> Any:
        """Return the raw response."""
        types = module(f"services.types.{self.types}")
        return getattr(types, f"{self.message}Response").pb().FromString(response)

    def rows_field(self) -> Any:
        """Return the descriptor of the request's records."""
        return _request_class(self).DESCRIPTOR.fields_by_name[self.rows]


@cache
def _request_class(kind: UploadKind) -> Any:
    """Return the raw class. Imported when it is needed: few files have adjustments."""
    return getattr(module(f"services.types.{kind.types}"), f"{kind.message}Request").pb()


CLICKS: Final = UploadKind(
    "conversion",
    "ConversionUploadService/UploadClickConversions",
    "conversion_upload_service",
    "UploadClickConversions",
    "conversions",
    has_job_id=True,
    names_clicks=True,
)
CALLS: Final = UploadKind(
    "call",
    "ConversionUploadService/UploadCallConversions",
    "conversion_upload_service",
    "UploadCallConversions",
    "conversions",
    has_job_id=False,
)
ADJUSTMENTS: Final = UploadKind(
    "adjustment",
    "ConversionAdjustmentUploadService/UploadConversionAdjustments",
    "conversion_adjustment_upload_service",
    "UploadConversionAdjustments",
    "conversion_adjustments",
    has_job_id=True,
)
KINDS: Final = (CLICKS, CALLS, ADJUSTMENTS)
"""In the order in which a chunk sends them: an adjustment follows its conversion."""


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """The raw request of one account for one kind of record."""

    kind: UploadKind
    message: Any = field(repr=False)  # it may contain the number of a caller

    @property
    def rows(self) -> Any:
        """The raw records."""
        return getattr(self.message, self.kind.rows)

    @property
    def customer_id(self) -> str:
        """The account of all rows."""
        customer_id: str = self.message.customer_id
        return customer_id

    @property
    def validate_only(self) -> bool:
        """Whether Google only checks the rows. It then returns no results."""
        return bool(self.message.validate_only)

    def part(self, rows: Iterable[int]) -> UploadRequest:
        """Return the same request with only these rows."""
        part = type(self.message)()
        for each, value in self.message.ListFields():
            if each.name != self.kind.rows:
                setattr(part, each.name, value)
        found = UploadRequest(self.kind, part)
        own = self.rows
        found.rows.extend(own[row] for row in rows)
        return found
