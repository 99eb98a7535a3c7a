"""Rows that are too recent for Google's processing, and a sweep that is killed meanwhile."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.state import RecordIndices
from sandbox.time_passes import hours_go_by
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes
from tests.schedule import EVERY_CALL
from tests.whole.recovery.conftest import LEASE_SECONDS, empty

ROWS = 210  # two chunks; the second has no click that is too recent
FIRST_CHUNK = 200
YOUNG = range(1, 31)
STEP = 1 if EVERY_CALL else 40  # walks begin at different calls


@pytest.fixture
def google(google: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox, whose answers about repeats are as usual again afterwards."""
    yield google
    google.clear()
    google.state.data_manager.repeats_adjust = False
    google.state.data_manager.record_indices = "all"


class File:
    """A file in which some clicks are recent."""

    def __init__(self, google: Sandbox, name: str) -> None:
        empty(google)
        self.google = google
        self.rows = [
            core_row(number, order_id=f"{name}-{number}", gclid=f"Click_{name[:-4]}_{number:06d}")
            for number in range(1, ROWS + 1)
        ]
        self.clicked(hours=1)
        self.name, self.generation = google.drop(csv_bytes(self.rows), name, folder="data_manager")
        assert google.delivery.wait_until_idle()

    def clicked(self, hours: float) -> None:
        moment = datetime.now(UTC) - timedelta(hours=hours)
        clicks = {self.rows[number - 1]["gclid"]: moment for number in YOUNG}
        self.google.state.register_clicks(clicks)

    def document(self) -> dict[str, Any]:
        return check_results(self.google.results(self.name, self.generation, timeout_seconds=0))

    def until(self, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Sweep until nothing is due; the lease of a killed sweep must expire first."""
        for _ in range(20):
            if not json.loads(self.google.run_sweep()[1])["waiting"]:
                break
            self.google.clock.advance(LEASE_SECONDS / 3600)
        document = self.document()
        assert reached(document), document
        return document

    def waits(self) -> bool:
        found = self.google.storage_client().list_blobs(OUTPUT_BUCKET, prefix="_state/waiting/")
        return bool(list(found))

    def resent(self) -> list[int]:
        """Return the size of each request after the first two that Google answered."""
        requests = list(self.google.state.requests)
        return [each.conversions for each in requests if each.conversions][2:]


def waiting(document: dict[str, Any]) -> bool:
    return bool(document["status"] == "waiting")


def asked_again(document: dict[str, Any]) -> bool:
    counts = document["processing"]["counts"]
    return bool(counts["requests"] > 2 and not counts["requests_open"])


def go_through(file: File, killed_at: str, rule: dict[str, Any]) -> bool:
    """Take a file from its first document to its last; return whether the rule killed a sweep."""
    killed = False
    for moment, hours, reached in (
        ("asking", 0.6, waiting),
        ("sending", 6.0, lambda document: not waiting(document)),
        ("asking again", 0.6, asked_again),
    ):
        hours_go_by(file.google, hours)
        if moment == killed_at:
            file.google.faults.set([rule])
            file.google.run_sweep()
            killed = bool(file.google.faults.fired()[0]["fired"])
            file.google.faults.clear()
        file.until(reached)
        file.clicked(hours=240)
    assert not file.waits()
    return killed


# Both times, the same code asks for the status, so each kind of kill is tested at one of them.
@pytest.mark.parametrize(
    "moment, kind, record_indices, first",
    [
        ("asking", "kill_before", "some", 1),
        ("sending", "kill_before", "all", 2),
        ("sending", "kill_after", "none", 4),
        ("asking again", "kill_after", "all", 5),
    ],
)
def test_a_sweep_killed_at_every_call(
    google: Sandbox,
    new_name: Iterator[str],
    moment: str,
    kind: str,
    record_indices: RecordIndices,
    first: int,
    record_property: Callable[[str, object], None],
) -> None:
    """Wherever a sweep is killed, and whichever rows Google names: only those that must be are sent
    again, and each counts once."""
    # Google handles a known transaction ID in one of two ways; each is used by half of the tests.
    google.state.data_manager.repeats_adjust = kind == "kill_after"
    google.state.data_manager.record_indices = record_indices
    again = len(YOUNG) if record_indices == "all" else FIRST_CHUNK
    points = 0
    killed = True
    nth = first if STEP > 1 else 1
    while killed:
        file = File(google, next(new_name))
        killed = go_through(file, moment, {"method": "*", "nth": nth, "kind": kind})
        nth += STEP
        document = file.document()
        assert document["status"] == "completed"
        assert document["notes"] == []
        # A row that is sent again although it was counted may come back as a duplicate of itself.
        counts = document["counts"]
        assert counts["uploaded"] + counts["duplicate"] == ROWS
        assert document["processing"]["counts"]["not_counted"] == 0
        assert document["counts"]["awaiting"] == 0
        # Only a kill between the answer and the marker costs another request.
        assert file.resent() in ([again], [again, again][: 1 + (killed and moment == "sending")])
        orders = Counter(
            each.as_json()["conversion"]["transaction_id"] for each in google.state.accepted
        )
        assert orders == {row["order_id"]: 1 for row in file.rows}
        points += killed
    assert points, "no call was killed"
    record_property("crash points", points)
