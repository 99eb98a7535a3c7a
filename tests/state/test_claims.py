"""Claim and lease on an in-memory store: races and lost answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lib.adapters.logging import JsonLog
from lib.errors import LeaseHeld, LeaseLost, RetryableError
from lib.model.outcomes import Problem
from lib.state.claims import Claims, Lease
from lib.state.documents import Documents
from lib.state.generations import Generations
from lib.state.output import StoredResults
from lib.state.pending_runs import PendingRuns
from lib.state.run import ChunkLimits, Run, Terms, first_claim, name_key
from lib.state.store import StoredObject
from tests.fakes import START, Clock, MemoryStore

SOURCE = StoredObject("in", "shop/export.csv", 7, 100, "md5")
LEASE = 60.0
RULES = 2

LIMITS = ChunkLimits(2_000, 1 << 20, 16)
TERMS = Terms("shop", {"customer_id": "1"}, LIMITS, 1, "settings")
NO_TERMS = Terms("", None, LIMITS, 1, "")

RUN = f"_state/claims/{name_key(SOURCE)}/0.json"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(Clock())


@pytest.fixture
def claims(store: MemoryStore) -> Claims:
    return claims_in(store, LEASE)


def claims_in(store: MemoryStore, lease: float) -> Claims:
    return Claims(documents_in(store), lease)


def documents_in(store: MemoryStore) -> Documents:
    return Documents(store, "state", "_state/", RULES)


def never() -> bool:
    return False


def claim(store: MemoryStore, owner: str, seconds: float = 0, lease: float = LEASE) -> Run:
    return claim_at(store, owner, START + timedelta(seconds=seconds), TERMS, lease)


def claim_at(
    store: MemoryStore, owner: str, now: datetime, terms: Terms, lease: float = 0.06
) -> Run:
    pending_runs = PendingRuns(documents_in(store))
    output = StoredResults(store, "out")
    generations = Generations(store, claims_in(store, lease), pending_runs, output)
    return generations.claim(first_claim(SOURCE, owner, now, lease, terms), now)


def lease_of(claims: Claims, run: Run) -> Lease:
    return Lease(claims, run, LEASE, lambda: START + timedelta(seconds=1), never, JsonLog())


def test_a_first_claim(store: MemoryStore, claims: Claims) -> None:
    """A claim is one object, which is created only if none exists."""
    run = claim(store, "a")
    assert (run.attempts, run.status, run.owner) == (1, "running", "a")
    assert run.expires == START + timedelta(seconds=LEASE)
    assert store.names("state") == [RUN]
    assert claims.of(SOURCE) == run


def test_a_live_lease_is_respected(store: MemoryStore) -> None:
    """A lease is respected until it expires, and not longer."""
    claim(store, "a")
    with pytest.raises(LeaseHeld):
        claim(store, "b", LEASE - 0.001)
    taken = claim(store, "b", LEASE)
    assert (taken.owner, taken.attempts) == ("b", 2)


def test_now_and_profile_are_those_of_the_first_attempt(store: MemoryStore) -> None:
    """A resumed run uses time, profile, limits and version of the rules of the first attempt."""
    claim(store, "a")
    other = Terms("other", {"customer_id": "2"}, ChunkLimits(7, 7, 7), RULES, "changed")
    taken = claim_at(store, "b", START + timedelta(days=1), other)
    assert taken.now == START
    assert (taken.terms, taken.same_as) == (TERMS, 0)


def test_a_released_lease_can_be_taken_at_once(store: MemoryStore, claims: Claims) -> None:
    """After an attempt ends early, the next one does not wait."""
    lease_of(claims, claim(store, "a")).release("DEADLINE")
    assert claim(store, "b", 1).owner == "b"


def test_a_finished_run_is_left_alone(store: MemoryStore, claims: Claims) -> None:
    """A claim returns a finished run unchanged."""
    lease_of(claims, claim(store, "a")).finish("finished")
    assert claim(store, "b", 10 * LEASE).status == "finished"


Change = Callable[[Lease], None]
CHANGES: dict[str, Change] = {
    "stop": lambda lease: lease.stop(Problem("CODE", "", "why")),
    "finish": lambda lease: lease.finish("finished"),
    "release": lambda lease: lease.release("DEADLINE"),
    "integer order IDs": lambda lease: lease.fix_integer_order_ids(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_lost_lease_is_detected_at_the_next_write(
    store: MemoryStore, claims: Claims, change: Change
) -> None:
    """Every change of a run that was taken over is refused, also its renewal."""
    lost = claim(store, "a")
    claim(store, "b", LEASE)
    with pytest.raises(LeaseLost):
        change(lease_of(claims, lost))
    with pytest.raises(LeaseLost):
        claims.renew(lost, START)
    assert claims.of(SOURCE).owner == "b"  # type: ignore[union-attr]


@pytest.mark.parametrize("racers", [2, 8])
@pytest.mark.parametrize("expired", [False, True])
def test_a_race_has_one_winner(
    store: MemoryStore, claims: Claims, racers: int, expired: bool
) -> None:
    """One of several claims or takeovers succeeds, and all others raise LeaseHeld."""
    if expired:
        claim(store, "dead")
    ready = threading.Barrier(racers)
    won: list[Run] = []
    held: list[LeaseHeld] = []

    def race(owner: str) -> None:
        ready.wait()
        try:
            won.append(claim(store, owner, LEASE))
        except LeaseHeld as error:
            held.append(error)

    threads = [threading.Thread(target=race, args=(f"r{n}",)) for n in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert len(held) == racers - 1
    assert claims.of(SOURCE) == won[0]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_answer_that_got_lost(store: MemoryStore, claims: Claims, change: Change) -> None:
    """A write that took place although its repetition was refused is recognized as our own."""
    lease = lease_of(claims, claim(store, "a"))
    store.lose.append(RUN)
    change(lease)
    assert claims.of(SOURCE) == lease.run
    # The generation is the current one, so the next change succeeds.
    store.lose.append(RUN)
    renewed = claims.renew(lease.run, START + timedelta(seconds=30))
    assert claims.of(SOURCE) == renewed


def test_the_claims_own_answer_got_lost(store: MemoryStore, claims: Claims) -> None:
    """A claim whose answer was lost is ours, at the first attempt and at a takeover."""
    store.lose.append(RUN)
    first = claim(store, "a")
    assert (first.owner, first.attempts) == ("a", 1)
    store.lose.append(RUN)
    assert claim(store, "b", LEASE).attempts == 2
    assert claims.of(SOURCE).owner == "b"  # type: ignore[union-attr]


def test_an_older_write_of_ours_is_overwritten(store: MemoryStore, claims: Claims) -> None:
    """A renewal that took place unnoticed does not prevent a stop."""
    lease = lease_of(claims, claim(store, "a"))
    claims.renew(lease.run, START + timedelta(seconds=5))
    lease.stop(Problem("CODE", "", "why"))
    assert claims.of(SOURCE) == lease.run
    assert lease.run.stop == Problem("CODE", "", "why")


def test_a_refusal_without_a_cause_is_tried_again(store: MemoryStore, claims: Claims) -> None:
    """A claim that was refused although none exists is written at the next attempt."""
    store.refuse.append(RUN)
    run = claim(store, "a")
    assert claims.of(SOURCE) == run


def test_job_ids_are_positive_and_fit(store: MemoryStore) -> None:
    """Job IDs are in [1, 2^31), the same for every attempt, and different for every generation."""
    run = claim(store, "a")
    ids = {replace(run, source=replace(SOURCE, generation=n)).job_id for n in range(200)}
    assert len(ids) == 200
    assert all(1 <= each < 2**31 for each in ids)


# ── the thread that renews a lease ───────────────────────────────────────────────────────────────


def test_a_lease_is_renewed_while_the_run_is_active(store: MemoryStore) -> None:
    """A lease is renewed after every third of its length, until the run ends."""
    claims = claims_in(store, 0.06)
    renewed = threading.Event()
    store.after = lambda operation, name: renewed.set() if operation == "write" else None
    run = claim_at(store, "a", store.clock.utc(), NO_TERMS)
    renewed.clear()
    with Lease(claims, run, 0.06, store.clock.utc, never, JsonLog()) as lease:
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
    claims = claims_in(store, 0.06)
    run = claim_at(store, "a", store.clock.utc(), NO_TERMS)
    store.clock.seconds = 1
    claim_at(store, "b", store.clock.utc(), NO_TERMS)
    with Lease(claims, run, 0.06, store.clock.utc, never, JsonLog()) as lease:
        lease._thread.join(5)
        with pytest.raises(LeaseLost):
            lease.check()


@pytest.mark.parametrize("taken", [False, True])
def test_a_resumed_run_renews_its_lease_first(
    store: MemoryStore, claims: Claims, taken: bool
) -> None:
    """A run that was frozen past its lease renews it first, which fails after a takeover."""
    clock = Clock()
    lease = Lease(claims, claim(store, "a"), LEASE, clock.utc, never, JsonLog())
    clock.seconds = 10 * LEASE
    if taken:
        claim(store, "b", 10 * LEASE)
        with pytest.raises(LeaseLost):
            lease.check()
    else:
        lease.check()
        assert lease.run.expires == clock.utc() + timedelta(seconds=LEASE)


def test_unreachable_storage_does_not_stop_a_run(store: MemoryStore) -> None:
    """A failed renewal is tried again after the next interval."""
    claims = claims_in(store, 0.06)
    run = claim_at(store, "a", store.clock.utc(), NO_TERMS)
    tries = threading.Semaphore(0)

    def broken(operation: str, name: str) -> None:
        tries.release()
        raise RetryableError("STORAGE_UNAVAILABLE")

    store.before = broken
    with Lease(claims, run, 0.06, store.clock.utc, never, JsonLog()) as lease:
        assert tries.acquire(timeout=180)
        assert tries.acquire(timeout=180)
        lease.check()


def test_a_bug_in_the_renewal_is_logged_and_the_lease_is_renewed(
    store: MemoryStore, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is printed but lines of JSON, and the thread goes on."""
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda error: [died.append(error), renewed.set()])
    claims = claims_in(store, 0.06)
    run = claim_at(store, "a", store.clock.utc(), NO_TERMS)
    renewed, faults = threading.Event(), iter([ValueError("a cell")])

    def broken(operation: str, name: str) -> None:
        if fault := next(faults, None):
            raise fault
        renewed.set()

    store.before = broken
    with Lease(claims, run, 0.06, store.clock.utc, never, JsonLog()) as lease:
        assert renewed.wait(180)
        assert not died
        lease.check()
    printed = capfd.readouterr()
    assert json.loads(printed.out.splitlines()[0])["event"] == "unexpected_error"
    assert "a cell" not in printed.out + printed.err
    assert not printed.err
