"""The diagnostics of a file's job, with fakes: when they are read, and what the document says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from lib.errors import RetryableError
from lib.followup.sweep import sweep_once
from lib.model.sent_requests import DiagnosticsAlert, JobCounts, UploadDiagnostics
from lib.run.deliver import process_object
from lib.state.run import run_key
from lib.state.store import StoredObject
from tests.fakes import START, World, world
from tests.rows import CORE_COLUMNS, core_row, csv_bytes


class Google:
    """Reports the jobs that it is given, and counts how often it is asked."""

    def __init__(self) -> None:
        self.world = world(read_diagnostics=True)
        self.world.api.diagnostics = self.answer
        self.jobs: dict[int, JobCounts] = {}
        self.asked: list[str] = []
        self.error: Exception | None = None

    def answer(self, customer_id: str) -> Sequence[UploadDiagnostics]:
        self.asked.append(customer_id)
        if self.error is not None:
            raise self.error
        alerts = (DiagnosticsAlert("EXPIRED_EVENT", 0.25),)
        account = UploadDiagnostics("GOOD", "2026-11-24 03:10:00", dict(self.jobs), alerts)
        return [account, account._replace(alerts=(), conversion_action="1001")]


@pytest.fixture
def google() -> Google:
    return Google()


def deliver(world_: World, name: str = "export.csv", **cells: str) -> StoredObject:
    time = (START - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    rows = [core_row(n, conversion_date_time=time, **cells) for n in (1, 2)]
    for row in rows:
        row["order_id"] = f"{name}-{row['order_id']}"
    source = world_.store.put("in-bucket", name, csv_bytes(rows, (*CORE_COLUMNS, *cells)))
    process_object(
        source,
        world_.clock.utc(),
        world_.context,
        time_limit_seconds=540,
        max_age=timedelta(hours=20),
    )
    return source


def job_id(source: StoredObject) -> int:
    return max(1, int(run_key(source)[:8], 16) & 0x7FFF_FFFF)


def after_hours(world_: World, hours: float) -> None:
    world_.clock.seconds += hours * 3600
    sweep_once(world_.context, 1500)


def document(world_: World, source: StoredObject) -> dict[str, Any]:
    name = f"{source.name}.{source.generation}.results.json"
    found: dict[str, Any] = json.loads(world_.store.objects["out-bucket", name][0])
    return found


def test_the_counts_of_a_job_arrive_in_the_document(google: Google) -> None:
    """They are read again while rows are pending, then the follow-up of the file ends."""
    source = deliver(google.world)
    assert document(google.world, source)["status"] == "completed"
    google.jobs[job_id(source)] = JobCounts(1, 0, 1)
    after_hours(google.world, 1.1)
    part = document(google.world, source)["processing"]["diagnostics"]
    assert part["job"] == {"successful": 1, "failed": 0, "pending": 1}
    assert part["conversion_actions"][0]["conversion_action"] == "1001"
    assert [(alert["code"], alert["share"]) for alert in part["alerts"]] == [
        ("EXPIRED_EVENT", 0.25)
    ]
    google.jobs[job_id(source)] = JobCounts(1, 1, 0)
    after_hours(google.world, 3)
    part = document(google.world, source)["processing"]["diagnostics"]
    assert part["job"] == {"successful": 1, "failed": 1, "pending": 0}
    after_hours(google.world, 30)
    assert len(google.asked) == 2
    assert not [name for name in google.world.store.names("out-bucket") if "waiting/" in name]


def test_one_sweep_reads_an_account_once(google: Google) -> None:
    """However many files are due."""
    for number in range(5):
        deliver(google.world, f"file{number}.csv")
    after_hours(google.world, 1.1)
    assert google.asked == ["1234567890"]


def test_a_job_that_google_never_lists_gets_a_note(google: Google) -> None:
    """Seven newer files pushed it out of the list: the document says so, and no one asks again."""
    source = deliver(google.world)
    google.jobs = {number: JobCounts(1, 0, 0) for number in range(1, 8)}
    for _ in range(12):
        after_hours(google.world, 3)
    found = document(google.world, source)
    assert found["processing"]["diagnostics"]["job"] is None
    assert found["processing"]["diagnostics"]["jobs_listed"] == 7
    assert [note["code"] for note in found["notes"]] == ["JOB_NOT_LISTED"]
    assert len(google.asked) == 5


def test_counts_stay_when_newer_files_push_the_job_out(google: Google) -> None:
    """The last counts that Google reported are kept."""
    source = deliver(google.world)
    google.jobs[job_id(source)] = JobCounts(1, 0, 1)
    after_hours(google.world, 1.1)
    google.jobs = {number: JobCounts(1, 0, 0) for number in range(1, 8)}
    after_hours(google.world, 3)
    part = document(google.world, source)["processing"]["diagnostics"]
    assert part["job"] == {"successful": 1, "failed": 0, "pending": 1}


def test_diagnostics_that_cannot_be_read_change_nothing(google: Google) -> None:
    """Another sweep reads them."""
    source = deliver(google.world)
    before = document(google.world, source)
    google.error = RetryableError("API_UNAVAILABLE")
    after_hours(google.world, 1.1)
    after = document(google.world, source)
    assert after | {"finished_at": 0, "attempts": 0} == before | {"finished_at": 0, "attempts": 0}
    google.error = None
    google.jobs[job_id(source)] = JobCounts(2, 0, 0)
    after_hours(google.world, 3.1)
    assert document(google.world, source)["processing"]["diagnostics"]["job"]["successful"] == 2


@pytest.mark.parametrize("reason", ["the setting", "no upload"])
def test_no_diagnostics_are_read(google: Google, reason: str) -> None:
    """The setting is off, or nothing was sent."""
    cells = {}
    if reason == "the setting":
        google.world.settings = google.world.settings.model_copy(update={"read_diagnostics": False})
    else:
        cells = {"conversion_action": "9999"}
    deliver(google.world, **cells)
    after_hours(google.world, 30)
    assert google.asked == []


def test_rows_that_are_sent_again_are_counted_too(google: Google) -> None:
    """The job grows when deferred rows are sent, so its counts are read until they change."""
    google.world.api.too_recent.add("export.csv-order-2")
    source = deliver(google.world)
    assert document(google.world, source)["counts"]["deferred"] == 1
    google.jobs[job_id(source)] = JobCounts(1, 0, 0)
    after_hours(google.world, 1.1)
    google.world.api.too_recent.clear()
    after_hours(google.world, 30)
    assert document(google.world, source)["counts"]["uploaded"] == 2
    after_hours(google.world, 1.1)  # Google has not counted the second row yet
    google.jobs[job_id(source)] = JobCounts(2, 0, 0)
    after_hours(google.world, 3.1)
    part = document(google.world, source)["processing"]["diagnostics"]
    assert part["job"] == {"successful": 2, "failed": 0, "pending": 0}
    assert not [name for name in google.world.store.names("out-bucket") if "waiting/" in name]


def test_the_setting_stops_diagnostics_that_are_planned(google: Google) -> None:
    """Files from before it was turned off need no follow-up any more."""
    deliver(google.world)
    google.world.settings = google.world.settings.model_copy(update={"read_diagnostics": False})
    after_hours(google.world, 1.1)
    assert google.asked == []
    assert not [name for name in google.world.store.names("out-bucket") if "waiting/" in name]
