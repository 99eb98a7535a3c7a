"""The newest value of every order that was adjusted, so that no older one follows it.

    newer_values/<action>/<shard>.json          what counts: digest of an order → rank of its value
    newer_values/open/<run>-<chunk>-<kind>-<attempt>.json
                                                what a chunk sends, as long as it is not certain
                                                that Google has applied it, or never will

Of two values, the one with the higher rank counts (`lib.model.records`). A chunk first announces
what it sends, and then looks at what others have announced. So of two chunks with values of one
order, at least one sees the other and waits, whatever they do at the same moment.

`lib.run.newer_values` decides what is sent. Only files that adjust, and the sales of profiles that
do, come here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, Literal, NamedTuple

from lib.errors import RetryableError
from lib.state.documents import Documents
from lib.state.run import Run

KEPT_FOR: Final = timedelta(days=100)
"""A sale is at most 90 days old when it is sent, so it is not sent after this."""

OPEN_FOR: Final = timedelta(hours=24)
"""By then, an API has processed what it was sent. It matters for what nobody knows: an attempt died
before it could save the answer, or the file was deleted before another one could end it."""

OrderValueKind = Literal["sales", "restated", "adjusted"]
"""Sales; adjustments that are the whole conversion with another value; and those that only name it,
whose API compares their times."""

_FOLDER: Final = "newer_values/"
_OPEN: Final = f"{_FOLDER}open/"
_ATTEMPTS: Final = 5


class Order(NamedTuple):
    """An order, without its order ID. The conversion action stands for the account: two APIs may
    name a different account for it."""

    action_id: str
    digest: str

    @property
    def shard(self) -> str:
        """The name of the document that has its newest value."""
        return f"{_FOLDER}{self.action_id}/{self.digest[0]}.json"


def order_of(action_id: str, order_id: str) -> Order:
    """Return an order by its order ID, as Google has it."""
    text = f"{action_id}\x1f{order_id}"
    return Order(action_id, blake2b(text.encode(), digest_size=12).hexdigest())


class Adjusted(NamedTuple):
    """The newest value of an order, and when it was recorded, in Unix seconds."""

    rank: int
    kind: OrderValueKind
    at: int


@dataclass(frozen=True, slots=True)
class _AdjustedOrders:
    orders: Mapping[str, Adjusted]


@dataclass(frozen=True, slots=True)
class _OpenValues:
    """Digest of an order → rank of its value."""

    orders: Mapping[str, int]


class NewerValues:
    """The values of the orders of all runs."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def announce(
        self, run: Run, chunk: int, kind: OrderValueKind, values: Mapping[Order, int]
    ) -> None:
        """Record what an attempt is about to send of a chunk."""
        orders = {order.digest: rank for order, rank in values.items()}
        name = _open_name(run, chunk, kind)
        # If it exists, this is a write whose answer was lost.
        self._documents.write(name, _OpenValues(orders), if_generation_match=0)

    def withdraw(
        self, run: Run, chunk: int, kind: OrderValueKind, orders: Collection[Order]
    ) -> None:
        """Remove what was decided: it counts, or it will never arrive."""
        name, gone = _open_name(run, chunk, kind), {each.digest for each in orders}
        found = self._documents.read(name, _OpenValues)
        kept = {each: n for each, n in found[0].orders.items() if each not in gone} if found else {}
        if found is None or not kept:
            self._documents.delete(name)
        elif self._documents.write(name, _OpenValues(kept), if_generation_match=found[1]) is None:
            raise _unsaved()

    def close(self, run: Run) -> None:
        """Remove what a run has announced, because all of its requests have a final status.

        What an attempt has sent that died may still arrive: nobody knows its requests.
        """
        for name, _ in list(self._documents.list(f"{_OPEN}{run.key}-")):
            attempt = name.removesuffix(".json").rpartition("-")[2]
            if attempt.isdecimal() and int(attempt) > run.died:
                self._documents.delete(name)

    def others(
        self, kind: OrderValueKind, orders: Collection[Order], now: datetime
    ) -> dict[str, set[int]]:
        """Return the ranks that were announced for these orders, by digest.

        Sales need not wait for each other, nor adjustments whose times their API compares.
        """
        passed = f"-{kind}-" if kind != "restated" else "\0"
        names = [
            name
            for name, stored in self._documents.list(_OPEN)
            if passed not in name and (stored.updated is None or now - stored.updated < OPEN_FOR)
        ]
        wanted, found = {each.digest for each in orders}, dict[str, set[int]]()
        for values in self._documents.read_all(names, _OpenValues):
            for digest in values.orders.keys() & wanted:
                found.setdefault(digest, set()).add(values.orders[digest])
        return found

    def newest(self, orders: Collection[Order], kind: OrderValueKind) -> dict[str, int]:
        """Return the ranks of the newest adjustments that count, by digest.

        An API that compares the times of adjustments decides itself about those that it knows.
        """
        wanted, shards = {each.digest for each in orders}, {each.shard for each in orders}
        return {
            digest: shard.orders[digest].rank
            for shard in self._documents.read_all(sorted(shards), _AdjustedOrders)
            for digest in shard.orders.keys() & wanted
            if not kind == shard.orders[digest].kind == "adjusted"
        }

    def record(self, values: Mapping[Order, int], kind: OrderValueKind, now: datetime) -> None:
        """Record adjustments that count."""
        at = int(now.timestamp())
        shards: dict[str, dict[str, Adjusted]] = {}
        for order, rank in values.items():
            shards.setdefault(order.shard, {})[order.digest] = Adjusted(rank, kind, at)
        for name, new in sorted(shards.items()):
            self._add(name, new, at - int(KEPT_FOR.total_seconds()))

    def _add(self, name: str, new: Mapping[str, Adjusted], oldest: int) -> None:
        for _ in range(_ATTEMPTS):
            found = self._documents.read(name, _AdjustedOrders)
            before, generation = found or (_AdjustedOrders({}), 0)
            orders = {each: known for each, known in before.orders.items() if known.at >= oldest}
            for digest, value in new.items():
                orders[digest] = max(value, orders.get(digest, value))
            document = _AdjustedOrders(orders)
            if self._documents.write(name, document, if_generation_match=generation) is not None:
                return
        raise _unsaved()

    def names(self) -> Iterable[str]:
        """Return the names of all documents."""
        return [name for name, _ in self._documents.list(_FOLDER)]


def _open_name(run: Run, chunk: int, kind: OrderValueKind) -> str:
    return f"{_OPEN}{run.key}-{chunk}-{kind}-{run.attempts}.json"


def _unsaved() -> RetryableError:
    return RetryableError("STORAGE_UNAVAILABLE", "the values of orders could not be recorded")
