"""Rows whose click is too recent for Google's processing are sent again until they count."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes
from tests.whole.data_manager.time_passes import hours_go_by


class File:
    """A dropped file, and the time that passes after the drop."""

    def __init__(self, google: Sandbox, rows: list[dict[str, str]]) -> None:
        self.google = google
        self.name, self.generation = google.drop(csv_bytes(rows), "export.csv")
        assert google.delivery.wait_until_idle(30)

    def document(self) -> dict[str, Any]:
        return check_results(self.google.results(self.name, self.generation))

    def after(self, hours: float) -> dict[str, Any]:
        """Let this many hours pass, run the sweep twice, and return the document."""
        hours_go_by(self.google, hours)
        for _ in range(2):
            status, body = self.google.run_sweep()
            assert status == 200, body
        return self.document()

    def waits(self) -> bool:
        found = self.google.storage_client().list_blobs(OUTPUT_BUCKET, prefix="_state/waiting/")
        return bool(list(found))


def clicked(google: Sandbox, rows: list[dict[str, str]], hours: float) -> None:
    moment = datetime.now(UTC) - timedelta(hours=hours)
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


def codes(document: dict[str, Any]) -> list[str]:
    return [note["code"] for note in document["notes"]]


@pytest.mark.parametrize("adjusts", [False, True])
def test_rows_with_recent_clicks_count_later(google: Sandbox, adjusts: bool) -> None:
    """Uncounted rows are sent again after six hours and count once, and the document is updated."""
    google.state.data_manager.repeats_adjust = adjusts
    rows = [core_row(n) for n in range(1, 21)]
    clicked(google, rows, 1)
    file = File(google, rows)
    assert file.document()["status"] == "completed"  # Google has not been asked yet
    document = file.after(0.6)
    assert document["status"] == "waiting"
    assert codes(document) == ["COUNTED_LATER"]
    assert "20 of 20 rows" in document["notes"][0]["message"]
    assert document["processing"]["resend_at"] is not None
    assert document["counts"]["uploaded"] == 20
    assert file.after(4)["status"] == "waiting"
    assert sent_to(google) == [20]

    clicked(google, rows, 240)
    document = file.after(1.5)
    assert document["status"] == "completed"
    assert sent_to(google) == [20, 20]
    document = file.after(0.6)
    assert codes(document) == []
    processing = document["processing"]
    assert processing["status"] == "finished"
    assert processing["counts"]["records"] == document["counts"]["uploaded"] == 20
    assert processing["counts"]["not_counted"] == processing["counts"]["errors"] == 0
    assert processing["counts"]["requests_superseded"] == 1
    assert [each["request_id"] for each in processing["requests"]] == document["request_ids"]
    assert set(counted(google).values()) == {1}
    assert len(counted(google)) == 20
    assert not file.waits()


@pytest.mark.parametrize("adjusts", [False, True])
def test_rows_that_were_already_counted_count_once(google: Sandbox, adjusts: bool) -> None:
    """All rows of a request are sent again, because Google does not report which were too recent;
    rows already counted become duplicates, or adjust the first conversion to the same value."""
    google.state.data_manager.repeats_adjust = adjusts
    rows = [core_row(n) for n in range(1, 21)]
    clicked(google, rows[:3], 1)
    file = File(google, rows)
    assert file.after(0.6)["processing"]["counts"]["not_counted"] == 3
    clicked(google, rows, 240)
    file.after(6)
    document = file.after(0.6)
    assert document["status"] == "completed"
    assert document["processing"]["counts"]["not_counted"] == 0
    assert codes(document) == []
    assert document["processing"]["counts"]["errors"] == (0 if adjusts else 17)
    assert counted(google) == {f"order-{n}": 1 for n in range(1, 21)}
    values = [each.as_json()["conversion"]["conversion_value"] for each in google.state.accepted]
    assert sorted(values) == [n + 0.5 for n in range(1, 21)]


def test_only_the_affected_chunk_is_sent_again(google: Sandbox) -> None:
    """The other requests of the file, and refused or repeated rows, are not sent again."""
    rows = [core_row(n) for n in range(1, 2011)]
    rows[2003] = core_row(2004, conversion_value="-1")
    rows[2005] = core_row(2005)
    rows[2007] = core_row(2008, conversion_action="9999")
    clicked(google, rows[2009:], 1)
    file = File(google, rows)
    before = file.after(0.6)
    assert before["status"] == "waiting"
    clicked(google, rows[2009:], 240)
    file.after(6)
    after = file.after(0.6)
    assert after["rows"] == before["rows"]
    assert after["counts"] == before["counts"]
    assert sent_to(google)[-1] == 7
    assert after["processing"]["counts"]["records"] == after["counts"]["uploaded"] == 2007
    assert set(counted(google).values()) == {1}


def test_clicks_that_stay_too_recent_end_as_not_counted(google: Sandbox) -> None:
    """After two days, nothing more is sent, and the document reports the rows not counted."""
    rows = [core_row(n) for n in range(1, 6)]
    clicked(google, rows, 1)
    file = File(google, rows)
    for _ in range(12):
        file.after(6.6)
    document = file.document()
    assert document["status"] == "completed"
    assert codes(document) == ["NOT_COUNTED"]
    assert document["processing"]["counts"]["not_counted"] == 5
    assert document["processing"]["counts"]["records"] == 5
    assert document["processing"]["resend_at"] is None
    assert 6 <= len(sent_to(google)) <= 9
    assert not file.waits()
    assert not google.state.accepted


def test_rows_that_google_would_not_recognize_are_withheld(google: Sandbox) -> None:
    """Rows without order ID and gclid could count twice: they are not sent again and get a note."""
    profile = {"destination": "data_manager", "customer_id": "1234567890", "currency_code": "USD"}
    google.set_profiles({"default": {**profile, "derive_order_id": False}})
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
    assert codes(document) == ["NOT_SENT_AGAIN"]
    assert "(3 rows)" in document["notes"][0]["message"]


def test_a_file_of_withheld_rows_is_not_sent_again(google: Sandbox) -> None:
    """If all rows are withheld, no request is sent, and the rows stay reported as not counted."""
    profile = {"destination": "data_manager", "customer_id": "1234567890", "currency_code": "USD"}
    google.set_profiles({"default": {**profile, "derive_order_id": False}})
    rows = [core_row(n, gclid="", wbraid=f"0AAAAAexample{n}", order_id="") for n in range(1, 5)]
    moment = datetime.now(UTC) - timedelta(hours=1)
    google.state.register_clicks({row["wbraid"]: moment for row in rows})
    file = File(google, rows)
    file.after(0.6)
    document = file.after(6)
    assert document["status"] == "completed"
    assert codes(document) == ["NOT_COUNTED", "NOT_SENT_AGAIN"]
    assert document["processing"]["counts"]["not_counted"] == 4
    assert sent_to(google) == [4]
    assert not file.waits()


def test_the_file_is_gone_when_its_rows_are_due(google: Sandbox) -> None:
    """If the file is gone, nothing can be sent again, and the document reports this immediately."""
    rows = [core_row(n) for n in range(1, 4)]
    clicked(google, rows, 1)
    file = File(google, rows)
    file.after(0.6)
    google.keep_versions(False)
    google.storage_client().bucket("sandbox-input").blob(file.name).delete()
    document = file.after(6)
    assert document["status"] == "completed"
    assert codes(document) == ["NOT_COUNTED", "NOT_SENT_AGAIN"]
    assert not file.waits()
