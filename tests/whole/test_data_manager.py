"""The Data Manager API end to end: events arrive, and what Google says later is in the results."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import Sandbox
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes

PROFILE = DEFAULT_PROFILES["data_manager"]


class File:
    """A dropped file, and the time that passes after the drop."""

    def __init__(self, google: Sandbox, content: bytes) -> None:
        self.google = google
        self.name, self.generation = google.drop(content, "export.csv", folder="data_manager")
        assert google.delivery.wait_until_idle()

    def document(self) -> dict[str, Any]:
        return check_results(self.google.results(self.name, self.generation))

    def after(self, hours: float) -> dict[str, Any]:
        """Let this many hours pass, run the sweep twice, and return the document."""
        self.google.clock.advance(hours)
        for _ in range(2):
            status, body = self.google.run_sweep()
            assert status == 200, body
        return self.document()


def clicked(google: Sandbox, rows: list[dict[str, str]], hours: float) -> None:
    moment = google.state.now() - timedelta(hours=hours)
    google.state.register_clicks({row["gclid"]: moment for row in rows if row["gclid"]})


def sent_to(google: Sandbox) -> list[int]:
    """Return the number of events in each request that was sent."""
    requests = list(google.state.requests)
    return [each.conversions for each in requests if each.method.endswith("IngestEvents")]


@pytest.mark.parametrize("adjusts", [False, True])
def test_only_rows_with_recent_clicks_are_sent_again(google: Sandbox, adjusts: bool) -> None:
    """Rows that Google names are deferred, sent again after six hours, and count once, whichever
    way Google handles a known transaction ID."""
    google.state.data_manager.repeats_adjust = adjusts
    rows = [core_row(n) for n in range(1, 21)]
    clicked(google, rows[:3], 1)
    file = File(google, csv_bytes(rows))
    document = file.document()
    assert document["status"] == "completed"  # Google has not been asked yet
    assert (document["counts"]["uploaded"], document["counts"]["awaiting"]) == (20, 20)
    document = file.after(0.6)
    assert document["status"] == "waiting"
    assert {row["line"]: row["outcome"] for row in document["rows"]} == dict.fromkeys(
        (2, 3, 4), "deferred"
    )
    assert (document["counts"]["uploaded"], document["counts"]["awaiting"]) == (17, 0)
    assert file.after(4)["status"] == "waiting"
    assert sent_to(google) == [20]
    clicked(google, rows, 240)
    document = file.after(2.1)
    assert (document["status"], document["counts"]["awaiting"]) == ("completed", 3)
    assert sent_to(google) == [20, 3]
    document = file.after(0.6)
    assert document["processing"]["status"] == "finished"
    assert (document["counts"]["uploaded"], document["counts"]["awaiting"]) == (20, 0)
    assert document["rows"] == document["notes"] == []
    counted = Counter(
        each.as_json()["conversion"]["transaction_id"] for each in google.state.accepted
    )
    assert counted == {f"order-{n}": 1 for n in range(1, 21)}
