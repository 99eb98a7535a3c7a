"""Planted numbers of callers go through every fault on both routes, and none is found afterwards.

The Google Ads API needs the numbers plain. So they are in its requests by design, and nowhere else:
not even in what is kept of Google's errors, which quote them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import Sandbox
from tests.rows import csv_bytes
from tests.whole.recovery.conftest import empty
from tests.whole.recovery.test_data_manager_recovery import API_RULES as LATER_API_RULES
from tests.whole.recovery.test_faults import (
    API_RULES,
    KILLS,
    STORAGE_CALLS,
    STORAGE_RULES,
    Rule,
)
from tests.whole.recovery.test_privacy import MARK, found

UPLOAD_CALLS = "google_ads.UploadCallConversions"
INGEST = "data_manager.IngestEvents"
COLUMNS = (
    "Caller's Phone Number", "Call Start Time", "Conversion Name", "Conversion Time",
    "Conversion Value", "Conversion Currency",
)  # fmt: skip
ACTION = {"customer_id": "1234567890", "conversion_action": "1012"}
PROFILES = {
    "default": {"destination": "google_ads", "phone_region": "US", **ACTION},
    "data_manager": {"destination": "data_manager", "phone_region": "US", **ACTION},
}
ROWS = 210  # two chunks
FORMS = ("+1212555{:04d}", "+1 (212) 555-{:04d}", "212-555-{:04d}", "(212) 555 {:04d}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row: what is wrong in it, and the outcome. `unknown`: Google has no such call."""

    outcome: str
    cells: dict[str, str]
    unknown: bool = False


KINDS = (
    Kind("counted", {}),
    Kind("counted", {}),
    Kind("rejected", {"Caller's Phone Number": f"{MARK} caller"}),
    Kind("rejected", {"Caller's Phone Number": ""}),
    Kind("rejected", {"Call Start Time": "+1 212 555-0177"}),
    Kind("rejected", {"Conversion Time": f"{MARK} yesterday"}),
    Kind("rejected", {"Conversion Value": "212-555-0177"}),
    Kind("failed", {}, unknown=True),
)


@dataclass(frozen=True, slots=True)
class CallFile:
    """A file of calls, the outcome of each row, and the calls that Google connected."""

    content: bytes
    outcomes: list[str]
    calls: list[tuple[str, datetime]]


def make_file(
    number: int, folder: str | None, rows: int = ROWS, more: tuple[str, ...] = ()
) -> CallFile:
    """Google's template as it comes. Each file has other calls; each row another value. The cells
    of the columns `more` contain user data too.

    The Data Manager API does not know the names of conversion actions, only their IDs.
    """
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=number)
    table, calls = [], []
    for row in range(1, rows + 1):
        kind = KINDS[row % len(KINDS)]
        line = 100 + row % 100
        start = now - timedelta(days=5, seconds=row)
        table.append(
            {
                "Caller's Phone Number": FORMS[row % len(FORMS)].format(line),
                "Call Start Time": f"{start:%Y-%m-%d %H:%M:%S}",
                "Conversion Name": "1012" if folder else "Call sale",
                "Conversion Time": f"{start + timedelta(days=1):%Y-%m-%d %H:%M:%S}",
                "Conversion Value": f"{row}.25",
                "Conversion Currency": "USD",
                **dict.fromkeys(more, f"{MARK}.{row}@example.com"),
                **kind.cells,
            }
        )
        if not kind.unknown:
            calls.append((f"+1212555{line:04d}", start))
    later = "uploaded"  # this API finds out when it processes the call
    outcomes = [
        later if kind.unknown and folder else kind.outcome
        for kind in (KINDS[row % len(KINDS)] for row in range(1, rows + 1))
    ]
    content = b"Parameters:TimeZone=Etc/UTC\r\n" + csv_bytes(table, (*COLUMNS, *more))
    return CallFile(content, outcomes, calls)


@pytest.fixture
def google(google: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox, emptied, with an action for calls on both routes."""
    empty(google)
    google.set_profiles(PROFILES)
    yield google
    google.set_profiles(DEFAULT_PROFILES)
    with google.state.lock:
        google.state.calls.clear()


def drop(
    google: Sandbox, file: CallFile, name: str, folder: str | None
) -> Callable[[], dict[str, Any]]:
    google.state.register_calls(file.calls)
    dropped, generation = google.drop(file.content, name, folder)
    return lambda: google.results(dropped, generation)


def check(google: Sandbox, file: CallFile, document: dict[str, Any], seen: int) -> None:
    """Every row has one right outcome, and Google has each call that counts once."""
    assert document["file_error"] is None, document["file_error"]
    listed = {row["record"]: row["outcome"] for row in document["rows"]}
    for record, expected in enumerate(file.outcomes, start=1):
        outcome = listed.get(record, "uploaded")
        right = {"uploaded", "duplicate"} if expected == "counted" else {expected}
        assert outcome in right, (record, outcome, document["codes"])
    accepted = list(google.state.accepted)[seen:]
    counted = Counter(int(each.as_json()["conversion"]["conversion_value"]) for each in accepted)
    must = [record for record, each in enumerate(file.outcomes, 1) if each == "counted"]
    assert counted == Counter(must)


ROUTES: list[tuple[str | None, str, list[Rule]]] = [
    (None, UPLOAD_CALLS, [*API_RULES, {
        "kind": "row_error", "rows": [0], "error": "conversion_upload_error.999",
        "message": "The number +1 212-555-0177 and zqxplanted@example.com are in this text."}]),
    ("data_manager", INGEST, LATER_API_RULES),
]  # fmt: skip


@pytest.mark.parametrize(("folder", "method", "rules"), ROUTES, ids=["Google Ads", "Data Manager"])
def test_no_planted_number_is_found_after_any_fault(
    google: Sandbox,
    new_name: Iterator[str],
    folder: str | None,
    method: str,
    rules: list[Rule],
) -> None:
    """Results, ledger, log and exceptions have no number; requests only where Google needs it."""
    of_api = [{"method": method, "nth": n, **rule} for n, rule in enumerate([*rules, *KILLS], 1)]
    of_storage = [
        {"method": each, "nth": 2 + 2 * n, **rule}
        for each in STORAGE_CALLS
        for n, rule in enumerate([*STORAGE_RULES, *KILLS])
    ]
    google.faults.set([*of_api, *of_storage])
    for number in range(12):
        file = make_file(number, folder, more=("Email", "Notes"))
        document = drop(google, file, next(new_name), folder)
        assert google.delivery.wait_until_idle()
        document()
        if all(rule["fired"] for rule in google.faults.fired()[: len(of_api)]):
            break
    assert all(rule["fired"] for rule in google.faults.fired()[: len(of_api)])
    assert not found(google, by_design={UPLOAD_CALLS})
    if method == UPLOAD_CALLS:
        assert found(google), "the search sees the numbers in the requests"
    bodies = (body for _, body in google.state.request_bodies())
    assert not any(MARK.encode() in body for body in bodies), "an email address next to a number"


@pytest.mark.parametrize(("folder", "method"), [route[:2] for route in ROUTES])
def test_googles_template_of_calls(
    google: Sandbox, new_name: Iterator[str], folder: str | None, method: str
) -> None:
    """It needs no more in the profile than account and action; every row has one outcome."""
    file = make_file(100, folder)
    seen = len(google.state.accepted)
    document = drop(google, file, next(new_name), folder)
    assert google.delivery.wait_until_idle()
    check(google, file, document(), seen)


@pytest.mark.parametrize(("folder", "method"), [route[:2] for route in ROUTES])
@pytest.mark.parametrize("kind", ["kill_after", "internal_after_commit"])
def test_calls_that_are_sent_twice(
    google: Sandbox, new_name: Iterator[str], folder: str | None, method: str, kind: str
) -> None:
    """After a crash between answer and marker, calls are sent again and count once."""
    google.faults.set([{"method": method, "nth": 1, "kind": kind}])
    file = make_file(200 + len(kind) + len(method), folder)
    seen = len(google.state.accepted)
    document = drop(google, file, next(new_name), folder)
    assert google.delivery.wait_until_idle()
    assert google.faults.fired()[0]["fired"]
    check(google, file, document(), seen)
