"""The Data Manager API end to end: a file is dropped, events arrive, the results add up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox.conversions import Change, Conversion
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.rows import CORE_COLUMNS, core_row, csv_bytes
from tests.whole.data_manager.conftest import PROFILE


def deliver(google: Sandbox, content: bytes, name: str = "export.csv") -> dict[str, Any]:
    """Drop a file and wait for its results document."""
    return google.results(*google.drop(content, name))


@pytest.fixture
def unseen(google: Sandbox) -> Iterator[Sandbox]:
    """An account that a new instance of the function cannot look at, so Google checks actions."""
    assert google.function is not None
    google.function.kill()
    google.state.change_account("1234567890", readable=False)
    yield google
    google.function.kill()


def test_rows_arrive_as_events_and_only_bad_ones_fail(unseen: Sandbox) -> None:
    """Only bad rows fail, although Google refuses a whole request for one bad event."""
    google = unseen
    rows = [core_row(n) for n in range(1, 2101)]
    rows[6] = core_row(7, conversion_value="-1")  # rejected by our rules
    rows[9] = core_row(10, conversion_action="9999")  # refused by Google
    results = deliver(google, csv_bytes(rows))
    assert results["destination"] == "data_manager"
    assert results["counts"]["rows"] == 2100
    assert results["counts"]["rejected"] == 1
    assert results["counts"]["uploaded"] + results["counts"]["failed"] == 2099
    assert {row["line"]: row["outcome"] for row in results["rows"]}[8] == "rejected"
    assert len(google.state.accepted) == results["counts"]["uploaded"]
    assert results["request_ids"]


@pytest.mark.parametrize("action", ["9999", "1012"], ids=["unknown", "of another type"])
def test_a_wrong_action_fails_only_its_own_rows(google: Sandbox, action: str) -> None:
    """A wrong action in cells rejects only its own rows, even if they are the first 2,000."""
    rows = [core_row(n, conversion_action=action) for n in range(1, 2001)]
    rows += [core_row(n) for n in range(2001, 2502)]
    results = deliver(google, csv_bytes(rows))
    assert results["counts"]["uploaded"] == len(google.state.accepted) == 501
    assert results["file_error"] is None


def test_a_file_of_a_tags_conversions_adds_to_them(google: Sandbox) -> None:
    """With source = web, a row changes the conversion that the tag counted; one without the tag's
    order ID is not sent."""
    sold = google.state.now() - timedelta(days=2)
    first = Change("conversion", sold, 20.0, "USD", "website")
    google.state.book.add(Conversion("1234567890", 1004, "W-1", "", history=[first]))
    of_web = {**PROFILE, "action": "1004", "source": "web"}
    del of_web["event_source"]
    google.set_profiles({"default": of_web})
    of_tag = {"conversion_action": "1004", "conversion_value": "9.5"}
    rows = [core_row(1, order_id="W-1", **of_tag), core_row(2, order_id="", **of_tag)]
    results = deliver(google, csv_bytes(rows))
    assert results["counts"] | {"uploaded": 1, "rejected": 1} == results["counts"]
    assert results["rows"][0]["errors"][0]["code"] == "TAG_ORDER_ID_MISSING"
    assert google.state.worth("W-1", 1004) == 9.5
    assert len(list(google.state.book.conversions())) == 1


def test_the_status_of_the_requests_is_added_later(google: Sandbox) -> None:
    """The sweep asks for the status of the requests when due, and adds counts to `processing`."""
    google.state.data_manager.processing_seconds = 0
    name, generation = google.drop(csv_bytes(core_row(n) for n in range(1, 6)), "export.csv")
    before = google.results(name, generation)
    assert before["status"] == "completed"
    assert before["processing"]["status"] == "processing"
    assert before["processing"]["polls"] == 0

    status, _ = google.run_sweep()
    assert status == 200
    assert google.results(name, generation)["processing"]["polls"] == 0  # not due yet

    google.clock.advance(0.6)
    status, body = google.run_sweep()
    assert status == 200, body
    after = google.results(name, generation)
    assert after["processing"]["status"] == "finished"
    assert before["counts"]["awaiting"] == 5
    assert after["counts"] == before["counts"] | {"awaiting": 0}
    assert not list(google.storage_client().list_blobs(OUTPUT_BUCKET, prefix="_state/waiting/"))


def test_rows_with_different_ip_addresses_are_two_conversions(google: Sandbox) -> None:
    """Two people with the same time and value are two conversions, even without an order ID."""
    columns = [*CORE_COLUMNS, "user_ip_address"]
    same = {
        "gclid": "",
        "email": "",
        "phone": "",
        "order_id": "",
        "conversion_value": "10",
        "conversion_date_time": core_row(1)["conversion_date_time"],
    }
    rows = [core_row(n, **same) | {"user_ip_address": f"192.0.2.{n}"} for n in (1, 2)]
    results = deliver(google, csv_bytes(rows, columns))
    assert results["counts"]["uploaded"] == 2
