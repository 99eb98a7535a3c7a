"""The records of newer values under load: many chunks at once, long files, lost answers."""

from __future__ import annotations

import threading
import time

import pytest

from lib.state.newer_values import Order, order_of
from lib.state.run import Run
from tests.fakes import World, deliver, world

OUT = "out-bucket"


def orders(first: int, count: int = 40) -> dict[Order, int]:
    """Return orders, which are in all shards, with a rank."""
    return {order_of("1001", f"SO-{number}"): 1 for number in range(first, first + count)}


@pytest.fixture
def here() -> World:
    """A world whose storage is slow enough that other threads come in between."""
    made = world()
    made.store.before = lambda *_: time.sleep(0.0002)
    made.store.calls.clear()
    return made


@pytest.fixture
def run(here: World) -> Run:
    """The claim of some run."""
    deliver(here, "a.csv", b"gclid\n")
    (found,) = here.context.claims.of_name(here.store.stored("in-bucket", "a.csv"))
    here.store.calls.clear()
    return found


def reads(here: World, part: str) -> list[str]:
    return [name for operation, name in here.store.calls if operation == "read" and part in name]


def test_chunks_that_are_answered_at_once_are_all_recorded(here: World) -> None:
    """Nearly every chunk has orders in every shard, and none refuses the writes of another."""
    recorded = here.context.newer_values
    now = here.clock.utc()
    failed: list[Exception] = []

    def record(first: int) -> None:
        try:
            recorded.record(orders(first), "restated", now)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=record, args=(100 * n,)) for n in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    newest = here.context.newer_values.newest(
        [each for n in range(12) for each in orders(100 * n)], "restated"
    )
    assert len(newest) == 12 * 40


def test_an_announcement_is_read_once(here: World, run: Run) -> None:
    """However many chunks a file has, each of them reads only what is new."""
    recorded = here.context.newer_values
    for chunk in range(6):
        mine = orders(100 * chunk)
        recorded.announce(run, chunk, "restated", mine)
        assert set(recorded.others("restated", mine, here.clock.utc())) == {
            each.digest for each in mine
        }
    names = reads(here, "newer_values/open/")
    assert len(names) == len(set(names)) == 6


def test_what_another_attempt_has_withdrawn_is_not_remembered(here: World, run: Run) -> None:
    """What was announced counts as long as it is there, and with what is left of it."""
    mine, other = here.context.newer_values, here.context.newer_values
    first, second = orders(0, 2)
    other.announce(run, 1, "restated", {first: 1, second: 2})
    now = here.clock.utc()
    assert mine.others("restated", [first, second], now) == {first.digest: {1}, second.digest: {2}}
    other.withdraw(run, 1, "restated", [first])
    assert mine.others("restated", [first, second], now) == {second.digest: {2}}
    other.withdraw(run, 1, "restated", [second])
    assert mine.others("restated", [first, second], now) == {}


def test_a_lost_answer_is_no_failure(here: World, run: Run) -> None:
    """A write whose answer got lost is repeated, and refused: what is there is then what counts."""
    recorded = here.context.newer_values
    first, second = orders(0, 2)
    recorded.announce(run, 1, "restated", {first: 1, second: 2})
    (name,) = (name for name in here.store.names(OUT) if "newer_values/open/" in name)
    here.store.lose.append(name)
    recorded.withdraw(run, 1, "restated", [first])
    assert here.store.lose == []
    assert set(recorded.others("restated", [first, second], here.clock.utc())) == {second.digest}
