"""Calls in the Data Manager API: `callInfo.startTimestamp` of an event, by REST only.

The client library for gRPC (0.9.4) has no field for it. A call is found by the hash of its caller's
phone number and its start. A repeat of a call is accepted without an error and is not counted.
https://developers.google.com/data-manager/api/devguides/events/google-ads/call/send-events
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.timestamp_pb2 import Timestamp

from sandbox.accounts import ConversionAction
from sandbox.conversions import TOO_RECENT, CallKey
from sandbox.data_manager.errors import Finding

Calls = Sequence[datetime | None]
"""For every event of a request, the start of its call, or None if it isn't a call."""


class NotJson(ValueError):
    """The body is not the JSON of the request; the message has Google's words for it."""


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
        return None
    if unknown := info.keys() - {"startTimestamp"}:
        raise ValueError(f'Unknown name "{min(unknown)}" at callInfo: Cannot find field.')
    start = Timestamp()
    start.FromJsonString(info["startTimestamp"])  # refuses what is not RFC 3339
    moment: datetime = start.ToDatetime(UTC)
    return moment


def refuse_call(event: Any, start: datetime | None, now: datetime) -> Iterator[Finding]:
    """The violation for which Google refuses a request with calls."""
    path = "call_info.start_timestamp"
    if start is None:
        yield Finding(path, "REQUIRED_FIELD_MISSING", "The conversion action is for calls.")
    elif start > now:
        text = "The call did not occur within the acceptable time window."
        yield Finding(path, "EVENT_TIME_INVALID", text)
    elif not any(one.phone_number for one in event.user_data.user_identifiers):
        text = "The event contains no phone number of the caller."
        yield Finding("user_data", "NO_IDENTIFIERS_PROVIDED", text)


def key_of(event: Any, start: datetime, action: ConversionAction) -> CallKey:
    caller = next(
        one.phone_number.lower() for one in event.user_data.user_identifiers if one.phone_number
    )
    moment = event.event_timestamp.ToDatetime(UTC)
    return caller, start.timestamp(), action.id, moment.timestamp()


def problem_of(
    event: Any,
    start: datetime,
    action: ConversionAction,
    now: datetime,
) -> str:
    """The first problem that Google finds with a call, or ""."""
    moment = event.event_timestamp.ToDatetime(UTC)
    if moment < start:
        return "INVALID_CALL"
    if now - start < TOO_RECENT:
        return "TOO_RECENT_CALL"
    window = timedelta(days=action.lookback_days)
    if now - moment > window or moment - start > window:
        return "EXPIRED_CALL"
    return ""


def stored(event: Any, start: datetime) -> bytes:
    """What is stored of a call: the event as JSON, with the call in it."""
    message = MessageToDict(event, preserving_proto_field_name=True)
    return json.dumps(message | {"call_info": {"start_timestamp": start.isoformat()}}).encode()
