"""What the sweep notices because it is not there: files, events, results."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from lib.errors import RetryableError
from lib.followup.missing import LEFT_AFTER, LEFT_UNTIL, UNFINISHED_AFTER, alert_if_unfinished
from lib.followup.sweep import sweep_once
from lib.run.deliver import process_arrival
from tests.fakes import World, world
from tests.rows import core_row, csv_bytes

CONTENT = csv_bytes([core_row(1, conversion_date_time="2026-11-22 10:00:00+00:00")])

Output = pytest.CaptureFixture[str]


def swept(google: World, capsys: Output) -> list[dict[str, Any]]:
    """Sweep, and return the alerts."""
    sweep_once(google.context, 1500)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["severity"] == "ERROR"]


def events(found: list[dict[str, Any]]) -> list[str]:
    return [line["event"] for line in found]


def drop(google: World, name: str) -> None:
    google.profiles.setdefault(name.partition("/")[0], google.profiles["default"])
    source = google.store.put("in-bucket", name, CONTENT)
    process_arrival(source, google.clock.utc(), google.context)


# ── files that do not come ────────────────────────────────────────────────────────────────────


def test_a_missing_file_is_told_at_each_sweep(capsys: Output) -> None:
    """The detail stays the same, so that it is one problem; the next file ends it."""
    google = world(no_file_hours=24.0)
    drop(google, "a.csv")
    google.clock.sleep(24.5 * 3600)
    assert swept(google, capsys) == []
    google.clock.sleep(900)
    first, second = swept(google, capsys), swept(google, capsys)
    assert events(first) == ["no_file"]
    assert first[0]["detail"] == second[0]["detail"] == "no file since 2026-11-24 12:00 UTC"
    drop(google, "b.csv")
    assert events(swept(google, capsys)) == []


def test_a_new_deployment_is_quiet(capsys: Output) -> None:
    """Before the first file nothing is expected, and without the setting never."""
    google = world(no_file_hours=24.0, no_file_folders=("crm", "shop"))
    google.clock.sleep(90 * 3600)
    assert swept(google, capsys) == []
    drop(google, "crm/a.csv")
    google.clock.sleep(25 * 3600)
    (alert,) = swept(google, capsys)
    assert (alert["folder"], alert["detail"][:15]) == ("crm", "no file in crm ")
    google = world()
    drop(google, "a.csv")
    google.clock.sleep(90 * 3600)
    assert swept(google, capsys) == []


def test_each_watched_folder_counts_for_itself(capsys: Output) -> None:
    """A file in another folder does not hide that one is missing."""
    google = world(no_file_hours=24.0, no_file_folders=("crm", "default"))
    drop(google, "crm/a.csv")
    drop(google, "a.csv")
    google.clock.sleep(25 * 3600)
    drop(google, "crm/b.csv")
    drop(google, "test/b.csv")
    assert [alert["folder"] for alert in swept(google, capsys)] == ["default"]


def test_a_deleted_file_has_arrived(capsys: Output) -> None:
    """Some exporters delete a file when its results are there."""
    google = world(no_file_hours=24.0)
    google.store.versioned = True
    drop(google, "a.csv")
    google.store.delete("in-bucket", "a.csv")
    google.clock.sleep(20 * 3600)
    assert swept(google, capsys) == []
    google.clock.sleep(5 * 3600)
    assert events(swept(google, capsys)) == ["no_file"]


# ── files that are not processed ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["a.csv.part", "crm/.a.csv", ".a.csv.gz.x7f", "crm/A.CSV.TMP"])
def test_an_incomplete_file_that_stays_is_told(name: str, capsys: Output) -> None:
    """For a day, from an hour on: before that it may be complete soon."""
    google = world()
    google.store.put("in-bucket", name, CONTENT)
    google.clock.sleep(LEFT_AFTER.total_seconds() - 1)
    assert swept(google, capsys) == []
    google.clock.sleep(1)
    (alert,) = swept(google, capsys)
    assert (alert["event"], name in alert["run_id"]) == ("file_ignored", True)
    google.clock.sleep((LEFT_UNTIL - LEFT_AFTER).total_seconds())
    assert swept(google, capsys) == []


@pytest.mark.parametrize(
    "name",
    [".DS_Store", "~$a.xlsx", "._a.csv", "a.csv.ok", "gcloud/tmp/parallel_composite_uploads/a"],
)
def test_other_ignored_objects_are_not_told(name: str, capsys: Output) -> None:
    """What no export writes, and what belongs to another file."""
    google = world()
    google.store.put("in-bucket", name, CONTENT)
    google.clock.sleep(2 * 3600)
    assert swept(google, capsys) == []


# ── events and results that do not come ───────────────────────────────────────────────────────


def test_a_single_lost_event_is_told(capsys: Output) -> None:
    """Other files have their events at the same time; the sweep finds the one file."""
    google = world(sweep_grace_minutes=30)
    google.store.put("in-bucket", "lost.csv", CONTENT)
    google.clock.sleep(29 * 60)
    drop(google, "a.csv")
    assert swept(google, capsys) == []
    google.clock.sleep(60)
    (alert,) = swept(google, capsys)
    assert (alert["event"], "lost.csv" in alert["run_id"]) == ("events_missing", True)
    assert swept(google, capsys) == []


def test_a_burst_is_no_lost_event(capsys: Output) -> None:
    """Files wait as long for an instance, but then one works on a file as old."""
    google = world(sweep_grace_minutes=30, lease_seconds=600.0)
    large, waiting = (google.store.put("in-bucket", name, CONTENT) for name in ("a.csv", "b.csv"))
    google.clock.sleep(30 * 60)
    drop(google, "c.csv")
    found: list[list[dict[str, Any]]] = []
    google.api.before = lambda number: found.append(swept(google, capsys)) if number == 2 else None
    process_arrival(large, google.clock.utc(), google.context)
    assert found == [[]]
    assert google.context.claims.of(waiting) is not None


def test_the_oldest_file_without_results_is_told(capsys: Output) -> None:
    """After an hour, with the reason of the last attempt; its results end it."""
    google = world(sweep_grace_minutes=30)
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    for name in ("b.csv", "a.csv"):
        with pytest.raises(RetryableError):
            drop(google, name)
        google.clock.sleep(60)
    capsys.readouterr()
    google.clock.sleep(UNFINISHED_AFTER.total_seconds() - 180)
    assert "file_unfinished" not in events(swept(google, capsys))
    google.clock.sleep(120)
    alert = swept(google, capsys)[-1]
    assert (alert["event"], alert["code"], alert["files"]) == (
        "file_unfinished",
        "API_UNAVAILABLE",
        2,
    )
    assert "in-bucket/b.csv" in alert["run_id"]
    google.api.preflight = None
    assert swept(google, capsys) == []


def test_attempts_that_die_without_a_word_are_told(capsys: Output) -> None:
    """Nothing is logged, and the lease of the last one may still be alive."""
    google = world(sweep_grace_minutes=30, lease_seconds=600.0)
    source = google.store.put("in-bucket", "a.csv", CONTENT)
    google.clock.sleep(UNFINISHED_AFTER.total_seconds())
    google.api.before = lambda number: (_ for _ in ()).throw(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        process_arrival(source, google.clock.utc(), google.context)
    capsys.readouterr()
    assert events(swept(google, capsys)) == ["file_unfinished"]


def test_a_file_that_is_finished_meanwhile_is_not_told(capsys: Output) -> None:
    """Its event was delivered during the sweep, after the listings."""
    google = world(sweep_grace_minutes=30)
    source = google.store.put("in-bucket", "a.csv", CONTENT)
    google.clock.sleep(UNFINISHED_AFTER.total_seconds())
    process_arrival(source, google.clock.utc(), google.context)
    capsys.readouterr()
    alert_if_unfinished([source], google.context)
    assert capsys.readouterr().out == ""


def test_files_that_wait_for_the_quota_are_not_told_again(capsys: Output) -> None:
    """Their alert says that nobody needs to act."""
    google = world(sweep_grace_minutes=30)
    google.api.preflight = RetryableError("DAILY_QUOTA")
    with pytest.raises(RetryableError):
        drop(google, "a.csv")
    capsys.readouterr()
    google.clock.sleep(timedelta(hours=3).total_seconds())
    assert set(events(swept(google, capsys))) == {"quota_exhausted"}
