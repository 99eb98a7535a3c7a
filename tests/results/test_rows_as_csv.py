"""The CSV beside the results document, for rows that the report has no room for."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from lib.followup.sweep import sweep_once
from lib.results.findings import MOST_ROWS
from tests.fakes import World, deliver, world
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes

BUCKET = "out-bucket"


def written(google: World, suffix: str) -> bytes | None:
    found = [name for name in google.store.names(BUCKET) if name.endswith(suffix)]
    assert len(found) < 2
    return google.store.objects[BUCKET, found[0]][0] if found else None


def table(google: World) -> list[dict[str, str]]:
    text = (written(google, ".results.csv") or b"").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def document(google: World) -> dict[str, Any]:
    return check_results(json.loads(written(google, ".results.json") or b""))


def test_every_row_can_be_found_however_many_they_are() -> None:
    """Rows that the page has no room for are in the CSV, in all chunks, and no cell calculates."""
    google, name = world(), "=1+1 when"
    rows = [core_row(n, conversion_date_time="tomorrow") for n in range(1, 2_500)]
    rows[7]["order_id"] = "=HYPERLINK(1)"
    data = csv_bytes(rows).replace(b"conversion_date_time", name.encode(), 1)
    google.profiles["default"]["headers"] = {"conversion_date_time": [name]}
    deliver(google, "export.csv", data)
    page = (written(google, ".results.html") or b"").decode()
    assert f"{MOST_ROWS:,} of the 2,499 rows with a problem are listed here" in page
    assert 'results.csv">the table of all rows</a>' in page
    found, listed = table(google), document(google)["rows"]
    assert [(int(each["record"]), int(each["line"])) for each in found] == [
        (each["record"], each["line"]) for each in listed
    ]
    first = found[0]
    assert (first["outcome"], first["code"], first["column"]) == (
        *("rejected", "INVALID_DATE"),
        f"'{name}",
    )
    assert (first["value"], first["currency"]) == ("1.5", "USD")
    assert first["what to do"].startswith("Write it as")
    assert found[7]["order_id"] == "'=HYPERLINK(1)"


def test_a_short_file_has_no_csv() -> None:
    """Its report lists all rows, so another object would be one more to look at."""
    google = world()
    deliver(google, "export.csv", csv_bytes([core_row(1, conversion_date_time="tomorrow")]))
    assert written(google, ".results.html") is not None
    assert written(google, ".results.csv") is None


def test_the_csv_changes_with_the_document() -> None:
    """Rows that were sent again meanwhile are gone from it, also if the report has room now."""
    google = world()
    rows = [
        core_row(n, conversion_date_time="2026-11-20 12:00:00+00:00")
        for n in range(MOST_ROWS + 200)
    ]
    google.api.too_recent = {each["order_id"] for each in rows[1:]}
    rows[0]["conversion_date_time"] = "tomorrow"
    deliver(google, "export.csv", csv_bytes(rows))
    assert len(table(google)) == MOST_ROWS + 200
    google.api.too_recent = set()
    google.clock.seconds += 7 * 3_600
    sweep_once(google.context, 1_500)
    assert document(google)["counts"]["uploaded"] == MOST_ROWS + 199
    assert [each["outcome"] for each in table(google)] == ["rejected"]
