"""Orders that were restated recently, for APIs that do not compare the times of two values.

A deferred row is sent again hours later. By then, a newer file may have sent a newer value of its
order, which the older one must not replace. So a chunk that restates orders first records a digest
of each of them, with the time of its adjustment, in one small object.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import blake2b

import msgspec

from lib.state.store import Store


def order_digest(customer_id: str, action_id: str, order_id: str) -> str:
    """Return a digest of an order, without the order ID itself."""
    text = "\x1f".join((customer_id, action_id, order_id))
    return blake2b(text.encode(), digest_size=12).hexdigest()


class Restated:
    """The restated orders, in one bucket, below one prefix."""

    def __init__(self, store: Store, bucket: str, prefix: str) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = f"{prefix}restated/"

    def record(self, run_key: str, chunk: int, orders: Mapping[str, int]) -> None:
        """Record the orders that a chunk is about to restate: digest → time in Unix seconds.

        An attempt after a crash finds the record of the same chunk: it has the same content.
        """
        name = f"{self._prefix}{run_key}-{chunk}.json"
        self._store.write(self._bucket, name, msgspec.json.encode(orders), if_generation_match=0)

    def newest(self, wanted: Collection[str], since: datetime) -> dict[str, int]:
        """Return the newest recorded time of each of the wanted orders that has one.

        Only records that were written after `since` are read.
        """
        found: dict[str, int] = {}
        for each in self._store.list(self._bucket, self._prefix):
            if each.created is not None and each.created < since:
                continue
            content = self._store.read(self._bucket, each.name)
            orders = msgspec.json.decode(content[0], type=dict[str, int]) if content else {}
            for digest in orders.keys() & wanted:
                found[digest] = max(orders[digest], found.get(digest, 0))
        return found
