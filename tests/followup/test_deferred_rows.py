"""Deferred rows, with fakes: what can happen before the sweep sends them again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from lib.followup.sweep import sweep_once
from lib.model.outcomes import Problem
from lib.run.deliver import process_object
from lib.state.store import StoredObject
from tests.fakes import START, World, world
from tests.rows import core_row, csv_bytes


@pytest.fixture
def google() -> World:
    """An API for which the second of three rows is too recent."""
    made = world()
    made.api.too_recent = {"order-2"}
    return made


def deliver(google: World) -> StoredObject:
    time = (START - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    rows = [core_row(n, conversion_date_time=time) for n in (1, 2, 3)]
    source = google.store.put("in-bucket", "export.csv", csv_bytes(rows))
    now = google.clock.utc()
    day = timedelta(hours=20)
    assert (
        process_object(source, now, google.context, time_limit_seconds=540, max_age=day)
        == "waiting"
    )
    return source


def after_hours(google: World, source: StoredObject, hours: float) -> dict[str, Any]:
    google.clock.seconds += hours * 3600
    sweep_once(google.context, 1500)
    name = f"{source.name}.{source.generation}.results.json"
    document: dict[str, Any] = json.loads(google.store.objects["out-bucket", name][0])
    return document


def test_an_account_that_refuses_temporarily_is_tried_again(google: World) -> None:
    """The row stays deferred."""
    source = deliver(google)
    google.api.too_recent = set()
    google.api.stop = Problem("CUSTOMER_NOT_ENABLED")
    found = after_hours(google, source, 6.1)
    assert (found["status"], found["counts"]["deferred"]) == ("waiting", 1)
    google.api.stop = None
    found = after_hours(google, source, 6.1)
    assert (found["status"], found["counts"]["uploaded"]) == ("completed", 3)


def test_an_account_that_refuses_permanently_fails_the_row(google: World) -> None:
    """After MAX_DEFER_HOURS, the row fails with the account's reason."""
    source = deliver(google)
    google.api.stop = Problem("CUSTOMER_NOT_ENABLED")
    for _ in range(9):
        found = after_hours(google, source, 6.1)
    assert (found["status"], found["counts"]["failed"]) == ("completed", 1)
    (row,) = [row for row in found["rows"] if row["outcome"] == "failed"]
    assert [error["code"] for error in row["errors"]] == ["CUSTOMER_NOT_ENABLED"]


def test_an_adjustment_waits_a_whole_day(google: World) -> None:
    """Sent earlier, it could fail: Google may not find a new conversion at all."""
    google.api.too_recent_code = "TOO_RECENT_CONVERSION"
    source = deliver(google)
    google.api.too_recent = set()
    sent = google.api.batches
    for _ in range(3):
        found = after_hours(google, source, 6.1)
        assert (found["status"], found["counts"]["deferred"]) == ("waiting", 1)
    assert google.api.batches == sent
    found = after_hours(google, source, 6.1)
    assert (found["status"], found["counts"]["uploaded"]) == ("completed", 3)
    assert google.api.batches == sent + 1


def test_a_frozen_sweep_does_not_overwrite_newer_outcomes(google: World) -> None:
    """A sweep that resumes with an old "too recent" keeps the upload that its successor saved."""
    source = deliver(google)
    frozen: list[int] = []

    def freeze(number: int) -> None:
        if not frozen:
            frozen.append(number)
            google.api.too_recent = set()
            found = after_hours(google, source, 90 / 3600)  # the lease of 60 s has expired
            assert found["counts"]["uploaded"] == 3

    google.api.after = freeze
    found = after_hours(google, source, 6.1)
    assert frozen
    for _ in range(3):
        found = after_hours(google, source, 7)
    assert (found["status"], found["counts"]["uploaded"]) == ("completed", 3)
    assert sorted(google.api.counted) == ["order-1", "order-2", "order-3"]
    markers = [body for (_, name), (body, *_) in google.store.objects.items() if "/chunks/" in name]
    assert [json.loads(body)["outcomes"]["tally"]["outcomes"] for body in markers] == [
        {"uploaded": 3}
    ]
