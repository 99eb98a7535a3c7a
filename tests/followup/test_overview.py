"""The overview of all files: made of one listing, written by the sweep if something has changed."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta

import pytest

from lib.followup.sweep import sweep_once
from lib.model.money import Sum
from lib.results.document import PAGE
from lib.results.overview import (
    FileResults,
    Overview,
    _short,
    render_overview,
)
from lib.state.concerns import KnownConcern
from tests.fakes import START, World, world
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


def text_of(page: str) -> str:
    """Return the text of a page, its elements apart."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def sweep(google: World) -> None:
    sweep_once(google.context, 60)


def test_the_overview_links_every_report(google: World) -> None:
    """It names the file, its status and its counts, and links the report by its full address."""
    sweep(google)
    page = google.store.objects[OUT, INDEX][0].decode()
    assert "https://storage.cloud.google.com/out-bucket/export.csv.1000.results.html" in page
    text = text_of(page)
    assert "Somebody needs to act: 1 file has rows that do not count, worth 2.50 USD." in text
    assert "50 % of the rows" in text
    assert "The 30 days until 2026-11-24" in text
    assert "Rows per day, uploaded and held back" in text
    assert "1 uploaded 1 held back" in text
    assert "2026-11-24 1 1 1.50 USD 2.50 USD" in text
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


def results(name: str, arrived: datetime, **counts: int) -> FileResults:
    """Return what the label of a file says: each row is worth 10 EUR."""
    money = {outcome: {"EUR": Sum(n, n * 10**7)} for outcome, n in counts.items()}
    time = arrived.isoformat(timespec="seconds")
    rows = {"rows": sum(counts.values()), **counts}
    document = f"shop/{name}.1.results.json"
    return FileResults(
        document, time, time, "completed", rows, money, 0, "shop", "", "", validate_only=False
    )


def test_days_have_the_rows_of_all_files_not_of_the_last_only() -> None:
    """With 10,000 files, the chart and the profiles count all, and the table has the last 100."""
    overview = Overview()
    for n in range(10_000):
        arrived = START - timedelta(minutes=6 * n)
        overview.add(results(f"{n}.csv", arrived, uploaded=2, failed=1))
    old = START - timedelta(days=400)
    test = results("test.csv", START, rejected=5)._replace(validate_only=True)
    for each in (results("old.csv", old, uploaded=7), test):
        overview.add(each)
    page = text_of(render_overview("results", overview))
    assert "10,002 files" in page
    assert "The last 100 files" in page
    assert "2026-11-23 480 240 4,800 EUR 2,400 EUR" in page
    assert "2026-10-25" not in page
    assert len(overview.days) <= 60


def test_a_profile_has_its_last_file_its_match_rate_and_its_concerns() -> None:
    """The match rate is that of the last ten files that Google has told about."""
    overview = Overview()
    for n in range(1, 21):
        file = results(f"{n}.csv", START + timedelta(days=n), uploaded=4)
        overview.add(
            file._replace(counts={**file.counts, "matchable": 4, "unmatched": n // 11 * 3})
        )
    stopped = results("shops.csv", START, rejected=1)
    overview.add(stopped._replace(profile="", results="shops.csv.1.results.json"))
    concern = KnownConcern(START, None, "No file of shop has come")
    about_shop = ("no_file:shop", "file_stopped:shop:STALE", "volume_fell:shop/shop/#.csv")
    others = ("x:crm", "volume_fell:shops/#.csv", "events_missing:", "drill:")
    overview.concerns = dict.fromkeys((*about_shop, *others), concern)
    page = text_of(render_overview("results", overview))
    assert "shop shop/20.csv 14 December 2026, 12:00 UTC 4 uploaded 25 % 3" in page
    assert "(none) shops.csv 24 November 2026, 12:00 UTC 1 rejected – 0" in page
    assert page.count("No file of shop has come") == 7


def test_a_test_has_nothing_at_stake() -> None:
    """Rows of a file with validate_only would never have counted."""
    overview = Overview()
    for n, is_test in enumerate((False, True)):
        file = results(f"{n}.csv", START, rejected=3)
        overview.add(file._replace(to_correct=3, validate_only=is_test))
    page = text_of(render_overview("results", overview))
    assert "2 files have rows that do not count, worth 30 EUR." in page


def test_a_stopped_file_that_was_completed_later_needs_nobody() -> None:
    """Until then it does; then it is shown as replaced, and the rows that it may have had."""
    overview = Overview()
    stopped = results("a.csv", START, not_attempted=3)._replace(status="stopped")
    overview.add(stopped)
    overview.add(results("b.csv", START + timedelta(hours=1), uploaded=3))
    page = text_of(render_overview("results", overview))
    assert "Somebody needs to act: 1 file has rows that do not count, worth 30 EUR." in page
    again = results("a.csv", START + timedelta(hours=2), uploaded=3)
    overview.add(again._replace(results="shop/a.csv.2.results.json"))
    page = text_of(render_overview("results", overview))
    assert "Nobody needs to act. Later files replaced 1 stopped file. If one of these has" in page
    assert "stopped, replaced" in page


def test_rows_that_fix_has_written_count_once() -> None:
    """Of 19 rows of which 9 are still wrong in the file that `fix` has written, 9 are at stake."""
    overview = Overview()
    for name, rejected in (("a.csv", 19), ("rows-to-fix-a.csv", 9)):
        hour = timedelta(hours=len(name))
        file = results(name, START + hour, uploaded=10, rejected=rejected)
        overview.add(file._replace(to_correct=rejected))
    page = text_of(render_overview("results", overview))
    assert "Somebody needs to act: 1 file has rows that do not count, worth 90 EUR." in page
    assert "completed, corrected" in page


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *((0, "0"), (9_999, "9,999"), (9_999.7, "10,000"), (12_345, "12.3k"), (999_499, "999k")),
        *((999_999, "1M"), (999_999_999, "1bn"), (5e11, "500bn"), (9.3e12, "9,300bn")),
    ],
)
def test_a_number_beside_a_chart_is_short(value: float, shown: str) -> None:
    """It has three digits, and never a power of ten."""
    assert _short(value) == shown
