"""Events with a transaction ID that Google already knows for the same conversion action.

Google's guide says that such an event adjusts the first conversion; Google's client library has a
processing error DUPLICATE_TRANSACTION_ID. `state.data_manager.repeats_adjust` selects one of them.
https://developers.google.com/data-manager/api/devguides/events/google-ads/conversion-adjustments
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from google.ads import datamanager_v1 as dm

from sandbox.conversion_book import Change
from sandbox.state import State

OrderKey = tuple[str, int]
_Event: Any = dm.Event.pb()


class Adjustments:
    """The transaction IDs of all accepted events, so that a later event can adjust one."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._places: dict[OrderKey, int] = {}
        state.on_clear.append(self._places.clear)

    def remember(self, key: OrderKey | None) -> None:
        """Record this key for the event that was accepted last."""
        if key is not None:
            self._places[key] = len(self._state.accepted) - 1

    def adjust(self, key: OrderKey, event: Any, request_id: str) -> None:
        """Replace value and currency with those of `event`; add its user data if there was none.

        All other fields stay. A conversion of the other API has the key, too, but is not stored in
        this form: only the book shows its new value. What was retracted stays so.
        """
        conversion = self._state.book.by_order(*key)
        if conversion is not None:
            entry = Change(
                "ignored" if conversion.retracted else "restatement",
                event.event_timestamp.ToDatetime(UTC),
                event.conversion_value,
                event.currency,
                "data_manager",
                request_id,
                self._state.now(),
            )
            conversion.history.append(entry)
        place = self._places.get(key)
        if place is None:
            return
        first = self._state.accepted[place]
        known = _Event.FromString(first.message)
        known.conversion_value, known.currency = event.conversion_value, event.currency
        if not known.HasField("user_data") and event.HasField("user_data"):
            known.user_data.CopyFrom(event.user_data)
        self._state.accepted[place] = first._replace(message=known.SerializeToString())
