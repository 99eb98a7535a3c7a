"""The optional check of which account a click belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.up import Sandbox
from tests.rows import core_row, csv_bytes

ROOT = Path(__file__).parents[3]


def test_refused_clicks_are_looked_up_when_the_setting_is_on() -> None:
    """Known and unknown clicks of an account get different warnings, in at most three rows."""
    rows = [core_row(n, gclid=f"Cj0KCQiAexample{n:08d}") for n in range(1, 6)]
    with Sandbox(source=ROOT, env={"CHECK_CLICK_OWNERSHIP": "true"}) as google:
        google.state.register_clicks({rows[0]["gclid"]: datetime.now(UTC) - timedelta(days=5)})
        google.faults.set(
            [
                {
                    "method": "UploadClickConversions",
                    "kind": "row_error",
                    "rows": [0, 1, 2, 3],
                    "error": "conversion_upload_error.EVENT_NOT_FOUND",
                }
            ]
        )
        results = google.results(*google.drop(csv_bytes(rows), "clicks.csv"))
    warned = {
        row["line"]: [warning["code"] for warning in row["warnings"]] for row in results["rows"]
    }
    assert warned == {
        2: ["CLICK_IN_ACCOUNT"],
        3: ["CLICK_NOT_IN_ACCOUNT"],
        4: ["CLICK_NOT_IN_ACCOUNT"],
        5: [],
    }
    assert results["counts"]["failed"] == 4
