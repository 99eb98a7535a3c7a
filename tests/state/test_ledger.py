"""Claim, lease and markers on a store of one process: races, and answers that got lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from lib.errors import LeaseHeld, LeaseLost, RetryableError
from lib.model.outcomes import Problem
from lib.state.lease import Lease
from lib.state.ledger import Ledger
from lib.state.pending_runs import PendingRun, PendingRuns
from lib.state.run import Run, run_id, run_key
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


def claim(ledger: Ledger, owner: str, seconds: float = 0) -> Run:
    now = START + timedelta(seconds=seconds)
    return ledger.claim(SOURCE, now, owner, "shop", {"customer_id": "1"})


RUN = f"_state/runs/{run_key(SOURCE)}/run.json"


def marker(number: int) -> str:
    return f"_state/runs/{run_key(SOURCE)}/chunks/{number:06d}.json"


def test_a_first_claim(ledger: Ledger, store: MemoryStore) -> None:
    """One object, made only if there is none: the whole claim."""
    run = claim(ledger, "a")
    assert (run.attempts, run.status, run.owner) == (1, "running", "a")
    assert run.expires == START + timedelta(seconds=LEASE)
    assert store.names("state") == [RUN]
    assert ledger.load(run.key) == run


def test_a_live_lease_is_respected(ledger: Ledger) -> None:
    """Up to its last moment, and not beyond."""
    claim(ledger, "a")
    with pytest.raises(LeaseHeld):
        claim(ledger, "b", LEASE - 0.001)
    taken = claim(ledger, "b", LEASE)
    assert (taken.owner, taken.attempts) == ("b", 2)


def test_now_and_profile_are_those_of_the_first_attempt(ledger: Ledger) -> None:
    """A resumed run judges as the first attempt did, whatever has been changed since."""
    claim(ledger, "a")
    taken = ledger.claim(SOURCE, START + timedelta(days=1), "b", "other", {"customer_id": "2"})
    assert taken.now == START
    assert (taken.profile_name, taken.profile) == ("shop", {"customer_id": "1"})


def test_a_released_lease_can_be_taken_at_once(ledger: Ledger) -> None:
    """An attempt that ends early doesn't make the next one wait."""
    ledger.release(claim(ledger, "a"), START + timedelta(seconds=1), "DEADLINE")
    assert claim(ledger, "b", 1).owner == "b"


def test_a_finished_run_is_left_alone(ledger: Ledger) -> None:
    """Whoever claims it gets it as it is."""
    ledger.finish(claim(ledger, "a"), "finished")
    assert claim(ledger, "b", 10 * LEASE).status == "finished"


def test_whoever_lost_the_lease_learns_it_at_the_next_write(ledger: Ledger) -> None:
    """Renewal, stop and completion of a run that was taken over are refused."""
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
    assert ledger.load(lost.key).owner == "b"  # type: ignore[union-attr]


@pytest.mark.parametrize("racers", [2, 8])
@pytest.mark.parametrize("expired", [False, True])
def test_a_race_has_one_winner(
    store: MemoryStore, ledger: Ledger, racers: int, expired: bool
) -> None:
    """For a new claim as for a takeover: all others are told that the lease is held."""
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
    assert ledger.load(won[0].key) == won[0]


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
    """A write of ours that was carried out and then refused is recognized as ours."""
    run = claim(ledger, "a")
    store.lose.append(RUN)
    changed = change(ledger, run)
    assert ledger.load(run.key) == changed
    # The generation is the live one: the next change needs no luck.
    assert ledger.renew(changed, START + timedelta(seconds=30)).owner == "a"


def test_the_claims_own_answer_got_lost(store: MemoryStore, ledger: Ledger) -> None:
    """The claim is ours, at the first attempt as at a takeover."""
    store.lose.append(RUN)
    first = claim(ledger, "a")
    assert (first.owner, first.attempts) == ("a", 1)
    store.lose.append(RUN)
    assert claim(ledger, "b", LEASE).attempts == 2
    assert ledger.load(first.key).owner == "b"  # type: ignore[union-attr]


def test_an_older_write_of_ours_is_written_over(store: MemoryStore, ledger: Ledger) -> None:
    """A renewal that was carried out unnoticed doesn't stand in the way of a stop."""
    run = claim(ledger, "a")
    ledger.renew(run, START + timedelta(seconds=5))
    stopped = ledger.stop(run, Problem("CODE", "", "why"))
    assert ledger.load(run.key) == stopped
    assert stopped.stop == ("CODE", "why")


def test_a_refusal_without_a_cause_is_retried_later(store: MemoryStore, ledger: Ledger) -> None:
    """Nothing is taken for written that isn't there."""
    store.refuse.append(RUN)
    with pytest.raises(RetryableError):
        claim(ledger, "a")
    run = claim(ledger, "a")
    store.refuse.append(marker(0))
    with pytest.raises(RetryableError):
        ledger.write_chunk(run, 0, {"rows": 1})
    pending = PendingRun(run.key, run_id(run.source), START, {}, resend_at=START)
    store.refuse.append(f"_state/waiting/{run.key}.json")
    pending_runs = PendingRuns(store, "state", "_state/")
    with pytest.raises(RetryableError):
        pending_runs.put(pending)
    pending_runs.put(pending)
    assert list(pending_runs.list_keys()) == [pending.key]


def test_markers(store: MemoryStore, ledger: Ledger) -> None:
    """Written once; a lost answer is recognized; another attempt's marker isn't overwritten."""
    run = claim(ledger, "a")
    ledger.write_chunk(run, 3, {"rows": 1})
    store.lose.append(marker(4))
    ledger.write_chunk(run, 4, {"rows": 2})
    assert ledger.finished_chunks(run) == {3, 4}
    assert ledger.read_chunk(run, 4)["rows"] == 2
    other = replace(run, owner="b")
    with pytest.raises(LeaseLost):
        ledger.write_chunk(other, 3, {"rows": 9})
    assert ledger.read_chunk(run, 3)["rows"] == 1
    _, generation = ledger.load_chunk(run, 3)
    store.lose.append(marker(3))
    newer = ledger.replace_chunk(other, 3, {"rows": 5}, generation)
    assert ledger.read_chunk(run, 3)["rows"] == 5
    with pytest.raises(LeaseLost):
        ledger.replace_chunk(run, 3, {"rows": 1}, generation)
    ledger.replace_chunk(other, 3, {"rows": 6}, newer)
    assert ledger.read_chunk(run, 3)["rows"] == 6


def test_job_ids_are_positive_and_fit(ledger: Ledger) -> None:
    """[1, 2^31), the same for every attempt, another for another generation."""
    run = claim(ledger, "a")
    ids = {replace(run, source=replace(SOURCE, generation=n)).job_id for n in range(200)}
    assert len(ids) == 200
    assert all(1 <= each < 2**31 for each in ids)


# ── the thread that keeps a lease ────────────────────────────────────────────────────────────────


def test_a_lease_is_renewed_while_the_run_works(store: MemoryStore) -> None:
    """Every third of its length, until the run ends."""
    ledger = Ledger(store, "state", "_state/", 0.06)
    renewed = threading.Event()
    store.after = lambda operation, name: renewed.set() if operation == "write" else None
    run = ledger.claim(SOURCE, store.clock.utc(), "a", "", None)
    renewed.clear()
    with Lease(ledger, run, 0.06, store.clock.utc) as lease:
        store.clock.seconds = 1
        assert renewed.wait(5)
        renewed.clear()
        assert renewed.wait(5)
        lease.check()
        assert lease.run.expires > run.expires
    renewed.clear()
    assert not renewed.wait(0.1)


def test_a_lost_lease_is_noticed(store: MemoryStore) -> None:
    """By the renewal; the next check stops the run."""
    ledger = Ledger(store, "state", "_state/", 0.06)
    run = ledger.claim(SOURCE, store.clock.utc(), "a", "", None)
    store.clock.seconds = 1
    ledger.claim(SOURCE, store.clock.utc(), "b", "", None)
    with Lease(ledger, run, 0.06, store.clock.utc) as lease:
        lease._thread.join(5)
        with pytest.raises(LeaseLost):
            lease.check()


@pytest.mark.parametrize("taken", [False, True])
def test_a_thawed_run_asks_before_it_goes_on(ledger: Ledger, taken: bool) -> None:
    """Frozen past its lease: it renews the lease first, which fails if somebody has taken over."""
    clock = Clock()
    lease = Lease(ledger, claim(ledger, "a"), LEASE, clock.utc)
    clock.seconds = 10 * LEASE
    if taken:
        claim(ledger, "b", 10 * LEASE)
        with pytest.raises(LeaseLost):
            lease.check()
    else:
        lease.check()
        assert lease.run.expires == clock.utc() + timedelta(seconds=LEASE)


def test_storage_out_of_reach_is_no_reason_to_stop(store: MemoryStore) -> None:
    """A renewal that fails is tried again at the next round."""
    ledger = Ledger(store, "state", "_state/", 0.06)
    run = ledger.claim(SOURCE, store.clock.utc(), "a", "", None)
    tries = threading.Semaphore(0)

    def broken(operation: str, name: str) -> None:
        tries.release()
        raise RetryableError("STORAGE_UNAVAILABLE")

    store.before = broken
    with Lease(ledger, run, 0.06, store.clock.utc) as lease:
        assert tries.acquire(timeout=5)
        assert tries.acquire(timeout=5)
        lease.check()
