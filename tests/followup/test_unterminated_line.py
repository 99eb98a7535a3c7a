"""The row of a last line without a line end: held, then sent, replaced or lost."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from lib.followup.sweep import sweep_once
from lib.run.deliver import process_object
from lib.state.store import StoredObject
from tests.fakes import START, World, world
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

COLUMNS = (*CORE_COLUMNS[:7], "currency_code", "order_id", "ad_user_data", "conversion_value")
"""The value is last: a cut changes it."""


@pytest.fixture
def google() -> World:
    return world()


def content(columns: tuple[str, ...] = COLUMNS) -> bytes:
    time = (START - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    rows = [
        core_row(n, conversion_date_time=time, conversion_value="1270.00", notes="call back")
        for n in (1, 2, 3)
    ]
    return csv_bytes([{name: row[name] for name in columns} for row in rows], columns)


def deliver(google: World, data: bytes) -> StoredObject:
    source = google.store.put("in-bucket", "export.csv", data)
    process_object(
        source,
        google.clock.utc(),
        google.context,
        time_limit_seconds=540,
        max_age=timedelta(hours=20),
    )
    return source


def after_minutes(google: World, minutes: float) -> None:
    google.clock.seconds += minutes * 60
    sweep_once(google.context, 1500)


def document(google: World, source: StoredObject) -> dict[str, Any]:
    name = f"{source.name}.{source.generation}.results.json"
    found: dict[str, Any] = json.loads(google.store.objects["out-bucket", name][0])
    return found


def last_row(google: World, source: StoredObject) -> tuple[str, str]:
    (row,) = document(google, source)["rows"]
    return row["outcome"], row["errors"][0]["code"] if row["errors"] else ""


def test_the_row_is_sent_10_minutes_later(google: World) -> None:
    """The other rows go at once; nothing is sent twice."""
    source = deliver(google, content()[:-2])
    assert google.api.counted == ["order-1", "order-2"]
    assert last_row(google, source) == ("deferred", "UNTERMINATED_LAST_LINE")
    after_minutes(google, 9)
    assert google.api.counted == ["order-1", "order-2"]
    after_minutes(google, 2)
    assert google.api.counted == ["order-1", "order-2", "order-3"]
    assert document(google, source)["status"] == "completed"
    assert document(google, source)["counts"]["uploaded"] == 3


def test_a_newer_upload_replaces_the_row(google: World) -> None:
    """The cut value is never sent; the row of the newer upload is."""
    cut = deliver(google, content()[:-7])
    whole = deliver(google, content())
    assert google.api.counted == ["order-1", "order-2", "order-3"]
    after_minutes(google, 11)
    assert last_row(google, cut) == ("not_attempted", "LAST_LINE_REPLACED")
    found = document(google, cut)
    assert str(whole.generation) in found["rows"][0]["errors"][0]["detail"]
    assert (found["status"], found["counts"]["deferred"]) == ("completed", 0)
    assert google.api.counted == ["order-1", "order-2", "order-3"]


def test_a_lost_file_fails_the_row(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a newer upload, somebody must upload the row again: an alert says so."""
    source = deliver(google, content()[:-2])
    google.store.delete("in-bucket", "export.csv")
    after_minutes(google, 11)
    outcome, code = last_row(google, source)
    assert (outcome, code) == ("failed", "UNTERMINATED_LAST_LINE")
    codes = [error["code"] for error in document(google, source)["rows"][0]["errors"]]
    assert codes == ["UNTERMINATED_LAST_LINE", "SOURCE_GONE"]
    assert '"event": "deferred_rows_failed"' in capsys.readouterr().out


@pytest.mark.parametrize(
    "columns, cut, held",
    [
        ((*CORE_COLUMNS, "notes"), 4, False),
        ((*CORE_COLUMNS, "notes"), 12, True),
        (COLUMNS, 2, True),
        (CORE_COLUMNS, 2, True),
    ],
)
def test_only_a_cut_that_could_matter_holds_the_row(
    google: World, columns: tuple[str, ...], cut: int, held: bool
) -> None:
    """A cut inside a column that is not sent changes nothing, unless cells are missing."""
    source = deliver(google, content(columns)[:-cut])
    assert bool(document(google, source)["counts"]["deferred"]) == held
