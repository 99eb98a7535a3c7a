"""Orders that were adjusted recently, for APIs that do not compare the times of two values.

A deferred row is sent again hours later, and the rows of an attempt that died when the next one
continues. By then, a newer file may have sent a newer value of an order, which the older one must
not replace. So a chunk with adjustments records a digest of each order, with the time of its
adjustment, in one small object. `lib.run.newer_values` decides which, and when.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from hashlib import blake2b

import msgspec

from lib.state.store import Store


def order_digest(action_id: str, order_id: str) -> str:
    """Return a digest of an order, without the order ID itself.

    The conversion action stands for the account. Two APIs may name a different account for it.
    """
    text = f"{action_id}\x1f{order_id}"
    return blake2b(text.encode(), digest_size=12).hexdigest()


class NewerValues:
    """The adjusted orders, in one bucket, below one prefix."""

    def __init__(self, store: Store, bucket: str, prefix: str) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = f"{prefix}newer_values/"

    def record(self, run_key: str, chunk: int, orders: Mapping[str, int], attempt: int = 0) -> None:
        """Record the adjusted orders of a chunk: digest → time in Unix seconds.

        What a chunk is about to send is the same in every attempt, so the first record of it is
        kept. What was accepted may differ, so it has the number of the `attempt`.
        """
        suffix = f"-{attempt}" if attempt else ""
        name = f"{self._prefix}{run_key}-{chunk}{suffix}.json"
        self._store.write(self._bucket, name, msgspec.json.encode(orders), if_generation_match=0)

    def forget(self, run_key: str, chunk: int, orders: Collection[str]) -> None:
        """Remove orders from what was recorded before a chunk was sent: none was adjusted."""
        name = f"{self._prefix}{run_key}-{chunk}.json"
        content = self._store.read(self._bucket, name)
        if content is None:
            return
        recorded = msgspec.json.decode(content[0], type=dict[str, int])
        kept = {digest: time for digest, time in recorded.items() if digest not in orders}
        if not kept:
            self._store.delete(self._bucket, name)
        elif kept != recorded:
            body = msgspec.json.encode(kept)
            self._store.write(self._bucket, name, body, if_generation_match=content[1])

    def since(self, moment: datetime) -> Callable[[Collection[str]], dict[str, int]]:
        """Return a function that finds the newest time of each of the wanted orders that has one.

        It reads only records that were written since this moment.
        """
        return partial(self._newest, moment)

    def _newest(self, since: datetime, wanted: Collection[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for each in self._store.list(self._bucket, self._prefix):
            if each.created is not None and each.created < since:
                continue
            content = self._store.read(self._bucket, each.name)
            orders = msgspec.json.decode(content[0], type=dict[str, int]) if content else {}
            for digest in orders.keys() & wanted:
                found[digest] = max(orders[digest], found.get(digest, 0))
        return found
