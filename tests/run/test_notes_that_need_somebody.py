"""What a run says unasked, so that no green page stands above it."""

from __future__ import annotations

from typing import Any

import pytest

from lib.model.totals import Totals
from lib.run.attempt import Sums
from lib.run.finish import summary_of
from tests.fakes import SOLD_AT, START, World, deliver, entries, results, saved, world
from tests.rows import core_row, csv_bytes

DENIED = {"ad_user_data": "Denied"}
GRANTED = {"ad_user_data": "Granted"}


def sent(*cells: dict[str, str], **profile: Any) -> tuple[World, dict[str, Any]]:
    """Deliver a file with these rows. Return where, and its results."""
    google = world()
    google.profiles["default"] |= profile
    rows = (
        core_row(n, **{"conversion_date_time": SOLD_AT, **each}) for n, each in enumerate(cells)
    )
    deliver(google, "daily.csv", csv_bytes(rows))
    return google, results(google)


def codes(document: dict[str, Any]) -> set[str]:
    return {note["code"] for note in document["notes"]}


def looks(google: World) -> tuple[str, ...]:
    """Return what the listing of the run says."""
    (entry,) = entries(google)
    return entry.looks


@pytest.mark.parametrize(
    ("cells", "is_denied"),
    [
        ([DENIED, DENIED], True),
        ([DENIED], True),
        ([DENIED, GRANTED], False),
        ([GRANTED, DENIED], False),
        ([DENIED] * 8 + [GRANTED] * 2, False),
        ([DENIED] * 19 + [GRANTED], True),
        ([GRANTED] + [DENIED] * 2_000, True),
        ([{}, {}], False),
    ],
)
def test_a_file_in_which_nearly_everybody_refuses_says_so(
    cells: list[dict[str, str]], is_denied: bool
) -> None:
    """Over all chunks: Google took every row, and may use hardly one."""
    google, document = sent(*cells)
    assert document["counts"]["uploaded"] == len(cells)
    assert ("NEARLY_ALL_DENIED" in codes(document)) == is_denied
    assert ("NEARLY_ALL_DENIED" in looks(google)) == is_denied


def test_a_file_without_a_sale_that_can_be_sent_says_nothing_of_consent() -> None:
    """None of none is not nearly all."""
    _, document = sent({"conversion_date_time": "yesterday"})
    assert document["counts"]["rejected"] == 1
    assert "NEARLY_ALL_DENIED" not in codes(document)


def test_refused_consent_is_said_if_all_rows_are_listed() -> None:
    """The rows are listed then, and the note is the same."""
    google = world(list_all_rows=True)
    row = core_row(1, conversion_date_time=SOLD_AT, **DENIED)
    deliver(google, "daily.csv", csv_bytes([row]))
    assert "NEARLY_ALL_DENIED" in codes(results(google))


@pytest.mark.parametrize("destination", ["google_ads", "data_manager"])
def test_refused_consent_is_said_of_a_file_that_ends_with_a_refund(destination: str) -> None:
    """A correction has no consent of its own, so it says nothing of the sales."""
    google = world()
    google.use_destination(destination)
    names = ("order_id", "gclid", "conversion_date_time", "conversion_value", "ad_user_data")
    changed = {"adjustment_date_time": names[2], "adjusted_value": names[3]}
    refund = {"send": "restatement", "columns": changed}
    google.profiles["default"] |= {
        "columns": {name: name for name in names},
        "currency_code": "USD",
        "action": "1001",
        "conversions": [
            {"rows": {"email": ["sold"]}},
            {"rows": {"email": ["refunded"]}, **refund},
        ],
    }
    rows = [
        core_row(number, conversion_date_time=SOLD_AT, email=stage, **DENIED)
        for number, stage in enumerate(["sold", "sold", "refunded"])
    ]
    deliver(google, "daily.csv", csv_bytes(rows))
    document = results(google)
    assert document["file_error"] is None
    assert document["counts"]["rejected"] == 0
    assert "NEARLY_ALL_DENIED" in codes(document)


@pytest.mark.parametrize(
    ("matchable", "unmatched", "awaiting", "is_said"),
    [
        (500, 500, 0, True),
        (500, 495, 0, True),
        (500, 494, 0, False),
        (499, 499, 0, False),
        pytest.param(500, 500, 1, False, id="Google is still checking"),
    ],
)
def test_a_file_of_which_hardly_anybody_clicked_an_ad(
    matchable: int, unmatched: int, awaiting: int, is_said: bool
) -> None:
    """At most one of a hundred cannot be chance, once Google has checked enough of them."""
    google, _ = sent({})
    totals = Totals({"uploaded": 600}, matchable=matchable, unmatched=unmatched, awaiting=awaiting)
    notes = summary_of(saved(google), Sums(totals), google.clock.utc()).notes
    assert ("NEARLY_NO_MATCHES" in [note.code for note in notes]) == is_said


def test_a_total_that_is_read_as_a_sale_is_named() -> None:
    """By its line: its value is that of all others."""
    values = (10, 20, 30, 40, 50, 150)
    google, document = sent(*({"conversion_value": str(value)} for value in values))
    assert "LOOKS_LIKE_A_TOTAL" in looks(google)
    (note,) = (each for each in document["notes"] if each["code"] == "LOOKS_LIKE_A_TOTAL")
    assert note["detail"] == "line 7"


def test_a_total_that_the_profile_skips_is_not_named() -> None:
    """Nobody needs to look at it."""
    google, _ = sent({"order_id": "A-1"}, {"order_id": "Total"}, skip={"order_id": ["Total"]})
    assert looks(google) == ()


def test_a_repeated_order_with_another_value_is_named() -> None:
    """Its money does not count, and nothing of it is lost by an error."""
    same = {"order_id": "A-1"}
    google, document = sent({**same, "conversion_value": "5"}, {**same, "conversion_value": "9"})
    assert document["counts"]["duplicate"] == 1
    assert looks(google) == ("REPEATED_WITH_OTHER_VALUE",)
    assert document["codes"]["REPEATED_WITH_OTHER_VALUE"]["sums"]["USD"]["micros"] == 9_000_000


@pytest.mark.parametrize(
    ("cells", "is_old"),
    [
        ({"gclid": "", "email": "buyer@example.com"}, True),
        ({"email": "buyer@example.com"}, False),
    ],
)
def test_an_old_row_without_a_click_id_is_named(cells: dict[str, str], is_old: bool) -> None:
    """It is sent all the same: Google's own pages give it 90 days."""
    old = START.replace(month=9, day=10).strftime("%Y-%m-%d %H:%M:%S+00:00")
    google, document = sent({**cells, "conversion_date_time": old}, {"email": ""})
    assert document["counts"]["uploaded"] == 2
    assert ("OLD_WITHOUT_CLICK_ID" in looks(google)) == is_old
