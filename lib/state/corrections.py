"""Corrections: the newest value of each order that was corrected.

    corrections/<customer>/<time saved>-<run>-<chunk>.json     the corrections of one chunk

The Data Manager API compares no times: the value that it processes last counts. So each row that is
sent to it carries the newest value that is known of its order, whichever file said so. A document
is written once, before its rows are sent, and never changed. A lifecycle rule deletes it after 100
days, when Google accepts neither the sale nor another correction.
"""

from __future__ import annotations

import struct
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import groupby
from typing import Final, NamedTuple

from lib.errors import UnreadableState
from lib.state.documents import Documents, read_ahead
from lib.state.runs import Run

_TIME: Final = "%Y%m%dT%H%M%S.%f"
"""In the name of a document, so that a listing has them in the order in which they were saved."""


class Correction(NamedTuple):
    """The new value of an order. Of two, the one with the higher rank counts; of equal ones, the
    one that was saved last.

    `order` is its key (`order_key`). `rank` is the time of the correction in Unix seconds, but a
    retraction outranks every time (`lib.model.records.rank_of`). `micros` is the new value in
    micros; None: it is a retraction. The currency "" is that of the sale.
    """

    order: bytes
    rank: int
    micros: int | None
    currency: str = ""


_KEY_BYTES: Final = 12
_INT64_LIMIT: Final = 1 << 63
"""Ranks and micros are below this: a record has eight bytes for each."""


def order_key(action_id: str, order_id: str) -> bytes:
    """Return a digest of an order of a conversion action. `order_id` is written as its API has it
    (`Capabilities.sent_order_id`)."""
    return blake2b(f"{action_id}\0{order_id}".encode(), digest_size=_KEY_BYTES).digest()


@dataclass(frozen=True, slots=True)
class SavedCorrections:
    """A document: the i-th key, rank, value and currency are those of one correction."""

    orders: tuple[bytes, ...]
    ranks: tuple[int, ...]
    micros: tuple[int | None, ...]
    currencies: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a document that this function cannot have written."""
        lengths = {*map(len, (self.orders, self.ranks, self.micros, self.currencies))}
        numbers = [*self.ranks, *(each for each in self.micros if each is not None)]
        if (
            len(lengths) != 1
            or any(len(order) != _KEY_BYTES for order in self.orders)
            or not all(0 <= number < _INT64_LIMIT for number in numbers)
        ):
            raise ValueError("its parts contradict each other")


class KnownCorrections:
    """What an instance has read of all accounts. Documents never change, so it reads each once."""

    def __init__(self) -> None:
        self._accounts: dict[str, Corrections] = {}
        self._adding = threading.Lock()

    def of(self, customer_id: str) -> Corrections:
        """Return what is known of an account: the same object each time."""
        with self._adding:
            return self._accounts.setdefault(customer_id, Corrections(customer_id))


_RECORD: Final = struct.Struct(f">{_KEY_BYTES}sQQqH")
"""Key, rank, place in the order of saving, micros (-1: a retraction), and number of the currency.
The bytes of records have the order of their keys, and those of one key that of their ranks."""
_NO_VALUE: Final = -1


@dataclass(slots=True)
class Corrections:
    """The known corrections of one account. `read_names` are those of the documents read.

    `records` has one record for each order, in the order of their keys: 38 bytes an order. A
    dictionary would need five times as much, and a large shop has hundreds of thousands.
    """

    customer_id: str
    read_names: set[str] = field(default_factory=set)
    records: bytes = b""
    currencies: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def _folder(self) -> str:
        return f"corrections/{self.customer_id}/"

    def refresh(self, documents: Documents) -> None:
        """Read what was saved since the last time: one listing, and each new document once."""

        def read(name: str) -> tuple[str, tuple[SavedCorrections, int] | None]:
            return name, documents.read(name, SavedCorrections)

        listed = (name for name, _ in documents.list(self._folder))
        new = [name for name in listed if name not in self.read_names]
        with read_ahead(read, new) as found:
            self._add([(name, saved[0]) for name, saved in found if saved is not None])

    def save(
        self,
        documents: Documents,
        run: Run,
        chunk: int,
        corrections: Iterable[Correction],
        now: datetime,
    ) -> None:
        """Save the corrections of a chunk, before any of its rows is sent."""
        columns = [*zip(*corrections, strict=True)]
        if not columns:
            return
        document = SavedCorrections(*columns)
        name = f"{self._folder}{now.astimezone(UTC):{_TIME}}-{run.key}-{chunk}.json"
        # If its answer gets lost, the write is sent again and refused: by this document itself.
        documents.write(name, document, if_generation_match=0)
        self._add([(name, document)])

    def _add(self, documents: Iterable[tuple[str, SavedCorrections]]) -> None:
        """Add the corrections of documents by their names. Raises `UnreadableState` if one of them
        is not what the function has saved; then none is added, so that each is read again."""
        with self.lock:
            added = {name: document for name, document in documents if name not in self.read_names}
            new = [record for each in added.items() for record in self._records_of(*each)]
            if new:
                size = _RECORD.size
                starts = range(0, len(self.records), size)
                ordered = sorted([*(self.records[at : at + size] for at in starts), *new])
                by_order = groupby(ordered, lambda record: record[:_KEY_BYTES])
                # The last record of an order has its highest rank.
                self.records = b"".join([*of_order][-1] for _, of_order in by_order)
            self.read_names.update(added)

    def newest(self, order: bytes) -> Correction | None:
        """Return the newest known correction of an order: its record, found by bisection."""
        records, size = self.records, _RECORD.size

        def key_at(number: int) -> bytes:
            return records[number * size : number * size + _KEY_BYTES]

        numbers = range(len(records) // size)
        number = bisect_left(numbers, order, key=key_at)
        if number == len(numbers) or key_at(number) != order:
            return None
        _, rank, _, micros, currency = _RECORD.unpack_from(records, number * size)
        value = None if micros == _NO_VALUE else micros
        return Correction(order, rank, value, self.currencies[currency])

    def _records_of(self, name: str, document: SavedCorrections) -> Iterator[bytes]:
        """Yield a record for each correction of a document, whose name says when it was saved."""
        time, _, _ = name.rpartition("/")[2].partition("-")
        try:
            saved = int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp() * 1e6)
        except ValueError:
            raise UnreadableState(f"{name}: its name does not begin with a time") from None
        parts = document.orders, document.ranks, document.micros, document.currencies
        for order, rank, micros, currency in zip(*parts, strict=True):
            if currency not in self.currencies:
                self.currencies.append(currency)
            number = self.currencies.index(currency)
            yield _RECORD.pack(order, rank, saved, _NO_VALUE if micros is None else micros, number)
