"""The twelve exports that no rule has seen: what is sent is right if their owners answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lib.cli.commands import main
from lib.cli.dry_run import DryRun
from lib.config.profile import Profile
from lib.model.records import Adjustment, Conversion, Record, is_derived_order_id
from lib.rules.values.identifiers import sha256_hex

UNSEEN = Path(__file__).parents[1] / "unseen"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ALL_AGREED = "no column: all people agreed"
NOT_ASKED = "no column: nobody was asked, so nothing is stated"
REFUND = "refunded completely: the sale no longer counts"

QUESTIONS = {
    "rows": "whether a row is a sale",
    "sales": "Which of them are sales?",
    "others": "conversion, with an action of its own",
    "refunds": "refund or change an earlier sale",
    "left": "Must other rows stay out",
    "values": "Which are left out?",
    "time": "happened?",
    "value": "has the value of",
    "clock": "no time of day",
    "new": "is the sale refunded completely",
    "changed": "the sale was refunded or changed?",
    "currency": "In which currency",
    "order": "Which column has the order ID",
    "gclid": "(gclid)",
    "email": "has the email address",
    "phone": "has the phone number",
    "dates": "How are dates written?",
    "sign": "decimal sign",
    "scale": "whole units, or cents",
    "zone": "In which time zone",
    "country": "From which country",
    "consent": "asked for consent",
    "API": "Which of Google's APIs",
    "account": "Which Google Ads account",
    "action": "Which conversion action",
    "expect": "When do files come?",
    "screen": "A number changes an answer",
}
"""What is answered → a part of the question."""
OPTIONS = {
    "lodgit_desk": ["--encoding", "windows-1252"],
    "makeshop_jp": ["--encoding", "shift_jis"],
}
FOR_ALL = {"others": "0", "refunds": "0", "API": "Google Ads API", "screen": "s"}
ANSWERS: Mapping[str, Mapping[str, str | list[str]]] = {
    "airwallex": {
        "rows": "Payment status",
        "sales": "SUCCEEDED",
        "left": ["Refunded amount", "Order ID", "no others"],
        "values": ["only 0.00", "(empty),=TEST-0031"],
        "time": "Payment created time",
        "value": "Payment amount",
        "currency": "Payment currency",
        "order": "Order ID",
        "gclid": "Metadata gclid",
        "email": "Customer email",
        "zone": "Asia/Hong_Kong",
        "consent": NOT_ASKED,
        "account": "555-610-4432",
        "action": "Purchase (web)",
        "expect": "every day by 01:00 Asia/Hong_Kong",
    },
    "braintree": {
        "rows": "Transaction Type",
        "sales": "sale",
        "refunds": "credit",
        "left": ["Transaction Status", "Subscription ID", "no others"],
        "values": ["only settled,settling", "*"],
        "time": "Created Datetime",
        "value": "Amount Submitted For Settlement",
        "new": REFUND,
        "changed": "Created Datetime",
        "currency": "Currency ISO Code",
        "order": "Order ID",
        "gclid": "gclid_at_checkout",
        "email": "Customer Email",
        "phone": "Customer Phone",
        "dates": "month first",
        "zone": "America/Los_Angeles",
        "country": "US",
        "consent": ALL_AGREED,
        "account": "555-201-4410",
        "action": "Online order",
        "expect": "every Tuesday by 08:00 America/Los_Angeles",
    },
    "coaching_sheet_in": {
        "rows": "Status",
        "sales": "Admitted",
        "left": ["Source", "no others"],
        "values": ["Test"],
        "time": "Date",
        "value": "Total Fees",
        "currency": "INR",
        "order": "none",
        "gclid": "GCLID",
        "email": "Email",
        "phone": "Mobile",
        "dates": "day first",
        "sign": "a point",
        "zone": "Asia/Kolkata",
        "country": "Country Code",
        "consent": NOT_ASKED,
        "account": "555-389-6127",
        "action": "Admission",
        "expect": "every mon, tue, wed, thu, fri, sat by 20:00 Asia/Kolkata",
    },
    "cooltix": {
        "rows": "Status",
        "sales": "Paid",
        "refunds": "Refunded",
        "left": ["Ticket Type", "Payment Method", "no others"],
        "values": ["Guest list", "Box office"],
        "time": "Order Date",
        "value": "Gross Price",
        "new": REFUND,
        "changed": "Refund Date",
        "currency": "Currency",
        "order": "Attendee ID",
        "email": "Customer Email",
        "phone": "Customer Phone",
        "scale": "whole units",
        "zone": "Europe/Budapest",
        "country": "HU",
        "consent": ALL_AGREED,
        "account": "555-836-2204",
        "action": "Jegyvásárlás",
        "expect": "every day by 03:00 Europe/Budapest",
    },
    "espocrm": {
        "rows": "Stage",
        "sales": "Closed Won",
        "others": ["Qualification,Proposal/Price Quote,Negotiation/Review", "0"],
        "left": ["Account", "no others"],
        "values": ["Test Ltd"],
        "time": ["Won On", "Qualified On"],
        "value": ["Amount", "=100"],
        "currency": ["Amount Currency", "GBP"],
        "order": "ID",
        "gclid": "Click ID",
        "email": "Contact Email",
        "phone": "Contact Phone",
        "zone": "UTC",
        "country": "GB",
        "consent": "Ads Consent",
        "account": "555-208-7719",
        "action": ["Closed deal", "Qualified lead"],
        "expect": "every weekday by 19:15 Europe/London",
    },
    "icepay": {
        "rows": "LastPaymentStatus",
        "sales": "OK",
        "left": ["CustomerName", "no others"],
        "values": ["Testbestelling"],
        "time": "PaymentTime",
        "value": "Amount",
        "currency": "Currency",
        "order": "OrderID",
        "gclid": "Reference",
        "phone": "none",
        "scale": "cents",
        "zone": "Europe/Amsterdam",
        "consent": ALL_AGREED,
        "account": "555-318-0072",
        "action": "Bestelling webshop",
        "expect": "every weekday by 09:00 Europe/Amsterdam",
    },
    "lodgit_desk": {
        "rows": "Status",
        "sales": "Gebucht,Eingecheckt,Ausgecheckt",
        "left": ["Vermittler", "Werbung erlaubt", "no others"],
        "values": ["*", "Nein"],
        "time": "Gebucht am",
        "value": "Gesamtpreis",
        "order": "Buchungsnr.",
        "gclid": "Klickkennung",
        "email": "E-Mail",
        "phone": "Telefon",
        "zone": "Europe/Berlin",
        "country": "DE",
        "consent": "Werbung erlaubt",
        "account": "555-442-0987",
        "action": "Direktbuchung",
        "expect": "every sun by 20:00 Europe/Berlin",
    },
    "makeshop_jp": {
        "rows": "処理状況",
        "sales": "配送,未処理",
        "left": ["no others"],
        "time": "日付",
        "value": "合計金額",
        "clock": "注文時間",
        "currency": "JPY",
        "order": "注文番号",
        "email": "メールアドレス",
        "phone": "電話番号",
        "scale": "whole units",
        "zone": "Asia/Tokyo",
        "country": "JP",
        "consent": NOT_ASKED,
        "account": "555-660-1903",
        "action": "オンライン注文",
        "expect": "every day by 10:00 Asia/Tokyo",
    },
    "microsoft_bookings": {
        "rows": "Service",
        "sales": "New patient exam",
        "others": ["Emergency visit (new patient)", "0"],
        "left": ["Customer Name", "no others"],
        "values": ["Test Patient"],
        "time": ["Date Time", "Date Time"],
        "value": ["=180", "=240"],
        "currency": "Currency",
        "order": "Booking Id",
        "email": "Customer Email",
        "phone": "Customer Phone",
        "dates": "month first",
        "zone": "America/Toronto",
        "country": "CA",
        "consent": ALL_AGREED,
        "account": "555-905-6611",
        "action": ["New patient visit", "New patient visit"],
        "expect": "every mon by 23:59 America/Toronto",
    },
    "pretix": {
        "rows": "Status",
        "sales": "paid",
        "left": ["Sales channel", "Comment", "no others"],
        "values": ["only web", "TEST"],
        "time": "Date of last payment",
        "value": "Net at 20.00 % tax",
        "scale": "whole units",
        "clock": "no",
        "currency": "EUR",
        "order": "Order code",
        "email": "Email",
        "phone": "Phone number",
        "zone": "Europe/Vienna",
        "consent": ALL_AGREED,
        "account": "555-727-3345",
        "action": "Workshop paid",
        "expect": "every tue by 09:00 Europe/Vienna",
    },
    "streak": {
        "rows": "Stage",
        "sales": "Closed Won",
        "left": ["Lead Source", "no others"],
        "values": ["Test"],
        "time": "Closed On",
        "value": "Deal Size",
        "currency": "USD",
        "order": "Box Key",
        "gclid": "Google Click",
        "email": "Contact Email",
        "phone": "Contact Phone",
        "dates": "month first",
        "sign": "a point",
        "zone": "America/Chicago",
        "country": "US",
        "consent": NOT_ASKED,
        "account": "555-140-8826",
        "action": "Contract signed",
        "expect": "any time",
    },
    "tor_liste_ch": {
        "rows": "Status",
        "sales": "Auftrag",
        "refunds": "Nachtrag",
        "left": ["no others"],
        "time": "Datum",
        "value": "Auftragssumme CHF",
        "new": "Auftragssumme CHF",
        "changed": "Datum",
        "currency": "CHF",
        "order": "Auftrags-Nr.",
        "gclid": "Klick-ID",
        "email": "E-Mail",
        "phone": "Telefon",
        "zone": "Europe/Zurich",
        "country": "CH",
        "consent": ALL_AGREED,
        "account": "555-173-9050",
        "action": "Auftrag",
        "expect": "every fri by 17:00 Europe/Zurich",
    },
}
"""What the owners know. Two answers: the question comes twice."""


@pytest.mark.parametrize("name", ANSWERS)
def test_each_owner_gets_what_is_right(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each object of the oracle arrives, and nothing else."""
    monkeypatch.chdir(tmp_path)
    answers = {**FOR_ALL, **ANSWERS[name]}
    open_answers = {key: [a] if isinstance(a, str) else [*a] for key, a in answers.items()}
    said: list[str] = [""]

    def prompt(text: str, **_: object) -> str:
        parts = QUESTIONS["values"], "Numbers", QUESTIONS["screen"]
        asked = text if any(part in text for part in parts) else said[-1]
        (key,) = (key for key, part in QUESTIONS.items() if part in asked)
        assert open_answers[key], asked
        return open_answers[key].pop(0)

    def say(text: str = "") -> None:
        said.extend([text] * bool(text.strip() and not text.startswith("  ")))

    monkeypatch.setattr("lib.cli.init.asking.click.prompt", prompt)
    monkeypatch.setattr("lib.cli.init.asking.say", say)
    (file,) = (each for each in (UNSEEN / name).iterdir() if each.suffix not in (".md", ".json"))
    command = ["init", str(file), "--now", NOW.isoformat(), *OPTIONS.get(name, ())]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, (done.output, done.exception, open_answers)
    profile = Profile.model_validate(json.loads(Path("profiles.json").read_text())["default"])
    truth = {each["line"]: each for each in json.loads((UNSEEN / name / "truth.json").read_text())}
    sent = dict(records(file, profile))
    assert sent.keys() == truth.keys()
    for line, record in sent.items():
        assert not wrong(record, truth[line]), line
    assert not any(open_answers[key] for key in ANSWERS[name])


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
