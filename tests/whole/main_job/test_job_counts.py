"""Google's diagnostics of a file, on the whole path: the sweep adds them to the results."""

from __future__ import annotations

from sandbox.up import Sandbox
from tests.rows import core_row, csv_bytes


def test_the_sweep_adds_googles_counts(google: Sandbox) -> None:
    """An hour after the upload, the results have Google's counts and alerts, and nobody waits."""
    rows = [core_row(n) for n in range(1, 5)]
    rows[1]["gclid"] = "x y"
    rows[2]["gclid"] = "Cj0KCQiAexample refused"
    name, generation = google.drop(csv_bytes(rows), "export.csv")
    first = google.results(name, generation)
    assert google.delivery.wait_until_idle()
    google.clock.advance(1.1)
    assert google.run_sweep()[0] == 200
    found = google.results(name, generation)
    part = found["processing"]["diagnostics"]
    sent = first["counts"]["uploaded"] + first["counts"]["failed"]
    assert part["job"] == {
        "successful": first["counts"]["uploaded"],
        "failed": sent - first["counts"]["uploaded"],
        "pending": 0,
    }
    assert [each["conversion_action"] for each in part["conversion_actions"]] == ["1001"]
    assert (found["status"], found["counts"]) == (first["status"], first["counts"])
