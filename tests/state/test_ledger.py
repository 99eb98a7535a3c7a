"""Claim, lease and markers on an in-memory store: races and lost answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lib.errors import LeaseHeld, LeaseLost, RetryableError
from lib.model.outcomes import ChunkOutcomes, Problem, chunk_outcomes
from lib.state import claims
from lib.state.lease import Lease
from lib.state.ledger import Ledger
from lib.state.pending_runs import PendingRun, PendingRuns
from lib.state.run import ChunkLimits, Run, Terms, first_claim, name_key, run_id, run_key
from lib.state.store import StoredObject
from tests.fakes import START, Clock, MemoryStore

SOURCE = StoredObject("in", "shop/export.csv", 7, 100, "md5")
LEASE = 60.0


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(Clock())


@pytest.fixture
def ledger(store: MemoryStore) -> Ledger:
    return Ledger(store, "state", "_state/", LEASE)


def never() -> bool:
    return False


class NoOthers:
    """A generations for a name that has one generation, which has no results."""

    def has_results(self, source: StoredObject) -> bool:
        return False

    def same_as(self, others: Sequence[Run]) -> int:
        return 0

    def is_replaceable(self, other: Run) -> bool:
        return False


def claim(ledger: Ledger, owner: str, seconds: float = 0) -> Run:
    return claim_at(ledger, owner, START + timedelta(seconds=seconds), TERMS, LEASE)


def claim_at(ledger: Ledger, owner: str, now: datetime, terms: Terms, lease: float = 0.06) -> Run:
    fresh = first_claim(SOURCE, owner, now, lease, terms)
    return claims.claim(ledger, fresh, now, NoOthers())


LIMITS = ChunkLimits(2_000, 1 << 20)
TERMS = Terms("shop", {"customer_id": "1"}, LIMITS, 2, "settings")
NO_TERMS = Terms("", None, LIMITS, 2, "")


def report(number: int, rows: int) -> ChunkOutcomes:
    """Return the report of a chunk with this number of uploaded rows."""
    return chunk_outcomes(number, [], {"uploaded": rows})


RUN = f"_state/claims/{name_key(SOURCE)}/0.json"


def marker(number: int) -> str:
    return f"_state/runs/{run_key(SOURCE)}/chunks/{number:06d}.json"


def test_a_first_claim(ledger: Ledger, store: MemoryStore) -> None:
    """A claim is one object, which is created only if none exists."""
    run = claim(ledger, "a")
    assert (run.attempts, run.status, run.owner) == (1, "running", "a")
    assert run.expires == START + timedelta(seconds=LEASE)
    assert store.names("state") == [RUN]
    assert ledger.claim_of(SOURCE) == run


def test_a_live_lease_is_respected(ledger: Ledger) -> None:
    """A lease is respected until it expires, and not longer."""
    claim(ledger, "a")
    with pytest.raises(LeaseHeld):
        claim(ledger, "b", LEASE - 0.001)
    taken = claim(ledger, "b", LEASE)
    assert (taken.owner, taken.attempts) == ("b", 2)


def test_now_and_profile_are_those_of_the_first_attempt(ledger: Ledger) -> None:
    """A resumed run uses time, profile, limits and version of the rules of the first attempt."""
    claim(ledger, "a")
    other = ChunkLimits(7, 7)
    terms = Terms("other", {"customer_id": "2"}, other, 3, "changed")
    taken = claim_at(ledger, "b", START + timedelta(days=1), terms)
    assert taken.now == START
    assert (taken.terms, taken.same_as) == (TERMS, 0)


def test_a_claim_without_a_version_has_the_first_rules(ledger: Ledger, store: MemoryStore) -> None:
    """A claim of a release that did not save the version of the rules is read as version 1."""
    run = claim(ledger, "a")
    name = run.place
    content, generation = store.read("state", name) or (b"", 0)
    saved = json.loads(content)
    del saved["rules_version"]
    store.write("state", name, json.dumps(saved).encode(), if_generation_match=generation)
    assert ledger.claim_of(SOURCE).rules_version == 1  # type: ignore[union-attr]


def test_a_released_lease_can_be_taken_at_once(ledger: Ledger) -> None:
    """After an attempt ends early, the next one does not wait."""
    ledger.release(claim(ledger, "a"), START + timedelta(seconds=1), "DEADLINE")
    assert claim(ledger, "b", 1).owner == "b"


def test_a_finished_run_is_left_alone(ledger: Ledger) -> None:
    """A claim returns a finished run unchanged."""
    ledger.finish(claim(ledger, "a"), "finished")
    assert claim(ledger, "b", 10 * LEASE).status == "finished"


def test_a_lost_lease_is_detected_at_the_next_write(ledger: Ledger) -> None:
    """Renewal, release, stop and completion of a run that was taken over are refused."""
    lost = claim(ledger, "a")
    claim(ledger, "b", LEASE)
    changes: list[Callable[[], Run]] = [
        lambda: ledger.renew(lost, START),
        lambda: ledger.release(lost, START, "DEADLINE"),
        lambda: ledger.stop(lost, Problem("CODE")),
        lambda: ledger.finish(lost, "finished"),
    ]
    for change in changes:
        with pytest.raises(LeaseLost):
            change()
    assert ledger.claim_of(SOURCE).owner == "b"  # type: ignore[union-attr]


@pytest.mark.parametrize("racers", [2, 8])
@pytest.mark.parametrize("expired", [False, True])
def test_a_race_has_one_winner(
    store: MemoryStore, ledger: Ledger, racers: int, expired: bool
) -> None:
    """One of several claims or takeovers succeeds, and all others raise LeaseHeld."""
    if expired:
        claim(ledger, "dead")
    ready = threading.Barrier(racers)
    won: list[Run] = []
    held: list[LeaseHeld] = []

    def race(owner: str) -> None:
        ready.wait()
        try:
            won.append(claim(ledger, owner, LEASE))
        except LeaseHeld as error:
            held.append(error)

    threads = [threading.Thread(target=race, args=(f"r{n}",)) for n in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert len(held) == racers - 1
    assert ledger.claim_of(SOURCE) == won[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda ledger, run: ledger.renew(run, START + timedelta(seconds=20)),
        lambda ledger, run: ledger.stop(run, Problem("CODE", "", "why")),
        lambda ledger, run: ledger.finish(run, "finished"),
    ],
    ids=["renew", "stop", "finish"],
)
def test_an_answer_that_got_lost(
    store: MemoryStore, ledger: Ledger, change: Callable[[Ledger, Run], Run]
) -> None:
    """A write that took place although its repetition was refused is recognized as our own."""
    run = claim(ledger, "a")
    store.lose.append(RUN)
    changed = change(ledger, run)
    assert ledger.claim_of(SOURCE) == changed
    # The generation is the current one, so the next change succeeds.
    assert ledger.renew(changed, START + timedelta(seconds=30)).owner == "a"


def test_the_claims_own_answer_got_lost(store: MemoryStore, ledger: Ledger) -> None:
    """A claim whose answer was lost is ours, at the first attempt and at a takeover."""
    store.lose.append(RUN)
    first = claim(ledger, "a")
    assert (first.owner, first.attempts) == ("a", 1)
    store.lose.append(RUN)
    assert claim(ledger, "b", LEASE).attempts == 2
    assert ledger.claim_of(SOURCE).owner == "b"  # type: ignore[union-attr]


def test_an_older_write_of_ours_is_overwritten(store: MemoryStore, ledger: Ledger) -> None:
    """A renewal that took place unnoticed does not prevent a stop."""
    run = claim(ledger, "a")
    ledger.renew(run, START + timedelta(seconds=5))
    stopped = ledger.stop(run, Problem("CODE", "", "why"))
    assert ledger.claim_of(SOURCE) == stopped
    assert stopped.stop == Problem("CODE", "", "why")


def test_a_refusal_without_a_cause_is_retried_later(store: MemoryStore, ledger: Ledger) -> None:
    """A write that was refused without a cause is retryable, and nothing counts as written."""
    store.refuse.append(RUN)
    run = claim(ledger, "a")
    assert ledger.claim_of(SOURCE) == run
    store.refuse.append(marker(0))
    with pytest.raises(RetryableError):
        ledger.write_chunk(run, report(0, 1))
    pending = PendingRun(run.key, run_id(run.source), START, {}, resend_at=START)
    store.refuse.append(f"_state/waiting/{run.key}.json")
    pending_runs = PendingRuns(store, "state", "_state/")
    with pytest.raises(RetryableError):
        pending_runs.put(pending)
    pending_runs.put(pending)
    assert list(pending_runs.list_keys()) == [pending.key]


def test_markers(store: MemoryStore, ledger: Ledger) -> None:
    """A marker is written once, even if an answer is lost, and no other attempt overwrites it."""
    run = claim(ledger, "a")
    ledger.write_chunk(run, report(3, 1))
    store.lose.append(marker(4))
    ledger.write_chunk(run, report(4, 2))
    assert ledger.finished_chunks(run) == {3, 4}
    assert ledger.read_chunk(run, 4) == report(4, 2)
    other = replace(run, owner="b")
    with pytest.raises(LeaseLost):
        ledger.write_chunk(other, report(3, 9))
    assert ledger.read_chunk(run, 3) == report(3, 1)
    _, generation = ledger.load_chunk(run, 3)
    store.lose.append(marker(3))
    newer = ledger.write_chunk(other, report(3, 5), generation)
    assert ledger.read_chunk(run, 3) == report(3, 5)
    with pytest.raises(LeaseLost):
        ledger.write_chunk(run, report(3, 1), generation)
    ledger.write_chunk(other, report(3, 6), newer)
    assert ledger.read_chunk(run, 3) == report(3, 6)


def test_job_ids_are_positive_and_fit(ledger: Ledger) -> None:
    """Job IDs are in [1, 2^31), the same for every attempt, and different for every generation."""
    run = claim(ledger, "a")
    ids = {replace(run, source=replace(SOURCE, generation=n)).job_id for n in range(200)}
    assert len(ids) == 200
    assert all(1 <= each < 2**31 for each in ids)


# ── the thread that renews a lease ───────────────────────────────────────────────────────────────


def test_a_lease_is_renewed_while_the_run_is_active(store: MemoryStore) -> None:
    """A lease is renewed after every third of its length, until the run ends."""
    ledger = Ledger(store, "state", "_state/", 0.06)
    renewed = threading.Event()
    store.after = lambda operation, name: renewed.set() if operation == "write" else None
    run = claim_at(ledger, "a", store.clock.utc(), NO_TERMS)
    renewed.clear()
    with Lease(ledger, run, 0.06, store.clock.utc, never) as lease:
        store.clock.seconds = 1
        assert renewed.wait(5)
        renewed.clear()
        assert renewed.wait(5)
        lease.check()
        assert lease.run.expires > run.expires
    renewed.clear()
    assert not renewed.wait(0.1)


def test_a_lost_lease_is_detected_by_the_renewal(store: MemoryStore) -> None:
    """After a renewal detects that the lease is lost, the next check stops the run."""
    ledger = Ledger(store, "state", "_state/", 0.06)
    run = claim_at(ledger, "a", store.clock.utc(), NO_TERMS)
    store.clock.seconds = 1
    claim_at(ledger, "b", store.clock.utc(), NO_TERMS)
    with Lease(ledger, run, 0.06, store.clock.utc, never) as lease:
        lease._thread.join(5)
        with pytest.raises(LeaseLost):
            lease.check()


@pytest.mark.parametrize("taken", [False, True])
def test_a_resumed_run_renews_its_lease_first(ledger: Ledger, taken: bool) -> None:
    """A run that was frozen past its lease renews it first, which fails after a takeover."""
    clock = Clock()
    lease = Lease(ledger, claim(ledger, "a"), LEASE, clock.utc, never)
    clock.seconds = 10 * LEASE
    if taken:
        claim(ledger, "b", 10 * LEASE)
        with pytest.raises(LeaseLost):
            lease.check()
    else:
        lease.check()
        assert lease.run.expires == clock.utc() + timedelta(seconds=LEASE)


def test_unreachable_storage_does_not_stop_a_run(store: MemoryStore) -> None:
    """A failed renewal is tried again after the next interval."""
    ledger = Ledger(store, "state", "_state/", 0.06)
    run = claim_at(ledger, "a", store.clock.utc(), NO_TERMS)
    tries = threading.Semaphore(0)

    def broken(operation: str, name: str) -> None:
        tries.release()
        raise RetryableError("STORAGE_UNAVAILABLE")

    store.before = broken
    with Lease(ledger, run, 0.06, store.clock.utc, never) as lease:
        assert tries.acquire(timeout=5)
        assert tries.acquire(timeout=5)
        lease.check()
