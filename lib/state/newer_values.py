"""Orders that were adjusted recently, for APIs that do not compare the times of two values.

A deferred row is sent again hours later, and the rows of an attempt that died when the next one
continues. By then, a newer file may have sent a newer value of an order, which the older one must
not replace. So a chunk with adjustments records a digest of each order, with the time of its
adjustment, in one small object. `lib.run.newer_values` decides which, and when.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Final

from lib.state.documents import Documents

_FOLDER: Final = "newer_values/"


def order_digest(action_id: str, order_id: str) -> str:
    """Return a digest of an order, without the order ID itself.

    The conversion action stands for the account. Two APIs may name a different account for it.
    """
    text = f"{action_id}\x1f{order_id}"
    return blake2b(text.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class _AdjustedOrders:
    """Digest of each order → time of its adjustment in Unix seconds."""

    orders: Mapping[str, int]


class NewerValues:
    """The adjusted orders of all runs."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def record(self, run_key: str, chunk: int, orders: Mapping[str, int], attempt: int = 0) -> None:
        """Record the adjusted orders of a chunk: digest → time in Unix seconds.

        What a chunk is about to send is the same in every attempt, so the first record of it is
        kept. What was accepted may differ, so it has the number of the `attempt`.
        """
        suffix = f"-{attempt}" if attempt else ""
        name = f"{_FOLDER}{run_key}-{chunk}{suffix}.json"
        self._documents.write(name, _AdjustedOrders(orders), if_generation_match=0)

    def forget(self, run_key: str, chunk: int, orders: Collection[str]) -> None:
        """Remove orders from what was recorded before a chunk was sent: none was adjusted."""
        name = f"{_FOLDER}{run_key}-{chunk}.json"
        found = self._documents.read(name, _AdjustedOrders)
        if found is None:
            return
        recorded, generation = found
        kept = {digest: time for digest, time in recorded.orders.items() if digest not in orders}
        if not kept:
            self._documents.delete(name)
        elif kept != recorded.orders:
            self._documents.write(name, _AdjustedOrders(kept), if_generation_match=generation)

    def since(self, moment: datetime) -> Callable[[Collection[str]], dict[str, int]]:
        """Return a function that finds the newest time of each of the wanted orders that has one.

        It reads only records that were written since this moment.
        """
        return partial(self._newest, moment)

    def names_since(self, moment: datetime) -> Iterator[str]:
        """Return the names of the records that were written since this moment."""
        for name, stored in self._documents.list(_FOLDER):
            if stored.created is None or stored.created >= moment:
                yield name

    def _newest(self, since: datetime, wanted: Collection[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for name in self.names_since(since):
            recorded = self._documents.read(name, _AdjustedOrders)
            orders = recorded[0].orders if recorded is not None else {}
            for digest in orders.keys() & wanted:
                found[digest] = max(orders[digest], found.get(digest, 0))
        return found
