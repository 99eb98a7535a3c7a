"""One request: events of one kind and account, for at most ten conversion actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.ads.datamanager_v1.types.ingestion_service import IngestEventsRequest

from lib.model.fields import RecordKind

Request = IngestEventsRequest.pb()

MAX_DESTINATIONS = 10
"""Maximum number of destinations in one request
(https://developers.google.com/data-manager/api/devguides/limits)."""

# Enum numbers, as the raw classes require.
_HEX = 1
_GOOGLE_ADS = 1


@dataclass(slots=True, eq=False)
class EventRequest:
    """A request of one account for one kind of record.

    `positions` are those of its events in the batch. `call_starts` has what the client library has
    no field for: the start of the call of each event, in RFC 3339. It is None if the events are no
    calls. Such a request is sent with gRPC, one with calls by REST (`rest`).
    """

    kind: RecordKind
    customer_id: str
    content: bytes = field(repr=False)
    positions: Sequence[int] = field(repr=False)
    destination_count: int
    call_starts: list[str] | None = None
    _message: Any = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """The number of events."""
        return len(self.positions)

    @property
    def message(self) -> Any:
        """The raw message. Parsed when it is needed: if an answer names events."""
        if self._message is None:
            self._message = Request.FromString(self.content)
        return self._message

    @property
    def events(self) -> Any:
        """The raw events."""
        return self.message.events

    @property
    def destinations(self) -> Any:
        """The raw destinations, to which the events refer."""
        return self.message.destinations

    def subset(self, rows: Iterable[int]) -> EventRequest:
        """Return the same request with only these events, and the destinations that they use."""
        rows = list(rows)
        whole = self.message
        subset = Request(encoding=whole.encoding, validate_only=whole.validate_only)
        subset.events.extend(whole.events[row] for row in rows)
        used = {reference for event in subset.events for reference in event.destination_references}
        subset.destinations.extend(each for each in whole.destinations if each.reference in used)
        starts = self.call_starts
        return EventRequest(
            self.kind,
            self.customer_id,
            subset.SerializeToString(),
            [self.positions[row] for row in rows],
            len(subset.destinations),
            starts and [starts[row] for row in rows],
        )

    def as_json(self) -> dict[str, Any]:
        """Return the body of a request by REST."""
        # Imported here because few files have calls.
        from google.protobuf.json_format import MessageToDict

        body: dict[str, Any] = MessageToDict(self.message)
        if self.call_starts is not None:
            for event, start in zip(body.get("events", ()), self.call_starts, strict=True):
                event["callInfo"] = {"startTimestamp": start}
        return body


@dataclass(slots=True, eq=False)
class OpenRequest:
    """A request to which events are added: their bytes, each with the tag of `events`.

    `actions` are its destinations. `common` has the bytes that many of its events share, by action,
    currency and consent. `positions[i]` is the position of the i-th event in the batch, once all
    events are there.
    """

    kind: RecordKind
    customer_id: str
    actions: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    call_starts: list[str] = field(default_factory=list)
    common: dict[tuple[str, str | None, str | None], str] = field(default_factory=dict)

    def is_full(self) -> bool:
        """Return whether no other destination fits into the request."""
        return len(self.actions) >= MAX_DESTINATIONS

    def close(self, manager_id: str | None, *, validate_only: bool) -> EventRequest:
        """Return the request and clear the events: they must not be in memory twice."""
        head = Request(encoding=_HEX, validate_only=validate_only)
        for action_id in self.actions:
            # The reference, by which events name the destination, is the ID of the action.
            destination = head.destinations.add(
                reference=action_id, product_destination_id=action_id
            )
            destination.operating_account.account_type = _GOOGLE_ADS
            destination.operating_account.account_id = self.customer_id
            if manager_id is not None:
                destination.login_account.account_type = _GOOGLE_ADS
                destination.login_account.account_id = manager_id
        text = "".join(self.rows)
        self.rows.clear()
        # In protobuf, the bytes of two messages after each other are both messages in one.
        content = head.SerializeToString() + text.encode("latin-1")
        starts = self.call_starts if self.kind == "call" else None
        return EventRequest(
            self.kind, self.customer_id, content, self.positions, len(self.actions), starts
        )
