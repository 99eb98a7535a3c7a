"""Corrections: which conversions have got another value, at an API that does not compare times.

    corrections/<customer>-<action>/<run>-<chunk>.json     the orders that a chunk has corrected

Such an API takes the value that comes last. A later file that repeats the sale would undo a
correction, so its rows are skipped; so is a correction that is older than an accepted one. Each
document is written once, before the marker of its chunk. A lifecycle rule deletes them after 100
days, when Google accepts neither the sale nor another correction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from lib.state.documents import Documents
from lib.state.runs import Run


def order_digest(order_id: str) -> str:
    """Return a digest of an order ID, as its API got it."""
    return blake2b(order_id.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class AcceptedCorrections:
    """What one chunk has corrected: the rank of each correction by its order's digest.

    A rank is the time of the correction in Unix seconds, twice, plus one for a retraction: a
    retraction is final (`lib.model.records.rank_of`).
    """

    ranks: Mapping[str, int]


class Corrections:
    """The accepted corrections of one account."""

    def __init__(self, documents: Documents, customer_id: str) -> None:
        self._documents = documents
        self._customer = customer_id

    def read(self) -> dict[tuple[str, str], int]:
        """Return the highest rank of each corrected order, by conversion action and digest."""
        prefix = f"corrections/{self._customer}-"
        names = [name for name, _ in self._documents.list(prefix)]
        ranks: dict[tuple[str, str], int] = {}
        for name, document in self._documents.read_all(names, AcceptedCorrections):
            action = name.removeprefix(prefix).partition("/")[0]
            for digest, rank in document.ranks.items():
                ranks[action, digest] = max(rank, ranks.get((action, digest), rank))
        return ranks

    def save(self, run: Run, chunk: int, action_id: str, ranks: Mapping[str, int]) -> None:
        """Save the corrections of one chunk that were accepted for one conversion action.

        The chunk may have been sent before: then some of its rows were deferred, and it gets a
        further document.
        """
        folder = f"corrections/{self._customer}-{action_id}/{run.key}-{chunk}"
        document = AcceptedCorrections(ranks)
        for part in range(_MOST_PARTS):
            name = f"{folder}.json" if part == 0 else f"{folder}-{part}.json"
            if self._documents.write(name, document, if_generation_match=0) is not None:
                return
            found = self._documents.read(name, AcceptedCorrections)
            if found is not None and ranks.items() <= found[0].ranks.items():
                return


_MOST_PARTS = 100
"""A chunk is sent again at most every few hours for three days."""
