"""Corrections: which conversions have got another value, at an API that does not compare times.

    corrections/<customer>-<action>/<run>-<chunk>.json     the orders that a chunk has corrected

Such an API takes the value that comes last. A later file that repeats the sale would undo a
correction, so its rows are skipped; so is a correction that is older than an accepted one. Each
document is written once, before the marker of its chunk. A lifecycle rule deletes them after 100
days, when Google accepts neither the sale nor another correction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

from lib.state.documents import Documents
from lib.state.runs import Run

_MOST_PARTS: Final = 100
"""A chunk is sent again at most every few hours for three days."""

Order = tuple[str, str]
"""An order, by the ID of its conversion action and its digest."""


class Correction(NamedTuple):
    """A record that gives an order another value. Of two, the one with the higher rank counts.

    A rank is the time of the correction in Unix seconds, twice, plus one for a retraction: a
    retraction is final (`lib.model.records.rank_of`).
    """

    order: Order
    rank: int


def order_digest(order_id: str) -> str:
    """Return a digest of an order ID, as its API got it."""
    return blake2b(order_id.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class AcceptedCorrections:
    """What one chunk has corrected of one conversion action: the ranks by the order's digest."""

    ranks: Mapping[str, int]


class Corrections:
    """The accepted corrections of one account."""

    def __init__(self, documents: Documents, customer_id: str) -> None:
        self._documents = documents
        self._customer = customer_id

    def read(self) -> dict[Order, int]:
        """Return the highest rank of each corrected order."""
        prefix = f"corrections/{self._customer}-"
        names = [name for name, _ in self._documents.list(prefix)]
        ranks: dict[Order, int] = {}
        for name, document in self._documents.read_all(names, AcceptedCorrections):
            action = name.removeprefix(prefix).partition("/")[0]
            for digest, rank in document.ranks.items():
                ranks[action, digest] = max(rank, ranks.get((action, digest), rank))
        return ranks

    def save(self, run: Run, chunk: int, accepted: Iterable[Correction]) -> None:
        """Save the corrections of one chunk that were accepted.

        The chunk may have been sent before: then some of its rows were deferred, and it gets a
        further document.
        """
        by_action: dict[str, dict[str, int]] = {}
        for correction in accepted:
            action_id, digest = correction.order
            by_action.setdefault(action_id, {})[digest] = correction.rank
        for action_id, ranks in by_action.items():
            self._save(run, chunk, action_id, ranks)

    def _save(self, run: Run, chunk: int, action_id: str, ranks: Mapping[str, int]) -> None:
        folder = f"corrections/{self._customer}-{action_id}/{run.key}-{chunk}"
        document = AcceptedCorrections(ranks)
        for part in range(_MOST_PARTS):
            name = f"{folder}.json" if part == 0 else f"{folder}-{part}.json"
            if self._documents.write(name, document, if_generation_match=0) is not None:
                return
            saved = self._documents.read(name, AcceptedCorrections)
            if saved is not None and ranks.items() <= saved[0].ranks.items():
                return
