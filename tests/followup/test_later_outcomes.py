"""An API that counts later, with fakes: which rows are sent again, and which are not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from lib.errors import RetryableError
from lib.followup.sweep import sweep_once
from lib.model.outcomes import Problem
from lib.model.sent_requests import RequestStatus
from lib.run.chunks import CHUNK_ROWS
from lib.run.deliver import process_object
from lib.state.store import StoredObject
from tests.fakes import START, World, world
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes

P = "PROCESSING_ERROR_REASON_"
TOO_RECENT = P + "TOO_RECENT_CLICK"
INTERNAL = P + "INTERNAL_ERROR"


class Later:
    """Google's later status of requests.

    `errors` has the positions of rows by reason, for each request that does not succeed. If `named`
    is False, Google only counts them.
    """

    def __init__(self) -> None:
        self.errors: dict[str, dict[str, Sequence[int]]] = {}
        self.named = True
        self.asked: list[str] = []

    def __call__(self, request_ids: Sequence[str]) -> Sequence[RequestStatus]:
        self.asked += request_ids
        statuses = []
        for each in request_ids:
            found = self.errors.get(each, {})
            statuses.append(
                RequestStatus(
                    each,
                    "PARTIAL_SUCCESS" if found else "SUCCESS",
                    "1001",
                    5,
                    {reason: len(records) for reason, records in found.items()},
                    error_records={
                        reason: tuple(records) for reason, records in found.items() if self.named
                    },
                )
            )
        return statuses


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def google(later: Later) -> World:
    made = world()
    made.use_destination("data_manager")
    made.api.statuses = later
    return made


def put(google: World, rows: int) -> StoredObject:
    time = (START - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    cells = [core_row(n, conversion_date_time=time) for n in range(1, rows + 1)]
    return google.store.put("in-bucket", "export.csv", csv_bytes(cells))


def deliver(google: World, source: StoredObject) -> str:
    day = timedelta(hours=20)
    return process_object(
        source, google.clock.utc(), google.context, time_limit_seconds=540, max_age=day
    )


def after(google: World, source: StoredObject, hours: float) -> dict[str, Any]:
    google.clock.seconds += hours * 3600
    sweep_once(google.context, 1500)
    name = f"{source.name}.{source.generation}.results.json"
    return check_results(json.loads(google.store.objects["out-bucket", name][0]))


def not_counted_before(google: World, *orders: str) -> None:
    """Let Google count these orders when they are sent again."""
    google.api.counted = [each for each in google.api.counted if each not in orders]


def outcomes(document: dict[str, Any]) -> dict[int, str]:
    return {row["line"]: row["outcome"] for row in document["rows"]}


def test_only_named_rows_change(google: World, later: Later) -> None:
    """Each named row has its outcome and Google's reason; the document says what is awaited."""
    source = put(google, 6)
    deliver(google, source)
    found = after(google, source, 0)
    assert (found["counts"]["awaiting"], found["counts"]["uploaded"]) == (6, 6)
    later.errors["request-1"] = {
        P + "NO_CONSENT": [0],
        P + "DUPLICATE_TRANSACTION_ID": [2],
        TOO_RECENT: [3],
    }
    found = after(google, source, 0.6)
    assert outcomes(found) == {2: "failed", 4: "duplicate", 5: "deferred"}
    assert found["status"] == "waiting"
    assert found["rows"][0]["errors"][0]["code"] == P + "NO_CONSENT"
    assert found["codes"][P + "NO_CONSENT"]["action"]
    assert (found["counts"]["awaiting"], found["counts"]["uploaded"]) == (0, 3)
    assert found["processing"]["counts"]["not_counted"] == 1
    assert found["notes"] == []


def test_only_the_row_that_is_too_recent_is_sent_again(google: World, later: Later) -> None:
    """Rows deferred at the upload and rows deferred later are sent again, and no others."""
    google.api.too_recent = {"order-2"}
    source = put(google, 5)
    assert deliver(google, source) == "waiting"
    # The request has four records: the rows in lines 2, 4, 5 and 6.
    later.errors["request-1"] = {TOO_RECENT: [1]}
    assert outcomes(after(google, source, 0.6)) == {3: "deferred", 4: "deferred"}
    not_counted_before(google, "order-3")
    google.api.too_recent = set()
    found = after(google, source, 6)
    assert found["request_ids"] == ["request-1", "request-2"]
    assert (found["counts"]["uploaded"], found["counts"]["awaiting"]) == (5, 2)
    assert sorted(google.api.counted) == [f"order-{n}" for n in range(1, 6)]
    found = after(google, source, 0.6)
    assert found["status"] == "completed"
    assert found["counts"]["awaiting"] == 0
    assert later.asked == ["request-1", "request-2"]
    assert not any("/waiting/" in name for name in google.store.names("out-bucket"))


@pytest.mark.parametrize("reason", [TOO_RECENT, INTERNAL])
def test_counts_without_names_send_the_request_again(
    google: World, later: Later, reason: str
) -> None:
    """If Google names no row, all rows of the request are deferred and sent again."""
    later.named = False
    source = put(google, 5)
    deliver(google, source)
    later.errors["request-1"] = {reason: [0, 1]}
    found = after(google, source, 0.6)
    assert found["counts"]["deferred"] == 5
    assert found["codes"]["ROWS_NOT_NAMED"]["count"] == 5
    not_counted_before(google, "order-1", "order-2")
    found = after(google, source, 6)
    assert (found["status"], google.api.batches) == ("completed", 2)
    assert found["counts"]["deferred"] == 0
    assert after(google, source, 0.6)["notes"] == []
    assert sorted(google.api.counted) == [f"order-{n}" for n in range(1, 6)]


def test_counts_of_other_reasons_are_noted(google: World, later: Later) -> None:
    """Rows that Google counts without naming them stay uploaded, and the note has their number."""
    later.named = False
    source = put(google, 5)
    deliver(google, source)
    later.errors["request-1"] = {P + "NO_CONSENT": [0, 1], P + "DUPLICATE_TRANSACTION_ID": [2]}
    found = after(google, source, 0.6)
    assert found["status"] == "completed"
    assert [note["code"] for note in found["notes"]] == ["NOT_COUNTED"]
    assert found["notes"][0]["detail"] == "2 of 5 rows"
    assert google.api.batches == 1


def test_rows_that_stay_too_recent_fail(google: World, later: Later) -> None:
    """After two days, a row that is still too recent fails, and the run ends."""
    source = put(google, 5)
    deliver(google, source)
    for number in range(1, 20):
        later.errors[f"request-{number}"] = {TOO_RECENT: [0]}
    not_counted_before(google, "order-1")
    for _ in range(12):
        found = after(google, source, 6.6)
        not_counted_before(google, "order-1")
    assert found["status"] == "completed"
    assert outcomes(found) == {2: "failed"}
    assert found["rows"][0]["errors"][0]["code"] == TOO_RECENT
    assert found["counts"]["awaiting"] == 0
    assert not any("/waiting/" in name for name in google.store.names("out-bucket"))


@pytest.mark.parametrize(
    "errors, alarming",
    [
        ({"NO_CONSENT": 4}, False),  # fewer than five rows
        ({"NO_CONSENT": 5}, True),
        ({"NO_CONSENT": 3, "INVALID_GCLID": 2}, True),
        ({"NO_CONSENT": 4, "DUPLICATE_GCLID": 6}, False),
        ({"DENIED_CONSENT": 9}, False),  # nobody can correct that
        ({"DUPLICATE_TRANSACTION_ID": 9}, False),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_rows_that_do_not_count_are_reported(
    google: World,
    later: Later,
    errors: dict[str, int],
    alarming: bool,
    named: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Log and document have their number; reasons that one can correct cause an alert."""
    later.named = named
    source = put(google, 20)
    deliver(google, source)
    positions = iter(range(20))
    later.errors["request-1"] = {
        P + code: [next(positions) for _ in range(count)] for code, count in errors.items()
    }
    found = after(google, source, 0.6)
    lost = sum(count for code, count in errors.items() if "DUPLICATE" not in code)
    assert found["processing"]["counts"]["not_counted"] == lost
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (updated,) = [line for line in lines if line["event"] == "run_updated"]
    assert updated["not_counted"] == lost
    assert updated["counts"]["awaiting"] == 0
    alerts = [line for line in lines if line["event"] == "rows_not_counted"]
    assert len(alerts) == alarming
    for alert in alerts:
        assert alert["severity"] == "ERROR"
        assert alert["code"] == P + next(iter(errors))
        assert (alert["not_counted"], alert["records"]) == (lost, 20)


def test_a_small_share_causes_no_alert(
    google: World, later: Later, capsys: pytest.CaptureFixture[str]
) -> None:
    """Up to a fifth of the rows is no reason to call somebody."""
    source = put(google, 25)
    deliver(google, source)
    later.errors["request-1"] = {P + "NO_CONSENT": range(5)}
    after(google, source, 0.6)
    assert "rows_not_counted" not in capsys.readouterr().out


def test_an_alert_is_not_lost_if_the_sweep_crashes(
    google: World, later: Later, capsys: pytest.CaptureFixture[str]
) -> None:
    """If a sweep crashes before it has finished the run, the next one raises the alert."""
    source = put(google, 5)
    deliver(google, source)
    later.errors["request-1"] = {P + "NO_CONSENT": range(5)}

    def die(operation: str, name: str) -> None:
        if operation == "write" and name.endswith(".results.json"):
            raise KeyboardInterrupt

    google.store.after = die
    with pytest.raises(KeyboardInterrupt):
        after(google, source, 0.6)
    google.store.after = lambda operation, name: None
    assert after(google, source, 0.1)["status"] == "completed"
    assert capsys.readouterr().out.count('"event": "rows_not_counted"') == 1


@pytest.mark.parametrize("named", [True, False])
def test_an_account_that_refuses_now_is_tried_later(
    google: World, later: Later, named: bool
) -> None:
    """Rows that the account refuses now stay deferred, and are sent with the next resend."""
    later.named = named
    source = put(google, 5)
    deliver(google, source)
    later.errors["request-1"] = {TOO_RECENT: range(5)}
    after(google, source, 0.6)
    google.api.counted.clear()
    google.api.stop = Problem("PERMISSION_DENIED")
    found = after(google, source, 6)
    assert (found["status"], found["counts"]["deferred"]) == ("waiting", 5)
    google.api.stop = None
    found = after(google, source, 6)
    assert found["counts"]["uploaded"] == 5


@pytest.mark.parametrize("named", [True, False])
def test_an_account_that_refuses_until_it_is_too_late(
    google: World, later: Later, named: bool
) -> None:
    """Named rows fail. Rows that may be counted stay uploaded, with a warning."""
    later.named = named
    source = put(google, 5)
    deliver(google, source)
    later.errors["request-1"] = {TOO_RECENT: range(5)}
    after(google, source, 0.6)
    google.api.stop = Problem("PERMISSION_DENIED")
    for _ in range(10):
        found = after(google, source, 6.6)
    assert found["status"] == "completed"
    assert found["counts"]["failed" if named else "uploaded"] == 5
    assert ("NOT_SENT_AGAIN" in found["codes"]) == (not named)


def test_a_sweep_out_of_time_continues_after_its_last_chunk(google: World, later: Later) -> None:
    """Chunks whose marker was replaced are not sent a third time."""
    source = put(google, 2 * CHUNK_ROWS)
    deliver(google, source)
    later.errors = {"request-1": {TOO_RECENT: [7]}, "request-2": {TOO_RECENT: [8]}}
    after(google, source, 0.6)

    def out_of_time(number: int) -> None:
        if number == 4:
            raise RetryableError("DEADLINE")

    google.api.before = out_of_time
    after(google, source, 6)
    found = after(google, source, 0.1)
    assert google.api.batches == 5
    assert found["status"] == "completed"
    assert found["request_ids"] == ["request-1", "request-3", "request-2", "request-5"]


def test_a_sweep_that_crashes_asks_only_about_open_requests(google: World, later: Later) -> None:
    """What a crashed sweep learned is in the markers, and the last document has it all."""
    source = put(google, 2 * CHUNK_ROWS)
    deliver(google, source)
    later.errors = {"request-1": {P + "NO_CONSENT": [7]}, "request-2": {P + "NO_CONSENT": [8]}}

    def die(operation: str, name: str) -> None:
        if operation == "write" and "/chunks/000001" in name:
            raise KeyboardInterrupt

    google.store.before = die
    with pytest.raises(KeyboardInterrupt):
        after(google, source, 0.6)
    google.store.before = lambda operation, name: None
    found = after(google, source, 0.1)
    assert later.asked == ["request-1", "request-2", "request-2"]
    assert outcomes(found) == {9: "failed", CHUNK_ROWS + 10: "failed"}
    assert [each["request_id"] for each in found["processing"]["requests"]] == [
        "request-1",
        "request-2",
    ]


def test_the_file_is_gone(google: World, later: Later) -> None:
    """If the file is gone when rows are due, named rows fail."""
    source = put(google, 5)
    deliver(google, source)
    later.errors["request-1"] = {TOO_RECENT: [1]}
    after(google, source, 0.6)
    google.store.delete("in-bucket", source.name)
    found = after(google, source, 6)
    assert found["status"] == "completed"
    assert outcomes(found) == {3: "failed"}
    assert [each["code"] for each in found["rows"][0]["errors"]] == [TOO_RECENT, "SOURCE_GONE"]


def put_user_data(google: World, rows: int) -> StoredObject:
    time = (START - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    cells = [core_row(n, conversion_date_time=time, gclid="") for n in range(1, rows + 1)]
    return google.store.put("in-bucket", f"export-{rows}.csv", csv_bytes(cells))


def test_nearly_no_row_matches(
    google: World, later: Later, capsys: pytest.CaptureFixture[str]
) -> None:
    """If nearly none of 500 rows match an ad click, a note says so, and nobody is alerted."""
    source = put_user_data(google, 500)
    deliver(google, source)
    later.errors["request-1"] = {P + "CLICK_NOT_FOUND": range(498)}
    found = after(google, source, 0.6)
    assert [note["code"] for note in found["notes"]] == ["NEARLY_NO_MATCHES"]
    assert found["notes"][0]["detail"] == "2 of 500 rows"
    assert (found["counts"]["uploaded"], found["counts"]["unmatched"]) == (500, 498)
    assert found["processing"]["counts"]["not_counted"] == 0
    assert "rows_not_counted" not in capsys.readouterr().out
