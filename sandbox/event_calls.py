"""Calls in the Data Manager API: `callInfo.startTimestamp` of an event, by REST only.

The client library for gRPC (0.9.4) has no field for it. A call is found by the hash of its caller's
phone number and its start. A repeat of a call is accepted without an error and is not counted.
https://developers.google.com/data-manager/api/devguides/events/google-ads/call/send-events
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError

from sandbox.accounts import ConversionAction
from sandbox.event_rules import Finding

TOO_RECENT = timedelta(hours=6)
_REASON = "PROCESSING_ERROR_REASON_"

Calls = Sequence[datetime | None]
"""For every event of a request, the start of its call, or None if it isn't a call."""
CallKey = tuple[str, float, int, float]
"""Digest of the caller's number, start of the call, conversion action, time of the conversion."""


class NotJson(ValueError):
    """The body is not the JSON of the request; the message has Google's words for it."""


class Processed(NamedTuple):
    """The outcome of a call: a reason, or its key."""

    reason: str = ""
    key: CallKey | None = None


def read_request(body: bytes, request: Any) -> Calls:
    """Fill `request` from JSON, and return the starts of the calls in it. Raises `NotJson`.

    As Google does, this refuses names that no field has.
    """
    try:
        given = json.loads(body)
        calls = [_take_start(event) for event in given.get("events", ())]
        ParseDict(given, request)
    except (ParseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotJson(f"Invalid JSON payload received. {error}") from None
    return calls


def _take_start(event: dict[str, Any]) -> datetime | None:
    """Remove the call from an event, because its class has no field for it."""
    info = event.pop("callInfo", None)
    if info is None:
        info = event.pop("call_info", None)
    if info is None:
        return None
    start = datetime.fromisoformat(info.get("startTimestamp") or info["start_timestamp"])
    if start.tzinfo is None:
        raise ValueError("startTimestamp needs an offset or Z")
    return start


def refuse_calls(events: Sequence[Any], calls: Calls, now: datetime) -> Iterable[list[Finding]]:
    """For each event, the violations for which Google refuses the request, if it has calls."""
    for event, start in zip(events, calls, strict=True):
        if start is None:
            text = "The conversion action is for calls."
            yield [Finding("call_info.start_timestamp", "REQUIRED_FIELD_MISSING", text)]
        elif start > now:
            text = "The call did not occur within the acceptable time window."
            yield [Finding("call_info.start_timestamp", "EVENT_TIME_INVALID", text)]
        elif not any(one.phone_number for one in event.user_data.user_identifiers):
            text = "The event contains no phone number of the caller."
            yield [Finding("user_data", "NO_IDENTIFIERS_PROVIDED", text)]
        else:
            yield []


def process_call(
    event: Any,
    start: datetime,
    action: ConversionAction,
    known: Iterable[tuple[str, float]],
    now: datetime,
) -> Processed:
    """The first problem that Google finds with a call. `known` is empty if it knows all calls."""
    moment = event.event_timestamp.ToDatetime(UTC)
    digest = next(
        one.phone_number.lower() for one in event.user_data.user_identifiers if one.phone_number
    )
    starts = {(form, at) for caller, at in known for form in _digests(caller)}
    if starts and (digest, start.timestamp()) not in starts:
        return Processed(_REASON + "INVALID_CALL")
    if moment < start:
        return Processed(_REASON + "INVALID_CALL")
    if now - start < TOO_RECENT:
        return Processed(_REASON + "TOO_RECENT_CALL")
    if moment - start > timedelta(days=action.lookback_days):
        return Processed(_REASON + "EXPIRED_CALL")
    return Processed("", (digest, start.timestamp(), action.id, moment.timestamp()))


def _digests(caller_id: str) -> tuple[str, str]:
    """Both encodings of the digest, in lower case."""
    digest = hashlib.sha256(caller_id.encode())
    return digest.hexdigest(), base64.b64encode(digest.digest()).decode().lower()


def call_message(event: Any, start: datetime) -> bytes:
    """What is stored of a call: the event as JSON, with the call in it."""
    message = MessageToDict(event, preserving_proto_field_name=True)
    return json.dumps(message | {"call_info": {"start_timestamp": start.isoformat()}}).encode()


def decode_call_event(message: bytes) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(message)
    return decoded
