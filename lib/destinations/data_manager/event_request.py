"""One request: events of one kind and account, as bytes, as JSON, and with fewer of the events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from google.ads.datamanager_v1.types.ingestion_service import IngestEventsRequest

from lib.model.fields import RecordKind

Request = IngestEventsRequest.pb()

MAX_DESTINATIONS = 10
"""Maximum number of destinations in one request
(https://developers.google.com/data-manager/api/devguides/limits)."""


@dataclass(frozen=True, eq=False)
class EventRequest:
    """A request with records of one kind.

    `positions` are those of its events in the chunk. `call_starts` has what the client library has
    no field for: the start of the call of each event, in RFC 3339. It is None if the events are no
    calls. Such a request is sent with gRPC, one with calls by REST (`rest`).
    """

    kind: RecordKind
    content: bytes = field(repr=False)
    positions: Sequence[int] = field(repr=False)
    call_starts: list[str] | None = None

    @property
    def size(self) -> int:
        """The number of events."""
        return len(self.positions)

    @cached_property
    def message(self) -> Any:
        """The raw message. Parsed when it is needed: if an answer names events."""
        return Request.FromString(self.content)

    @property
    def events(self) -> Any:
        """The raw events."""
        return self.message.events

    def subset(self, rows: Iterable[int]) -> EventRequest:
        """Return the same request with only these events, and the destinations that they use."""
        rows = list(rows)
        whole, subset = self.message, Request()
        subset.CopyFrom(whole)
        subset.ClearField("events")
        subset.ClearField("destinations")
        subset.events.extend(whole.events[row] for row in rows)
        used = {reference for event in subset.events for reference in event.destination_references}
        subset.destinations.extend(each for each in whole.destinations if each.reference in used)
        starts = self.call_starts
        if starts is not None:
            starts = [starts[row] for row in rows]
        positions = [self.positions[row] for row in rows]
        content = subset.SerializeToString()
        return replace(self, content=content, positions=positions, call_starts=starts)

    def as_json(self) -> dict[str, Any]:
        """Return the body of a request by REST."""
        # Imported here because few files have calls.
        from google.protobuf.json_format import MessageToDict

        body: dict[str, Any] = MessageToDict(self.message)
        if self.call_starts is not None:
            for event, start in zip(body.get("events", ()), self.call_starts, strict=True):
                event["callInfo"] = {"startTimestamp": start}
        return body
