"""One request: events of one kind and account, for at most ten conversion actions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from google.ads.datamanager_v1.types.ingestion_service import IngestEventsRequest
from google.protobuf.json_format import MessageToDict

from lib.model.fields import RecordKind

Request = IngestEventsRequest.pb()

MAX_DESTINATIONS = 10
"""Maximum number of destinations in one request
(https://developers.google.com/data-manager/api/devguides/limits)."""

# Enum numbers, as the raw classes require.
_HEX = 1
_GOOGLE_ADS = 1


@dataclass(frozen=True, slots=True)
class EventRequest:
    """A raw request, and what the client library has no field for.

    `call_starts[i]` is the start of the call of the i-th event, in RFC 3339. It is None if the
    events are no calls. Such a request is sent with gRPC, one with calls by REST (`rest`).
    """

    kind: RecordKind
    message: Any = field(repr=False)
    call_starts: list[str] | None = None

    @property
    def events(self) -> Any:
        """The raw events."""
        return self.message.events

    @property
    def destinations(self) -> Any:
        """The raw destinations, to which the events refer."""
        return self.message.destinations

    def part(self, rows: Iterable[int]) -> EventRequest:
        """Return the same request with only these events, and the destinations that they use."""
        rows = list(rows)
        whole = self.message
        part = Request(encoding=whole.encoding, validate_only=whole.validate_only)
        part.events.extend(whole.events[row] for row in rows)
        used = {reference for event in part.events for reference in event.destination_references}
        part.destinations.extend(each for each in whole.destinations if each.reference in used)
        starts = self.call_starts
        return EventRequest(self.kind, part, starts and [starts[row] for row in rows])

    def as_json(self) -> dict[str, Any]:
        """Return the body of a request by REST."""
        body: dict[str, Any] = MessageToDict(self.message)
        if self.call_starts is not None:
            for event, start in zip(body.get("events", ()), self.call_starts, strict=True):
                event["callInfo"] = {"startTimestamp": start}
        return body


class Part:
    """A request to which events are added.

    `positions[i]` is the position of the i-th event in the batch.
    """

    def __init__(
        self, kind: RecordKind, customer_id: str, manager_id: str | None, *, validate_only: bool
    ) -> None:
        self.customer_id = customer_id
        message = Request(encoding=_HEX, validate_only=validate_only)
        self.request = EventRequest(kind, message, [] if kind == "call" else None)
        self.positions: list[int] = []
        self._manager_id = manager_id

    def has_room(self) -> bool:
        """Return whether another destination fits into the request."""
        return len(self.request.destinations) < MAX_DESTINATIONS

    def add_destination(self, action_id: str) -> None:
        """Add a conversion action, so that events can refer to it. The reference is its ID."""
        destination = self.request.destinations.add(
            reference=action_id, product_destination_id=action_id
        )
        destination.operating_account.account_type = _GOOGLE_ADS
        destination.operating_account.account_id = self.customer_id
        if self._manager_id is not None:
            destination.login_account.account_type = _GOOGLE_ADS
            destination.login_account.account_id = self._manager_id
