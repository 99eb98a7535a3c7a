"""The main job in the sandbox: a file is dropped, its rows arrive, the results add up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.google_ads.uploads import MAX_ROWS
from sandbox.up import Sandbox
from tests.rows import core_row, csv_bytes
from tests.workbooks import Cell, Number, workbook

UPLOAD = "UploadClickConversions"


def deliver(google: Sandbox, content: bytes, name: str = "export.csv") -> dict[str, Any]:
    """Drop a file and wait for its results document."""
    return google.results(*google.drop(content, name))


def uploads(google: Sandbox) -> list[Any]:
    return [each for each in google.state.requests if each.method.endswith(UPLOAD)]


def test_good_and_bad_rows_end_with_one_outcome_each(google: Sandbox) -> None:
    """Valid rows are uploaded, and bad ones are rejected with code, field, message and action."""
    rows = [core_row(n) for n in range(1, 8)]
    rows[2] = core_row(3, conversion_date_time="yesterday")
    rows[4] = core_row(5, gclid="", email="nobody", phone="12")
    results = deliver(google, csv_bytes(rows))
    assert results["status"] == "completed"
    counts = {outcome: number for outcome, number in results["counts"].items() if number}
    assert counts == {"rows": 7, "uploaded": 5, "rejected": 2, "warnings": 1}
    bad_date, without_identifier = results["rows"]
    assert (bad_date["line"], bad_date["record"], bad_date["outcome"]) == (4, 3, "rejected")
    assert bad_date["errors"][0]["code"] == "INVALID_DATE"
    assert bad_date["errors"][0]["field"] == "conversion_date_time"
    assert results["codes"]["INVALID_DATE"]["action"]
    assert results["columns"]["conversion_date_time"] == "conversion_date_time"
    assert "yesterday" not in json.dumps(results)
    assert without_identifier["errors"][0]["code"] == "NO_CLICK_ID_OR_IDENTIFIER"
    assert len(google.state.accepted) == 5


def test_requests_are_cut_at_the_limit_and_share_one_job(google: Sandbox) -> None:
    """Three requests with one job ID have the rows that two cannot, and all arrive."""
    results = deliver(google, csv_bytes(core_row(n) for n in range(1, 2 * MAX_ROWS + 2)))
    assert results["counts"]["uploaded"] == 2 * MAX_ROWS + 1
    assert sorted(request.conversions for request in uploads(google)) == [1, MAX_ROWS, MAX_ROWS]
    assert {request.job_id for request in uploads(google)} == {results["job_id"]}
    assert len(results["request_ids"]) == 3


def test_an_outage_is_continued_by_the_sweep(google: Sandbox) -> None:
    """After its event was acknowledged, the file is due when the API may answer again."""
    google.faults.set([{"method": UPLOAD, "kind": "resource_exhausted", "nth": 1}])
    name, generation = google.drop(csv_bytes([core_row(1)]), "quota.csv")
    assert google.delivery.wait_until_idle()
    (record,) = google.delivery.records()
    assert [attempt.status for attempt in record.attempts] == [503, 200]
    assert google.function is not None
    google.function.kill()  # an instance remembers the quota for a moment
    google.clock.advance(25)
    assert google.run_sweep()[0] == 200
    results = google.results(name, generation, timeout_seconds=0)
    assert (results["counts"]["uploaded"], results["attempts"]) == (1, 2)


def test_a_workbook_is_uploaded(google: Sandbox) -> None:
    """Its dates, numbers and texts arrive as a person sees them, and lines are rows in Excel."""
    columns = ["gclid", "conversion_action", "conversion_date_time", "conversion_value", "order_id"]
    when = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(days=3)
    rows: list[list[Cell]] = [
        ["Cj0KCQiAexample0001", "1001", when, Number(1270.5, "#,##0.00"), 1001.0],
        [],
        ["Cj0KCQiAexample0002", "1001", when, Number(-5, "0.00"), "A-2"],
    ]
    results = deliver(google, workbook([columns, *rows], name="Won"), "won.xlsx")
    assert (results["counts"]["uploaded"], results["counts"]["rejected"]) == (1, 1)
    assert [row["line"] for row in results["rows"]] == [4]
    (accepted,) = google.state.accepted
    conversion = accepted.as_json()["conversion"]
    assert (conversion["order_id"], conversion["conversion_value"]) == ("1001", 1270.5)
