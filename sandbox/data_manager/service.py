"""The Data Manager API: `IngestionService.IngestEvents` and `RetrieveRequestStatus`.

Events are accepted by gRPC and by REST. Calls and the status exist only by REST.

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
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.ads import datamanager_v1 as dm
from google.protobuf.json_format import MessageToDict, MessageToJson

from sandbox.accounts import ConversionAction
from sandbox.conversions import Accepted, Change, NotCounted, OrderKey
from sandbox.data_manager import calls as call_rules
from sandbox.data_manager.calls import Calls, NotJson, read_request
from sandbox.data_manager.destinations import Target, read_targets, rest_status
from sandbox.data_manager.errors import (
    Finding,
    invalid,
    missing,
    over_quota,
    refusal,
    refuse_by_fault,
    unauthenticated,
)
from sandbox.data_manager.events import (
    UNNAMED,
    keys_of,
    problem_of,
    refuse_event,
    refuse_for_targets,
    warn_event,
)
from sandbox.rest import Method
from sandbox.rpc import Responder, Rpc, Service
from sandbox.state import State

SCOPE = "https://www.googleapis.com/auth/datamanager"
INGEST_METHOD = "IngestEvents"
STATUS_METHOD = "RetrieveRequestStatus"
MAX_EVENTS = 2_000
_REASON = "PROCESSING_ERROR_REASON_"
_FOR_CALLS = ("UPLOAD_CALLS",)
_FOR_EVENTS = ("UPLOAD_CLICKS", "WEBPAGE")

_IngestRequest: Any = dm.IngestEventsRequest.pb()
_IngestResponse: Any = dm.IngestEventsResponse.pb()
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
    done_at: datetime


class DataManager:
    """One project's Data Manager API, over the accounts of `state`."""

    def __init__(self, state: State) -> None:
        self._state = state
        # By method: reads have as large a quota as writes, of their own.
        self._minutes: dict[str, deque[float]] = {INGEST_METHOD: deque(), STATUS_METHOD: deque()}
        self._ingested: dict[str, _Ingested] = {}
        self._places: dict[OrderKey, int] = {}
        """The position in `state.accepted` of each event with a transaction ID."""
        state.on_clear += [minute.clear for minute in self._minutes.values()]
        state.on_clear += [self._ingested.clear, self._places.clear]

    def service(self) -> Service:
        return Service(
            "google.ads.datamanager.v1.IngestionService",
            "data_manager",
            {INGEST_METHOD: self._grpc_ingest},
            refuse_by_fault,
        )

    def rest_methods(self, responder: Responder) -> dict[str, Method]:
        """The methods of REST: verb and path → who answers."""
        return {
            "GET /v1/requestStatus:retrieve": (responder, STATUS_METHOD, self._status),
            "POST /v1/events:ingest": (responder, INGEST_METHOD, self._rest_ingest),
        }

    def _authorize(self, rpc: Rpc) -> None:
        if not self._state.check_tokens:
            return
        if not rpc.scopes:
            raise unauthenticated("ACCESS_TOKEN_INVALID", rpc)
        if SCOPE not in rpc.scopes:
            text = "Request had insufficient authentication scopes."
            reason = "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
            raise refusal(grpc.StatusCode.PERMISSION_DENIED, text, reason, rpc)

    def _take_quota(self, rpc: Rpc, method: str) -> None:
        """Count one request against the project's quota: 300 in any minute, by default. Raises
        `Refusal` if it is used up. For that of a day, there is the fault `resource_exhausted`."""
        taken, now = self._minutes[method], time.monotonic()
        with self._state.lock:
            while taken and taken[0] <= now - 60.0:
                taken.popleft()
            if len(taken) >= self._state.data_manager.requests_per_minute:
                raise over_quota(rpc, "Minute")
            taken.append(now)

    # IngestEvents

    def _grpc_ingest(self, rpc: Rpc) -> bytes:
        request = _IngestRequest.FromString(rpc.body)
        response = self._ingest(request, [None] * len(request.events), rpc)
        serialized: bytes = response.SerializeToString()
        return serialized

    def _rest_ingest(self, rpc: Rpc) -> bytes:
        """Answer `POST v1/events:ingest`, with JSON, whose events may be calls."""
        request = _IngestRequest()
        try:
            calls = read_request(rpc.body, request)
        except NotJson as problem:
            self._authorize(rpc)
            invalid_argument = grpc.StatusCode.INVALID_ARGUMENT
            raise refusal(invalid_argument, str(problem), "INVALID_ARGUMENT", rpc) from None
        answer: str = MessageToJson(self._ingest(request, calls, rpc))
        return answer.encode()

    def _ingest(self, request: Any, calls: Calls, rpc: Rpc) -> Any:
        rpc.request.conversions = len(request.events)
        self._authorize(rpc)
        self._take_quota(rpc, INGEST_METHOD)
        types = _FOR_CALLS if any(calls) else _FOR_EVENTS
        targets = read_targets(request, types, self._state, rpc)
        self._refuse_events(request, calls, targets, rpc)
        response = _IngestResponse(request_id=rpc.request_id)
        for index, event in enumerate(request.events):
            for warning in warn_event(event, targets[0].account):
                response.field_warnings.add(
                    field=self._event_path(index, warning.path),
                    reason=_WARNING_REASONS[warning.reason],
                    description=warning.description,
                )
        if not request.validate_only:
            self._process(request, calls, targets, rpc)
        return response

    def _event_path(self, index: int, path: str) -> str:
        event = f"{self._state.data_manager.event_path}[{index}]"
        return f"{event}.{path}" if path else event

    def _refuse_events(self, request: Any, calls: Calls, targets: list[Target], rpc: Rpc) -> None:
        """Fast-fail: raises one `Refusal` that lists every violation of every event."""
        if not request.events:
            raise invalid([missing("events")], rpc)
        if len(request.events) > MAX_EVENTS:
            text = "Too many events in the request."
            raise invalid([Finding("events", "TOO_MANY_EVENTS", text)], rpc)
        with_user_data = any(event.user_data.user_identifiers for event in request.events)
        if with_user_data and not request.encoding:
            text = "The encoding is required with user data."
            raise invalid([Finding("encoding", "REQUIRED_FIELD_MISSING", text)], rpc)
        if not self._state.check_rows:
            return
        now = self._state.now()
        findings = []
        for index, (event, start) in enumerate(zip(request.events, calls, strict=True)):
            found = [*refuse_event(event, request, now), *refuse_for_targets(event, targets)]
            if any(calls):
                found += call_rules.refuse_call(event, start, now)
            findings += [one._replace(path=self._event_path(index, one.path)) for one in found]
        if findings or any(UNNAMED in event.transaction_id for event in request.events):
            raise invalid(findings, rpc)

    # Processing

    def _process(self, request: Any, calls: Calls, targets: list[Target], rpc: Rpc) -> None:
        with self._state.lock:
            for index, (event, start) in enumerate(zip(request.events, calls, strict=True)):
                wanted = set(event.destination_references)
                for target in targets:
                    if not wanted or target.destination.reference in wanted:
                        target.records += 1
                        self._process_event(index, event, start, target, rpc)
            takes = timedelta(seconds=self._state.data_manager.processing_seconds)
            done_at = self._state.now() + takes
            self._ingested[rpc.request_id] = _Ingested(targets, done_at)

    def _process_event(
        self, index: int, event: Any, start: datetime | None, target: Target, rpc: Rpc
    ) -> None:
        """Count an event at one destination, or say in the status why it does not count."""
        state = self._state
        if reason := self._reason(event, start, target.action):
            target.errors[reason].append(index)
            message = decode_event(event.SerializeToString())
            state.processing_errors.append(NotCounted(rpc.request_id, reason, message))
        elif start is None:
            self._count(index, event, target, rpc)
        else:
            key = call_rules.key_of(event, start, target.action)
            # A repeat is accepted, and removed later without a word (Google's guide).
            if key not in state.call_keys:
                state.call_keys.add(key)
                self._accept(call_rules.stored(event, start), json.loads, target, rpc)

    def _reason(self, event: Any, start: datetime | None, action: ConversionAction) -> str:
        """The reason for which Google does not count an event, or ""."""
        state, now = self._state, self._state.now()
        if not state.check_rows:
            return ""
        provoked = state.data_manager.provoked.get(event.transaction_id, "")
        if provoked.startswith("PROCESSING_ERROR"):
            return provoked
        if start is not None:
            found = call_rules.problem_of(event, start, action, now)
        else:
            no_click = state.data_manager.no_click
            found = problem_of(event, action, state.clicks, no_click, now)
            found = found or self._repetition(event, action)
        return _REASON + found if found else ""

    def _repetition(self, event: Any, action: ConversionAction) -> str:
        state = self._state
        click_key, order_key = keys_of(event, action)
        if order_key in state.order_keys:
            return "" if state.data_manager.repeats_adjust else "DUPLICATE_TRANSACTION_ID"
        return "DUPLICATE_GCLID" if click_key in state.click_keys else ""

    def _is_known(self, key: OrderKey, action: ConversionAction) -> bool:
        """Whether a conversion has this transaction ID: an uploaded one, or one of a website's tag.

        An event for a tag's action that matches no conversion of the tag is a new conversion.
        https://developers.google.com/data-manager/api/devguides/events/google-ads/online
        """
        is_of_tag = action.type == "WEBPAGE" and self._state.book.by_order(*key) is not None
        return is_of_tag or key in self._state.order_keys

    def _count(self, index: int, event: Any, target: Target, rpc: Rpc) -> None:
        """Accept a conversion, or adjust the one that has its transaction ID."""
        state = self._state
        click_key, order_key = keys_of(event, target.action) if state.check_rows else (None, None)
        if order_key is not None and self._is_known(order_key, target.action):
            self._adjust(order_key, event, rpc)
            return
        if warning := state.data_manager.provoked.get(event.transaction_id):
            target.warnings[warning].append(index)
        self._accept(event.SerializeToString(), decode_event, target, rpc)
        if click_key is not None:
            state.click_keys.add(click_key)
        if order_key is not None:
            state.order_keys.add(order_key)
            self._places[order_key] = len(state.accepted) - 1

    def _accept(
        self, message: bytes, decode: Callable[[bytes], Any], target: Target, rpc: Rpc
    ) -> None:
        customer, action, now = target.account.customer_id, target.action.id, self._state.now()
        self._state.accepted.append(
            Accepted(customer, action, 0, rpc.request_id, now, "data_manager", message, decode)
        )

    def _adjust(self, key: OrderKey, event: Any, rpc: Rpc) -> None:
        """Replace value and currency with those of `event`; add its user data if there was none.

        Google's guide says that an event with a known transaction ID does this; its client library
        has a reason DUPLICATE_TRANSACTION_ID. `state.data_manager.repeats_adjust` selects one.

        All other fields stay. A conversion of the other API has the key, too, but is not stored in
        this form: only the book shows its new value. What was retracted stays so.
        https://developers.google.com/data-manager/api/devguides/events/google-ads/conversion-adjustments
        """
        state = self._state
        if (conversion := state.book.by_order(*key)) is not None:
            kind = "ignored" if conversion.retracted else "restatement"
            at, value = event.event_timestamp.ToDatetime(UTC), event.conversion_value
            conversion.history.append(
                Change(kind, at, value, event.currency, "data_manager", rpc.request_id, state.now())
            )
        if (place := self._places.get(key)) is None:
            return
        first = state.accepted[place]
        known = _Event.FromString(first.message)
        known.conversion_value, known.currency = event.conversion_value, event.currency
        if not known.HasField("user_data") and event.HasField("user_data"):
            known.user_data.CopyFrom(event.user_data)
        state.accepted[place] = first._replace(message=known.SerializeToString())

    # RetrieveRequestStatus

    def _status(self, rpc: Rpc) -> bytes:
        """Answer `GET v1/requestStatus:retrieve`. The body is JSON of the query parameters."""
        self._authorize(rpc)
        self._take_quota(rpc, STATUS_METHOD)
        ingested = self._ingested.get(json.loads(rpc.body).get("requestId", ""))
        if ingested is None:
            text = "The request ID is not valid."
            raise invalid([Finding("request_id", "INVALID_REQUEST_ID", text)], rpc)
        done = self._state.now() >= ingested.done_at
        return rest_status(ingested.targets, done, self._state.data_manager.record_indices)
