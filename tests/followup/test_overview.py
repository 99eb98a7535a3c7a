"""The overview of all files: made of one listing, written by the sweep if something has changed."""

from __future__ import annotations

import pytest

from lib.followup.sweep import sweep_once
from lib.results.document import PAGE
from tests.fakes import World, world
from tests.rows import core_row, csv_bytes
from tests.run.test_deliver import deliver

OUT, INDEX = "out-bucket", "index.html"


@pytest.fixture
def google() -> World:
    made = world()
    rows = [core_row(1, conversion_date_time="2026-11-22 12:00:00+00:00"), core_row(2)]
    rows[1]["conversion_date_time"] = "tomorrow"
    source = made.store.put("in-bucket", "export.csv", csv_bytes(rows))
    deliver(made, source)
    return made


def sweep(google: World) -> None:
    sweep_once(google.context, 60)


def test_the_overview_links_every_report(google: World) -> None:
    """It names the file, its status and its counts, and links the report by its full address."""
    sweep(google)
    page = google.store.objects[OUT, INDEX][0].decode()
    assert "https://storage.cloud.google.com/out-bucket/export.csv.1000.results.html" in page
    assert "Somebody needs to act: 1 file has rows that do not count." in page
    assert "50 % of the rows" in page
    label = google.store.labels[OUT, INDEX]
    assert (label.content_type, label.cache_control) == (PAGE.content_type, "private, no-cache")


def test_the_overview_is_written_only_if_it_changes(google: World) -> None:
    """A sweep that finds the same files reads no document, and writes nothing."""
    sweep(google)
    google.store.calls.clear()
    sweep(google)
    calls = [call for call in google.store.calls if call[1].startswith(("export", "index"))]
    assert calls == []


def test_an_older_listing_does_not_win(google: World) -> None:
    """If another sweep has written the overview since our listing, ours is dropped."""
    sweep(google)
    google.store.put(OUT, INDEX, b"newer")
    google.store.labels.pop((OUT, INDEX))
    google.store.refuse.append(INDEX)
    sweep(google)
    assert google.store.objects[OUT, INDEX][0] == b"newer"
