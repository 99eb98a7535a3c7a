"""What Google's processing says about rows, and rows that are sent again until they count."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from sandbox.state import RecordIndices
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes
from tests.whole.data_manager.conftest import PROFILE


class File:
    """A dropped file, and the time that passes after the drop."""

    def __init__(self, google: Sandbox, rows: list[dict[str, str]]) -> None:
        self.google = google
        self.name, self.generation = google.drop(csv_bytes(rows), "export.csv")
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

    def waits(self) -> bool:
        found = self.google.storage_client().list_blobs(OUTPUT_BUCKET, prefix="_state/waiting/")
        return bool(list(found))


def clicked(google: Sandbox, rows: list[dict[str, str]], hours: float) -> None:
    moment = google.state.now() - timedelta(hours=hours)
    google.state.register_clicks({row["gclid"]: moment for row in rows if row["gclid"]})


def counted(google: Sandbox) -> Counter[str]:
    """Return how often Google counts each order ID."""
    return Counter(
        each.as_json()["conversion"].get("transaction_id", "") for each in google.state.accepted
    )


def sent_to(google: Sandbox) -> list[int]:
    """Return the number of events in each request that was sent."""
    requests = list(google.state.requests)
    return [each.conversions for each in requests if each.method.endswith("IngestEvents")]


@pytest.mark.parametrize("adjusts", [False, True])
def test_only_rows_with_recent_clicks_are_sent_again(google: Sandbox, adjusts: bool) -> None:
    """Rows that Google names are deferred, sent again after six hours, and count once."""
    google.state.data_manager.repeats_adjust = adjusts
    rows = [core_row(n) for n in range(1, 21)]
    clicked(google, rows[:3], 1)
    file = File(google, rows)
    document = file.document()
    assert document["status"] == "completed"  # Google has not been asked yet
    assert (document["counts"]["uploaded"], document["counts"]["awaiting"]) == (20, 20)
    document = file.after(0.6)
    assert document["status"] == "waiting"
    assert [(row["line"], row["outcome"]) for row in document["rows"]] == [
        (2, "deferred"),
        (3, "deferred"),
        (4, "deferred"),
    ]
    assert (document["counts"]["uploaded"], document["counts"]["awaiting"]) == (17, 0)
    assert file.after(4)["status"] == "waiting"
    assert sent_to(google) == [20]

    clicked(google, rows, 240)
    document = file.after(2.5)
    assert (document["status"], document["counts"]["awaiting"]) == ("completed", 3)
    assert sent_to(google) == [20, 3]
    document = file.after(0.6)
    assert document["processing"]["status"] == "finished"
    assert document["processing"]["counts"]["not_counted"] == 0
    assert (document["counts"]["uploaded"], document["counts"]["awaiting"]) == (20, 0)
    assert document["rows"] == document["notes"] == []
    assert [each["request_id"] for each in document["processing"]["requests"]] == document[
        "request_ids"
    ]
    assert counted(google) == {f"order-{n}": 1 for n in range(1, 21)}
    assert not file.waits()


@pytest.mark.parametrize("adjusts", [False, True])
def test_without_names_the_request_is_sent_again(google: Sandbox, adjusts: bool) -> None:
    """If Google only counts the rows, all rows of the request are sent again; each counts once."""
    google.state.data_manager.repeats_adjust = adjusts
    google.state.data_manager.record_indices = "none"
    rows = [core_row(n) for n in range(1, 21)]
    clicked(google, rows[:3], 1)
    file = File(google, rows)
    document = file.after(0.6)
    assert document["codes"]["ROWS_NOT_NAMED"]["count"] == document["counts"]["deferred"] == 20
    clicked(google, rows, 240)
    file.after(6)
    document = file.after(0.6)
    assert document["status"] == "completed"
    assert document["counts"]["uploaded"] == 20
    assert document["processing"]["counts"]["not_counted"] == 0
    assert sent_to(google) == [20, 20]
    assert counted(google) == {f"order-{n}": 1 for n in range(1, 21)}
    values = [each.as_json()["conversion"]["conversion_value"] for each in google.state.accepted]
    assert sorted(values) == [n + 0.5 for n in range(1, 21)]


def test_the_last_word_on_every_row(google: Sandbox) -> None:
    """Beside rows that our rules reject, lines and reasons agree."""
    rows = [core_row(n) for n in range(1, 31)]
    rows[2] |= {"conversion_action": "9999"}  # our rules reject it
    rows[4] |= {"gclid": "", "email": "nobody@example.com", "phone": ""}
    rows[6] |= {"gclid": "cut-0ff"}
    rows[8] |= {"conversion_action": "1002", "gclid": "Click_of_yesterday_0001"}
    rows[10] |= {"conversion_value": "-1"}  # our rules reject it
    rows[12] |= {"gclid": "Click_of_nobody_00001"}
    rows[14] |= {"order_id": "known-order"}
    nobody = hashlib.sha256(b"nobody@example.com").hexdigest()
    google.state.data_manager.no_click = {nobody, rows[12]["gclid"]}
    google.state.register_clicks({rows[8]["gclid"]: google.state.now() - timedelta(hours=2)})
    google.state.order_keys.add(("known-order", 1001))
    file = File(google, rows)
    document = file.after(0.6)
    assert {row["line"]: row["errors"][0]["code"] for row in document["rows"]} == {
        4: "UNKNOWN_ACTION",
        8: "PROCESSING_ERROR_REASON_INVALID_GCLID",
        10: "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK",
        12: "NEGATIVE_VALUE",
        14: "PROCESSING_ERROR_REASON_CLICK_NOT_FOUND",
        16: "PROCESSING_ERROR_REASON_DUPLICATE_TRANSACTION_ID",
    }
    outcomes = {row["line"]: row["outcome"] for row in document["rows"]}
    assert (outcomes[8], outcomes[14]) == ("failed", "failed")
    assert (outcomes[10], outcomes[16]) == ("deferred", "duplicate")
    assert document["counts"]["unmatched"] == 1
    assert document["counts"]["uploaded"] == 24
    assert len(google.state.accepted) == 23  # all uploaded rows, except the unmatched one


def test_clicks_that_stay_too_recent_fail(google: Sandbox) -> None:
    """After three days, nothing more is sent, and the rows fail."""
    rows = [core_row(n) for n in range(1, 6)]
    clicked(google, rows[:2], 1)
    file = File(google, rows)
    for _ in range(12):
        clicked(google, rows[:2], -6)  # just before the sweep
        file.after(6.6)
    document = file.document()
    assert document["status"] == "completed"
    assert {row["line"]: row["outcome"] for row in document["rows"]} == {2: "failed", 3: "failed"}
    assert document["codes"]["PROCESSING_ERROR_REASON_TOO_RECENT_CLICK"]["count"] == 2
    requests = sent_to(google)
    assert requests[0] == 5
    assert set(requests[1:]) == {2}
    assert 6 <= len(requests) <= 12
    assert not file.waits()
    assert len(google.state.accepted) == 3


def test_rows_that_google_would_not_recognize_are_kept(google: Sandbox) -> None:
    """If Google names no row, rows without order ID and gclid could count twice: they get a
    warning and are not sent again."""
    google.state.data_manager.record_indices = "none"
    google.set_profiles({"default": {**PROFILE, "derive_order_id": False}})
    rows = [core_row(n) for n in range(1, 9)]
    for row in rows[:2]:
        row |= {"gclid": "", "order_id": ""}
    rows[2] |= {"gclid": "", "gbraid": "0AAAAAexample-braid-1", "order_id": ""}
    rows[3] |= {"order_id": ""}  # the gclid is enough
    clicked(google, rows[3:5], 1)
    file = File(google, rows)
    assert file.after(0.6)["status"] == "waiting"
    clicked(google, rows, 240)
    file.after(6)
    document = file.after(0.6)
    assert document["status"] == "completed"
    assert sent_to(google) == [8, 5]
    assert len(google.state.accepted) == 8
    assert document["counts"]["uploaded"] == 8
    assert {row["line"]: row["warnings"][0]["code"] for row in document["rows"]} == dict.fromkeys(
        (2, 3, 4), "NOT_SENT_AGAIN"
    )


@pytest.mark.parametrize("record_indices", ["all", "none"])
def test_the_file_is_gone_when_its_rows_are_due(
    google: Sandbox, record_indices: RecordIndices
) -> None:
    """If the file is gone, nothing can be sent again, and the document reports this immediately."""
    google.state.data_manager.record_indices = record_indices
    rows = [core_row(n) for n in range(1, 4)]
    clicked(google, rows[:1], 1)
    file = File(google, rows)
    file.after(0.6)
    google.keep_versions(False)
    google.storage_client().bucket("sandbox-input").blob(file.name).delete()
    document = file.after(6)
    assert document["status"] == "completed"
    named = record_indices == "all"
    assert document["counts"]["failed"] == named
    assert ("NOT_SENT_AGAIN" in document["codes"]) == (not named)
    assert not file.waits()
