"""The twelve exports that no rule has seen: what is sent is right if their owners answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lib.cli.dry_run import DryRun
from lib.config.profile import Profile
from lib.model.records import Adjustment, Conversion, Record, is_derived_order_id
from lib.rules.values.identifiers import sha256_hex
from tests.cli.person import Person

UNSEEN = Path(__file__).parents[1] / "unseen"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ALL_AGREED = "all people in this file agreed"
NOT_ASKED = "nobody was asked, so nothing is stated"
SALE, REFUND, OUT = "a sale", "a refund of the whole sale", "left out"
OTHER, ANY = "a sale of another action", "what the other columns say"

KEYS = {
    "lodgit_desk": {"encoding": "windows-1252"},
    "makeshop_jp": {"encoding": "shift_jis"},
}


@dataclass(frozen=True)
class Owner:
    """What the owner of a file knows: column → what it is; column → value → what its rows are; and
    the other answers by question. `of_others`: those about the second kind of rows and so on."""

    columns: Mapping[str, str]
    rows: Mapping[str, Mapping[str, str]]
    answers: Mapping[str, str]
    of_others: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    passing: tuple[str, ...] = ()
    """Columns all of whose other values are sent."""


OWNERS = {
    "airwallex": Owner(
        {
            "Payment created time": "conversion_date_time",
            "Payment amount": "conversion_value",
            "Payment currency": "currency_code",
            "Order ID": "order_id",
            "Metadata gclid": "gclid",
            "Customer email": "email",
        },
        {
            "Payment status": {"SUCCEEDED": SALE},
            "Refunded amount": {"0.00": SALE},
            "Order ID": {"(empty)": OUT, "TEST-0031": OUT, "any other value": ANY},
        },
        {
            "time_zone": "Asia/Hong_Kong",
            "ad_user_data": NOT_ASKED,
            "customer_id": "555-610-4432",
            "conversion_action": "Purchase (web)",
            "expect": "every day by 01:00 Asia/Hong_Kong",
        },
    ),
    "braintree": Owner(
        {
            "Created Datetime": "conversion_date_time",
            "Amount Submitted For Settlement": "conversion_value",
            "Currency ISO Code": "currency_code",
            "Order ID": "order_id",
            "gclid_at_checkout": "gclid",
            "Customer Email": "email",
            "Customer Phone": "phone",
        },
        {
            "Transaction Type": {"sale": SALE, "credit": REFUND},
            "Transaction Status": {"settled": ANY, "settling": ANY},
            "Subscription ID": {"(empty)": ANY},
        },
        {
            "date_order": "month first",
            "time_zone": "America/Los_Angeles",
            "country_code": "US",
            "ad_user_data": ALL_AGREED,
            "customer_id": "555-201-4410",
            "conversion_action": "Online order",
            "expect": "every Tuesday by 08:00 America/Los_Angeles",
        },
        {1: {"adjustment_date_time": "Created Datetime", "order_id": "Order ID"}},
    ),
    "coaching_sheet_in": Owner(
        {
            "Date": "conversion_date_time",
            "Total Fees": "conversion_value",
            "GCLID": "gclid",
            "Email": "email",
            "Mobile": "phone",
            "Country Code": "country_code",
        },
        {"Status": {"Admitted": SALE}, "Source": {"Test": OUT}},
        {
            "currency_code": "INR",
            "order_id": "there is none",
            "date_order": "day first",
            "decimal_sign": "a point",
            "time_zone": "Asia/Kolkata",
            "ad_user_data": NOT_ASKED,
            "customer_id": "555-389-6127",
            "conversion_action": "Admission",
            "expect": "every mon, tue, wed, thu, fri, sat by 20:00 Asia/Kolkata",
        },
        passing=("Source",),
    ),
    "cooltix": Owner(
        {
            "Order Date": "conversion_date_time",
            "Gross Price": "conversion_value",
            "Currency": "currency_code",
            "Attendee ID": "order_id",
            "Customer Email": "email",
            "Customer Phone": "phone",
        },
        {
            "Status": {"Paid": SALE, "Refunded": REFUND},
            "Ticket Type": {"Guest list": OUT},
            "Payment Method": {"Box office": OUT},
        },
        {
            "value_scale": "whole units",
            "time_zone": "Europe/Budapest",
            "country_code": "HU",
            "ad_user_data": ALL_AGREED,
            "customer_id": "555-836-2204",
            "conversion_action": "Jegyvásárlás",
            "expect": "every day by 03:00 Europe/Budapest",
        },
        {1: {"adjustment_date_time": "Refund Date", "order_id": "Attendee ID"}},
        passing=("Ticket Type", "Payment Method"),
    ),
    "espocrm": Owner(
        {
            "Won On": "conversion_date_time",
            "Amount": "conversion_value",
            "Amount Currency": "currency_code",
            "ID": "order_id",
            "Click ID": "gclid",
            "Contact Email": "email",
            "Contact Phone": "phone",
            "Ads Consent": "ad_user_data",
        },
        {
            "Stage": {
                "Closed Won": SALE,
                "Qualification": OTHER,
                "Proposal/Price Quote": "a sale (Qualification",
                "Negotiation/Review": "a sale (Qualification",
            },
            "Account": {"Test Ltd": OUT},
        },
        {
            "time_zone": "UTC",
            "country_code": "GB",
            "customer_id": "555-208-7719",
            "conversion_action": "Closed deal",
            "expect": "every weekday by 19:15 Europe/London",
        },
        {
            1: {
                "conversion_date_time": "Qualified On",
                "conversion_value": "100",
                "currency_code": "GBP",
                "conversion_action": "Qualified lead",
            }
        },
        passing=("Account",),
    ),
    "icepay": Owner(
        {
            "PaymentTime": "conversion_date_time",
            "Amount": "conversion_value",
            "Currency": "currency_code",
            "OrderID": "order_id",
            "Reference": "gclid",
        },
        {"LastPaymentStatus": {"OK": SALE}, "CustomerName": {"Testbestelling": OUT}},
        {
            "value_scale": "cents",
            "time_zone": "Europe/Amsterdam",
            "ad_user_data": ALL_AGREED,
            "customer_id": "555-318-0072",
            "conversion_action": "Bestelling webshop",
            "expect": "every weekday by 09:00 Europe/Amsterdam",
        },
        passing=("CustomerName",),
    ),
    "lodgit_desk": Owner(
        {
            "Gebucht am": "conversion_date_time",
            "Gesamtpreis": "conversion_value",
            "Buchungsnr.": "order_id",
            "Klickkennung": "gclid",
            "E-Mail": "email",
            "Telefon": "phone",
            "Werbung erlaubt": "ad_user_data",
        },
        {
            "Status": {"Gebucht": SALE, "Eingecheckt": SALE, "Ausgecheckt": SALE},
            "Vermittler": {"(empty)": SALE},
            "Werbung erlaubt": {"Nein": OUT},
        },
        {
            "time_zone": "Europe/Berlin",
            "country_code": "DE",
            "customer_id": "555-442-0987",
            "conversion_action": "Direktbuchung",
            "expect": "every sun by 20:00 Europe/Berlin",
        },
        passing=("Werbung erlaubt",),
    ),
    "makeshop_jp": Owner(
        {
            "日付": "conversion_date_time",
            "注文時間": "time_of_day",
            "合計金額": "conversion_value",
            "注文番号": "order_id",
            "メールアドレス": "email",
            "電話番号": "phone",
        },
        {"処理状況": {"配送": SALE, "未処理": SALE}},
        {
            "currency_code": "JPY",
            "value_scale": "whole units",
            "time_zone": "Asia/Tokyo",
            "country_code": "JP",
            "ad_user_data": NOT_ASKED,
            "customer_id": "555-660-1903",
            "conversion_action": "オンライン注文",
            "expect": "every day by 10:00 Asia/Tokyo",
        },
    ),
    "microsoft_bookings": Owner(
        {
            "Date Time": "conversion_date_time",
            "Currency": "currency_code",
            "Booking Id": "order_id",
            "Customer Email": "email",
            "Customer Phone": "phone",
        },
        {
            "Service": {"New patient exam": SALE, "Emergency visit (new patient)": OTHER},
            "Customer Name": {"Test Patient": OUT},
        },
        {
            "conversion_value": "180",
            "date_order": "month first",
            "time_zone": "America/Toronto",
            "country_code": "CA",
            "ad_user_data": ALL_AGREED,
            "customer_id": "555-905-6611",
            "conversion_action": "New patient visit",
            "expect": "every mon by 23:59 America/Toronto",
        },
        {
            1: {
                "conversion_date_time": "Date Time",
                "conversion_value": "240",
                "conversion_action": "New patient visit",
            }
        },
        passing=("Customer Name",),
    ),
    "pretix": Owner(
        {
            "Date of last payment": "conversion_date_time",
            "Net at 20.00 % tax": "conversion_value",
            "Order code": "order_id",
            "Email": "email",
            "Phone number": "phone",
        },
        {
            "Status": {"paid": SALE},
            "Sales channel": {"web": SALE},
            "Comment": {"TEST": OUT},
        },
        {
            "currency_code": "EUR",
            "value_scale": "whole units",
            "time_zone": "Europe/Vienna",
            "ad_user_data": ALL_AGREED,
            "customer_id": "555-727-3345",
            "conversion_action": "Workshop paid",
            "expect": "every tue by 09:00 Europe/Vienna",
        },
        passing=("Comment",),
    ),
    "streak": Owner(
        {
            "Closed On": "conversion_date_time",
            "Deal Size": "conversion_value",
            "Box Key": "order_id",
            "Google Click": "gclid",
            "Contact Email": "email",
            "Contact Phone": "phone",
        },
        {"Stage": {"Closed Won": SALE}, "Lead Source": {"Test": OUT}},
        {
            "currency_code": "USD",
            "date_order": "month first",
            "decimal_sign": "a point",
            "time_zone": "America/Chicago",
            "country_code": "US",
            "ad_user_data": NOT_ASKED,
            "customer_id": "555-140-8826",
            "conversion_action": "Contract signed",
            "expect": "any time",
        },
        passing=("Lead Source",),
    ),
    "tor_liste_ch": Owner(
        {
            "Datum": "conversion_date_time",
            "Auftragssumme CHF": "conversion_value",
            "Auftrags-Nr.": "order_id",
            "Klick-ID": "gclid",
            "E-Mail": "email",
            "Telefon": "phone",
        },
        {"Status": {"Auftrag": SALE, "Nachtrag": "a change: a column has the new total"}},
        {
            "currency_code": "CHF",
            "time_zone": "Europe/Zurich",
            "country_code": "CH",
            "ad_user_data": ALL_AGREED,
            "customer_id": "555-173-9050",
            "conversion_action": "Auftrag",
            "expect": "every fri by 17:00 Europe/Zurich",
        },
        {
            1: {
                "adjusted_value": "Auftragssumme CHF",
                "adjustment_date_time": "Datum",
                "order_id": "Auftrags-Nr.",
            }
        },
    ),
}


@pytest.mark.parametrize("name", OWNERS)
def test_each_owner_gets_what_is_right(name: str, tmp_path: Path) -> None:
    """Each object of the oracle arrives, and nothing else."""
    owner = OWNERS[name]
    (file,) = (each for each in (UNSEEN / name).iterdir() if each.suffix not in (".md", ".json"))
    person = Person(file, tmp_path / "profiles.json", **KEYS.get(name, {}))
    for column, meaning in owner.columns.items():
        person.mean(column, meaning)
    for column in owner.rows:
        person.mean(column, "decides")
    for column, fates in owner.rows.items():
        person.decide(column, **fates)
    for column in owner.rows:
        rest = ANY if len(owner.rows) > 1 and len(person.session.draft.entries) > 1 else SALE
        for row in person.page.deciders[column]:
            if row.control.is_open:
                person.choose(row.control, rest if column in owner.passing else OUT)
    person.answer("destination", "Google Ads API")
    for question, text in owner.answers.items():
        person.answer(question, text)
        assert not person.refused()
    for entry, answers in owner.of_others.items():
        for question, text in answers.items():
            person.answer(question, text, entry)
            assert not person.refused()
    assert person.open() == []
    profile = Profile.model_validate(person.save())
    truth = {each["line"]: each for each in json.loads((UNSEEN / name / "truth.json").read_text())}
    sent = dict(records(file, profile))
    assert sent.keys() == truth.keys()
    for line, record in sent.items():
        assert not wrong(record, truth[line]), line


def records(file: Path, profile: Profile) -> Iterator[tuple[int, Record]]:
    """The records of the rows that would be sent, by line."""
    with file.open("rb") as stream:
        for chunk in DryRun(profile, NOW, list_all=True).read(stream):
            yield from chunk.records.items()


def wrong(record: Record, truth: Mapping[str, Any]) -> set[str]:
    """What of a record differs from the oracle."""
    time = datetime.fromisoformat(record.time)
    found: dict[str, object] = {
        "conversion_date_time": time == datetime.fromisoformat(truth["conversion_date_time"]),
        "value": record.value == truth["value"],
        "action": record.action_id == truth["action"],
    }
    if truth["order_id"] is None:
        found["order_id"] = record.order_id is None or is_derived_order_id(record.order_id)
    else:
        found["order_id"] = record.order_id == truth["order_id"]
    if isinstance(record, Adjustment):
        found["kind"] = record.adjustment_type == truth["kind"]
        return {key for key, is_right in found.items() if not is_right}
    assert isinstance(record, Conversion)
    found["kind"] = truth["kind"] == "conversion"
    found["currency"] = record.currency_code == truth["currency"]
    found["gclid"] = (record.gclid or None) == truth["gclid"]
    found["consent"] = record.ad_user_data == truth["consent"]
    for key, digests in (("email", record.hashed_emails), ("phone", record.hashed_phones)):
        found[key] = [*digests] == ([sha256_hex(truth[key])] if truth[key] else [])
    return {key for key, is_right in found.items() if not is_right}
