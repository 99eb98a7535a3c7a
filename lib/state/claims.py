"""The first claim of a run: with one write, unless its object's name was used before.

    claims/<name key>/0.json   does not exist ──▶ create it: the run is ours        (most files)
                               exists ──▶ read places 0, 1, 2, … of the name until one is free
                                          ├─ one of them is ours ──▶ take it over, if nobody works
                                          ├─ we have results ──────▶ nothing is left to do
                                          └─ others ──▶ may we run? ──▶ claim the first place that
                                                        is free, or whose run is over

A place is taken by a compare-and-swap, after all claims of the name were read. If another
generation is faster, they are read again. So of two generations that claim, the second meets the
claim of the first, unless a run of the name ends between their reads, so that they choose different
places (docs/recovery.md). A run that is over needs no claim: its results document says that it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from lib.errors import RetryableError
from lib.state.ledger import Ledger
from lib.state.run import Run
from lib.state.store import StoredObject

_ATTEMPTS: Final = 5


class KnownGenerations(Protocol):
    """What the ledger does not know about the generations of an object."""

    def has_results(self, source: StoredObject) -> bool:
        """Return whether this generation has a results document."""
        ...

    def same_as(self, others: Sequence[Run]) -> int:
        """Return the generation that has sent our rows, or 0. Raises `LeaseHeld` to wait for it."""
        ...

    def is_replaceable(self, other: Run) -> bool:
        """Return whether nobody needs the claim of this run any more."""
        ...


def claim(ledger: Ledger, fresh: Run, now: datetime, generations: KnownGenerations) -> Run:
    """Claim a run, or take it over. `fresh` is its claim if this is its first attempt.

    Returns the run with our lease, or a run that is over: check its `status`. Raises `LeaseHeld`
    while another attempt has a live lease, or another generation of the same upload works.
    """
    if created := ledger.create(fresh, 0):
        return created
    for _ in range(_ATTEMPTS):
        known = ledger.claims(fresh.source)
        own = next((run for run in known if run.key == fresh.key), None)
        if own is not None:
            return resume(ledger, own, now, fresh.owner, generations)
        if generations.has_results(fresh.source):
            # Another generation has got the place of our claim.
            return replace(fresh, status="finished")
        run = replace(fresh, same_as=generations.same_as(known))
        place, old = next(
            (pair for pair in enumerate(known) if generations.is_replaceable(pair[1])),
            (len(known), None),
        )
        if created := ledger.create(run, place, old):
            return created
    raise RetryableError("STORAGE_UNAVAILABLE", "the run could not be claimed")


def resume(
    ledger: Ledger, run: Run, now: datetime, owner: str, generations: KnownGenerations
) -> Run:
    """Take over a run that has a claim, unless it is over."""
    if run.owner == owner or run.status != "running":
        return run
    if generations.has_results(run.source):
        return replace(run, status="finished")
    return ledger.take_over(run, now, owner)
