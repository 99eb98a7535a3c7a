"""The Data Manager API: `IngestionService.IngestEvents` and `RetrieveRequestStatus`.

Both are served by gRPC and by REST. Calls exist only by REST (`event_calls`).

Fast-fail: if one event violates a format, the API refuses the whole request, lists a field
violation for each problem, and accepts no event. An accepted request is processed later (after
`state.data_manager.processing_seconds`), and its outcome appears in the request's status.

To provoke a refusal that names no event, use the fault kind `invalid_argument_unnamed`, or an event
whose transaction ID contains `refuse-unnamed`.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import grpc
from google.ads import datamanager_v1 as dm
from google.protobuf.json_format import MessageToDict, MessageToJson
from google.protobuf.message import DecodeError

from sandbox.data_manager_errors import (
    Window,
    invalid,
    over_quota,
    refusal,
    refuse_by_fault,
    unauthenticated,
)
from sandbox.event_adjustments import Adjustments
from sandbox.event_calls import (
    Calls,
    NotJson,
    call_message,
    decode_call_event,
    process_call,
    read_request,
    refuse_calls,
)
from sandbox.event_destinations import Target, read_targets
from sandbox.event_rules import (
    UNNAMED,
    Finding,
    Processed,
    process_event,
    refuse_event,
    refuse_for_account,
    warn_event,
)
from sandbox.request_status import grpc_status, rest_status
from sandbox.rpc import Call, Refusal, Service
from sandbox.state import Accepted, NotCounted, State

SCOPE = "https://www.googleapis.com/auth/datamanager"
INGEST_METHOD = "IngestEvents"
STATUS_METHOD = "RetrieveRequestStatus"
MAX_EVENTS = 2_000
_DENIED = int(dm.ConsentStatus.CONSENT_DENIED)

_IngestRequest: Any = dm.IngestEventsRequest.pb()
_IngestResponse: Any = dm.IngestEventsResponse.pb()
_StatusRequest: Any = dm.RetrieveRequestStatusRequest.pb()
_Event: Any = dm.Event.pb()
_WARNING_REASONS = dict(dm.WarningReason.__members__)


def decode_event(message: bytes) -> dict[str, Any]:
    """A serialized `Event` as proto JSON with the proto's own field names."""
    decoded: dict[str, Any] = MessageToDict(
        _Event.FromString(message), preserving_proto_field_name=True
    )
    return decoded


@dataclass(slots=True)
class _Ingested:
    targets: list[Target]
    done_at: float


class DataManager:
    """One project's Data Manager API, over the accounts of `state`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._minute: deque[float] = deque()
        self._day: deque[float] = deque()
        self._ingested: dict[str, _Ingested] = {}
        self._adjustments = Adjustments(state)
        state.on_clear.append(self._clear)

    def service(self) -> Service:
        return Service(
            "google.ads.datamanager.v1.IngestionService",
            "data_manager",
            {INGEST_METHOD: self.ingest, STATUS_METHOD: self.status},
            refuse=refuse_by_fault,
        )

    def _clear(self) -> None:
        self._minute.clear()
        self._day.clear()
        self._ingested.clear()

    def _authorize(self, call: Call) -> None:
        if not self._state.check_tokens:
            return
        if not call.scopes:
            raise unauthenticated("ACCESS_TOKEN_INVALID", call)
        if SCOPE not in call.scopes:
            text = "Request had insufficient authentication scopes."
            reason = "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
            raise refusal(grpc.StatusCode.PERMISSION_DENIED, text, reason, call)

    def _take_quota(self, call: Call) -> None:
        """Count one request against the project's quota. Raises `Refusal` if it is used up.

        The default quota is 300 requests in any minute and 100,000 in any day.
        """
        limits, now = self._state.data_manager, time.monotonic()
        with self._state.lock:
            windows: tuple[tuple[deque[float], float, int, Window], ...] = (
                (self._minute, 60.0, limits.requests_per_minute, "Minute"),
                (self._day, 86_400.0, limits.requests_per_day, "Day"),
            )
            for taken, seconds, limit, window in windows:
                while taken and taken[0] <= now - seconds:
                    taken.popleft()
                if len(taken) >= limit:
                    raise over_quota(call, window)
            self._minute.append(now)
            self._day.append(now)

    # IngestEvents

    def ingest(self, body: bytes, call: Call) -> bytes:
        try:
            request = _IngestRequest.FromString(body)
        except DecodeError as error:
            raise Refusal(grpc.StatusCode.INTERNAL, "can't read the request message") from error
        response = self._ingest(request, [None] * len(request.events), call)
        serialized: bytes = response.SerializeToString()
        return serialized

    def rest_ingest(self, body: bytes, call: Call) -> bytes:
        """Answer `POST v1/events:ingest`, with JSON, whose events may be calls."""
        request = _IngestRequest()
        try:
            calls = read_request(body, request)
        except NotJson as problem:
            self._authorize(call)
            invalid_argument = grpc.StatusCode.INVALID_ARGUMENT
            raise refusal(invalid_argument, str(problem), "INVALID_ARGUMENT", call) from None
        answer: str = MessageToJson(self._ingest(request, calls, call))
        return answer.encode()

    def _ingest(self, request: Any, calls: Calls, call: Call) -> Any:
        call.request.conversions = len(request.events)
        self._authorize(call)
        self._take_quota(call)
        kind = "UPLOAD_CALLS" if any(calls) else "UPLOAD_CLICKS"
        targets = read_targets(request, kind, self._state, call)
        self._refuse_events(request, calls, targets, call)
        response = _IngestResponse(request_id=call.request_id)
        for index, event in enumerate(request.events):
            for warning in warn_event(event, targets[0].account):
                response.field_warnings.add(
                    field=self._event_path(index, warning.path),
                    reason=_WARNING_REASONS[warning.reason],
                    description=warning.description,
                )
        if not request.validate_only:
            self._process(request, calls, targets, call)
        return response

    def _event_path(self, index: int, path: str) -> str:
        event = f"{self._state.data_manager.event_path}[{index}]"
        return f"{event}.{path}" if path else event

    def _refuse_events(self, request: Any, calls: Calls, targets: list[Target], call: Call) -> None:
        """Fast-fail: raises one `Refusal` that lists every violation of every event."""
        if not request.events:
            text = "The required field is missing."
            raise invalid([Finding("events", "REQUIRED_FIELD_MISSING", text)], call)
        if len(request.events) > MAX_EVENTS:
            text = "Too many events in the request."
            raise invalid([Finding("events", "TOO_MANY_EVENTS", text)], call)
        encrypted = request.HasField("encryption_info")
        with_user_data = any(event.user_data.user_identifiers for event in request.events)
        if with_user_data and not request.encoding:
            text = "The encoding is required with user data."
            raise invalid([Finding("encoding", "REQUIRED_FIELD_MISSING", text)], call)
        if not self._state.judge:
            return
        now = self._state.now()
        references = {target.destination.reference for target in targets}
        findings: list[Finding] = []
        unnamed = False
        for index, event in enumerate(request.events):
            unnamed = unnamed or UNNAMED in event.transaction_id
            found = [
                *refuse_event(event, request.encoding, encrypted, request.validate_only, now),
                *(
                    Finding("destination_references", "INVALID_DESTINATION", "No such reference.")
                    for reference in event.destination_references
                    if reference not in references
                ),
            ]
            for target in targets if event.custom_variables else ():
                found += refuse_for_account(event, target.account)
            findings += [one._replace(path=self._event_path(index, one.path)) for one in found]
        for index, found in enumerate(
            refuse_calls(request.events, calls, now) if any(calls) else ()
        ):
            findings += [one._replace(path=self._event_path(index, one.path)) for one in found]
        if findings or unnamed:
            raise invalid(findings, call)

    # Processing

    def _process(self, request: Any, calls: Calls, targets: list[Target], call: Call) -> None:
        state = self._state
        now = state.now()
        with state.lock:
            for index, (event, start) in enumerate(zip(request.events, calls, strict=True)):
                wanted = set(event.destination_references)
                message: bytes = event.SerializeToString()
                for target in targets:
                    if wanted and target.destination.reference not in wanted:
                        continue
                    target.records += 1
                    processed = self._process_one(request, event, start, target, now)
                    if processed.reason:
                        target.errors[processed.reason].append(index)
                        state.processing_errors.append(
                            NotCounted(call.request_id, processed.reason, decode_event(message))
                        )
                        continue
                    if processed.warning:
                        target.warnings[processed.warning].append(index)
                    if processed.repeats_call:
                        continue
                    if processed.adjusts is not None:
                        self._adjustments.adjust(processed.adjusts, event, call.request_id)
                        continue
                    decode = decode_event
                    if start is not None:
                        message, decode = call_message(event, start), decode_call_event
                    state.accepted.append(
                        Accepted(
                            target.account.customer_id,
                            target.action.id,
                            0,
                            call.request_id,
                            now,
                            "data_manager",
                            message,
                            decode,
                        )
                    )
                    self._adjustments.remember(processed.order_key)
            done_at = time.monotonic() + state.data_manager.processing_seconds
            self._ingested[call.request_id] = _Ingested(targets, done_at)

    def _process_one(
        self, request: Any, event: Any, start: datetime | None, target: Target, now: datetime
    ) -> Processed:
        """The outcome of an event at one destination. Without a reason, the event counts."""
        state = self._state
        if not state.judge:
            return Processed()
        # The event's own consent overrides the request's.
        consent = event.consent.ad_user_data or request.consent.ad_user_data
        if state.data_manager.denied_consent_is_error and consent == _DENIED:
            return Processed("PROCESSING_ERROR_REASON_DENIED_CONSENT")
        limits = state.data_manager
        provoked = limits.provoked.get(event.transaction_id, "")
        if provoked.startswith("PROCESSING_ERROR"):
            return Processed(provoked)
        if start is not None:
            return self._process_call(event, start, target, now)
        processed = process_event(event, target.action, state.clicks, limits.no_click, now)
        if processed.reason:
            return processed
        processed = processed._replace(warning=provoked)
        if processed.order_key is not None and processed.order_key in state.order_keys:
            if state.data_manager.repeats_adjust:
                return Processed(adjusts=processed.order_key)
            return Processed("PROCESSING_ERROR_REASON_DUPLICATE_TRANSACTION_ID")
        if processed.click_key is not None and processed.click_key in state.click_keys:
            return Processed("PROCESSING_ERROR_REASON_DUPLICATE_GCLID")
        if processed.order_key is not None:
            state.order_keys.add(processed.order_key)
        if processed.click_key is not None:
            state.click_keys.add(processed.click_key)
        return processed

    def _process_call(
        self, event: Any, start: datetime, target: Target, now: datetime
    ) -> Processed:
        """A repeated call is accepted, and removed later without a word (Google's guide)."""
        found = process_call(event, start, target.action, self._state.calls, now)
        if found.key is None:
            return Processed(found.reason)
        if found.key in self._state.call_keys:
            return Processed(repeats_call=True)
        self._state.call_keys.add(found.key)
        return Processed()

    # RetrieveRequestStatus

    def status(self, body: bytes, call: Call) -> bytes:
        return grpc_status(self._find_status(_StatusRequest.FromString(body).request_id, call))

    def rest_status(self, body: bytes, call: Call) -> bytes:
        """Answer `GET v1/requestStatus:retrieve`. `body` is JSON of the query parameters."""
        found = self._find_status(json.loads(body).get("requestId", ""), call)
        return rest_status(found, self._state.data_manager.record_indices)

    def _find_status(self, request_id: str, call: Call) -> Iterator[tuple[Target, str]]:
        """The targets of a request, each with its status. Raises `Refusal`."""
        self._authorize(call)
        ingested = self._ingested.get(request_id)
        if ingested is None:
            text = "The request ID is not valid."
            raise invalid([Finding("request_id", "INVALID_REQUEST_ID", text)], call)
        for target in ingested.targets:
            failed = sum(map(len, target.errors.values()))
            if time.monotonic() < ingested.done_at:
                yield target, "PROCESSING"
            elif not failed:
                yield target, "SUCCESS"
            else:
                yield target, "FAILED" if failed == target.records else "PARTIAL_SUCCESS"
