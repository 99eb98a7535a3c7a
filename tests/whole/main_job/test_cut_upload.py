"""An upload that breaks inside its last cell, and the whole upload that follows."""

from __future__ import annotations

from sandbox.up import Sandbox
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

COLUMNS = (*(name for name in CORE_COLUMNS if name != "conversion_value"), "conversion_value")


def test_a_cut_value_is_never_counted(google: Sandbox) -> None:
    """The cut row waits, the whole upload brings its right value, and the sweep says so."""
    rows = [core_row(n, conversion_value="1270.00") for n in (1, 2, 3)]
    content = csv_bytes(rows, COLUMNS)
    cut = google.drop(content[: -len("270.00\r\n")], "deals.csv")
    assert google.results(*cut)["counts"]["deferred"] == 1
    whole = google.drop(content, "deals.csv")
    assert google.results(*whole)["counts"]["uploaded"] == 1
    assert google.delivery.wait_until_idle()
    google.clock.advance(0.2)
    assert google.run_sweep()[0] == 200
    document = google.results(*cut)
    assert (document["status"], document["counts"]["not_attempted"]) == ("completed", 1)
    (row,) = document["rows"]
    assert [error["code"] for error in row["errors"]] == ["LAST_LINE_REPLACED"]
    assert str(whole[1]) in row["errors"][0]["detail"]
    values = {each.as_json()["conversion"]["conversion_value"] for each in google.state.accepted}
    assert (len(google.state.accepted), values) == (3, {1270.0})
