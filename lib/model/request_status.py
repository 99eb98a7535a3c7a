"""The status of an upload request, as an API that processes records later reports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

UNREADABLE: Final = "UNREADABLE"
"""The API does not report the status of the request. Its `code` is the reason."""

_FINAL: Final = frozenset({"SUCCESS", "FAILED", "PARTIAL_SUCCESS", UNREADABLE})


class RequestStatus(NamedTuple):
    """The status of one request for one conversion action.

    SUCCESS, PARTIAL_SUCCESS and FAILED are final. So is UNREADABLE: the API does not report a
    status, or no longer does, and `code` is the reason. Any other `status` can still change. All
    counts are numbers of records.

    `error_records` and `warning_records` name records that have a reason by their position in the
    request. An API may name all, some or none of those that it counts.
    """

    request_id: str
    status: str
    conversion_action: str = ""
    record_count: int = 0
    errors: Mapping[str, int] = {}
    warnings: Mapping[str, int] = {}
    code: str = ""
    error_records: Mapping[str, tuple[int, ...]] = {}
    warning_records: Mapping[str, tuple[int, ...]] = {}

    @property
    def is_final(self) -> bool:
        """Whether the status cannot change any more."""
        return self.status in _FINAL
