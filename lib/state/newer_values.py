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

import threading
from array import array
from collections import ChainMap, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Final, Literal, NamedTuple, TypeVar

from lib.errors import RetryableError
from lib.state.documents import Documents, at_once
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


T = TypeVar("T")


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


class _Announced(NamedTuple):
    """What a chunk has announced, packed: a file can have thousands of chunks. The numbers are the
    first eight bytes of the digests."""

    generation: int
    numbers: array[int]
    ranks: array[int]

    @classmethod
    def of(cls, values: _OpenValues, generation: int) -> _Announced:
        numbers = array("Q", map(_number, values.orders))
        return cls(generation, numbers, array("q", values.orders.values()))


def _number(digest: str) -> int:
    return int(digest[:16], 16)


class NewerValues:
    """The values of the orders of all runs, as one attempt sees them.

    It remembers what others have announced, so that each chunk of a file reads only what is new.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._announced: dict[str, _Announced] = {}
        self._recording = threading.Lock()

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
        gone = {each.digest for each in orders}

        def kept(before: _OpenValues | None) -> _OpenValues | None:
            orders = before.orders.items() if before is not None else ()
            left = {digest: rank for digest, rank in orders if digest not in gone}
            return _OpenValues(left) if left else None

        self._change(_open_name(run, chunk, kind), _OpenValues, kept)

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
        listed = {
            name: stored.generation
            for name, stored in self._documents.list(_OPEN)
            if stored.updated is None or now - stored.updated < OPEN_FOR
        }
        matter = {name for name in listed if kind == "restated" or f"-{kind}-" not in name}
        known = self._announced
        known = {name: each for name, each in known.items() if listed.get(name) == each.generation}
        known |= self._documents.read_all(
            matter - known.keys(),
            _OpenValues,
            lambda name, values, generation: (name, _Announced.of(values, generation)),
        )
        self._announced = known
        wanted = {_number(each.digest): each.digest for each in orders}
        found = defaultdict[str, set[int]](set)
        for name, each in known.items():
            if name not in matter or wanted.keys().isdisjoint(each.numbers):
                continue
            for number, rank in zip(each.numbers, each.ranks, strict=True):
                if number in wanted:
                    found[wanted[number]].add(rank)
        return found

    def newest(self, orders: Collection[Order], kind: OrderValueKind) -> dict[str, int]:
        """Return the ranks of the newest adjustments that count, by digest.

        An API that compares the times of adjustments decides itself about those that it knows.
        """
        wanted, shards = {each.digest for each in orders}, {each.shard for each in orders}

        def newest_in(name: str, shard: _AdjustedOrders, generation: int) -> dict[str, int]:
            return {
                digest: shard.orders[digest].rank
                for digest in shard.orders.keys() & wanted
                if not kind == shard.orders[digest].kind == "adjusted"
            }

        found = self._documents.read_all(sorted(shards), _AdjustedOrders, newest_in)
        return dict(ChainMap(*found))

    def record(self, values: Mapping[Order, int], kind: OrderValueKind, now: datetime) -> None:
        """Record adjustments that count."""
        at = int(now.timestamp())
        shards: dict[str, dict[str, Adjusted]] = {}
        for order, rank in values.items():
            shards.setdefault(order.shard, {})[order.digest] = Adjusted(rank, kind, at)
        oldest = at - int(KEPT_FOR.total_seconds())

        def add(shard: tuple[str, Mapping[str, Adjusted]]) -> None:
            name, new = shard
            self._change(name, _AdjustedOrders, partial(_with, new, oldest))

        # The chunks of a file are answered at the same time, and nearly all have orders in every
        # shard: together, they would refuse each other's writes.
        with self._recording:
            at_once(add, shards.items())

    def _change(self, name: str, kind: type[T], change: Callable[[T | None], T | None]) -> None:
        """Replace a document by what `change` makes of it. None: there is none."""
        for _ in range(_ATTEMPTS):
            before, generation = self._documents.read(name, kind) or (None, 0)
            after = change(before)
            if after == before:
                return
            if after is None:
                self._documents.delete(name)
                return
            if self._documents.write(name, after, if_generation_match=generation) is not None:
                return
        raise RetryableError("STORAGE_UNAVAILABLE", "the values of orders could not be recorded")

    def names_since(self, moment: datetime) -> Iterator[str]:
        """Return the names of the documents that were written since this moment."""
        for name, stored in self._documents.list(_FOLDER):
            if stored.updated is None or stored.updated >= moment:
                yield name


def _open_name(run: Run, chunk: int, kind: OrderValueKind) -> str:
    return f"{_OPEN}{run.key}-{chunk}-{kind}-{run.attempts}.json"


def _with(
    new: Mapping[str, Adjusted], oldest: int, before: _AdjustedOrders | None
) -> _AdjustedOrders:
    orders = dict(before.orders) if before is not None else {}
    orders = {digest: known for digest, known in orders.items() if known.at >= oldest}
    for digest, value in new.items():
        orders[digest] = max(value, orders.get(digest, value))
    return _AdjustedOrders(orders)
