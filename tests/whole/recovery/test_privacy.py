"""Planted cells go through every fault, and none of them is found anywhere afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.rows import CORE_COLUMNS, core_row, csv_bytes
from tests.whole.recovery.conftest import PROFILES, running_function
from tests.whole.recovery.files import FOLDERS, UPLOADS
from tests.whole.recovery.test_faults import ALONE, KILLS, SECRET, STORAGE_CALLS, TOKEN, Rule

COLUMNS = (
    *CORE_COLUMNS, "email_2", "phone_2", "first_name", "last_name", "street", "city", "region",
    "postal_code", "country_code", "user_ip_address", "notes",
)  # fmt: skip
MARK = "zqxplanted"


def planted(number: int) -> dict[str, str]:
    """Return a row whose cells with user data are all recognizable; some of them are invalid."""
    row = core_row(
        number,
        email=f"{MARK}.e{number}@example.com",
        phone=f"+1 (212) 555-{100 + number % 100:04d}",
        email_2=f"{MARK}.second{number}@example.com",
        phone_2=f"212-555-{100 + number % 100:04d}",
        first_name=f"{MARK}first{number}",
        last_name=f"{MARK}last{number}",
        street=f"{number} {MARK} street",
        city=f"{MARK}city",
        region=f"{MARK}region",
        postal_code=f"{MARK}{number}",
        country_code="US",
        user_ip_address=f"203.0.113.{number % 250}",
        notes=f"{MARK} called twice",
    )
    match number % 12:
        case 1:
            row["email"] = f"{MARK}-no-address-{number}"
        case 2:
            row |= {"gclid": "", "email": f"{MARK} at nowhere", "phone": f"{MARK}", "email_2": "",
                    "phone_2": "555-01"}  # fmt: skip
        case 3:
            row["order_id"] = f"{MARK}.order{number}@example.com"
        case 4:
            row["conversion_date_time"] = f"{MARK} yesterday"
        case 5:
            row["conversion_value"] = f"{MARK} dollars"
        case 6:
            row["gclid"] = f"{MARK}@example.com"
        case 7:
            row["country_code"] = f"{MARK}land"
        case 8:
            row["ad_user_data"] = f"{MARK} agrees"
        case 9:
            row["user_ip_address"] = f"{MARK}.ip"
        case 10:
            row["conversion_action"] = f"{MARK} action"
        case 11:
            row["currency_code"] = f"{MARK}"
        case _:
            row |= {"gclid": "", "order_id": ""}
    return row


def planted_file(name: str) -> bytes:
    rows = [{**planted(number), "order_id": f"{name}-{number}"} if number % 12 not in (0, 3)
            else planted(number) for number in range(1, 411)]  # fmt: skip
    return csv_bytes(rows, COLUMNS)


PLANTED = re.compile(
    rf"{MARK}|(?<!\d)1?[-. (+]*212[-. )]*555[-. ]*01\d\d(?!\d)|203\.0\.113\.\d", re.IGNORECASE
)
"""A number may touch a letter: in a serialized message, the next field's tag can be one."""


def found(google: Sandbox) -> dict[str, int]:
    """Count the planted cells by place: in the log, in the output bucket, and in requests."""
    texts = {"function log": google.function_output()}
    for blob in google.storage_client().bucket(OUTPUT_BUCKET).list_blobs():
        texts[blob.name] = blob.name + blob.download_as_bytes().decode()
    for request, body in google.state.request_bodies():
        # Google gets only digests, except IP addresses, which are sent if the account may do this,
        # and postal codes, which the Data Manager API needs as they are.
        text = re.sub(rf"203\.0\.113\.\d+|{MARK}\d+", "", body.decode("utf-8", errors="replace"))
        texts[f"{request.method} {request.request_id}"] = text
    counts = {place: len(PLANTED.findall(text)) for place, text in texts.items()}
    return {place: count for place, count in counts.items() if count}


def every_fault() -> list[Rule]:
    """Return all faults: the n-th rule of a method applies to the n-th call of this method.

    Every other call before a connection succeeds, because Google's libraries double their waits.
    """
    rules: list[Rule] = []
    for method in sorted({rule["method"] for rule in ALONE}):
        of_method = [rule for rule in ALONE if rule["method"] == method]
        if method in (*UPLOADS.values(), *STORAGE_CALLS):
            of_method += [{"method": method, **kill} for kill in KILLS]
        step = 2 if method in (SECRET, TOKEN) else 1
        rules += [{**rule, "nth": 1 + step * n} for n, rule in enumerate(of_method)]
    return rules


@pytest.fixture
def readable(google: Sandbox) -> Iterator[Sandbox]:
    """Both APIs get rows of an account that can be read: otherwise a name of an action, which some
    rows have, stops the file."""
    google.set_profiles(DEFAULT_PROFILES)
    yield google
    google.set_profiles(PROFILES)


def test_no_planted_cell_is_found_after_any_fault(
    readable: Sandbox, new_name: Callable[..., str]
) -> None:
    """Results, state, log, exceptions and requests to Google contain no raw user data."""
    google = readable
    google.delivery.set(concurrency=6)
    google.faults.set(every_fault())
    for turn in range(12):
        assert google.function is not None
        for route in FOLDERS:
            name = new_name(route)
            _, generation = google.drop(planted_file(name), name)
        if turn > 3:
            assert google.delivery.wait_until_idle()
            google.function.kill(google.function.instances)  # a new one asks for secret and token
        if all(rule["fired"] for rule in google.faults.fired()):
            break
    assert google.delivery.wait_until_idle()
    assert [rule for rule in google.faults.fired() if not rule["fired"]] == []
    # The file had rows of every kind: sent, sent with a warning, and rejected.
    codes = set(google.results(name, generation)["codes"])
    assert {"INVALID_EMAIL", "INVALID_DATE", "INVALID_ORDER_ID"} <= codes
    assert google.state.accepted
    assert not found(google)


@pytest.mark.parametrize("way, place", [
    ("log", "function log"),
    ("exception", "function log"),
    ("outcome", "/chunks/"),
    ("outcome", ".results.json"),
    ("outcome", ".results.html"),
])  # fmt: skip
def test_a_leak_is_noticed(
    leaky: Sandbox, new_name: Callable[..., str], way: str, place: str
) -> None:
    """The same search finds the leaks of a function that leaks on purpose."""
    before = found(leaky)
    name = new_name()
    rows = [core_row(n, order_id=f"{name}-{n}") for n in range(1, 210)]
    rows[7]["email"] = f"{MARK}@example.com leak by {way}"
    # Not read with `google.results`, because a document with a leak is not valid.
    leaky.drop(csv_bytes(rows), name)
    assert leaky.delivery.wait_until_idle()
    assert any(count > before.get(at, 0) for at, count in found(leaky).items() if place in at)


@pytest.fixture(scope="module")
def leaky() -> Iterator[Sandbox]:
    """A function that leaks if a cell asks for it."""
    with running_function({"LEAK": "1"}) as running:
        yield running
