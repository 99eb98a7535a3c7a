"""What an event does whose transaction id Google knows for the same conversion action.

Google's guide says that it adjusts the first conversion; its client library has a processing error
DUPLICATE_TRANSACTION_ID. So both can be had: `state.data_manager.repeats_adjust`.
https://developers.google.com/data-manager/api/devguides/events/google-ads/conversion-adjustments
"""

from __future__ import annotations

from typing import Any

from google.ads import datamanager_v1 as dm

from sandbox.state import State

OrderKey = tuple[str, int]
_Event: Any = dm.Event.pb()


class Adjustments:
    """Which accepted event has which transaction id, so that a later one can adjust it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._places: dict[OrderKey, int] = {}
        state.on_clear.append(self._places.clear)

    def remember(self, key: OrderKey | None) -> None:
        """The event that was accepted last has this key."""
        if key is not None:
            self._places[key] = len(self._state.accepted) - 1

    def adjust(self, key: OrderKey, event: Any) -> None:
        """Value and currency are the newer ones; user data is added if there was none; all else
        stays. A conversion of the other API is known, but not kept in this form."""
        place = self._places.get(key)
        if place is None:
            return
        first = self._state.accepted[place]
        known = _Event.FromString(first.message)
        known.conversion_value, known.currency = event.conversion_value, event.currency
        if not known.HasField("user_data") and event.HasField("user_data"):
            known.user_data.CopyFrom(event.user_data)
        self._state.accepted[place] = first._replace(message=known.SerializeToString())
