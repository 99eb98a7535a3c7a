"""Adjustments on the path of a run, with fakes: refunds of a sales file, and older values."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from lib.config.profile import Profile
from lib.destinations.base import Destination
from lib.destinations.registry import capabilities_of
from lib.errors import RetryableError
from lib.followup.sweep import sweep_once
from lib.model.log import Log
from lib.model.sent_requests import RequestStatus
from lib.run.attempt import Progress
from lib.run.deliver import process_object
from lib.run.finish import next_resend
from lib.state.store import StoredObject
from tests.fakes import START, FakeApi, World, world

HEADER = "order_id,email,conversion_date_time,conversion_value,Status,Refunded at,adjusted_value"
_AT = {"adjustment_date_time": "Refunded at"}
SOLD = {"rows": {"Status": ["Paid"]}}
RESTATED = {
    "rows": {"Status": ["Refunded"], "adjusted_value": ["*"]},
    "send": "restatement",
    "columns": {**_AT, "adjusted_value": "adjusted_value"},
}
RETRACTED = {
    "rows": {"Status": ["Refunded"], "adjusted_value": [""]},
    "send": "retraction",
    "columns": _AT,
}


@dataclass(slots=True)
class Routes:
    """Connects each destination to its own fake API."""

    apis: dict[str, FakeApi]

    def connect(self, profile: Profile, log: Log) -> Destination[Any]:
        api = self.apis[profile.destination]
        api.capabilities = capabilities_of(profile.destination)
        return api


def google_with(**profile: Any) -> World:
    made = world()
    retracts = profile.get("destination") is None or profile.get("adjustments_via")
    names = ("order_id", "email", "conversion_date_time", "conversion_value")
    made.profiles["default"] |= {
        "columns": {name: name for name in names},
        "conversions": [SOLD, RESTATED, *([RETRACTED] if retracts else [])],
        "skip": {"Status": ["Open"]},
        **profile,
    }
    return made


def row(order: str, status: str, value: str = "", days: int = 1) -> str:
    sold = (START - timedelta(days=5)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    at = (START - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    return f"{order},{order.lower()}@example.com,{sold},100,{status},{at},{value}"


def deliver(google: World, name: str, *rows: str, connect: Any = None) -> dict[str, Any]:
    content = "\n".join([HEADER, *rows, ""]).encode()
    source = google.store.put("in-bucket", name, content)
    context = replace(google.context, connect=connect) if connect else google.context
    day = timedelta(hours=20)
    process_object(source, google.clock.utc(), context, time_limit_seconds=540, max_age=day)
    return document(google, source)


def document(google: World, source: StoredObject) -> dict[str, Any]:
    name = f"{source.name}.{source.generation}.results.json"
    found: dict[str, Any] = json.loads(google.store.objects["out-bucket", name][0])
    return found


def test_a_file_of_sales_carries_its_refunds() -> None:
    """Refunded rows retract or restate their orders, in the chunk of the sales."""
    google = google_with()
    found = deliver(
        google,
        "a.csv",
        row("A", "Paid"),
        row("B", "Refunded"),
        row("C", "Refunded", "80"),
        row("D", "Open"),
    )
    assert (found["counts"]["uploaded"], found["counts"]["skipped"]) == (3, 1)
    assert google.api.counted == ["A"]
    assert google.api.adjusted == [("B", None), ("C", 80.0)]
    assert google.api.batches == 2


def test_adjustments_go_to_another_destination() -> None:
    """With `adjustments_via`, each API gets its own records, named as the first one sent them."""
    google = google_with(destination="data_manager", adjustments_via="google_ads")
    routes = Routes({"data_manager": FakeApi(), "google_ads": FakeApi()})
    found = deliver(
        google, "a.csv", row("1001", "Refunded"), row("1002", "Paid"), connect=routes.connect
    )
    assert found["counts"]["uploaded"] == 2
    assert routes.apis["data_manager"].counted == ["1002"]
    assert routes.apis["google_ads"].adjusted == [("order-1001", None)]


def test_a_refusal_of_the_other_destination_defers_no_sale() -> None:
    """The sales are answered, whatever happens to the adjustments afterwards."""
    google = google_with(destination="data_manager", adjustments_via="google_ads")
    routes = Routes({"data_manager": FakeApi(), "google_ads": FakeApi()})

    def out_of_quota(number: int) -> None:
        raise RetryableError("DAILY_QUOTA", "")

    routes.apis["google_ads"].before = out_of_quota
    found = deliver(google, "a.csv", row("A", "Paid"), row("B", "Refunded"), connect=routes.connect)
    assert (found["counts"]["uploaded"], found["counts"]["deferred"]) == (1, 1)


@pytest.mark.parametrize("first", ["Paid", "Refunded"])
def test_an_older_value_is_never_sent_after_a_newer_one(first: str) -> None:
    """A deferred row is skipped if a newer file has restated its order in the meantime."""
    google = google_with(destination="data_manager")
    google.api.capabilities = capabilities_of("data_manager")
    google.api.deferred = {"A"}
    old = google.store.put(
        "in-bucket", "old.csv", f"{HEADER}\n{row('A', first, '90', days=2)}\n".encode()
    )
    day = timedelta(hours=20)
    now = google.clock.utc()
    process_object(old, now, google.context, time_limit_seconds=540, max_age=day)
    assert document(google, old)["counts"]["deferred"] == 1

    google.api.deferred = set()
    google.clock.seconds += 3600
    deliver(google, "new.csv", row("A", "Refunded", "60", days=1))
    google.clock.seconds += 6 * 3600
    sweep_once(google.context, 1500)

    found = document(google, old)
    assert (found["counts"]["skipped"], found["counts"]["deferred"]) == (1, 0)
    (listed,) = found["rows"]
    code = "SUPERSEDED_SALE" if first == "Paid" else "SUPERSEDED_ADJUSTMENT"
    assert [each["code"] for each in listed["errors"]] == [code]
    assert (google.api.counted, google.api.adjusted) == ([], [("A", 60.0)])


@pytest.mark.parametrize("via", [None, "google_ads"])
@pytest.mark.parametrize("first", ["Paid", "Refunded"])
def test_a_crash_sends_no_older_value_after_a_newer_one(first: str, via: str | None) -> None:
    """What a dead attempt has sent may still arrive: another file's newer value waits for it."""
    google = google_with(destination="data_manager", adjustments_via=via)
    routes = Routes({"data_manager": FakeApi(), "google_ads": FakeApi()})
    sales, adjustments = routes.apis["data_manager"], routes.apis[via or "data_manager"]
    context = replace(google.context, connect=routes.connect)
    (sales if first == "Paid" else adjustments).after = dies
    content = f"{HEADER}\n{row('1001', first, '90', days=2)}\n"
    old = google.store.put("in-bucket", "old.csv", content.encode())
    limits = {"time_limit_seconds": 540, "max_age": timedelta(hours=20)}
    with pytest.raises(SystemExit):
        process_object(old, START, context, **limits)
    sales.after = adjustments.after = lambda number: None
    google.clock.seconds += 30
    newer = row("1001", "Refunded", "60", days=1)
    found = deliver(google, "new.csv", newer, connect=routes.connect)
    if first == "Refunded" and via:
        assert found["counts"]["uploaded"] == 1  # the API compares the times of both
        return
    assert found["counts"]["deferred"] == 1
    assert [each["code"] for each in found["rows"][0]["errors"]] == ["ORDER_IN_PROCESS"]
    google.clock.seconds += 300
    process_object(old, START, context, **limits)
    for _ in range(5):
        google.clock.seconds += 7 * 3600
        sweep_once(context, 1500)
    assert adjustments.adjusted[-1][1] == 60
    deliver(google, "again.csv", row("1001", first, "90", days=2), connect=routes.connect)
    assert (len(sales.counted), adjustments.adjusted[-1][1]) == (first == "Paid", 60)


def dies(number: int) -> None:
    """The process ends without a word."""
    raise SystemExit


def test_a_refused_correction_overtakes_no_sale() -> None:
    """A correction that the other API has refused or deferred says nothing about the sale."""
    google = google_with(destination="data_manager", adjustments_via="google_ads")
    routes = Routes({"data_manager": FakeApi(), "google_ads": FakeApi()})
    sales, adjustments = routes.apis["data_manager"], routes.apis["google_ads"]
    sales.deferred, adjustments.deferred = {"A"}, {"A"}
    deliver(google, "sale.csv", row("A", "Paid"), connect=routes.connect)
    deliver(google, "correction.csv", row("A", "Refunded", "60"), connect=routes.connect)
    sales.deferred = set()
    google.clock.seconds += 7 * 3600
    sweep_once(replace(google.context, connect=routes.connect), 1500)
    assert sales.counted == ["A"]


def test_a_correction_that_was_never_accepted_overtakes_no_sale() -> None:
    """It was recorded before it was sent. Its refusal removes this, but not for other orders."""
    google = google_with(destination="data_manager")
    google.api.capabilities = capabilities_of("data_manager")
    google.api.deferred = {"A", "B"}
    deliver(google, "sale.csv", row("A", "Paid"), row("B", "Paid"))
    google.api.deferred, google.api.too_old = set(), {"A"}
    found = deliver(google, "new.csv", row("A", "Refunded", "60"), row("B", "Refunded", "70"))
    assert (found["counts"]["failed"], found["counts"]["uploaded"]) == (1, 1)
    google.api.too_old = set()
    google.clock.seconds += 7 * 3600
    sweep_once(google.context, 1500)
    assert (google.api.counted, google.api.adjusted) == (["A"], [("B", 70.0)])


def test_the_answer_about_sales_is_saved_before_their_adjustments_are_sent() -> None:
    """An attempt that dies in between sends no sale again, also when the sweep sends both."""
    google = google_with(destination="data_manager", adjustments_via="google_ads")
    routes = Routes({"data_manager": FakeApi(), "google_ads": FakeApi()})
    sales, adjustments = routes.apis["data_manager"], routes.apis["google_ads"]
    context = replace(google.context, connect=routes.connect)
    sales.deferred = adjustments.deferred = {"A"}
    rows = row("A", "Paid"), row("A", "Refunded", "60")
    found = deliver(google, "a.csv", *rows, connect=routes.connect)
    assert found["counts"]["deferred"] == 2

    sales.statuses = lambda ids: [RequestStatus(each, "SUCCESS") for each in ids]
    sales.deferred, adjustments.deferred, adjustments.after = set(), set(), dies
    for _ in range(2):  # the sale is sent, and then final
        google.clock.seconds += 7 * 3600
        sweep_once(context, 1500)
    google.clock.seconds += 7 * 3600
    with pytest.raises(SystemExit):
        sweep_once(context, 1500)
    adjustments.after = lambda number: None
    google.clock.seconds += 7 * 3600
    sweep_once(context, 1500)
    assert sales.counted == ["A"]
    assert adjustments.adjusted == [("A", 60.0), ("A", 60.0)]
    name = next(name for name in google.store.names("out-bucket") if name.startswith("a.csv"))
    counts = json.loads(google.store.objects["out-bucket", name.replace("html", "json")][0])
    assert counts["counts"]["uploaded"] == 2


def test_rows_wait_a_day_only_if_all_of_them_need_it() -> None:
    """An adjusted conversion of the last 24 hours does not delay other deferred rows."""
    settings, tally = world().settings, Progress().tally
    soon = START + timedelta(hours=settings.defer_hours)
    tally.outcomes["deferred"] = 2
    tally.codes["TOO_RECENT_CONVERSION"] = 1
    assert next_resend(tally, START, settings, START) == soon
    tally.codes["TOO_RECENT_CONVERSION"] = 2
    assert next_resend(tally, START, settings, START) == START + timedelta(hours=24)


def test_the_sweep_does_not_wake_for_rows_that_wait_a_day() -> None:
    """After the other rows are sent, the run is next due a day after its first results."""
    google = google_with()
    google.api.deferred, google.api.too_recent = {"A"}, {"B"}
    google.api.deferred_code = "TOO_RECENT_CONVERSION"
    deliver(google, "a.csv", row("A", "Refunded"), row("B", "Paid"))
    google.api.too_recent = set()
    google.clock.seconds += 6 * 3600
    sweep_once(google.context, 1500)
    assert google.api.counted == ["B"]
    opened = len(google.store.calls)
    google.clock.seconds += 6 * 3600
    sweep_once(google.context, 1500)
    assert ("read", "a.csv") not in google.store.calls[opened:]
    google.api.deferred = set()
    google.clock.seconds += 12 * 3600
    sweep_once(google.context, 1500)
    assert google.api.adjusted == [("A", None)]


def test_an_adjustment_of_an_unknown_order_fails_after_two_days() -> None:
    """Its sale may have come only now, or come later; then it is sent. Otherwise, it has failed."""
    google = google_with()
    google.api.deferred, google.api.deferred_code = {"A", "B"}, "CONVERSION_NOT_FOUND"
    content = f"{HEADER}\n{row('A', 'Refunded')}\n{row('B', 'Refunded')}\n"
    source = google.store.put("in-bucket", "a.csv", content.encode())
    limits = {"time_limit_seconds": 540, "max_age": timedelta(hours=20)}
    process_object(source, START, google.context, **limits)
    google.clock.seconds += 25 * 3600
    google.api.deferred = {"B"}
    sweep_once(google.context, 1500)
    assert document(google, source)["counts"]["deferred"] == 1
    google.clock.seconds += 24 * 3600
    sweep_once(google.context, 1500)
    counts = document(google, source)["counts"]
    assert (counts["uploaded"], counts["deferred"], counts["failed"]) == (1, 0, 1)
    assert google.api.adjusted == [("A", None)]


TEMPLATE = (
    "Order ID,Conversion Name,Adjustment Time,Adjustment Type,Adjusted Value,"
    "Adjusted Value Currency"
)


def test_googles_template_says_what_each_row_is() -> None:
    """A profile without columns and conversions sends adjustments if the names say so."""
    google = world()
    google.profiles["default"]["action"] = "Phone sale"
    at = (START - timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    source = google.store.put(
        "in-bucket", "a.csv", f"{TEMPLATE}\nA,Phone sale,{at},RETRACT,,\n".encode()
    )
    day = timedelta(hours=20)
    process_object(source, START, google.context, time_limit_seconds=540, max_age=day)
    found = document(google, source)
    assert found["file_error"] is None
    assert (found["counts"]["rows"], found["counts"]["uploaded"]) == (1, 1)
    assert google.api.adjusted == [("A", None)]


@pytest.mark.parametrize("rows", [("Refunded",), ("Refunded", "Paid")])
def test_only_what_awaits_an_answer_is_waited_for(rows: tuple[str, ...]) -> None:
    """The results of adjustments are final at once if they went to an API that answers at once."""
    google = google_with(destination="data_manager", adjustments_via="google_ads")
    routes = Routes({"data_manager": FakeApi(), "google_ads": FakeApi()})
    lines = [row(f"A{at}", status) for at, status in enumerate(rows)]
    found = deliver(google, "a.csv", *lines, connect=routes.connect)
    assert (found.get("processing") is not None) == ("Paid" in rows)
    pending = [name for name in google.store.names("out-bucket") if "/waiting/" in name]
    assert len(pending) == ("Paid" in rows)
