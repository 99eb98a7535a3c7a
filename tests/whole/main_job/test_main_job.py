"""The main job in the sandbox: a file is dropped, its rows arrive, the results add up."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.rows import CORE_COLUMNS, core_row, csv_bytes
from tests.workbooks import Cell, Number, workbook

UPLOAD = "UploadClickConversions"


def deliver(google: Sandbox, content: bytes, name: str = "export.csv") -> dict[str, Any]:
    """Drop a file and wait for its results document."""
    return google.results(*google.drop(content, name))


def row_of(results: dict[str, Any], line: int) -> dict[str, Any]:
    (row,) = [row for row in results["rows"] if row["line"] == line]
    return row


def uploads(google: Sandbox) -> list[Any]:
    return [each for each in google.state.requests if each.method.endswith(UPLOAD)]


def test_good_and_bad_rows_end_with_one_outcome_each(google: Sandbox) -> None:
    """Valid rows are uploaded, and bad ones are rejected with code, field, message and action."""
    rows = [core_row(n) for n in range(1, 8)]
    rows[2] = core_row(3, conversion_date_time="yesterday")
    rows[4] = core_row(5, gclid="", email="nobody", phone="12")
    results = deliver(google, csv_bytes(rows))
    assert results["counts"] == {
        "rows": 7,
        "uploaded": 5,
        "duplicate": 0,
        "rejected": 2,
        "failed": 0,
        "deferred": 0,
        "skipped": 0,
        "not_attempted": 0,
        "warnings": 1,
    }
    assert results["status"] == "completed"
    bad_date = row_of(results, 4)
    assert bad_date["outcome"] == "rejected"
    assert bad_date["errors"][0]["code"] == "INVALID_DATE"
    assert bad_date["errors"][0]["field"] == "conversion_date_time"
    assert results["codes"]["INVALID_DATE"]["action"]
    assert results["columns"]["conversion_date_time"] == "conversion_date_time"
    assert bad_date["record"] == 3
    assert "yesterday" not in json.dumps(results)
    assert row_of(results, 6)["errors"][0]["code"] == "NO_CLICK_ID_OR_IDENTIFIER"
    assert len(google.state.accepted) == 5


def test_requests_are_cut_at_2000_and_share_one_job(google: Sandbox) -> None:
    """4,001 rows are sent in three requests with partial failure enabled and one job ID."""
    results = deliver(google, csv_bytes(core_row(n) for n in range(1, 4002)))
    assert results["counts"]["uploaded"] == 4001
    assert sorted(request.conversions for request in uploads(google)) == [1, 2000, 2000]
    assert {request.job_id for request in uploads(google)} == {results["job_id"]}
    assert len(results["request_ids"]) == 3


def test_every_core_column_arrives(google: Sandbox) -> None:
    """Every core column arrives in its field, and identifiers are hashed, one per message."""
    deliver(google, csv_bytes([core_row(1, ad_user_data="Denied", conversion_value="1,234.50")]))
    (entry,) = list(google.state.conversions())
    conversion = entry["conversion"]
    assert conversion["gclid"] == "Cj0KCQiAexample00000001"
    assert conversion["conversion_action"] == "customers/1234567890/conversionActions/1001"
    assert conversion["conversion_value"] == 1234.5
    assert conversion["currency_code"] == "USD"
    assert conversion["order_id"] == "order-1"
    assert conversion["consent"] == {"ad_user_data": "DENIED"}
    email, phone = conversion["user_identifiers"]
    first_party = {"user_identifier_source": "FIRST_PARTY"}
    assert email == {**first_party, "hashed_email": _sha256("buyer.1@example.com")}
    assert phone == {**first_party, "hashed_phone_number": _sha256("+12125550101")}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("field", ["gbraid", "wbraid"])
def test_a_braid_replaces_a_gclid(google: Sandbox, field: str) -> None:
    """A row without gclid is uploaded with its gbraid or wbraid."""
    deliver(google, csv_bytes([core_row(1, gclid="", **{field: "0AAAAAexample_braid-1"})]))
    (entry,) = list(google.state.conversions())
    assert entry["conversion"][field] == "0AAAAAexample_braid-1"
    assert "gclid" not in entry["conversion"]


@pytest.mark.parametrize("action", ["1001", "customers/1234567890/conversionActions/1001"])
def test_actions_by_id_or_resource_name(google: Sandbox, action: str) -> None:
    """A conversion action may be given by its ID or its resource name."""
    results = deliver(google, csv_bytes([core_row(1, conversion_action=action)]))
    assert results["counts"]["uploaded"] == 1


# ── partial failures are reported at the right lines ─────────────────────────────────────────


def test_a_partial_failure_in_the_second_chunk_has_the_right_line(google: Sandbox) -> None:
    """Index 0 of the second chunk's request is row 2,001, which is line 2,002 of the file."""
    error = "conversion_upload_error.EVENT_NOT_FOUND"
    rows = [core_row(n) for n in range(1, 2004)]
    rows[2000]["gclid"] = "Cj0KCQiAchosen000000"
    google.state.clear()
    google.faults.set(
        [{"method": UPLOAD, "kind": "row_error", "nth": 2, "rows": [0], "error": error}]
    )
    results = deliver(google, csv_bytes(rows))
    failed = [row for row in results["rows"] if row["outcome"] == "failed"]
    assert len(failed) == 1
    assert failed[0]["errors"][0]["code"] == "EVENT_NOT_FOUND"
    assert failed[0]["line"] in (2, 2002)  # whichever request came second
    assert results["counts"]["uploaded"] == 2002


def test_two_errors_of_one_row_are_both_listed(google: Sandbox) -> None:
    """A row with two errors has one outcome and both codes."""
    google.faults.set(
        [
            {
                "method": UPLOAD,
                "kind": "row_error",
                "rows": [1],
                "error": [
                    "conversion_upload_error.EVENT_NOT_FOUND",
                    "conversion_upload_error.UNPARSEABLE_GCLID",
                ],
            }
        ]
    )
    results = deliver(google, csv_bytes(core_row(n) for n in range(1, 4)))
    row = row_of(results, 3)
    assert row["outcome"] == "failed"
    assert {error["code"] for error in row["errors"]} == {"EVENT_NOT_FOUND", "UNPARSEABLE_GCLID"}
    assert results["counts"]["failed"] == 1


def test_an_error_without_index_fails_every_row_of_its_request(google: Sandbox) -> None:
    """An error without an index fails every row of its request, so none is `uploaded`."""
    google.faults.set(
        [
            {
                "method": UPLOAD,
                "kind": "error_without_index",
                "error": "conversion_upload_error.EVENT_NOT_FOUND",
            }
        ]
    )
    results = deliver(google, csv_bytes(core_row(n) for n in range(1, 4)))
    assert results["counts"]["uploaded"] == 0
    assert results["counts"]["failed"] == 3


def test_an_error_on_a_nested_identifier_has_the_right_line(google: Sandbox) -> None:
    """The path conversions[2].user_identifiers[1] means index 2, not index 1."""
    google.faults.set(
        [
            {
                "method": UPLOAD,
                "kind": "row_error",
                "rows": [2],
                "error": "conversion_upload_error.INVALID_USER_IDENTIFIER",
                "path": "user_identifiers[1]",
            }
        ]
    )
    results = deliver(google, csv_bytes(core_row(n) for n in range(1, 6)))
    assert row_of(results, 4)["errors"][0]["code"] == "INVALID_USER_IDENTIFIER"
    assert results["counts"]["failed"] == 1


def test_a_code_newer_than_the_client_is_a_permanent_failure(google: Sandbox) -> None:
    """An unknown error number is reported unchanged, with a default action."""
    google.faults.set(
        [
            {
                "method": UPLOAD,
                "kind": "row_error",
                "rows": [0],
                "error": "conversion_upload_error.9999",
            }
        ]
    )
    results = deliver(google, csv_bytes([core_row(1), core_row(2)]))
    row = row_of(results, 2)
    assert row["outcome"] == "failed"
    assert "9999" in row["errors"][0]["code"]
    assert results["codes"][row["errors"][0]["code"]]["action"]


def test_a_repeat_of_a_refused_row_is_not_a_duplicate(google: Sandbox) -> None:
    """A repeat of a refused row is rejected with an action, because neither row is counted."""
    google.faults.set([{"method": UPLOAD, "kind": "row_error", "rows": [0]}])
    again = core_row(3, order_id=core_row(1)["order_id"])  # another click
    results = deliver(google, csv_bytes([core_row(1), again, core_row(2)]))
    assert row_of(results, 2)["outcome"] == "failed"
    repeat = row_of(results, 3)
    assert repeat["outcome"] == "rejected"
    (error,) = repeat["errors"]
    assert error["code"] == "REPEATED_REFUSED_LINE"
    assert error["detail"].startswith("line 2, which this row repeats, was refused")
    advice = results["codes"]["REPEATED_REFUSED_LINE"]["action"]
    assert advice.startswith("Correct or remove the earlier line")
    assert results["counts"]["duplicate"] == 0


# ── files that cannot be used ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
        (b"\r\n\r\n", "EMPTY_FILE"),
        (",".join(CORE_COLUMNS).encode() + b"\r\n", "NO_ROWS"),
        (b"Cj0KCQiAexample,x@example.com,2026-11-01 10:00:00\r\n" * 2, "NO_HEADER"),
        (b"first_name,country_code\r\na,b\r\n", "NO_USABLE_COLUMN"),
        (b"colour,size\r\na,b\r\n", "NO_HEADER"),
    ],
)
def test_an_unusable_file_has_one_attempt_and_one_error(
    google: Sandbox, content: bytes, code: str
) -> None:
    """The file has one error with an action, the event is acknowledged, and nothing is uploaded."""
    name, generation = google.drop(content, "export.csv")
    results = google.results(name, generation)
    assert results["file_error"]["code"] == code
    assert results["codes"][code]["action"]
    assert results["status"] == "stopped"
    assert "x@example.com" not in json.dumps(results)
    assert google.delivery.wait_until_idle()
    (record,) = google.delivery.records()
    assert record.acknowledged
    assert len(record.attempts) == 1
    assert not uploads(google)


def test_a_wrong_customer_stops_before_any_upload(google: Sandbox) -> None:
    """An unusable account is a file error with an action, and every row is `not_attempted`."""
    google.set_profiles(
        {
            "default": {
                "destination": "google_ads",
                "customer_id": "3333333333",
                "conversion_action": "1001",
            }
        }
    )
    results = deliver(google, csv_bytes(core_row(n) for n in range(1, 4)))
    assert results["file_error"]["code"] == "USER_PERMISSION_DENIED"
    assert results["counts"]["not_attempted"] == results["counts"]["rows"] == 3
    assert not uploads(google)


@pytest.mark.parametrize(
    ("customer", "code"),
    [
        ("4444444444", "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"),
        ("5555555555", "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"),
        ("6666666666", "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"),
    ],
)
def test_an_account_that_is_not_ready_stops_the_file(
    google: Sandbox, customer: str, code: str
) -> None:
    """Missing data terms, enhanced conversions or allowlisting are one error of the file."""
    google.set_profiles(
        {
            "default": {
                "destination": "google_ads",
                "customer_id": customer,
                "conversion_action": "1001",
            }
        }
    )
    results = deliver(google, csv_bytes(core_row(n) for n in range(1, 4)))
    assert results["file_error"]["code"] == code
    assert results["counts"]["uploaded"] == 0
    assert results["counts"]["rows"] == 3
    assert not google.state.accepted


@pytest.mark.parametrize(
    ("secret", "refuse_tokens", "code"),
    [
        (b"just a password", False, "SECRET_INVALID"),
        (b"use_proto_plus: true", False, "SECRET_INVALID"),
        (b"\xff\xfe", False, "SECRET_INVALID"),
        (b"json_key: 5", False, "SECRET_INVALID"),
        (None, True, "CREDENTIALS_REFUSED"),
    ],
)
def test_a_wrong_secret_stops_the_file(
    google: Sandbox, secret: bytes | None, refuse_tokens: bool, code: str
) -> None:
    """Wrong credentials are reported without being shown, and nothing is uploaded. Once they are
    corrected, the next file is uploaded."""
    name = google.apis.secret_version.rpartition("/versions/")[0]
    good, with_key = google.apis.google_ads_yaml, google.apis.google_ads_key_yaml
    google.function.kill()  # a fresh instance, which has no connection yet
    google.state.set_secret(name, secret or with_key.encode())
    google.state.refuse_tokens = refuse_tokens
    try:
        results = deliver(google, csv_bytes(core_row(n) for n in range(1, 4)))
        assert google.delivery.wait_until_idle()
        (record,) = google.delivery.records()
        assert not uploads(google)
        google.state.set_secret(name, good.encode())
        google.state.refuse_tokens = False
        second = deliver(google, csv_bytes([core_row(1)]), "second.csv")
    finally:
        google.state.set_secret(name, good.encode())
        google.state.refuse_tokens = False
        google.function.kill()
    assert results["file_error"]["code"] == code
    assert results["counts"]["not_attempted"] == 3
    assert "password" not in json.dumps(results) + google.function_output()
    assert record.acknowledged
    assert second["counts"]["uploaded"] == 1


def test_an_unknown_profile_names_the_known_ones(google: Sandbox) -> None:
    """A folder without a profile is a file error that lists the profiles; no account is guessed."""
    name, generation = google.drop(csv_bytes([core_row(1)]), "export.csv", folder="nobody")
    results = google.results(name, generation)
    assert results["file_error"]["code"] == "UNKNOWN_PROFILE"
    assert "default" in results["file_error"]["detail"]


@pytest.mark.parametrize("name", ["upload.csv.filepart", ".hidden.csv", "export.csv.ok"])
def test_objects_with_other_names_are_ignored(google: Sandbox, name: str) -> None:
    """An ignored object gets a log line and a 2xx, but no results document."""
    google.drop(b"half a fi", name)
    assert google.delivery.wait_until_idle()
    (record,) = google.delivery.records()
    assert record.acknowledged
    names = [blob.name for blob in google.storage_client().list_blobs(OUTPUT_BUCKET)]
    assert names == []
    assert "object_ignored" in google.function_output()


def test_an_object_with_another_name_gets_a_results_document(google: Sandbox) -> None:
    """A file that cannot be read by its name ends with a file error, an alert and a 2xx."""
    name, generation = google.drop(b"PK\x03\x04", "export.zip")
    results = google.results(name, generation)
    assert results["status"] == "stopped"
    assert results["counts"]["rows"] == 0
    assert results["file_error"]["code"] == "FILE_NAME_NOT_ACCEPTED"
    assert "an archive; unpack it" in results["file_error"]["detail"]
    assert google.delivery.wait_until_idle()
    (record,) = google.delivery.records()
    assert record.acknowledged
    assert '"event": "run_stopped"' in google.function_output()


def test_a_workbook_is_uploaded(google: Sandbox) -> None:
    """Its dates, numbers and texts arrive as a person sees them, and lines are rows in Excel."""
    columns = ["gclid", "conversion_action", "conversion_date_time", "conversion_value", "order_id"]
    when = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(days=3)
    rows: list[list[Cell]] = [
        ["Cj0KCQiAexample0001", "1001", when, Number(1270.5, "#,##0.00"), 1001.0],
        [],
        ["Cj0KCQiAexample0002", "1001", when, Number(-5, "0.00"), "A-2"],
    ]
    name, generation = google.drop(workbook([columns, *rows], name="Won"), "won.xlsx")
    results = google.results(name, generation)
    assert (results["counts"]["uploaded"], results["counts"]["rejected"]) == (1, 1)
    (rejected,) = results["rows"]
    assert rejected["line"] == 4
    (accepted,) = google.state.accepted
    conversion = accepted.as_json()["conversion"]
    assert (conversion["order_id"], conversion["conversion_value"]) == ("1001", 1270.5)


# ── privacy ──────────────────────────────────────────────────────────────────────────────────


def test_no_raw_user_data_leaves_the_file(google: Sandbox) -> None:
    """No address or phone number appears in results, ledger, log or requests."""
    rows = [core_row(n) for n in range(1, 2100)]
    rows[10] = core_row(11, conversion_value="-5")
    rows[11] = core_row(12, email="Spaced. Out @example.com", phone="not a number")
    rows[12] = core_row(13, order_id="buyer.13@example.com")
    google.state.keep_bodies = True
    google.state.clear()
    deliver(google, csv_bytes(rows))
    markers = ["buyer.", "@example.com", "212-555", "2125550", "Spaced", "not a number"]
    kept = [google.function_output().encode()]
    for blob in google.storage_client().list_blobs(OUTPUT_BUCKET):
        kept.append(blob.download_as_bytes())
    kept += [body for _, body in google.state.request_bodies()]
    assert len(kept) > 5
    for marker in markers:
        assert not [each for each in kept if marker.encode() in each], marker


def test_an_event_without_a_size_is_processed(google: Sandbox) -> None:
    """A manual event without a size is processed; the file is not mistaken for an empty one."""
    google.delivery.set(drop=True)
    name, generation = google.drop(csv_bytes([core_row(1)]), "export.csv")
    body = {"bucket": "sandbox-input", "name": name, "generation": str(generation)}
    request = urllib.request.Request(
        google.description()["function_url"],
        json.dumps(body).encode(),
        {
            "content-type": "application/json",
            "ce-specversion": "1.0",
            "ce-id": "1",
            "ce-type": "google.cloud.storage.object.v1.finalized",
            "ce-source": "//storage.googleapis.com/projects/_/buckets/sandbox-input",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    results = google.results(name, generation)
    assert results["counts"]["uploaded"] == 1
    assert results["source"]["size"] > 0


def test_a_wrong_header_counts_the_rows_below_it(google: Sandbox) -> None:
    """If the header has two columns for one field, every row is `not_attempted`."""
    columns = (*CORE_COLUMNS, "E-mail")
    rows = [core_row(n) | {"E-mail": ""} for n in range(1, 4)]
    results = deliver(google, csv_bytes(rows, columns))
    assert results["file_error"]["code"] == "DUPLICATE_COLUMN"
    assert "E-mail" in results["file_error"]["detail"]
    assert results["counts"]["rows"] == results["counts"]["not_attempted"] == 3
