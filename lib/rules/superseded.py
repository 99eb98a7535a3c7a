"""Which adjustment of a conversion counts, if a file has several: at most one of a chunk is sent.

    several restatements           ──▶ the one with the latest time
    a retraction and restatements  ──▶ the retraction: it is final
    the same adjustment again      ──▶ the first one

An API may apply the adjustments of one request in any order. So the others are not sent: they are
`skipped` (SUPERSEDED_ADJUSTMENT), or duplicates. Adjustments of earlier chunks are remembered as
digests, up to a limit: then an older restatement of a later chunk is not sent either. Beyond the
limit, only the API can tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

from lib.model.outcomes import Outcome, Problem
from lib.model.records import Adjustment

MOST_REMEMBERED: Final = 100_000
"""Maximum number of adjusted conversions that are remembered from earlier chunks: about 15 MB."""

_RETRACTED: Final = 1 << 62
"""Later than every time: nothing supersedes a retraction."""


class Candidate(NamedTuple):
    """An adjustment that could be sent, its line, and the instant of its time."""

    line: int
    instant: int
    adjustment: Adjustment

    @property
    def rank(self) -> int:
        """The candidate with the highest rank counts."""
        is_final = self.adjustment.adjustment_type == "retraction"
        return _RETRACTED if is_final else self.instant


class Loser(NamedTuple):
    """An adjustment that is not sent. If it repeats another one of its chunk, `first` is the line
    of that one, otherwise 0."""

    candidate: Candidate
    outcome: Outcome
    reason: Problem
    first: int


class Winners(NamedTuple):
    """The adjustments of a chunk that are sent, in file order, and the others.

    `follows_earlier_chunk`: one of them adjusts a conversion that an earlier chunk adjusted too.
    """

    sent: list[Candidate]
    losers: list[Loser]
    follows_earlier_chunk: bool


class Superseding:
    """Finds the adjustments that count, chunk by chunk, in one file."""

    def __init__(self) -> None:
        self._earlier: dict[bytes, tuple[int, int]] = {}

    def choose(self, candidates: Sequence[Candidate]) -> Winners:
        """Choose among the adjustments of a chunk, and remember them."""
        keys = [_key(each.adjustment) for each in candidates]
        best: dict[bytes, Candidate] = {}
        for key, each in zip(keys, candidates, strict=True):
            if each.rank > best.setdefault(key, each).rank:
                best[key] = each
        sent: dict[bytes, Candidate] = {}
        losers = []
        follows = False
        for key, each in zip(keys, candidates, strict=True):
            winner, earlier = best[key], self._earlier.get(key)
            if earlier is not None and earlier[1] == each.line:
                earlier = None  # the same row, validated again
            if earlier is not None and each.rank <= earlier[0]:
                losers.append(_lost(each, *earlier, first=0))
            elif each is not winner:
                same = each.rank == winner.rank
                losers.append(_lost(each, winner.rank, winner.line, winner.line if same else 0))
            else:
                sent[key] = each
                follows = follows or earlier is not None
        self._remember(sent)
        return Winners([*sent.values()], losers, follows)

    def _remember(self, sent: Mapping[bytes, Candidate]) -> None:
        for key, each in sent.items():
            if key in self._earlier or len(self._earlier) < MOST_REMEMBERED:
                self._earlier[key] = (each.rank, each.line)


def _lost(each: Candidate, rank: int, line: int, first: int) -> Loser:
    if each.rank < rank:
        return Loser(
            each, "skipped", Problem("SUPERSEDED_ADJUSTMENT", "", f"by line {line}"), first
        )
    detail = f"the same conversion and adjustment as in line {line}"
    if each.adjustment.adjustment_type == "restatement":
        detail = f"the same conversion and adjustment time as in line {line}"
    return Loser(each, "duplicate", Problem("REPEATED_LINE", "", detail), first)


def _key(adjustment: Adjustment) -> bytes:
    """Return a digest of the adjusted conversion."""
    conversion = (adjustment.order_id,) if adjustment.order_id else _click_of(adjustment)
    parts = (adjustment.customer_id, adjustment.action_id, *conversion)
    return blake2b("\x1f".join(parts).encode(), digest_size=12).digest()


def _click_of(adjustment: Adjustment) -> tuple[str, str]:
    return adjustment.gclid, adjustment.conversion_time
