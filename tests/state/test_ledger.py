"""Chunk markers and pending runs on an in-memory store: lost answers, and other attempts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.errors import LeaseLost, RetryableError
from lib.model.outcomes import ChunkOutcomes, RecordLines, Tally, chunk_outcomes
from lib.state.documents import Documents
from lib.state.ledger import Ledger
from lib.state.pending_runs import PendingRun, PendingRuns
from lib.state.run import ChunkLimits, Terms, first_claim, run_key
from lib.state.store import StoredObject
from tests.fakes import START, MemoryStore

SOURCE = StoredObject("in", "shop/export.csv", 7, 100, "md5")
RUN = first_claim(SOURCE, "a", START, 60, Terms("", None, ChunkLimits(2_000, 1 << 20, 0), 1, ""))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def documents(store: MemoryStore) -> Documents:
    return Documents(store, "state", "_state/", 1)


@pytest.fixture
def ledger(documents: Documents) -> Ledger:
    return Ledger(documents)


def uploaded(number: int, rows: int) -> ChunkOutcomes:
    """Return the outcomes of a chunk with this number of uploaded rows."""
    records = RecordLines(1, ((2, rows + 1),))
    return chunk_outcomes(number, [], Tally(rows, {"uploaded": rows}), records)


def marker(number: int) -> str:
    return f"_state/runs/{run_key(SOURCE)}/chunks/{number:06d}.json"


def test_markers(store: MemoryStore, ledger: Ledger) -> None:
    """A marker is written once, even if an answer is lost, and no other attempt overwrites it."""
    ledger.write_chunk(RUN, uploaded(3, 1))
    store.lose.append(marker(4))
    ledger.write_chunk(RUN, uploaded(4, 2))
    assert ledger.finished_chunks(RUN) == {3, 4}
    assert ledger.read_chunk(RUN, 4) == uploaded(4, 2)
    other = replace(RUN, owner="b")
    with pytest.raises(LeaseLost):
        ledger.write_chunk(other, uploaded(3, 9))
    before, generation = ledger.load_chunk(RUN, 3)
    assert before == uploaded(3, 1)
    store.lose.append(marker(3))
    newer = ledger.write_chunk(other, uploaded(3, 5), generation)
    assert ledger.read_chunk(RUN, 3) == uploaded(3, 5)
    with pytest.raises(LeaseLost):
        ledger.write_chunk(RUN, uploaded(3, 1), generation)
    ledger.write_chunk(other, uploaded(3, 6), newer)
    assert ledger.read_chunk(RUN, 3) == uploaded(3, 6)


def test_a_refusal_without_a_cause_is_retried_later(
    store: MemoryStore, documents: Documents, ledger: Ledger
) -> None:
    """A write that was refused without a cause is retryable, and nothing counts as written."""
    store.refuse.append(marker(0))
    with pytest.raises(RetryableError):
        ledger.write_chunk(RUN, uploaded(0, 1))
    pending = PendingRun(RUN, START, {}, 1, resend_at=START)
    store.refuse.append(f"_state/waiting/{RUN.key}.json")
    pending_runs = PendingRuns(documents)
    with pytest.raises(RetryableError):
        pending_runs.put(pending)
    pending_runs.put(pending)
    assert list(pending_runs.list()) == [(RUN.key, START)]
