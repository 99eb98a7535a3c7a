"""The status of an ingestion request, as the Data Manager API words it by gRPC and by REST.

Since v1.9 (2026-11-04), REST also names the events: `recordIndices`, positions in the request. The
client library for gRPC (0.9.4) has no field for them.
https://developers.google.com/data-manager/api/reference/rest/v1/requestStatus/retrieve
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from google.ads import datamanager_v1 as dm
from google.protobuf.json_format import MessageToDict

from sandbox.event_destinations import Target

Found = Iterable[tuple[Target, str]]
"""The targets of a request, each with its status."""
RecordIndices = Literal["all", "none", "some"]

_Response: Any = dm.RetrieveRequestStatusResponse.pb()
_STATUSES: Any = dm.RequestStatusPerDestination.RequestStatus
_ERRORS = dict(dm.ProcessingErrorReason.__members__)
_WARNINGS = dict(dm.ProcessingWarningReason.__members__)


def grpc_status(found: Found) -> bytes:
    """A serialized `RetrieveRequestStatusResponse`. A newer reason is UNSPECIFIED (0)."""
    response = _Response()
    for target, status in found:
        one = response.request_status_per_destination.add()
        one.destination.CopyFrom(target.destination)
        one.request_status = int(_STATUSES[status])
        one.events_ingestion_status.record_count = target.records
        if status == "PROCESSING":
            continue
        for reason, events in sorted(target.errors.items()):
            one.error_info.error_counts.add(record_count=len(events), reason=_ERRORS.get(reason, 0))
        for reason, events in sorted(target.warnings.items()):
            one.warning_info.warning_counts.add(
                record_count=len(events), reason=_WARNINGS.get(reason, 0)
            )
    serialized: bytes = response.SerializeToString()
    return serialized


def rest_status(found: Found, record_indices: RecordIndices) -> bytes:
    """The JSON of the response. As in all of Google's answers, an int64 is a string."""
    destinations = []
    for target, status in found:
        one: dict[str, Any] = {
            "destination": MessageToDict(target.destination),
            "requestStatus": status,
            "eventsIngestionStatus": {"recordCount": str(target.records)},
        }
        if status != "PROCESSING" and target.errors:
            one["errorInfo"] = {"errorCounts": _counts(target.errors, record_indices)}
        if status != "PROCESSING" and target.warnings:
            one["warningInfo"] = {"warningCounts": _counts(target.warnings, record_indices)}
        destinations.append(one)
    return json.dumps({"requestStatusPerDestination": destinations}).encode()


def _counts(
    events_by_reason: Mapping[str, list[int]], record_indices: RecordIndices
) -> list[dict[str, Any]]:
    counts = []
    for reason, events in sorted(events_by_reason.items()):
        count: dict[str, Any] = {"reason": reason, "recordCount": str(len(events))}
        if record_indices != "none":
            count["recordIndices"] = events if record_indices == "all" else events[::2]
        counts.append(count)
    return counts
