"""Histories of sales and their corrections: what is an order worth at Google in the end?

Each one ends with the judgement of `tests.histories.oracle`, as all histories do.
"""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from lib.model.records import Conversion
from lib.model.sent_requests import RequestStatus
from lib.run.deliver import deliver as deliver_object
from tests.fakes import SOLD_AT, START, deliver, sweep, world
from tests.histories.files import AGAIN, NAMES, REDUCED, REFUNDED, SalesRow, sales
from tests.histories.google import Verdict
from tests.histories.oracle import Oracle
from tests.histories.platform import DAY, HOUR
from tests.histories.playing import played
from tests.histories.processes import Interruption
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

EXPORT, NIGHT, CHANGES, _ = NAMES
SALE, CHANGE = SalesRow(0), SalesRow(0, REDUCED)
MAX_CALLS = 60


def worth(history: Oracle, sale: int = 0) -> object:
    """Return what Google holds for a sale."""
    return history.platform.google.value_of(SalesRow(sale))


def sold(history: Oracle, *numbers: int) -> None:
    """Let sales come, and Google process them."""
    history.upload(EXPORT, sales(*numbers))
    history.platform.wait(DAY)


def test_of_two_changes_of_one_time_the_last_saved_one_counts() -> None:
    """Two files of one day have the same date. The row of the first one is sent again with the
    value of the second one, and does not become the newest by that."""
    google = world()
    google.use_destination("data_manager")
    google.profiles["default"]["conversions"] = [{"send": "restatement"}]
    cells = {"order_id": "a", "conversion_date_time": SOLD_AT, "conversion_value": ""}
    changed_at = f"{START - timedelta(days=1):%Y-%m-%d %H:%M:%S}+00:00"
    for value in ("80", "90"):
        change = {"adjustment_date_time": changed_at, "adjusted_value": value}
        columns = (*CORE_COLUMNS, *change)
        deliver(google, f"{value}.csv", csv_bytes([core_row(1, **cells, **change)], columns))
        google.clock.seconds += 60
    google.api.statuses = lambda ids: [RequestStatus(each, "SUCCESS", "1001", 1) for each in ids]
    for _ in range(12):
        google.clock.seconds += HOUR
        sweep(google)
    assert google.api.adjusted == [("a", 80.0), ("a", 90.0), ("a", 90.0)]


def test_a_sale_of_a_constant_value_is_corrected_by_its_derived_order_id() -> None:
    """The order ID depends on the value that the entry of the sale states, so the row that corrects
    it is read with that value too, whatever its cell says."""
    google = world()
    google.use_destination("data_manager")
    google.profiles["default"]["columns"] = {
        "email": "Email",
        "conversion_date_time": "Time",
        "conversion_value": "Amount",
    }
    google.profiles["default"]["action"] = "1001"
    changed = {"adjustment_date_time": "Changed", "adjusted_value": "New"}
    google.profiles["default"]["conversions"] = [
        {"rows": {"Stage": ["Lead"]}, "value": 50},
        {"rows": {"Stage": ["Other"]}, "send": "restatement", "columns": changed},
    ]
    changed_at = f"{START - timedelta(days=1):%Y-%m-%d %H:%M:%S}+00:00"
    header, sale = "Stage,Email,Time,Amount,Changed,New", f"a@example.com,{SOLD_AT},100"
    deliver(google, "sold.csv", f"{header}\nLead,{sale},,\n".encode())
    deliver(google, "changed.csv", f"{header}\nOther,{sale},{changed_at},30\n".encode())
    sold, adjusted = google.api.sent
    assert (sold.value, adjusted.value, adjusted.order_id) == (50.0, 30.0, sold.order_id)


def test_a_corrected_value_without_a_currency_is_in_that_of_the_sale() -> None:
    """Neither the correction nor an account that cannot be read states one. The sale, which comes
    again with the corrected value, keeps its own."""
    google = world()
    google.use_destination("data_manager")
    google.api.unread = "ACTION_NOT_PERMITTED"
    sale = {"order_id": "a", "conversion_date_time": SOLD_AT}
    change = {
        "adjustment_date_time": f"{START - timedelta(days=1):%Y-%m-%d %H:%M:%S}+00:00",
        "adjusted_value": "80",
        "currency_code": "",
    }
    del google.profiles["default"]["currency_code"]
    changes = {"conversions": [{"send": "restatement"}]}
    google.profiles["changes"] = google.profiles["default"] | changes
    columns = (*CORE_COLUMNS, "adjustment_date_time", "adjusted_value")
    deliver(google, "changes/a.csv", csv_bytes([core_row(1, **sale, **change)], columns))
    deliver(google, "b.csv", csv_bytes([core_row(1, **sale, currency_code="CHF")]))
    sent = google.api.sent[-1]
    assert isinstance(sent, Conversion)
    assert (sent.value, sent.currency_code) == (80.0, "CHF")


def test_a_correction_of_the_currency_alone_reaches_the_sale() -> None:
    """100 dollars become 100 euros. The sale comes again, and a check of it changes nothing."""
    google = world()
    google.use_destination("data_manager")
    sale = {"order_id": "a", "conversion_date_time": SOLD_AT, "conversion_value": "100"}
    change = {
        "adjustment_date_time": f"{START - timedelta(days=1):%Y-%m-%d %H:%M:%S}+00:00",
        "adjusted_value": "100",
        "currency_code": "EUR",
    }
    default = google.profiles["default"]
    google.profiles["changes"] = default | {"conversions": [{"send": "restatement"}]}
    google.profiles["checked"] = default | {"validate_only": True}
    columns = (*CORE_COLUMNS, "adjustment_date_time", "adjusted_value")
    sold = csv_bytes([core_row(1, **sale, currency_code="USD")])
    changed = csv_bytes([core_row(1, **sale, **change)], columns)
    context = google.context  # one instance processes all of them
    for name, data in (("changes/a.csv", changed), ("b.csv", sold), ("checked/c.csv", sold)):
        deliver_object(google.store.put("in-bucket", name, data), context)
    records = [each for each in google.api.sent if isinstance(each, Conversion)]
    assert [each.currency_code for each in records] == ["EUR", "USD"]


def test_a_restatement_that_google_does_not_take_is_lost() -> None:
    """Google has a reason for a known order ID, which for a sale means that it counts already."""
    with played("data_manager") as history:
        sold(history, 0)
        history.judge("known", CHANGE)
        file = history.upload(CHANGES, [CHANGE])
        history.platform.wait(DAY)
        assert history.outcomes(file) == ["failed"]
        (row,) = history.results(file)["rows"]
        assert [each["code"] for each in row["errors"]] == ["OLD_VALUE_KEPT"]
        history.judge("known", SALE)
        again = history.upload(NIGHT, [SALE])
        history.platform.wait(DAY)
        assert history.outcomes(again) == ["duplicate"]


# ── temporary refusals ───────────────────────────────────────────────────────────────────────────


def test_a_restatement_that_was_too_recent_is_sent_again() -> None:
    """Google accepts it, says later that it is too recent, and gets it again until it counts."""
    with played("data_manager") as history:
        sold(history, 0)
        history.judge("too recent", CHANGE)
        file = history.upload(CHANGES, [CHANGE])
        history.platform.wait(DAY)
        history.judge("", CHANGE)
        history.platform.wait(DAY)
        assert (worth(history), history.outcomes(file)) == (60.0, ["uploaded"])


def test_a_restatement_that_was_too_recent_is_sent_again_after_a_crash() -> None:
    """Wherever its process dies: the document of its correction does not block the row itself."""
    for call in itertools.count(1):
        with played("data_manager") as history:
            sold(history, 0)
            history.judge("too recent", CHANGE)
            file = history.upload(CHANGES, [CHANGE])
            history.platform.deliver(file.source, Interruption(call, "killed"))
            killed = history.platform.processes[-1]
            google = history.platform.google
            google.process()  # also a request of which nobody knows any more
            history.judge("", CHANGE)
            history.platform.wait(2 * DAY)
            assert (worth(history), history.outcomes(file)) == (60.0, ["uploaded"]), call
        if not killed.interrupted_at:
            break
        assert call < MAX_CALLS


@pytest.mark.parametrize("verdict", ["too recent", "too recent, unnamed", "too recent at once"])
@pytest.mark.parametrize("is_one_file", [True, False])
def test_a_sale_and_its_correction_are_both_too_recent(verdict: Verdict, is_one_file: bool) -> None:
    """Both wait, and then the order has its newest value: nothing is skipped, or a duplicate."""
    with played("data_manager") as history:
        history.judge(verdict, SALE, CHANGE)
        files = [history.upload(EXPORT, [SALE, CHANGE] if is_one_file else [SALE])]
        if not is_one_file:
            files.append(history.upload(CHANGES, [CHANGE]))
        history.platform.wait(DAY)
        history.judge("", SALE, CHANGE)
        history.platform.wait(2 * DAY)
        assert worth(history) == 60.0
        assert {o for file in files for o in history.outcomes(file)} == {"uploaded"}


def test_rows_that_wait_unnamed_do_not_undo_the_correction_of_another_file() -> None:
    """Google names no row, so all are sent again: with the newest value of their orders."""
    with played("data_manager") as history:
        history.judge("too recent, unnamed", SalesRow(3))
        history.upload(EXPORT, sales(0, 3))
        history.platform.wait(7 * HOUR)
        history.platform.google.process()
        history.upload(CHANGES, [CHANGE])
        for _ in range(3):
            history.platform.wait(DAY)
            assert worth(history) == 60.0
        history.judge("", SalesRow(3))
        history.platform.wait(DAY)
        assert (worth(history), worth(history, 3)) == (60.0, 100.0)


# ── corrected while Google processes ─────────────────────────────────────────────────────────────


def process_newest_first(history: Oracle) -> None:
    """Let Google process all requests, beginning with the newest."""
    google = history.platform.google
    google.process(reversed([each for each in google.requests if each.is_held]))


def change_processed_first(history: Oracle) -> None:
    """Upload a change of the sale, which Google processes before the sale itself."""
    history.upload(CHANGES, [CHANGE])
    history.platform.wait(5)
    process_newest_first(history)


def test_a_sale_that_was_deferred_before_gets_its_newest_value() -> None:
    """The 72 hours of its deferral are over when its status comes: they were for Google's reason,
    and the correction is another one."""
    with played("data_manager") as history:
        history.judge("too recent at once", SALE)
        file = history.upload(EXPORT, [SALE])
        history.platform.wait(2 * HOUR)
        history.judge("", SALE)
        history.platform.wait(7 * HOUR)
        change_processed_first(history)
        history.platform.google.statuses = "refused"
        history.platform.wait(3 * DAY)
        history.platform.google.statuses = ""
        history.platform.wait(2 * DAY)
        assert (worth(history), history.outcomes(file)) == (60.0, ["uploaded"])


def test_a_sale_on_its_way_is_not_sent_again_because_it_is_retracted() -> None:
    """The API that gets it takes no retraction, and the sale would count once more."""
    with played("both") as history:
        file = history.upload(EXPORT, [SALE])
        history.upload(CHANGES, [SalesRow(0, REFUNDED)])
        history.platform.wait(3 * DAY)
        (row,) = history.results(file)["rows"]
        assert (row["outcome"], row["warnings"]) == ("uploaded", [])
        assert sum(each.run == file.run for each in history.platform.google.requests) == 1


def test_an_outage_of_days_keeps_no_newer_value_back() -> None:
    """The sale that Google has processed last is sent with its newest value after the outage."""
    with played("data_manager") as history:
        file = history.upload(EXPORT, [SALE])
        history.platform.wait(HOUR / 4)
        change_processed_first(history)
        history.platform.google.sending = "outage"
        history.platform.wait(4 * DAY)
        history.platform.google.sending = ""
        history.platform.wait(DAY)
        assert (worth(history), history.outcomes(file)) == (60.0, ["uploaded"])


@pytest.mark.parametrize("verdict", ["refused", "too recent", "too recent at once"])
def test_a_sale_that_google_counts_is_not_lost_if_its_resend_is_refused(verdict: Verdict) -> None:
    """Google has processed the sale and then its correction, so it holds the newest value."""
    with played("data_manager") as history:
        file = history.upload(EXPORT, sales(0, 3))
        history.platform.wait(HOUR / 2)
        history.upload(CHANGES, [CHANGE])
        history.platform.wait(5)
        history.platform.google.process()
        history.judge(verdict, SALE)
        history.platform.wait(5 * DAY)
        assert (worth(history), history.outcomes(file)) == (60.0, ["uploaded"] * 2)
        warnings = [each["code"] for each in history.results(file)["rows"][0]["warnings"]]
        assert warnings[-1] == "NEWEST_VALUE_NOT_SENT"


# ── refused for good ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("again", [SALE, CHANGE])
def test_a_correction_that_failed_can_be_mended(again: SalesRow) -> None:
    """The corrected row, or the sale, is uploaded again, and counts: no document blocks it."""
    with played("data_manager") as history:
        sold(history, 0)
        history.judge("refused", CHANGE)
        failed = history.upload(CHANGES, [CHANGE])
        history.platform.wait(DAY)
        assert history.outcomes(failed) == ["failed"]
        history.judge("", CHANGE)
        file = history.upload(CHANGES if again.step else NIGHT, [again])
        history.platform.wait(DAY)
        assert (history.outcomes(file), worth(history)) == (["uploaded"], 60.0)


# ── files beside each other ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("first", [EXPORT, CHANGES])
def test_sales_and_corrections_come_within_seconds(first: str) -> None:
    """In whatever order Google processes their requests, the order has its newest value."""
    for order in itertools.permutations(range(3)):
        with played("data_manager") as history:
            google = history.platform.google
            sold(history, 0)
            came = [(EXPORT, SALE), (CHANGES, CHANGE), (NIGHT, SALE)]
            for name, row in came if first == EXPORT else reversed(came):
                history.upload(name, [row])
                history.platform.wait(5)
            held = [each for each in google.requests if each.is_held]
            google.process(held[place] for place in order if place < len(held))
            history.platform.wait(2 * DAY)
            assert worth(history) == 60.0, order


@pytest.mark.parametrize("apis", ["google_ads", "data_manager", "both"])
def test_a_nightly_export_of_another_profile_undoes_no_correction(apis: str) -> None:
    """Sales are read by one profile, and changes by another one of the same account. The Google Ads
    API knows the sales, and the Data Manager API gets the corrected value with the sale."""
    with played(apis) as history:
        history.upload(NIGHT, sales(0, 3))
        history.platform.wait(DAY)
        history.upload(CHANGES, [CHANGE])
        history.platform.wait(DAY)
        for _ in range(3):
            file = history.upload(NIGHT, sales(0, 3, 6))
            history.platform.wait(DAY)
            assert (worth(history), worth(history, 3)) == (60.0, 100.0)
            first, *_ = rows = history.results(file)["rows"]
            known = "duplicate" if apis == "google_ads" else "uploaded"
            assert [row["outcome"] for row in rows] == [known, known, rows[2]["outcome"]]
            corrected = [each["code"] for each in first["warnings"]]
            assert corrected == ([] if apis == "google_ads" else ["CORRECTED_VALUE"])


def test_an_older_correction_comes_after_a_newer_one() -> None:
    """The order keeps the newest value, whichever file comes last."""
    with played("data_manager") as history:
        sold(history, 0)
        for step in (AGAIN, REDUCED):
            history.upload(CHANGES, [SalesRow(0, step)])
            history.platform.wait(DAY)
        assert worth(history) == 40.0


def test_a_correction_survives_a_crash_anywhere() -> None:
    """What a dead process has sent is known to every file that sells the order again."""
    for call in itertools.count(1):
        with played("data_manager") as history:
            sold(history, 0)
            file = history.upload(CHANGES, [CHANGE])
            history.platform.deliver(file.source, Interruption(call, "killed"))
            killed = history.platform.processes[-1]
            history.upload(EXPORT, sales(0, 3))
            history.platform.wait(2 * DAY)
            assert worth(history) == 60.0, call
        if not killed.interrupted_at:
            break
        assert call < MAX_CALLS


# ── sales that have only an email address ────────────────────────────────────────────────────────


@pytest.mark.parametrize("names_orders", [True, False])
@pytest.mark.parametrize(
    ("apis", "step"),
    [
        ("google_ads", REDUCED),
        ("google_ads", REFUNDED),
        ("data_manager", REDUCED),
        ("both", REFUNDED),
    ],
)
def test_a_refund_of_a_sale_that_has_only_an_email_address(
    apis: str, step: int, names_orders: bool
) -> None:
    """The row of the sale comes again with its correction: the order ID that was derived of its
    cells serves, also if the profile names no column of order IDs."""
    with played(apis) as history:
        if not names_orders:
            for profile in history.platform.world.profiles.values():
                del profile["columns"]["order_id"], profile["columns"]["gclid"]
                profile["optional"] = []
        sold(history, 2)
        file = history.upload(CHANGES, [SalesRow(2, step)])
        history.platform.wait(2 * DAY)
        assert history.outcomes(file) == ["uploaded"]
        assert worth(history, 2) == (60.0 if step == REDUCED else None)


# ── both APIs ────────────────────────────────────────────────────────────────────────────────────


def test_a_retraction_by_the_other_api_is_final() -> None:
    """The sale of a retracted order is not sent again, and its results say so."""
    with played("both") as history:
        sold(history, 0, 3)
        history.upload(CHANGES, [SalesRow(0, REFUNDED)])
        history.platform.wait(2 * DAY)
        file = history.upload(EXPORT, sales(0, 3))
        history.platform.wait(DAY)
        assert history.outcomes(file) == ["skipped", "uploaded"]
        assert worth(history) is None


def test_corrections_of_a_file_wait_until_its_sales_are_answered_and_no_longer() -> None:
    """They are sent by the other API in the hour after Google's final answer."""
    with played("both") as history:
        rows = [SALE, SalesRow(0, REFUNDED)]
        file = history.upload(EXPORT, rows)
        history.platform.wait(5 * HOUR)
        assert "deferred" in history.outcomes(file)
        history.platform.google.process()
        history.platform.wait(1.1 * HOUR)
        assert history.outcomes(file) == ["uploaded"] * 2
        assert worth(history) is None


def test_a_held_correction_waits_for_its_sale_too() -> None:
    """The last line has no line end, and corrects a sale of its file that Google processes."""
    with played("both") as history:
        file = history.upload(EXPORT, [SALE, CHANGE], is_cut=True)
        history.platform.wait(HOUR)
        history.platform.google.process()
        history.platform.wait(2 * HOUR)
        assert history.outcomes(file) == ["uploaded"] * 2
        assert worth(history) == 60.0


def test_a_check_neither_reads_nor_saves_corrections() -> None:
    """With validate_only, a restatement changes nothing for the sale that follows."""
    with played("data_manager") as history:
        history.platform.world.profiles["changes"]["validate_only"] = True
        history.upload(CHANGES, [CHANGE])
        history.platform.wait(HOUR)
        sold(history, 0)
        assert worth(history) == 100.0
